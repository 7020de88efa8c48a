"""Evaluation of a RAM policy document: whether an action may be done to a resource under given circumstances.

After RAM's pages on policy structure, evaluation and conditions: what no statement allows is denied, a Deny that
applies wins over every Allow. All operators and keys of a Condition must hold; of a key's values one must. What this
evaluator does not know (an operator, NotAction, a policy variable) is an error, never a silent no or yes. An action
that RAM knows on all resources only (``localcloud.ram.granularity``) is not granted by a narrower resource.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Literal, NamedTuple

from cloud_languages.ram_granularity import is_for_all_resources

Context = Mapping[str, str]
"""Condition keys and their values in this request, as ``acs:ResourceTag/app``; keys are compared without case."""


class UnsupportedPolicy(ValueError):
    """A document that this evaluator can't judge; the text says which part."""


class Verdict(NamedTuple):
    """What came of it, and the statement that decided; None where no statement allows."""

    effect: Literal["Allow", "Deny"]
    statement: Mapping[str, Any] | None

    @property
    def allowed(self) -> bool:
        """Whether the request may be carried out."""
        return self.effect == "Allow"


def evaluate(document: Mapping[str, Any], action: str, resource: str, context: Context) -> Verdict:
    """Judge one request (``ecs:RebootInstances`` on an ARN) by one document. Raises UnsupportedPolicy."""
    return evaluate_all((document,), action, resource, context)


def evaluate_all(documents: Iterable[Mapping[str, Any]], action: str, resource: str, context: Context) -> Verdict:
    """Judge one request by all documents of an identity. Raises UnsupportedPolicy."""
    folded = {key.lower(): value for key, value in context.items()}
    allowing: Mapping[str, Any] | None = None
    for document in documents:
        if document.get("Version") != "1":
            raise UnsupportedPolicy(f"Version is {document.get('Version')!r}; RAM knows '1'")
        for statement in _listed(document.get("Statement")):
            if not _applies(statement, action, resource, folded):
                continue
            if statement["Effect"] == "Deny":
                return Verdict("Deny", statement)
            allowing = allowing or statement
    return Verdict("Allow", allowing) if allowing is not None else Verdict("Deny", None)


_KNOWN = {"Effect", "Action", "Resource", "Condition"}


def _applies(statement: Mapping[str, Any], action: str, resource: str, context: Context) -> bool:
    if unknown := set(statement) - _KNOWN:
        raise UnsupportedPolicy(f"a statement has {', '.join(sorted(unknown))}; known are {', '.join(sorted(_KNOWN))}")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise UnsupportedPolicy(f"Effect is {statement.get('Effect')!r}; say Allow or Deny")
    return (
        any(
            _pattern(pattern.lower()).fullmatch(action.lower()) for pattern in _texts(statement.get("Action"), "Action")
        )
        and _covers(_texts(statement.get("Resource"), "Resource"), action, resource)
        and all(_holds(operator, keys, context) for operator, keys in statement.get("Condition", {}).items())
    )


def _covers(patterns: list[str], action: str, resource: str) -> bool:
    """Return whether a statement is about the resource; what can't be narrowed must be granted on everything."""
    if is_for_all_resources(action):
        return "*" in patterns
    return any(_pattern(pattern).fullmatch(resource) for pattern in patterns)


def _holds(operator: str, keys: Mapping[str, Any], context: Context) -> bool:
    test = _OPERATORS.get(operator)
    if test is None:
        raise UnsupportedPolicy(f"operator {operator!r} is not known; known are {', '.join(_OPERATORS)}")
    negated = "Not" in operator
    for key, wanted in keys.items():
        value = context.get(key.lower())
        if value is None:
            # A key that the request does not have meets no positive test, and every negated one.
            if not negated:
                return False
            continue
        fits = any(test(pattern, value) for pattern in _texts(wanted, key))
        if fits is negated:
            return False
    return True


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Return a pattern in which ``*`` stands for any characters and ``?`` for one."""
    if "${" in text:
        raise UnsupportedPolicy(f"{text!r} has a policy variable; they are not known here")
    return re.compile(
        "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in text), re.DOTALL
    )


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringNotEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": lambda wanted, value: _pattern(wanted).fullmatch(value) is not None,
    "StringNotLike": lambda wanted, value: _pattern(wanted).fullmatch(value) is not None,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
}


def _texts(value: Any, what: str) -> list[str]:
    texts = _listed(value)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise UnsupportedPolicy(f"{what} is {value!r}; give a text or a list of them")
    return texts


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
