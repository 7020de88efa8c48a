"""PlainBuffer, the wire form of rows: tagged cells with a checksum for each cell and each row.

``header (key (data)? deleted? checksum)*``; a cell is ``name value? operation? timestamp? checksum``. Numbers are
little-endian. A row's checksum is over its cells' checksums and a last byte: 1 for a row that is to be deleted, else 0.
"""

import struct
from collections.abc import Iterable, Mapping

from ecs_reboot.cloud.protobuf import Malformed
from ecs_reboot.cloud.tablestore.rows import Bound, Key, RangeEnd, Row, Stored

_HEADER = b"\x75\0\0\0"
_KEY, _DATA, _CELL, _NAME, _VALUE, _STAMP, _DELETED, _ROW_SUM, _CELL_SUM = (
    b"\x01", b"\x02", b"\x03", b"\x04", b"\x05", b"\x07", b"\x08", b"\x09", b"\x0a",
)  # fmt: skip
_INTEGER, _DOUBLE, _BOOLEAN, _STRING, _BLOB = 0, 1, 2, 3, 7
_PREFIX = 5  # of a text or blob: its type and its length


def _checksums() -> Iterable[int]:
    for byte in range(256):
        remainder = byte
        for _ in range(8):
            remainder = (remainder << 1 ^ 0x07 if remainder & 0x80 else remainder << 1) & 0xFF
        yield remainder


_CHECKSUMS = bytes(_checksums())


def checksum(data: bytes | bytearray) -> int:
    """Return the CRC-8 (polynomial 7) of the bytes."""
    result = 0
    for byte in data:
        result = _CHECKSUMS[result ^ byte]
    return result


def variant(value: Stored) -> bytes:
    """Return a value behind its type, as it stands in a condition and, after its length, in a cell.

    Raises TypeError for what is neither int nor str (a bool is neither), OverflowError beyond 64 bits.
    """
    if type(value) is int:
        return bytes((_INTEGER,)) + value.to_bytes(8, "little", signed=True)
    if isinstance(value, str):
        data = value.encode()
        return bytes((_STRING,)) + len(data).to_bytes(4, "little") + data
    raise TypeError(f"Tablestore values are int and str here, not {type(value).__name__}")


def put(key: Key, columns: Mapping[str, Stored]) -> bytes:
    """Return the row that a PutRow carries."""
    return _row(key, columns.items(), b"")


def delete(key: Key) -> bytes:
    """Return the row that a DeleteRow carries: its key, marked as deleted."""
    return _row(key, (), _DELETED)


def primary_key(key: RangeEnd) -> bytes:
    """Return a key by itself, for reading."""
    return _row(key, (), b"")


def _row(key: RangeEnd, columns: Iterable[tuple[str, Stored]], mark: bytes) -> bytes:
    sums = bytearray()
    out = _HEADER + _KEY + b"".join(_cell(name, value, sums) for name, value in key)
    if data := b"".join(_cell(name, value, sums) for name, value in columns):
        out += _DATA + data
    sums.append(len(mark))
    return out + mark + _ROW_SUM + bytes((checksum(sums),))


def _cell(name: str, value: Stored | Bound, sums: bytearray) -> bytes:
    encoded = name.encode()
    plain = bytes((value.tag,)) if isinstance(value, Bound) else variant(value)
    sums.append(checksum(encoded + plain))
    return b"".join(
        (
            _CELL + _NAME + len(encoded).to_bytes(4, "little") + encoded,
            _VALUE + len(plain).to_bytes(4, "little") + plain,
            _CELL_SUM + sums[-1:],
        )
    )


def rows(data: bytes) -> list[Row]:
    """Read all rows of a buffer; an empty one has none. Raises Malformed for anything but whole, sound rows."""
    if not data:
        return []
    reader = _Reader(data)
    reader.expect(_HEADER, "the header")
    found = []
    while not reader.at_end():
        found.append(_read_row(reader))
    return found


class _Reader:
    """A place in a buffer."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def at_end(self) -> bool:
        return self._at == len(self._data)

    def take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise Malformed(f"PlainBuffer is cut: {self._at + size - len(self._data)} bytes are missing")
        self._at += size
        return self._data[self._at - size : self._at]

    def sized(self) -> bytes:
        return self.take(int.from_bytes(self.take(4), "little"))

    def optional(self, tag: bytes) -> bool:
        found = self._data.startswith(tag, self._at)
        self._at += len(tag) if found else 0
        return found

    def expect(self, tag: bytes, what: str) -> None:
        if not self.optional(tag):
            raise Malformed(f"PlainBuffer has {self._data[self._at : self._at + 4]!r} in place of {what}")


def _read_row(reader: _Reader) -> Row:
    sums = bytearray()
    reader.expect(_KEY, "a primary key")
    key = []
    for name, value in _read_cells(reader, sums):
        if type(value) is not int and not isinstance(value, str):
            raise Malformed(f"key column {name!r} is {type(value).__name__}, neither a number nor a text")
        key.append((name, value))
    columns: dict[str, Stored] = {}
    if reader.optional(_DATA):
        for name, value in _read_cells(reader, sums):
            if name in columns:
                raise Malformed(f"column {name!r} stands twice in a row; one version was asked for")
            columns[name] = value
    sums.append(0)
    reader.expect(_ROW_SUM + bytes((checksum(sums),)), "the row's checksum")
    return Row(tuple(key), columns)


def _read_cells(reader: _Reader, sums: bytearray) -> Iterable[tuple[str, Stored]]:
    while reader.optional(_CELL):
        reader.expect(_NAME, "a cell's name")
        name = reader.sized()
        reader.expect(_VALUE, f"the value of {name!r}")
        plain = reader.sized()
        stamp = reader.take(8) if reader.optional(_STAMP) else b""
        sums.append(checksum(name + plain + stamp))
        reader.expect(_CELL_SUM + sums[-1:], f"the checksum of {name!r}")
        yield _text(name), _value(plain)


def _value(plain: bytes) -> Stored:
    kind, rest = plain[0] if plain else None, plain[1:]
    if kind == _INTEGER and len(rest) == 8:  # noqa: PLR2004 - 64 bits
        return int.from_bytes(rest, "little", signed=True)
    if kind in (_STRING, _BLOB) and int.from_bytes(rest[:4], "little") == len(plain) - _PREFIX:
        return _text(rest[4:]) if kind == _STRING else rest[4:]
    if kind == _BOOLEAN and rest in (b"\0", b"\1"):
        return rest == b"\1"
    if kind == _DOUBLE and len(rest) == 8:  # noqa: PLR2004 - 64 bits
        return float(struct.unpack("<d", rest)[0])
    raise Malformed(f"a value of type {kind} and {len(rest)} bytes is none of PlainBuffer")


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"{data[:40]!r} is no UTF-8: {error.reason}") from error
