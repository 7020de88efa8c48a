"""Protocol buffers by schema, read strictly: what a schema does not know is refused by name or number, not skipped.

A message is a dict by field names. An absent optional field has no key; a repeated one is a list, empty where absent.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from localcloud.tablestore.errors import invalid

_VARINT, _BYTES = 0, 2
_INT_BITS = 64
_VARINT_LIMIT_BYTES = 10

Label = Literal["required", "optional", "repeated"]
Scalar = Literal["int", "bool", "text", "bytes"]
Message = dict[str, Any]


class Enum(NamedTuple):
    """Names by number; a message holds the name."""

    names: Mapping[int, str]

    def number(self, name: str) -> int:
        """Return the number of a name."""
        return next(number for number, known in self.names.items() if known == name)


class Field(NamedTuple):
    """One field. ``kind`` says what it holds; a function reads bytes that have a form of their own."""

    name: str
    kind: "Scalar | Enum | Schema | Callable[[bytes], Any]"
    label: Label = "optional"


class Schema(NamedTuple):
    """A message: its name, its fields by number, and the names of those that the local cloud does not model."""

    name: str
    fields: Mapping[int, Field] = {}
    unmodelled: Mapping[int, str] = {}


def read(schema: Schema, data: bytes) -> Message:
    """Read a whole message; raises OtsError (OTSParameterInvalid) with what is wrong where."""
    message: Message = {field.name: [] for field in schema.fields.values() if field.label == "repeated"}
    for number, wire_type, raw in _fields(data, schema.name):
        if number in schema.unmodelled:
            raise invalid(f"{schema.name}.{schema.unmodelled[number]} is not modelled by the local cloud.")
        if number not in schema.fields:
            raise invalid(f"{schema.name} has the unknown field {number}.")
        field = schema.fields[number]
        value = _value(field, wire_type, raw, f"{schema.name}.{field.name}")
        if field.label == "repeated":
            message[field.name].append(value)
        else:
            message[field.name] = value
    for field in schema.fields.values():
        if field.label == "required" and field.name not in message:
            raise invalid(f"{schema.name}.{field.name} is missing.")
    return message


def write(schema: Schema, message: Mapping[str, Any]) -> bytes:
    """Write a message; a field that is absent is left out."""
    out = bytearray()
    for number, field in sorted(schema.fields.items()):
        if field.name not in message:
            continue
        for value in message[field.name] if field.label == "repeated" else [message[field.name]]:
            out += _written(number, field, value)
    return bytes(out)


def _written(number: int, field: Field, value: Any) -> bytes:
    kind = field.kind
    if isinstance(kind, Enum):
        value = kind.number(value)
    elif isinstance(kind, Schema):
        value = write(kind, value)
    elif kind == "text":
        value = value.encode()
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value % 2**_INT_BITS)
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + bytes(value)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:  # noqa: PLR2004 - seven bits a byte
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def _value(field: Field, wire_type: int, raw: int | bytes, name: str) -> Any:
    kind = field.kind
    expected = _VARINT if kind in ("int", "bool") or isinstance(kind, Enum) else _BYTES
    if wire_type != expected:
        raise invalid(f"{name} has the wire type {wire_type} instead of {expected}.")
    if isinstance(raw, int):
        return _number(kind, raw, name)
    if isinstance(kind, Schema):
        return read(kind, raw)
    if kind == "text":
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise invalid(f"{name} is not UTF-8: {error.reason}.") from error
    return kind(raw) if callable(kind) else raw


def _number(kind: Any, raw: int, name: str) -> int | bool | str:
    if isinstance(kind, Enum):
        if raw not in kind.names:
            raise invalid(f"{name} is {raw}; known are {', '.join(f'{n} {word}' for n, word in kind.names.items())}.")
        return kind.names[raw]
    if kind == "bool":
        if raw > 1:
            raise invalid(f"{name} is {raw}, neither 0 nor 1.")
        return bool(raw)
    return raw - 2**_INT_BITS if raw >= 2 ** (_INT_BITS - 1) else raw


def _fields(data: bytes, name: str) -> Iterator[tuple[int, int, int | bytes]]:
    position = 0
    while position < len(data):
        tag, position = _read_varint(data, position, name)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            whole, position = _read_varint(data, position, name)
            yield number, wire_type, whole
        elif wire_type == _BYTES:
            size, position = _read_varint(data, position, name)
            if position + size > len(data):
                raise invalid(f"{name} field {number} ends {position + size - len(data)} bytes past its message.")
            yield number, wire_type, data[position : position + size]
            position += size
        else:
            raise invalid(f"{name} field {number} has the wire type {wire_type}, which no field of this service has.")


def _read_varint(data: bytes, position: int, name: str) -> tuple[int, int]:
    value = 0
    for index in range(_VARINT_LIMIT_BYTES):
        if position + index >= len(data):
            raise invalid(f"{name} ends inside a number.")
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
            if value >= 2**_INT_BITS:
                break
            return value, position + index + 1
    raise invalid(f"{name} has a number of more than {_INT_BITS} bits.")
