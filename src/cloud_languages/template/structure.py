"""The form of a template: its sections, and what parameters, conditions, resources and outputs consist of."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cloud_languages.finding import Finding, nearest
from cloud_languages.template.document import Document
from cloud_languages.template.expression import CONDITION_FUNCTIONS, FUNCTIONS, function_of
from cloud_languages.template.parameters import TYPES, mistakes

VERSION = "2015-09-01"
SECTIONS = (
    "ROSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Resources",
    "Outputs", "Transform", "Rules", "Locals",
)  # fmt: skip
PARAMETER_KEYS = (
    "Type", "Default", "AllowedValues", "AllowedPattern", "MinLength", "MaxLength", "MinValue", "MaxValue", "NoEcho",
    "Description", "ConstraintDescription", "Label", "AssociationProperty", "AssociationPropertyMetadata", "Confirm",
    "TextArea", "Required", "Placeholder",
)  # fmt: skip
RESOURCE_KEYS = ("Type", "Properties", "Condition", "DependsOn", "DeletionPolicy", "Metadata", "Count")
OUTPUT_KEYS = ("Value", "Description", "Condition", "Label")
LANGUAGES = ("en", "zh-cn")
INTERFACE = "ALIYUN::ROS::Interface"
_NAME = re.compile(r"[A-Za-z0-9]{1,255}")


def check(document: Document) -> Iterator[Finding]:
    """Yield what is wrong with the form."""
    yield from _keys(document, SECTIONS, "", "a template")
    if document.get("ROSTemplateFormatVersion") != VERSION:
        found = document.get("ROSTemplateFormatVersion")
        yield Finding("ROSTemplateFormatVersion", found, f"it must be '{VERSION}'")
    if not isinstance(document.get("Resources"), dict) or not document["Resources"]:
        yield Finding("Resources", document.get("Resources"), "a template makes at least one resource")
    for name, declaration in _section(document, "Parameters"):
        yield from _parameter(name, declaration)
    for name, condition in _section(document, "Conditions"):
        if function_of(condition) not in CONDITION_FUNCTIONS:
            yield Finding(f"Conditions.{name}", condition, f"a condition is one of {', '.join(CONDITION_FUNCTIONS)}")
    for name, declaration in _section(document, "Resources"):
        yield from _resource(name, declaration)
    for name, declaration in _section(document, "Outputs"):
        path = f"Outputs.{name}"
        yield from _keys(declaration, OUTPUT_KEYS, path, "an output")
        if "Value" not in declaration:
            yield Finding(path, declaration, "an output has a Value")
    yield from _groups(document)
    yield from _functions(document.get("Resources"), "Resources")
    yield from _functions(document.get("Outputs"), "Outputs")


def _section(document: Document, name: str) -> Iterator[tuple[str, Any]]:
    section = document.get(name)
    if isinstance(section, dict):
        yield from ((key, value) for key, value in section.items() if isinstance(value, dict))


def _keys(found: Mapping[str, Any], known: tuple[str, ...], path: str, what: str) -> Iterator[Finding]:
    for key in found:
        if key not in known:
            near = nearest(str(key), known)
            yield Finding(f"{path}.{key}".strip("."), found[key], f"{what} has no {key}{near}")


def _parameter(name: str, declaration: Mapping[str, Any]) -> Iterator[Finding]:
    path = f"Parameters.{name}"
    yield from _keys(declaration, PARAMETER_KEYS, path, "a parameter")
    if not _NAME.fullmatch(name):
        yield Finding(path, name, "a parameter's name has letters and digits only")
    kind = declaration.get("Type")
    if kind not in TYPES:
        yield Finding(f"{path}.Type", kind, f"give one of {', '.join(TYPES)}")
        return
    yield from _texts(declaration, path)
    yield from _bounds(name, declaration, path)


def _texts(declaration: Mapping[str, Any], path: str) -> Iterator[Finding]:
    for text in ("Label", "Description"):
        given = declaration.get(text)
        if not isinstance(given, dict) or not all(given.get(language) for language in LANGUAGES):
            yield Finding(f"{path}.{text}", given, f"give a text for each of {', '.join(LANGUAGES)}")


def _bounds(name: str, declaration: Mapping[str, Any], path: str) -> Iterator[Finding]:
    pattern = declaration.get("AllowedPattern")
    if pattern is not None:
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            yield Finding(f"{path}.AllowedPattern", pattern, f"it is no regular expression: {error}")
            return
    if "Default" in declaration:
        for mistake in mistakes(name, declaration["Default"], declaration):
            yield Finding(f"{path}.Default", mistake.value, f"the default breaks its own bounds: {mistake.remedy}")
    for low, high in (("MinValue", "MaxValue"), ("MinLength", "MaxLength")):
        if low in declaration and high in declaration and declaration[low] > declaration[high]:
            yield Finding(f"{path}.{low}", declaration[low], f"it is more than {high} ({declaration[high]})")


def _resource(name: str, declaration: Mapping[str, Any]) -> Iterator[Finding]:
    path = f"Resources.{name}"
    yield from _keys(declaration, RESOURCE_KEYS, path, "a resource")
    if not isinstance(declaration.get("Type"), str):
        yield Finding(f"{path}.Type", declaration.get("Type"), "a resource has a Type, such as ALIYUN::FC3::Function")
    if declaration.get("DeletionPolicy", "Delete") not in ("Delete", "Retain"):
        yield Finding(f"{path}.DeletionPolicy", declaration["DeletionPolicy"], "say Delete or Retain")
    if not isinstance(declaration.get("Properties", {}), dict):
        yield Finding(f"{path}.Properties", declaration["Properties"], "properties are a mapping")


def _groups(document: Document) -> Iterator[Finding]:
    interface = document.get("Metadata", {}).get(INTERFACE, {})
    declared = document.get("Parameters", {})
    grouped: list[str] = []
    for number, group in enumerate(interface.get("ParameterGroups", [])):
        path = f"Metadata.{INTERFACE}.ParameterGroups[{number}]"
        label = group.get("Label", {}).get("default")
        if not label or (isinstance(label, dict) and not all(label.get(language) for language in LANGUAGES)):
            yield Finding(f"{path}.Label.default", label, f"give a text for each of {', '.join(LANGUAGES)}")
        for name in group.get("Parameters", []):
            if name not in declared:
                yield Finding(f"{path}.Parameters", name, f"there is no such parameter{nearest(name, declared)}")
            if name in grouped:
                yield Finding(f"{path}.Parameters", name, "it stands in a group already; keep one")
            grouped.append(name)
    for name in declared:
        if grouped and name not in grouped:
            yield Finding(f"Parameters.{name}", name, "it stands in no group of the form; put it into one")


def _functions(value: Any, path: str) -> Iterator[Finding]:
    name = function_of(value)
    if name and name not in FUNCTIONS:
        yield Finding(path, name, f"there is no such function here{nearest(name, FUNCTIONS)}")
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _functions(item, f"{path}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _functions(item, f"{path}[{number}]")
