"""The bodies of requests, and what the bodies of answers say; field numbers are those of ``table_store.proto``.

A reader raises Malformed for whatever does not fit the question: another table, another key, another number of rows.
"""

from collections.abc import Sequence
from typing import Literal

from ecs_reboot.cloud.protobuf import Malformed, ProtobufMessage, field
from ecs_reboot.cloud.tablestore import plain_buffer
from ecs_reboot.cloud.tablestore.rows import (
    Change,
    Condition,
    Key,
    Put,
    RangeEnd,
    Row,
    RowError,
    Value,
)

_IGNORE, _EXPECT_EXIST, _EXPECT_NOT_EXIST = 0, 1, 2
_EXISTENCE = {None: _IGNORE, True: _EXPECT_EXIST, False: _EXPECT_NOT_EXIST}
_PUT, _DELETE = 1, 3
_SINGLE_COLUMN, _EQUAL = 1, 1
_FORWARD = 0
_ONE_VERSION = 1
_KEY_TYPES: dict[int, Literal["INTEGER", "STRING", "BINARY"]] = {1: "INTEGER", 2: "STRING", 3: "BINARY"}


def batch_get_row(table: str, keys: Sequence[Key]) -> bytes:
    """Ask for rows by their keys."""
    asked = b"".join(field(2, plain_buffer.primary_key(key)) for key in keys)
    return field(1, field(1, table) + asked + field(6, _ONE_VERSION))


def put_row(table: str, change: Put) -> bytes:
    """Replace one row."""
    row = plain_buffer.put(change.row.key, change.row.columns)
    return field(1, table) + field(2, row) + field(3, _condition(change.condition))


def batch_write_row(table: str, changes: Sequence[Change]) -> bytes:
    """Change several rows, each by itself."""
    return field(1, field(1, table) + b"".join(field(2, _change(change)) for change in changes))


def get_range(table: str, start: RangeEnd, end: RangeEnd, limit: int) -> bytes:
    """Ask for rows from ``start`` on, up to but without ``end``, at most ``limit``."""
    return b"".join(
        (
            field(1, table),
            field(2, _FORWARD),
            field(5, _ONE_VERSION),
            field(6, limit),
            field(7, plain_buffer.primary_key(start)),
            field(8, plain_buffer.primary_key(end)),
        )
    )


def describe_table(table: str) -> bytes:
    """Ask for the table's key and options."""
    return field(1, table)


def rows_read(body: bytes, table: str, keys: Sequence[Key]) -> tuple[Row | RowError | None, ...]:
    """Read a BatchGetRow's answer: a row, why it could not be read, or None, for each key in order."""
    answers = _rows_of(body, table, len(keys))
    return tuple(_row_read(answer, key) for answer, key in zip(answers, keys, strict=True))


def rows_written(body: bytes, table: str, count: int) -> tuple[RowError | None, ...]:
    """Read a BatchWriteRow's answer: None, or why it was not done, for each change in order."""
    return tuple(_failure(answer) for answer in _rows_of(body, table, count))


def row_written(body: bytes) -> None:
    """Read a PutRow's answer, which says nothing but that it is one."""
    ProtobufMessage(body).message(1).message(1)


def page(body: bytes) -> tuple[tuple[Row, ...], Key | None]:
    """Read a GetRange's answer: its rows, and where the next page begins."""
    message = ProtobufMessage(body)
    rest = plain_buffer.rows(message.data(3)) if message.has(3) else []
    if len(rest) > 1:
        raise Malformed(f"{len(rest)} keys in place of the one where the next page begins")
    return tuple(plain_buffer.rows(message.data(2))), rest[0].key if rest else None


def table_description(
    body: bytes, table: str
) -> tuple[tuple[tuple[str, Literal["INTEGER", "STRING", "BINARY"]], ...], int, int]:
    """Read a DescribeTable's answer: key columns with their types, seconds to live, versions kept."""
    message = ProtobufMessage(body)
    meta, options = message.message(1), message.message(3)
    _check_table(meta, table)
    key = []
    for column in meta.messages(2):
        if (kind := _KEY_TYPES.get(column.number(2))) is None:
            raise Malformed(f"key column {column.text(1)!r} is of the unknown type {column.number(2)}")
        key.append((column.text(1), kind))
    return tuple(key), options.number(1), options.number(2)


def error(body: bytes) -> RowError:
    """Read the body of a refusal. Raises Malformed for what is none: a proxy's page, say."""
    return _error(ProtobufMessage(body))


def _change(change: Change) -> bytes:
    kind, row = (
        (_PUT, plain_buffer.put(change.row.key, change.row.columns))
        if isinstance(change, Put)
        else (_DELETE, plain_buffer.delete(change.key))
    )
    return field(1, kind) + field(2, row) + field(3, _condition(change.condition))


def _condition(condition: Condition) -> bytes:
    existence = field(1, _EXISTENCE[condition.exists])
    return existence + field(2, _equals(*condition.column)) if condition.column else existence


def _equals(name: str, value: Value) -> bytes:
    """Return a filter that lets a row pass whose newest value is this one, and none without the column."""
    filter_if_missing = latest_version_only = True
    inner = (
        field(1, _EQUAL),
        field(2, name),
        field(3, plain_buffer.variant(value)),
        field(4, filter_if_missing),
        field(5, latest_version_only),
    )
    return field(1, _SINGLE_COLUMN) + field(2, b"".join(inner))


def _rows_of(body: bytes, table: str, count: int) -> list[ProtobufMessage]:
    tables = ProtobufMessage(body).messages(1)
    if len(tables) != 1:
        raise Malformed(f"an answer for {len(tables)} tables; one was asked for")
    _check_table(tables[0], table)
    answers = tables[0].messages(2)
    if len(answers) != count:
        raise Malformed(f"an answer for {len(answers)} rows; {count} were asked for")
    return answers


def _check_table(message: ProtobufMessage, table: str) -> None:
    if (named := message.text(1)) != table:
        raise Malformed(f"an answer for table {named!r}; {table!r} was asked for")


def _row_read(answer: ProtobufMessage, key: Key) -> Row | RowError | None:
    if failure := _failure(answer):
        return failure
    data = answer.data(4) if answer.has(4) else b""
    if not data:
        return None
    found = plain_buffer.rows(data)
    if len(found) != 1 or found[0].key != key:
        raise Malformed(f"{[row.key for row in found]} in place of the row {key}")
    return found[0]


def _failure(answer: ProtobufMessage) -> RowError | None:
    done = answer.number(1)
    if done not in (0, 1):
        raise Malformed(f"is_ok is {done}")
    return None if done else _error(answer.message(2))


def _error(message: ProtobufMessage) -> RowError:
    code = message.text(1)
    if not code:
        raise Malformed("an error without a code")
    return RowError(code, message.text(2) if message.has(2) else "")
