"""The protobuf message LogGroup, read strictly by hand: the one message that PutLogs carries.

Schema ("Data encoding" in the API reference): LogGroup has 1 Logs, 2 Reserved, 3 Topic, 4 Source, 5 MachineUUID,
6 LogTags; Log has 1 Time (uint32), 2 Contents, 4 Time_ns (fixed32); Content and LogTag have 1 Key and 2 Value. Unknown
fields are skipped as protobuf asks; a known field of another wire type, a missing required field, a log without
contents, a number out of range and a length past the end are refused, where a lenient parser would go on.
"""

from collections.abc import Iterator
from typing import NamedTuple

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}
_VARINT_LIMIT_BYTES = 10
_UINT32_LIMIT = 2**32
_NANOSECONDS = 10**9

_Field = tuple[int, int, int | memoryview]


class Malformed(ValueError):
    """The bytes are not a LogGroup; the text says where and why."""


class NotText(Malformed):
    """A text of the message is not UTF-8."""


class Log(NamedTuple):
    """One log: Unix seconds, the nanoseconds beside them, and its fields in order."""

    time: int
    time_ns: int
    contents: tuple[tuple[str, str], ...]


class LogGroup(NamedTuple):
    """What one PutLogs writes; absent texts are empty."""

    logs: tuple[Log, ...]
    topic: str = ""
    source: str = ""
    tags: tuple[tuple[str, str], ...] = ()


def read_log_group(data: bytes) -> LogGroup:
    """Read a whole LogGroup; raises ``Malformed`` (``NotText`` for a text that is not UTF-8)."""
    logs: list[Log] = []
    tags: list[tuple[str, str]] = []
    texts = {3: "", 4: ""}
    for number, wire_type, value in _fields(memoryview(data), "LogGroup"):
        if number == 1:
            logs.append(_log(_message(wire_type, value, "LogGroup.Logs")))
        elif number == 6:  # noqa: PLR2004 - the field numbers are the schema above
            tags.append(_pair(_message(wire_type, value, "LogGroup.LogTags"), "LogTag"))
        elif number in texts:
            texts[number] = _text(wire_type, value, f"LogGroup field {number}")
    return LogGroup(tuple(logs), texts[3], texts[4], tuple(tags))


def _log(data: memoryview) -> Log:
    time = None
    time_ns = 0
    contents = []
    for number, wire_type, value in _fields(data, "Log"):
        if number == 1:
            time = _number(wire_type, value, _VARINT, "Log.Time", _UINT32_LIMIT)
        elif number == 2:  # noqa: PLR2004
            contents.append(_pair(_message(wire_type, value, "Log.Contents"), "Content"))
        elif number == 4:  # noqa: PLR2004
            time_ns = _number(wire_type, value, _FIXED32, "Log.Time_ns", _NANOSECONDS)
    if time is None:
        raise Malformed("a Log has no Time, which is required")
    if not contents:
        raise Malformed("a Log has no Contents: at least one is required")
    return Log(time, time_ns, tuple(contents))


def _pair(data: memoryview, name: str) -> tuple[str, str]:
    key = text = None
    for number, wire_type, value in _fields(data, name):
        if number == 1:
            key = _text(wire_type, value, f"{name}.Key")
        elif number == 2:  # noqa: PLR2004
            text = _text(wire_type, value, f"{name}.Value")
    if key is None or text is None:
        raise Malformed(f"a {name} has no {'Key' if key is None else 'Value'}, which is required")
    return key, text


def _fields(data: memoryview, name: str) -> Iterator[_Field]:
    position = 0
    while position < len(data):
        tag, position = _varint(data, position, name)
        number, wire_type = tag >> 3, tag & 7
        if not 0 < number < 2**29:
            raise Malformed(f"{name} has a field number {number}")
        if wire_type == _VARINT:
            whole, position = _varint(data, position, name)
            yield number, wire_type, whole
            continue
        if wire_type == _BYTES:
            size, position = _varint(data, position, name)
        elif wire_type in _FIXED_SIZES:
            size = _FIXED_SIZES[wire_type]
        else:
            raise Malformed(f"{name} field {number} has the wire type {wire_type}")
        if position + size > len(data):
            raise Malformed(f"{name} field {number} ends {position + size - len(data)} bytes past its message")
        yield number, wire_type, data[position : position + size]
        position += size


def _varint(data: memoryview, position: int, name: str) -> tuple[int, int]:
    value = 0
    for index in range(_VARINT_LIMIT_BYTES):
        if position + index >= len(data):
            raise Malformed(f"{name} ends inside a number")
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            if value >= 2**64:
                break
            return value, position + index + 1
    raise Malformed(f"{name} has a number of more than 64 bits")


def _message(wire_type: int, value: int | memoryview, name: str) -> memoryview:
    if wire_type != _BYTES or isinstance(value, int):
        raise Malformed(f"{name} has the wire type {wire_type} instead of {_BYTES}")
    return value


def _text(wire_type: int, value: int | memoryview, name: str) -> str:
    try:
        return str(_message(wire_type, value, name), "utf-8")
    except UnicodeDecodeError as error:
        raise NotText(f"{name} is not UTF-8: {error.reason} at byte {error.start}") from error


def _number(wire_type: int, value: int | memoryview, expected: int, name: str, limit: int) -> int:
    if wire_type != expected:
        raise Malformed(f"{name} has the wire type {wire_type} instead of {expected}")
    whole = value if isinstance(value, int) else int.from_bytes(value, "little")
    if whole >= limit:
        raise Malformed(f"{name} is {whole}, not below {limit}")
    return whole
