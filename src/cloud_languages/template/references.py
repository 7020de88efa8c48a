"""Names: every ``Ref``, ``Fn::GetAtt``, ``DependsOn`` and condition leads somewhere, under every choice of the optional
parts, and everything that is declared is used.
"""  # noqa: D205 - one sentence

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from cloud_languages.finding import Finding, nearest
from cloud_languages.template import schema
from cloud_languages.template.branches import Guarded, guarded_uses
from cloud_languages.template.document import Document
from cloud_languages.template.expression import PSEUDO_PARAMETERS, InvalidExpression, Use, function_of, uses
from cloud_languages.template.render import CircularTemplate, conditions_of, depends_on, in_order

_PSEUDO_VALUES = {name: name for name in PSEUDO_PARAMETERS}


def check(document: Document) -> Iterator[Finding]:
    """Yield what leads nowhere."""
    parameters, conditions, resources = (
        document.get(section) or {} for section in ("Parameters", "Conditions", "Resources")
    )
    dangling = False
    for use in _all_uses(document):
        for finding in _resolved(use, parameters, conditions, resources):
            dangling = True
            yield finding
    if not dangling:
        yield from _optional_parts(document)


def unused(document: Document) -> Iterator[Finding]:
    """Yield what nothing leads to."""
    names = {(use.kind, use.name) for use in _all_uses(document)}
    for name in document.get("Parameters") or {}:
        if ("ref", name) not in names:
            yield Finding(f"Parameters.{name}", name, "nothing uses this parameter; use or drop it")
    for name in document.get("Conditions") or {}:
        if ("condition", name) not in names:
            yield Finding(f"Conditions.{name}", name, "nothing uses this condition; use or drop it")


def _all_uses(document: Document) -> Iterator[Use]:
    yield from uses(document.get("Conditions") or {}, "Conditions")
    for section in ("Resources", "Outputs"):
        for name, declaration in (document.get(section) or {}).items():
            path = f"{section}.{name}"
            if "Condition" in declaration:
                yield Use("condition", str(declaration["Condition"]), "", f"{path}.Condition")
            depends = declaration.get("DependsOn", [])
            for needed in [depends] if isinstance(depends, str) else depends:
                yield Use("depends", str(needed), "", f"{path}.DependsOn")
            yield from uses(declaration.get("Properties", {}), f"{path}.Properties")
            yield from uses(declaration.get("Value"), f"{path}.Value")


def _resolved(
    use: Use, parameters: Mapping[str, Any], conditions: Mapping[str, Any], resources: Mapping[str, Any]
) -> Iterator[Finding]:
    known: Mapping[str, Any] = {
        "ref": {**parameters, **resources, **_PSEUDO_VALUES},
        "attribute": resources,
        "depends": resources,
        "condition": conditions,
    }[use.kind]
    what = {"ref": "parameter or resource", "condition": "condition"}.get(use.kind, "resource")
    if use.name not in known:
        yield Finding(use.path, use.name, f"there is no such {what}{nearest(use.name, known)}")
    elif use.kind == "attribute":
        attributes = _attributes(resources[use.name].get("Type", ""))
        if attributes is not None and use.attribute not in attributes:
            remedy = f"{resources[use.name]['Type']} gives {', '.join(attributes) or 'no attributes'}"
            yield Finding(use.path, f"{use.name}.{use.attribute}", remedy + nearest(use.attribute, attributes))


def _attributes(type_name: str) -> tuple[str, ...] | None:
    service = type_name.split("::")[1] if type_name.count("::") == 2 else ""  # noqa: PLR2004 - ALIYUN::X::Y
    if service not in schema.PACKAGES:
        return None
    found = schema.resource_types(service).get(type_name)
    return found.attributes if found else None


def _optional_parts(document: Document) -> Iterator[Finding]:
    """Look for what names a resource that the same choice of parameters leaves out."""
    told = set()
    guarded = {
        section: {
            name: tuple(guarded_uses(declaration.get(key), f"{section}.{name}.{key}"))
            for name, declaration in (document.get(section) or {}).items()
        }
        for section, key in (("Resources", "Properties"), ("Outputs", "Value"))
    }
    for values in choices(document):
        try:
            conditions = conditions_of(document, values)
            there = _declared(document, "Resources", conditions)
            live = {name: _live(guarded["Resources"][name], conditions) for name in there}
            in_order({
                name: sorted((depends_on(declaration) | {use.name for use in live[name]}) & there.keys())
                for name, declaration in there.items()
            })  # fmt: skip
        except CircularTemplate as error:
            yield Finding("Resources", str(error), "break the circle")
            return
        except InvalidExpression as error:
            yield Finding("Conditions", str(error), "fix the condition")
            return
        shown = _declared(document, "Outputs", conditions)
        named = [*live.values(), *(_live(guarded["Outputs"][name], conditions) for name in shown)]
        for use in chain.from_iterable(named):
            known = use.name in there or use.name in values or use.kind not in ("ref", "attribute")
            if not known and (use.path, use.name) not in told:
                told.add((use.path, use.name))
                condition = document["Resources"][use.name].get("Condition", "")
                remedy = f"it is only there under the condition {condition}: put this under the same, or into Fn::If"
                yield Finding(use.path, use.name, remedy)


def _declared(document: Document, section: str, conditions: Mapping[str, bool]) -> dict[str, Any]:
    """Return the resources or outputs that are there under the conditions."""
    return {
        name: declaration
        for name, declaration in (document.get(section) or {}).items()
        if conditions.get(declaration.get("Condition", ""), True)
    }


def _live(guarded: Iterable[Guarded], conditions: Mapping[str, bool]) -> list[Use]:
    return [use for use, guards in guarded if all(conditions[name] is truth for name, truth in guards)]


def choices(document: Document) -> Iterator[dict[str, Any]]:
    """Give parameter values for each choice of the optional parts: the defaults, each one turned over, and all of them.

    What decides are the parameters that conditions compare; a text that must not be empty becomes ``x``.
    """
    parameters = document.get("Parameters") or {}
    defaults = {name: declared.get("Default", "x") for name, declared in parameters.items()} | _PSEUDO_VALUES
    turned = {}
    for constant, name in _compared(document.get("Conditions") or {}):
        if name in parameters:
            allowed = [value for value in parameters[name].get("AllowedValues", ["x"]) if value != constant]
            turned[name] = (allowed or ["x"])[0] if defaults[name] == constant else constant
    yield defaults
    for name, value in turned.items():
        yield defaults | {name: value}
    yield defaults | turned
    for name in turned:
        yield defaults | turned | {name: defaults[name]}


def _compared(value: Any) -> Iterator[tuple[Any, str]]:
    if function_of(value) == "Fn::Equals":
        left, right = value["Fn::Equals"]
        for constant, other in ((left, right), (right, left)):
            if function_of(other) == "Ref" and not isinstance(constant, (dict, list)):
                yield constant, other["Ref"]
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _compared(item)
