"""PlainBuffer, the form of rows inside Tablestore's messages, read strictly: every tag, length, type and checksum.

Layout: header, then for each row ``01 cells, (02 cells), (08), 09 checksum``. A cell: ``03, 04 name, (05 value),
(06 operation), (07 timestamp), 0A checksum``. The checksum is a CRC-8 (polynomial 7): a cell's is over name, value with
its type, timestamp and operation, in this order; a row's over the cells' checksums and whether 08 is there.
"""

import struct
from enum import Enum
from typing import NamedTuple

from localcloud.tablestore.errors import OtsError, invalid

HEADER = b"\x75\x00\x00\x00"
_INTEGER, _DOUBLE, _BOOLEAN, _STRING, _BLOB, _INF_MIN, _INF_MAX = 0, 1, 2, 3, 7, 9, 10
_INT64 = struct.Struct("<q")
_DOUBLE64 = struct.Struct("<d")
_LENGTH = struct.Struct("<I")


class Infinite(Enum):
    """The values below and above every other, for the ends of a range."""

    LOWEST = _INF_MIN
    HIGHEST = _INF_MAX


class CellOperation(Enum):
    """What a cell of an UpdateRow does when it does not put a value."""

    DELETE_ALL = 1
    DELETE_ONE = 3
    INCREMENT = 4


Value = int | float | bool | str | bytes
KeyValue = Value | Infinite


class KeyCell(NamedTuple):
    """One column of a primary key."""

    name: str
    value: KeyValue


class Cell(NamedTuple):
    """One column as it is written: ``value`` is None where ``operation`` deletes; ``stamp`` in milliseconds."""

    name: str
    value: Value | None = None
    stamp: int | None = None
    operation: CellOperation | None = None


class RowData(NamedTuple):
    """One row as a request carries it."""

    key: tuple[KeyCell, ...]
    cells: tuple[Cell, ...] = ()
    deleted: bool = False


def crc8(data: bytes, start: int = 0) -> int:
    """Return the checksum of some bytes, continued from another."""
    crc = start
    for byte in data:
        crc = _TABLE[crc ^ byte]
    return crc


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = (byte << 1) ^ (0x107 if byte & 0x80 else 0)
    return byte


_TABLE = tuple(_entry(byte) for byte in range(256))


def read_row(data: bytes) -> RowData:
    """Read a buffer of exactly one row; raises OtsError."""
    reader = _Reader(data)
    reader.expect(HEADER, "header")
    row = _row(reader)
    # The official Node client makes room for a byte more at each infinite value, and sends that room.
    infinite = sum(isinstance(cell.value, Infinite) for cell in row.key)
    if reader.left > infinite or any(reader.take(reader.left)):
        raise invalid("Invalid PlainBuffer: bytes after the row.")
    return row


def read_value(data: bytes) -> Value:
    """Read a value without a length in front, as a condition has it; raises OtsError."""
    value = _value(data)
    if isinstance(value, Infinite):
        raise invalid("Invalid PlainBuffer: a condition on an infinite value.")
    return value


def write_row(row: RowData) -> bytes:
    """Write one row without the header, which stands once in front of all rows."""
    crc = 0
    out = bytearray(b"\x01")
    for key_cell in row.key:
        encoded, cell_crc = _written(key_cell.name, key_cell.value, None)
        out += encoded
        crc = crc8(bytes((cell_crc,)), crc)
    if row.cells:
        out += b"\x02"
    for cell in row.cells:
        assert cell.value is not None
        encoded, cell_crc = _written(cell.name, cell.value, cell.stamp)
        out += encoded
        crc = crc8(bytes((cell_crc,)), crc)
    return bytes(out) + bytes((0x09, crc8(b"\x00", crc)))


def _written(name: str, value: KeyValue, stamp: int | None) -> tuple[bytes, int]:
    text, plain = name.encode(), _variant(value)
    time = b"" if stamp is None else _INT64.pack(stamp)
    crc = crc8(text + plain + time)
    return (
        b"\x03\x04" + _LENGTH.pack(len(text)) + text + b"\x05" + _LENGTH.pack(len(plain)) + plain
        + (b"\x07" + time if time else b"") + bytes((0x0A, crc))
    ), crc  # fmt: skip


def _variant(value: KeyValue) -> bytes:
    if isinstance(value, Infinite):
        return bytes((value.value,))
    if isinstance(value, bool):
        return bytes((_BOOLEAN, value))
    if isinstance(value, int):
        return bytes((_INTEGER,)) + _INT64.pack(value)
    if isinstance(value, float):
        return bytes((_DOUBLE,)) + _DOUBLE64.pack(value)
    data = value.encode() if isinstance(value, str) else value
    return bytes((_STRING if isinstance(value, str) else _BLOB,)) + _LENGTH.pack(len(data)) + data


def _value(data: bytes) -> KeyValue:
    kind, rest = (data[0], data[1:]) if data else (None, b"")
    if kind == _INTEGER and len(rest) == _INT64.size:
        return int(_INT64.unpack(rest)[0])
    if kind == _DOUBLE and len(rest) == _DOUBLE64.size:
        return float(_DOUBLE64.unpack(rest)[0])
    if kind == _BOOLEAN and rest in (b"\x00", b"\x01"):
        return rest == b"\x01"
    if kind in (_INF_MIN, _INF_MAX) and not rest:
        return Infinite(kind)
    if kind in (_STRING, _BLOB) and rest[:4] == _LENGTH.pack(max(0, len(rest) - 4)):
        return _text(rest[4:]) if kind == _STRING else rest[4:]
    raise invalid(f"Invalid PlainBuffer: no value of type {kind} has {len(rest)} bytes.")


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise invalid(f"Invalid PlainBuffer: {data[:40]!r} is not UTF-8.") from error


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise invalid(f"Invalid PlainBuffer: {size - self.left} bytes are missing at its end.")
        self._at += size
        return self._data[self._at - size : self._at]

    def sized(self) -> bytes:
        return self.take(_LENGTH.unpack(self.take(_LENGTH.size))[0])

    def has(self, tag: int) -> bool:
        found = self.left > 0 and self._data[self._at] == tag
        self._at += found
        return found

    def expect(self, expected: bytes, what: str) -> None:
        if (found := self.take(len(expected))) != expected:
            raise invalid(f"Invalid PlainBuffer: {what} is {found.hex()}, expected {expected.hex()}.")


def _row(reader: _Reader) -> RowData:
    reader.expect(b"\x01", "tag of the primary key")
    cells, crc = _cells(reader, 0)
    key = tuple(_key_cell(cell, infinite) for cell, infinite in cells)
    columns: list[Cell] = []
    if reader.has(0x02):
        cells, crc = _cells(reader, crc)
        if any(infinite for _, infinite in cells):
            raise invalid("Invalid PlainBuffer: an attribute column with an infinite value.")
        columns = [cell for cell, _ in cells]
    deleted = reader.has(0x08)
    reader.expect(bytes((0x09, crc8(bytes((deleted,)), crc))), "checksum of the row")
    return RowData(key, tuple(columns), deleted)


def _key_cell(cell: Cell, infinite: Infinite | None) -> KeyCell:
    value = infinite or cell.value
    if value is None or cell.operation or cell.stamp is not None:
        raise OtsError("OTSInvalidPK", f"Primary key column {cell.name} has no value, or more than a value.")
    return KeyCell(cell.name, value)


def _cells(reader: _Reader, crc: int) -> tuple[list[tuple[Cell, Infinite | None]], int]:
    found = []
    while reader.has(0x03):
        reader.expect(b"\x04", "tag of a cell's name")
        name = reader.sized()
        plain = reader.sized() if reader.has(0x05) else b""
        operation = reader.take(1) if reader.has(0x06) else b""
        stamp = reader.take(_INT64.size) if reader.has(0x07) else b""
        cell_crc = crc8(name + plain + stamp + operation)
        reader.expect(bytes((0x0A, cell_crc)), f"checksum of cell {name!r}")
        crc = crc8(bytes((cell_crc,)), crc)
        value = _value(plain) if plain else None
        infinite = value if isinstance(value, Infinite) else None
        cell = Cell(
            _text(name),
            None if isinstance(value, Infinite) else value,
            _INT64.unpack(stamp)[0] if stamp else None,
            _operation(operation[0]) if operation else None,
        )
        found.append((cell, infinite))
    return found, crc


def _operation(number: int) -> CellOperation:
    try:
        return CellOperation(number)
    except ValueError:
        raise invalid(f"Invalid PlainBuffer: {number} is no operation of a cell.") from None
