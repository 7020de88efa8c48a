"""Tablestore's operations, from a message to a message. Between the rows of a batch others get their turn."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from localcloud.tablestore.errors import OtsError, invalid
from localcloud.tablestore.plain_buffer import HEADER, KeyCell, RowData, write_row
from localcloud.tablestore.protobuf import Message
from localcloud.tablestore.tables import Key, Row, RowChange, Table, TablestoreInstance

MOST_ROWS_READ, MOST_ROWS_WRITTEN, MOST_ROWS_LISTED = 100, 200, 5_000
MOST_BYTES = 4 * 2**20
_EXISTS = {"IGNORE": None, "EXPECT_EXIST": True, "EXPECT_NOT_EXIST": False}
_CONSUMED_READ = {"capacity_unit": {"read": 1, "write": 0}}
_CONSUMED_WRITE = {"capacity_unit": {"read": 0, "write": 1}}


class TableCall(NamedTuple):
    """One authenticated call. ``lock`` is held for one row at a time; ``row_error`` says what was declared of a row."""

    instance: TablestoreInstance
    message: Message
    size: int
    lock: Callable[[], AbstractContextManager[Any]]
    row_error: Callable[[RowData], OtsError | None]


class Done(NamedTuple):
    """The answer's message, whether anything was changed, and the codes of rows that failed inside a success."""

    answer: Message
    effect: bool = False
    row_codes: tuple[str, ...] = ()


Operation = Callable[[TableCall], Awaitable[Done]]


async def create_table(call: TableCall) -> Done:
    """Create a table."""
    meta = call.message["table_meta"]
    _throughput(call.message)
    key = tuple((column["name"], column["type"]) for column in meta["primary_key"])
    with call.lock():
        call.instance.create_table(meta["table_name"], key, call.message.get("table_options"))
    return Done({}, effect=True)


async def describe_table(call: TableCall) -> Done:
    """Describe a table."""
    table = call.instance.table(call.message["table_name"])
    key = [{"name": name, "type": kind} for name, kind in table.key]
    return Done(
        {"table_meta": {"table_name": table.name, "primary_key": key}, **_options(table), "table_status": "ACTIVE"}
    )


async def update_table(call: TableCall) -> Done:
    """Change a table's options."""
    table = call.instance.table(call.message["table_name"])
    _throughput(call.message)
    with call.lock():
        table.options = table.options.changed(call.message.get("table_options", {}))
    return Done(_options(table), effect=True)


async def list_table(call: TableCall) -> Done:
    """List the names of all tables."""
    return Done({"table_names": sorted(call.instance.tables)})


async def delete_table(call: TableCall) -> Done:
    """Delete a table with its rows."""
    with call.lock():
        call.instance.delete_table(call.message["table_name"])
    return Done({}, effect=True)


async def get_row(call: TableCall) -> Done:
    """Read one row."""
    table = call.instance.table(call.message["table_name"])
    _check_versions(call.message)
    with call.lock():
        return Done({"consumed": _CONSUMED_READ, "row": _read(table, call.message["primary_key"], call.message)})


async def batch_get_row(call: TableCall) -> Done:
    """Read rows of one or several tables, each by itself."""
    asked = _tables(call)
    count = sum(len(part["primary_key"]) for _, part in asked)
    if not 0 < count <= MOST_ROWS_READ:
        raise invalid(f"Rows count exceeds the upper limit: {count} rows, {MOST_ROWS_READ} are allowed, at least one.")
    for table, part in asked:
        _check_versions(part)
        if any(part["token"]):
            raise invalid("TableInBatchGetRowRequest.token is not modelled by the local cloud.")
        for key in part["primary_key"]:
            table.key_of(key.key)
    answers = []
    failed = []
    for table, part in asked:
        rows: list[Message] = []
        for key in part["primary_key"]:
            await asyncio.sleep(0)
            if error := call.row_error(key):
                failed.append(error.code)
                rows.append(_row_failure(error))
                continue
            with call.lock():
                rows.append({"is_ok": True, "consumed": _CONSUMED_READ, "row": _read(table, key, part)})
        answers.append({"table_name": table.name, "rows": rows})
    return Done({"tables": answers}, row_codes=tuple(failed))


async def put_row(call: TableCall) -> Done:
    """Replace one row."""
    return _write_one(call, "PUT", "row")


async def update_row(call: TableCall) -> Done:
    """Change columns of one row."""
    return _write_one(call, "UPDATE", "row_change")


async def delete_row(call: TableCall) -> Done:
    """Remove one row."""
    return _write_one(call, "DELETE", "primary_key")


async def batch_write_row(call: TableCall) -> Done:
    """Change rows of one or several tables, each by itself."""
    asked = [
        (table, [(_change(row["type"], row["row_change"], row), row) for row in part["rows"]])
        for table, part in _tables(call)
    ]
    count = sum(len(changes) for _, changes in asked)
    if not 0 < count <= MOST_ROWS_WRITTEN:
        raise invalid(
            f"Rows count exceeds the upper limit: {count} rows, {MOST_ROWS_WRITTEN} are allowed, at least one."
        )
    _check_size(call)
    for table, changes in asked:
        keys = [table.check(change) for change, _ in changes]
        if len(set(keys)) < len(keys):
            raise invalid(f"Duplicated primary key: two rows of table {table.name} are the same.")
    answers = []
    failed: list[str] = []
    for table, changes in asked:
        rows = []
        for change, row in changes:
            await asyncio.sleep(0)
            try:
                with call.lock():
                    if error := call.row_error(change.row):
                        raise error
                    table.write(change)
            except OtsError as error:
                failed.append(error.code)
                rows.append(_row_failure(error))
            else:
                rows.append({"is_ok": True, "consumed": _CONSUMED_WRITE, **_returned(row, change.row)})
        answers.append({"table_name": table.name, "rows": rows})
    return Done({"tables": answers}, effect=len(failed) < count, row_codes=tuple(failed))


async def get_range(call: TableCall) -> Done:
    """List rows between two keys."""
    message = call.message
    table = call.instance.table(message["table_name"])
    _check_versions(message)
    start = table.key_of(message["inclusive_start_primary_key"].key, infinite=True)
    end = table.key_of(message["exclusive_end_primary_key"].key, infinite=True)
    limit = message.get("limit", MOST_ROWS_LISTED)
    if limit < 1:
        raise invalid(f"The limit must be greater than 0, not {limit}.")
    out = bytearray()
    rest: Key | None = None
    count = 0
    with call.lock():
        for key, row in table.range(start, end, backward=message["direction"] == "BACKWARD"):
            if count >= min(limit, MOST_ROWS_LISTED) or len(out) >= MOST_BYTES:
                rest = key
                break
            count += 1
            out += _encoded(table, key, row, message)
    answer: Message = {"consumed": _CONSUMED_READ, "rows": HEADER + bytes(out) if out else b""}
    if rest is not None:
        answer["next_start_primary_key"] = HEADER + write_row(RowData(_key_cells(table, rest)))
    return Done(answer)


OPERATIONS: Mapping[str, Operation] = {
    "CreateTable": create_table,
    "DescribeTable": describe_table,
    "UpdateTable": update_table,
    "ListTable": list_table,
    "DeleteTable": delete_table,
    "GetRow": get_row,
    "BatchGetRow": batch_get_row,
    "PutRow": put_row,
    "UpdateRow": update_row,
    "DeleteRow": delete_row,
    "BatchWriteRow": batch_write_row,
    "GetRange": get_range,
}


def tables_named(message: Message) -> tuple[str, ...]:
    """Return the names of the tables that a request is about."""
    parts = message.get("tables") or [message.get("table_meta", message)]
    return tuple(part["table_name"] for part in parts if "table_name" in part)


def rows_named(message: Message) -> tuple[RowData, ...]:
    """Return every row that a request carries, in order."""
    return tuple(_rows_in(message))


def _rows_in(value: Any) -> Iterable[RowData]:
    if isinstance(value, RowData):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _rows_in(inner)


def _write_one(call: TableCall, kind: Any, row: str) -> Done:
    table = call.instance.table(call.message["table_name"])
    change = _change(kind, call.message[row], call.message)
    _check_size(call)
    with call.lock():
        table.write(change)
    return Done({"consumed": _CONSUMED_WRITE, **_returned(call.message, change.row)}, effect=True)


def _change(kind: Any, row: RowData, message: Message) -> RowChange:
    condition = message["condition"]
    return RowChange(kind, row, _EXISTS[condition["row_existence"]], condition.get("column_condition"))


def _returned(message: Message, row: RowData) -> Message:
    if message.get("return_content", {}).get("return_type", "RT_NONE") == "RT_NONE":
        return {}
    return {"row": HEADER + write_row(RowData(row.key))}


def _read(table: Table, asked: RowData, message: Message) -> bytes:
    key = table.key_of(asked.key)
    row = table.get(key)
    encoded = b"" if row is None else _encoded(table, key, row, message)
    return HEADER + encoded if encoded else b""


def _encoded(table: Table, key: Key, row: Row, message: Message) -> bytes:
    """Return a row as a read gives it; nothing where the filter, or the wish for columns it lacks, leaves it out."""
    passes = message.get("filter")
    if passes and not passes({name: cell.value for name, cell in row.items()}):
        return b""
    names = set(message["columns_to_get"])
    cells = tuple(cell for name, cell in sorted(row.items()) if not names or name in names)
    wants_key = any(name in names for name, _ in table.key)
    return write_row(RowData(_key_cells(table, key), cells)) if cells or not names or wants_key else b""


def _key_cells(table: Table, key: Key) -> tuple[KeyCell, ...]:
    return tuple(KeyCell(name, value) for (name, _), value in zip(table.key, key, strict=True))


def _tables(call: TableCall) -> list[tuple[Table, Message]]:
    names = tables_named(call.message)
    if len(set(names)) < len(names):
        raise invalid("Duplicated table name in a batch.")
    return [(call.instance.table(part["table_name"]), part) for part in call.message["tables"]]


def _row_failure(error: OtsError) -> Message:
    return {"is_ok": False, "error": {"code": error.code, "message": str(error)}}


def _check_versions(message: Message) -> None:
    if "max_versions" not in message:
        raise invalid("No version condition is specified while querying row.")
    if message["max_versions"] < 1:
        raise invalid(f"The max_versions must be greater than 0, not {message['max_versions']}.")


def _check_size(call: TableCall) -> None:
    if call.size > MOST_BYTES:
        raise invalid(f"The total data size of the request exceeds the limit of {MOST_BYTES} bytes.")


def _throughput(message: Message) -> None:
    if any(message.get("reserved_throughput", {}).get("capacity_unit", {}).values()):
        raise invalid("Reserved throughput other than 0 is not modelled by the local cloud.")


def _options(table: Table) -> Message:
    capacity = {"capacity_unit": {"read": 0, "write": 0}, "last_increase_time": int(table.created_at.timestamp())}
    return {"reserved_throughput_details": capacity, "table_options": table.options._asdict()}
