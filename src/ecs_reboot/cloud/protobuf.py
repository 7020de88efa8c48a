"""Protocol buffers on the wire: written field by field, read without a schema, each value checked when it is taken.

A field that nobody asks for is skipped, as the format wants it: a service may add fields.
"""

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SIZES = {_FIXED64: 8, _FIXED32: 4}
_MOST_BITS = 64
_ONE_BYTE = tuple(bytes((number,)) for number in range(0x80))


class Malformed(ValueError):
    """Bytes that are not what they should be; the text says what was found."""


def varint(number: int) -> bytes:
    """Return a number of 0 to 2**64 - 1, seven bits a byte."""
    if number < len(_ONE_BYTE):  # nearly every key and length
        return _ONE_BYTE[number]
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def field(number: int, value: int | str | bytes) -> bytes:
    """Return one field: a number (0 or above) as a varint, text and bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3 | _VARINT) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | _BYTES) + varint(len(data)) + data


class ProtobufMessage:
    """The fields of a message that was received. Raises Malformed where the bytes are cut or of an unknown form."""

    def __init__(self, data: bytes) -> None:
        self._values: dict[int, list[int | bytes]] = {}
        for number, value in _fields(data):
            self._values.setdefault(number, []).append(value)

    def has(self, number: int) -> bool:
        """Return whether the field is there."""
        return number in self._values

    def number(self, number: int) -> int:
        """Return a signed number. Raises Malformed where the field is absent or something else."""
        value = self._last(number)
        if not isinstance(value, int):
            raise Malformed(f"field {number} is no number")
        return value - 2**_MOST_BITS if value >= 2 ** (_MOST_BITS - 1) else value

    def data(self, number: int) -> bytes:
        """Return bytes. Raises Malformed where the field is absent or a number."""
        return _bytes(number, self._last(number))

    def text(self, number: int) -> str:
        """Return a text. Raises Malformed where the field is absent or no UTF-8."""
        try:
            return self.data(number).decode()
        except UnicodeDecodeError as error:
            raise Malformed(f"field {number} is no UTF-8: {error.reason}") from error

    def message(self, number: int) -> "ProtobufMessage":
        """Return an inner message. Raises Malformed where the field is absent or no message."""
        return ProtobufMessage(self.data(number))

    def messages(self, number: int) -> list["ProtobufMessage"]:
        """Return every message of a repeated field."""
        return [ProtobufMessage(_bytes(number, value)) for value in self._values.get(number, ())]

    def _last(self, number: int) -> int | bytes:
        if number not in self._values:
            raise Malformed(f"field {number} is missing")
        return self._values[number][-1]


def _bytes(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise Malformed(f"field {number} is a number")
    return value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field; fixed-size values, which nothing here has, as bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise Malformed(f"field number 0 at byte {at}")
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise Malformed(f"field {number} has the unknown wire type {kind}")
        if at + size > len(data):
            raise Malformed(f"field {number} ends {at + size - len(data)} bytes past the end")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, _MOST_BITS, 7):
        if at >= len(data):
            raise Malformed("cut inside a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
            break
    else:
        raise Malformed("a number of more than 64 bits")
    if value >= 2**_MOST_BITS:
        raise Malformed("a number of more than 64 bits")
    return value, at
