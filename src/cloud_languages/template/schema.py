"""The official schemas of ROS resource types, read as data from the packages ``ros-cdk-*``.

Nothing of those packages is run. Each holds ``_jsii/<name>.jsii.tgz``, and in it generated JavaScript: for every
resource type its name, a function that writes the exact property names, and functions that validate type, presence,
length, range, pattern and allowed values. The generated text is regular; what does not look as expected is an error
here, so that a new generation of the packages can't quietly check less.
"""

import importlib.util
import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

#: The service in a type's name (ALIYUN::FC3::Function) -> the package that has it.
PACKAGES = {
    "FC3": "ros_cdk_fc3",
    "RAM": "ros_cdk_ram",
    "SLS": "ros_cdk_sls",
    "CMS": "ros_cdk_cms",
    "MNS": "ros_cdk_mns",
    "EventBridge": "ros_cdk_eventbridge",
    "ROS": "ros_cdk_ros",
    "OSS": "ros_cdk_oss",
    "OTS": "ros_cdk_ots",
}


class SchemaUnavailable(LookupError):
    """A schema package is not installed, or looks other than this reader knows."""


class Shape(NamedTuple):
    """What a value must be. ``fields`` for ``object``, ``item`` for ``list``; ``map`` and ``any`` are open."""

    kind: str
    fields: Mapping[str, "Property"] = {}
    item: "Shape | None" = None


class Property(NamedTuple):
    """One property with its bounds; lengths are of texts and lists. ``allowed`` is empty where all values are."""

    name: str
    required: bool
    shape: Shape
    shortest: float | None = None
    longest: float | None = None
    least: float | None = None
    most: float | None = None
    allowed: tuple[Any, ...] = ()
    pattern: str = ""


class ResourceType(NamedTuple):
    """One resource type: its properties and the names that ``Fn::GetAtt`` takes."""

    name: str
    properties: Mapping[str, Property]
    attributes: tuple[str, ...]


@cache
def resource_types(service: str) -> Mapping[str, ResourceType]:
    """Return the types of one service by full name. Raises SchemaUnavailable; KeyError where no package is known."""
    return {resource_type.name: resource_type for resource_type in _types(_javascript(PACKAGES[service]))}


def jsii_assembly(package: str) -> dict[str, Any]:
    """Return the package's own description of its types: another view of the same schemas. Raises SchemaUnavailable."""
    assembly: dict[str, Any] = json.loads(_member(package, "package/.jsii"))
    return assembly


def _member(package: str, name: str) -> str:
    found = importlib.util.find_spec(package)
    folders = list(found.submodule_search_locations or ()) if found else []
    archives = [archive for folder in folders for archive in Path(folder, "_jsii").glob("*.jsii.tgz")]
    if not archives:
        raise SchemaUnavailable(f"the package {package} is not installed: run `make validate`, which installs it")
    with tarfile.open(fileobj=io.BytesIO(archives[0].read_bytes())) as archive:
        member = archive.extractfile(name)
        if member is None:
            raise SchemaUnavailable(f"{archives[0].name} has no {name}")
        return member.read().decode()


def _javascript(package: str) -> str:
    return _member(package, f"package/lib/{package.removeprefix('ros_cdk_')}.generated.js")


_FUNCTION = re.compile(r"^function (\w+)\(properties[^)]*\) \{\n(.*?)^\}\n", re.MULTILINE | re.DOTALL)
_CLASS = re.compile(r"^class (\w+) extends ros\.RosResource \{\n(.*?)^\}\n", re.MULTILINE | re.DOTALL)
_TYPE_NAME = re.compile(r'^(\w+)\.ROS_RESOURCE_TYPE_NAME = "([^"]+)";', re.MULTILINE)
_ATTRIBUTE = re.compile(r"this\.getAtt\('([^']+)'\)")
_WRITTEN = re.compile(r"^ +'([^']+)': .*\(properties\.(\w+)\),$", re.MULTILINE)
_RULE = re.compile(
    r"ros\.propertyValidator\('(\w+)', ((?:(?!propertyValidator).)+?)\)\((?:properties\.\w+\)|\{\n(.*?)\n +\}\))\);",
    re.DOTALL,
)
_BOUND = re.compile(r"^ +(min|max|allowedValues|reg): (.+?),?$", re.MULTILINE)
_KINDS = {
    "ros.validateString": "string",
    "ros.validateNumber": "number",
    "ros.validateBoolean": "boolean",
    "ros.validateAny": "any",
    "ros.validateObject": "map",
    "ros.validateAnyDict": "map",
}


def _types(text: str) -> Iterator[ResourceType]:
    functions = dict(_FUNCTION.findall(text))
    classes = dict(_CLASS.findall(text))
    for class_name, type_name in _TYPE_NAME.findall(text):
        if class_name not in classes:
            raise SchemaUnavailable(f"{type_name}: no class {class_name} in the generated text")
        yield ResourceType(
            type_name,
            _properties(functions, f"{class_name}Props"),
            tuple(dict.fromkeys(_ATTRIBUTE.findall(classes[class_name]))),
        )


def _properties(functions: Mapping[str, str], name: str) -> dict[str, Property]:
    """Read the properties of one validated object; ``name`` is that of its pair of functions without its ending."""
    try:
        rules = functions[f"{name}Validator"]
        written = functions[f"{name[0].lower()}{name[1:].replace('_', '')}ToRosTemplate"]
    except KeyError as error:
        raise SchemaUnavailable(f"{name}: no function {error} in the generated text") from None
    names = {internal: exact for exact, internal in _WRITTEN.findall(written)}
    found: dict[str, dict[str, Any]] = {internal: {} for internal in names}
    for internal, validator, bounds in _RULE.findall(rules):
        _note(found[internal], validator, bounds, functions)
    return {exact: _property(exact, found[internal]) for internal, exact in names.items()}


def _note(known: dict[str, Any], validator: str, bounds: str, functions: Mapping[str, str]) -> None:
    given = dict(_BOUND.findall(bounds))
    if validator == "ros.requiredValidator":
        known["required"] = True
    elif validator == "ros.validateLength":
        known["shortest"], known["longest"] = _number(given.get("min")), _number(given.get("max"))
    elif validator == "ros.validateRange":
        known["least"], known["most"] = _number(given.get("min")), _number(given.get("max"))
    elif validator == "ros.validateAllowedValues":
        known["allowed"] = tuple(json.loads(given["allowedValues"]))
    elif validator == "ros.validateAllowedPattern":
        known["pattern"] = given["reg"].strip("/")
    else:
        known["shape"] = _shape(validator, functions)


def _shape(validator: str, functions: Mapping[str, str]) -> Shape:
    if validator in _KINDS:
        return Shape(_KINDS[validator])
    if validator.startswith("ros.listValidator("):
        return Shape("list", item=_shape(validator[len("ros.listValidator(") : -1], functions))
    if validator.startswith("ros.hashValidator("):
        return Shape("map")
    if validator.endswith("PropertyValidator"):
        return Shape("object", _properties(functions, validator.removesuffix("Validator")))
    raise SchemaUnavailable(f"a validator that this reader does not know: {validator}")


def _property(name: str, known: dict[str, Any]) -> Property:
    if "shape" not in known:
        raise SchemaUnavailable(f"property {name}: the generated text does not say its type")
    return Property(name, **{"required": False, **known})


def _number(text: str | None) -> float | None:
    return None if text in (None, "undefined") else float(str(text))
