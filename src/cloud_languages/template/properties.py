"""Properties of resources against the official schemas: names, presence, types, ranges, lengths, patterns, values.

As in the official validators a function in place of a value is not looked into, with two exceptions: both branches of
``Fn::If`` are, and a ``Ref`` to a parameter must give the type that is asked for.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cloud_languages.finding import Finding, nearest
from cloud_languages.template import schema
from cloud_languages.template.document import Document
from cloud_languages.template.expression import function_of
from cloud_languages.template.schema import Property, Shape

_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "map": (dict,),
    "object": (dict,),
}
_PARAMETER_TYPES = {
    "String": ("string",),
    "Number": ("number",),
    "Boolean": ("boolean",),
    "CommaDelimitedList": ("list",),
    "Json": ("map", "object", "list"),
}


def check(document: Document) -> Iterator[Finding]:
    """Yield what the schemas do not allow."""
    for name, declaration in (document.get("Resources") or {}).items():
        type_name = declaration.get("Type")
        path = f"Resources.{name}"
        if not isinstance(type_name, str):
            continue
        service = type_name.split("::")[1] if type_name.count("::") == 2 else ""  # noqa: PLR2004 - ALIYUN::X::Y
        if service not in schema.PACKAGES:
            known = ", ".join(schema.PACKAGES)
            yield Finding(f"{path}.Type", type_name, f"no schema is known for its service; known are {known}")
            continue
        types = schema.resource_types(service)
        if type_name not in types:
            yield Finding(f"{path}.Type", type_name, f"there is no such type{nearest(type_name, types)}")
            continue
        properties = declaration.get("Properties", {})
        if isinstance(properties, dict):
            parameters = document.get("Parameters") or {}
            yield from _object(properties, types[type_name].properties, f"{path}.Properties", type_name, parameters)


def _object(
    found: Mapping[str, Any],
    known: Mapping[str, Property],
    path: str,
    owner: str,
    parameters: Mapping[str, Any],
) -> Iterator[Finding]:
    for name, value in found.items():
        if name not in known:
            yield Finding(f"{path}.{name}", value, f"{owner} has no property {name}{nearest(name, known)}")
        else:
            yield from _value(value, known[name], f"{path}.{name}", parameters)
    for name, wanted in known.items():
        if wanted.required and name not in found:
            yield Finding(path, name, f"{owner} needs the property {name}; add it")


def _value(value: Any, wanted: Property, path: str, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    name = function_of(value)
    if name == "Fn::If":
        for number, branch in enumerate(value[name][1:], 1):
            yield from _value(branch, wanted, f"{path}.Fn::If[{number}]", parameters)
        return
    if name:
        yield from _given_by_parameter(value, wanted, path, parameters)
        return
    yield from _shaped(value, wanted.shape, path, wanted.name, parameters)
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        if wanted.allowed and value not in wanted.allowed:
            near = nearest(str(value), wanted.allowed)
            yield Finding(path, value, f"give one of {', '.join(map(str, wanted.allowed))}{near}")
        if wanted.pattern and isinstance(value, str) and not re.search(wanted.pattern, value):
            yield Finding(path, value, f"it must match {wanted.pattern}")
    size = len(value) if isinstance(value, (str, list)) else None
    bounds = ((size, wanted.shortest, wanted.longest, "length"), (value, wanted.least, wanted.most, "value"))
    for measured, low, high, what in bounds:
        if not isinstance(measured, (int, float)) or isinstance(measured, bool):
            continue
        if (low is not None and measured < low) or (high is not None and measured > high):
            span = f"{_format_bound(low)} to {_format_bound(high)}"
            yield Finding(path, value, f"the {what} {measured} is outside {span}")


def _format_bound(bound: float | None) -> str:
    return "any" if bound is None else f"{bound:g}"


def _shaped(value: Any, shape: Shape, path: str, owner: str, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    if shape.kind == "any":
        return
    wrong: object = value
    if not isinstance(wrong, _PYTHON_TYPES[shape.kind]) or (shape.kind == "number" and isinstance(wrong, bool)):
        yield Finding(path, value, f"it must be a {shape.kind}")
        return
    if shape.kind == "object":
        yield from _object(value, shape.fields, path, owner, parameters)
    if shape.kind == "list" and shape.item is not None:
        wanted = Property(owner, required=False, shape=shape.item)
        for number, item in enumerate(value):
            yield from _value(item, wanted, f"{path}[{number}]", parameters)


def _given_by_parameter(value: Any, wanted: Property, path: str, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    parameter = parameters.get(value.get("Ref", ""))
    if parameter is None or wanted.shape.kind == "any":
        return
    given = _PARAMETER_TYPES.get(parameter.get("Type", ""), ())
    if given and wanted.shape.kind not in given:
        remedy = f"the parameter is a {parameter['Type']} and a {wanted.shape.kind} is needed"
        yield Finding(path, value["Ref"], remedy)
        return
    for allowed in parameter.get("AllowedValues", []):
        if wanted.allowed and allowed not in wanted.allowed:
            yield Finding(path, allowed, f"the parameter allows it, and the property only {', '.join(wanted.allowed)}")
