"""ROS functions: which a template uses, what they name, and what they come to in a given scope.

Documented in ROS's template syntax (functions, pseudo parameters); that ``Fn::Not`` takes its condition bare is seen in
all 237 uses in the official templates (aliyun/ros-templates, 9cc3b81). Only what is in ``FUNCTIONS`` can be evaluated
here; the checks name any other that a template uses.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

PSEUDO_PARAMETERS = (
    "ALIYUN::StackName",
    "ALIYUN::StackId",
    "ALIYUN::Region",
    "ALIYUN::AccountId",
    "ALIYUN::TenantId",
    "ALIYUN::NoValue",
    "ALIYUN::Index",
)
CONDITION_FUNCTIONS = ("Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not")
_PLACEHOLDER = re.compile(r"\$\{([^}!]+)\}")


class InvalidExpression(ValueError):
    """A function with arguments that it does not take; the text says which and what it takes."""


class Scope(Protocol):
    """Where names get their values."""

    def ref(self, name: str) -> Any:
        """Return the value of a parameter, pseudo parameter or resource."""

    def attribute(self, resource: str, name: str) -> Any:
        """Return an attribute of a resource."""

    def condition(self, name: str) -> bool:
        """Return whether a condition holds."""


class Use(NamedTuple):
    """One name that a value uses: ``kind`` is ref, attribute or condition; ``path`` is where it stands."""

    kind: str
    name: str
    attribute: str
    path: str


class _Nothing:
    """What ALIYUN::NoValue stands for: the property is not there."""


NOTHING = _Nothing()


def function_of(value: Any) -> str:
    """Return the function that a mapping calls (``Ref``, ``Fn::Sub``); an empty text if it calls none."""
    if isinstance(value, dict) and len(value) == 1:
        name = next(iter(value))
        if isinstance(name, str) and (name == "Ref" or name.startswith("Fn::")):
            return name
    return ""


def evaluate(value: Any, scope: Scope) -> Any:
    """Return what a value comes to. Raises InvalidExpression and what the scope raises for a name."""
    name = function_of(value)
    if name:
        if name not in FUNCTIONS:
            raise InvalidExpression(f"{name} is not evaluated here; use one of {', '.join(FUNCTIONS)}")
        return FUNCTIONS[name](value[name], scope)
    if isinstance(value, dict):
        evaluated = {key: evaluate(item, scope) for key, item in value.items()}
        return {key: item for key, item in evaluated.items() if item is not NOTHING}
    if isinstance(value, list):
        return [element for item in value if (element := evaluate(item, scope)) is not NOTHING]
    return value


def holds(condition: Any, scope: Scope) -> bool:
    """Return whether a condition holds: a plain name, or one of the functions for conditions."""
    if isinstance(condition, str):
        return scope.condition(condition)
    name = function_of(condition)
    if name not in CONDITION_FUNCTIONS:
        raise InvalidExpression(f"{condition!r} is no condition; use {', '.join(CONDITION_FUNCTIONS)} or a name")
    arguments = condition[name]
    if name == "Fn::Equals":
        left, right = _arguments(name, arguments, 2)
        return bool(evaluate(left, scope) == evaluate(right, scope))
    if name == "Fn::Not":
        if isinstance(arguments, list):
            raise InvalidExpression("Fn::Not takes the bare condition, not a list of one")
        return not holds(arguments, scope)
    if not isinstance(arguments, list) or not 2 <= len(arguments) <= 10:  # noqa: PLR2004 - documented
        raise InvalidExpression(f"{name} takes 2 to 10 conditions in a list")
    return (all if name == "Fn::And" else any)(holds(argument, scope) for argument in arguments)


def uses(value: Any, path: str) -> Iterator[Use]:
    """Give every name that a value uses, with its place; also those inside ``Fn::Sub`` and in conditions."""
    name = function_of(value)
    if name in _USES:
        yield from _USES[name](value[name], path)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from uses(item, f"{path}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from uses(item, f"{path}[{number}]")


def _uses_of_ref(name: Any, path: str) -> Iterator[Use]:
    yield Use("ref", str(name), "", path)


def _uses_of_attribute(given: Any, path: str) -> Iterator[Use]:
    resource, attribute = given if isinstance(given, list) and len(given) == 2 else (given, "")  # noqa: PLR2004
    yield Use("attribute", str(resource), str(attribute), path)


def _uses_of_choice(given: Any, path: str) -> Iterator[Use]:
    for number, item in enumerate(given if isinstance(given, list) else [given]):
        if number == 0:
            yield Use("condition", str(item), "", path)
        else:
            yield from uses(item, f"{path}.Fn::If[{number}]")


def _uses_of_conditions(function: str) -> Callable[[Any, str], Iterator[Use]]:
    def found(given: Any, path: str) -> Iterator[Use]:
        for number, item in enumerate(given if isinstance(given, list) else [given]):
            here = f"{path}.{function}[{number}]"
            if isinstance(item, str):
                yield Use("condition", item, "", here)
            else:
                yield from uses(item, here)

    return found


def _uses_of_text(arguments: Any, path: str) -> Iterator[Use]:
    text, own = _substitution(arguments)
    for placeholder in _PLACEHOLDER.findall(text):
        if placeholder not in own:
            resource, dot, attribute = placeholder.partition(".")
            yield Use("attribute" if dot else "ref", resource, attribute, f"{path}.Fn::Sub")
    yield from uses(dict(own), f"{path}.Fn::Sub")


_USES: Mapping[str, Callable[[Any, str], Iterator[Use]]] = {
    "Ref": _uses_of_ref,
    "Fn::GetAtt": _uses_of_attribute,
    "Fn::If": _uses_of_choice,
    "Fn::Sub": _uses_of_text,
    **{name: _uses_of_conditions(name) for name in ("Fn::And", "Fn::Or", "Fn::Not")},
}


def _arguments(name: str, given: Any, count: int) -> list[Any]:
    if not isinstance(given, list) or len(given) != count:
        raise InvalidExpression(f"{name} takes a list of {count}, not {given!r}")
    return given


def _substitution(given: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(given, str):
        return given, {}
    text, own = _arguments("Fn::Sub", given, 2)
    if not isinstance(text, str) or not isinstance(own, dict):
        raise InvalidExpression("Fn::Sub takes a text, or [text, {name: value}]")
    return text, own


def _ref(name: Any, scope: Scope) -> Any:
    return NOTHING if name == "ALIYUN::NoValue" else scope.ref(str(name))


def _sub(given: Any, scope: Scope) -> str:
    text, own = _substitution(given)

    def value_of(match: re.Match[str]) -> str:
        name = match[1]
        resource, dot, attribute = name.partition(".")
        if name in own:
            return as_text(evaluate(own[name], scope))
        return as_text(scope.attribute(resource, attribute) if dot else scope.ref(name))

    return _PLACEHOLDER.sub(value_of, text)


def as_text(value: Any) -> str:
    """Write a value as ROS puts it into a text: whole numbers without a point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _if(given: Any, scope: Scope) -> Any:
    condition, yes, no = _arguments("Fn::If", given, 3)
    return evaluate(yes if scope.condition(str(condition)) else no, scope)


def _get_att(given: Any, scope: Scope) -> Any:
    resource, attribute = _arguments("Fn::GetAtt", given, 2)
    return scope.attribute(str(resource), str(attribute))


def _join(given: Any, scope: Scope) -> str:
    separator, items = _arguments("Fn::Join", given, 2)
    return str(separator).join(as_text(part) for part in evaluate(items, scope))


def _select(given: Any, scope: Scope) -> Any:
    index, items = _arguments("Fn::Select", given, 2)
    return evaluate(items, scope)[int(index)]


def _split(given: Any, scope: Scope) -> list[str]:
    separator, text = _arguments("Fn::Split", given, 2)
    return str(evaluate(text, scope)).split(str(separator))


FUNCTIONS: Mapping[str, Callable[[Any, Scope], Any]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Str": lambda value, scope: as_text(evaluate(value, scope)),
    "Fn::Sub": _sub,
}
