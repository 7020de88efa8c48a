"""Parameters of an action: a table of what each must be, and the reading of a request by that table."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from localcloud.account.regions import REGIONS
from localcloud.openapi.errors import ApiError

Kind = Literal["string", "boolean", "integer", "region", "repeat", "tags", "json_array", "refused", "ignored"]
Value = str | bool | int | tuple[str, ...] | tuple[tuple[str, str | None], ...]
_BOOLEANS = {"true": True, "false": False}
_INTEGER = re.compile(r"[0-9]{1,9}")
_INDEX = re.compile(r"[1-9][0-9]{0,5}")


class Parameter(NamedTuple):
    """What one parameter must be.

    ``refused`` is a documented filter that the local cloud does not model: to ignore it would answer with too much.
    ``ignored`` is taken, changes nothing, and stands in the audit as ignored.
    ``limit`` bounds how many a repeat list or JSON array holds. The three codes are what its absence, a wrong value and
    too many of it are answered with; ``missing_status`` where the first has not the documented code's own status.
    """

    name: str
    kind: Kind = "string"
    required: bool = False
    default: Value | None = None
    allowed: tuple[str, ...] = ()
    minimum: int = 1
    maximum: int | None = None
    limit: int = 100
    missing_code: str = "MissingParameter"
    missing_status: int = 0
    invalid_code: str = "InvalidParameter"
    exceeded_code: str = "InvalidParameter"


# Sent with a request by its client, and not part of any action.
COMMON = frozenset(
    [
        "AccessKeyId",
        "Action",
        "Format",
        "OwnerAccount",
        "OwnerId",
        "ResourceOwnerAccount",
        "ResourceOwnerId",
        "SecurityToken",
        "Signature",
        "SignatureMethod",
        "SignatureNonce",
        "SignatureType",
        "SignatureVersion",
        "Timestamp",
        "Version",
        "RegionId",
    ]
)


class Arguments:
    """The values of one call, by parameter name."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str:
        """Return a string, empty if it was not given."""
        value = self._values.get(name, "")
        assert isinstance(value, str)
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean, False if it was not given."""
        return self._values.get(name, False) is True

    def number(self, name: str) -> int:
        """Return an integer that was given or has a default."""
        value = self._values[name]
        assert isinstance(value, int)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a repeat list or JSON array, empty if it was not given."""
        return tuple(value for value in self._sequence(name) if isinstance(value, str))

    def tags(self, name: str) -> tuple[tuple[str, str | None], ...]:
        """Return tags as (key, value or None), empty if none were given."""
        return tuple(value for value in self._sequence(name) if isinstance(value, tuple))

    def _sequence(self, name: str) -> Sequence[str | tuple[str, str | None]]:
        value = self._values.get(name, ())
        assert isinstance(value, tuple)
        return value


def read(parameters: Mapping[str, str], specs: Iterable[Parameter]) -> Arguments:
    """Read the parameters of a request by their table; ApiError at the first that is missing or wrong."""
    values: dict[str, Value] = {}
    for spec in specs:
        value = _READERS[spec.kind](parameters, spec)
        if value is None or value == ():
            if spec.required:
                raise ApiError(spec.missing_code, f"parameter {_written(spec)} is needed", status=spec.missing_status)
            value = spec.default
        if value is not None:
            values[spec.name] = value
    return Arguments(values)


def unknown(parameters: Iterable[str], specs: Sequence[Parameter]) -> tuple[str, ...]:
    """Return the names that neither the action's table nor the common parameters have."""
    plain = {spec.name for spec in specs if spec.kind not in ("repeat", "tags", "ignored")}
    repeated = {spec.name for spec in specs if spec.kind in ("repeat", "tags")}
    return tuple(
        name
        for name in parameters
        if name not in plain and name not in COMMON and name.partition(".")[0] not in repeated
    )


def named_instances(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Return the instance IDs that a request names anywhere; for faults, so it never fails."""
    named = [
        value for name, value in parameters.items() if name.partition(".")[0] in ("InstanceId", "ResourceId") and value
    ]
    try:
        listed = json.loads(parameters.get("InstanceIds", "[]"))
    except (ValueError, RecursionError):
        listed = []
    return (*named, *(item for item in listed if isinstance(item, str))) if isinstance(listed, list) else tuple(named)


def _written(spec: Parameter) -> str:
    return {"repeat": f"{spec.name}.N", "tags": f"{spec.name}.N.Key"}.get(spec.kind, spec.name)


def _invalid(spec: Parameter, value: str, wanted: str) -> ApiError:
    return ApiError(spec.invalid_code, f"{_written(spec)} is {value[:200]!r}: {wanted}")


def _string(parameters: Mapping[str, str], spec: Parameter) -> Value | None:
    value = parameters.get(spec.name)
    if not value:
        return None
    if spec.allowed and value not in spec.allowed:
        raise _invalid(spec, value, f"one of {', '.join(spec.allowed)}")
    return value


def _boolean(parameters: Mapping[str, str], spec: Parameter) -> Value | None:
    value = parameters.get(spec.name)
    if not value:
        return None
    if value.lower() not in _BOOLEANS:
        raise _invalid(spec, value, "true or false")
    return _BOOLEANS[value.lower()]


def _integer(parameters: Mapping[str, str], spec: Parameter) -> Value | None:
    value = parameters.get(spec.name)
    if not value:
        return None
    if not _INTEGER.fullmatch(value) or int(value) < spec.minimum:
        raise _invalid(spec, value, f"a whole number, {spec.minimum} or more")
    return int(value) if spec.maximum is None else min(int(value), spec.maximum)


def _region(parameters: Mapping[str, str], spec: Parameter) -> Value | None:
    value = parameters.get(spec.name)
    if not value:
        return None
    if value not in REGIONS:
        raise ApiError("InvalidRegionId.NotFound", f"RegionId is {value[:200]!r}; DescribeRegions lists them")
    return value


def _indexed(parameters: Mapping[str, str], spec: Parameter) -> dict[tuple[int, str], str]:
    """Return the members of a repeat list by (index, what follows it)."""
    found = {}
    for name, value in parameters.items():
        base, _, rest = name.partition(".")
        if base != spec.name:
            continue
        index, _, member = rest.partition(".")
        if not _INDEX.fullmatch(index):
            raise _invalid(spec, name, "a list is numbered from 1")
        found[int(index), member] = value
    if len({index for index, _ in found}) > spec.limit or any(index > spec.limit for index, _ in found):
        raise ApiError(spec.exceeded_code, f"{_written(spec)}: at most {spec.limit}")
    return dict(sorted(found.items()))


def _repeat(parameters: Mapping[str, str], spec: Parameter) -> Value | None:
    found = _indexed(parameters, spec)
    for (index, member), value in found.items():
        if member or not value:
            raise _invalid(spec, f"{spec.name}.{index}{'.' if member else ''}{member}={value}", "a value for each N")
    return tuple(dict.fromkeys(found.values()))


def _tags(parameters: Mapping[str, str], spec: Parameter) -> Value | None:
    found = _indexed(parameters, spec)
    for index, member in found:
        if member.lower() not in ("key", "value"):
            raise _invalid(spec, f"{spec.name}.{index}.{member}", "Tag.N.Key and Tag.N.Value")
    members = {(index, member.lower()): value for (index, member), value in found.items()}
    tags = []
    for index in dict.fromkeys(index for index, _ in members):
        key = members.get((index, "key"), "")
        if not key:
            raise ApiError("MissingParameter.TagKey", f"{spec.name}.{index}.Key")
        tags.append((key, members.get((index, "value"))))
    if len({key for key, _ in tags}) < len(tags):
        raise ApiError("Duplicate.TagKey")
    return tuple(tags)


def _json_array(parameters: Mapping[str, str], spec: Parameter) -> Value | None:
    text = parameters.get(spec.name)
    if not text:
        return None
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise _invalid(spec, text, 'a JSON array of texts, as ["i-bp1a", "i-bp1b"]')
    if len(items) > spec.limit:
        raise ApiError(spec.exceeded_code, f"{spec.name} holds {len(items)}: at most {spec.limit}")
    # An empty array is a filter that nothing passes, unlike no array: keep it apart by an ID that no instance has.
    return tuple(items) or ("",)


def _refused(parameters: Mapping[str, str], spec: Parameter) -> Value | None:
    for name, value in parameters.items():
        if name.partition(".")[0] == spec.name and value:
            raise ApiError("UnsupportedParameter", f"the local cloud does not model {spec.name}")
    return None


def _ignored(_parameters: Mapping[str, str], _spec: Parameter) -> Value | None:
    return None


_READERS = {
    "string": _string,
    "boolean": _boolean,
    "integer": _integer,
    "region": _region,
    "repeat": _repeat,
    "tags": _tags,
    "json_array": _json_array,
    "refused": _refused,
    "ignored": _ignored,
}
