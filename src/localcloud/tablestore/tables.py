"""The instances and tables of an account, and what one operation on one row does: the whole of it, or nothing.

Whoever calls holds the cloud's lock for one row operation, and lets go between the rows of a batch.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from localcloud.account.clock import Clock
from localcloud.account.table_rules import MOST_TABLES, Network, instance_mistake, is_name, table_mistake
from localcloud.tablestore.errors import OtsError, invalid
from localcloud.tablestore.plain_buffer import Cell, CellOperation, Infinite, KeyCell, KeyValue, RowData, Value

KeySchema = tuple[tuple[str, str], ...]
"""Name and type (INTEGER, STRING, BINARY) of each key column."""

Row = dict[str, Cell]
Key = tuple[KeyValue, ...]

MOST_INSTANCES, MOST_COLUMNS_WRITTEN = 10, 1024
KEY_BYTES, VALUE_BYTES = 1024, 2 * 2**20
LEAST_SECONDS_TO_LIVE, FOR_EVER = 86_400, -1
DEFAULT_DEVIATION = 86_400
_TYPES: Mapping[str, type] = {"INTEGER": int, "STRING": str, "BINARY": bytes}


class TableOptions(NamedTuple):
    """Seconds to live (-1: for ever), versions of a cell that are kept, how far a cell's time may be off, updates."""

    time_to_live: int = FOR_EVER
    max_versions: int = 1
    deviation_cell_version_in_sec: int = DEFAULT_DEVIATION
    allow_update: bool = True

    def changed(self, options: Mapping[str, Any]) -> "TableOptions":
        """Return the options with those of a request; raises OtsError for a value that is not allowed."""
        made = self._replace(**options)
        if made.time_to_live != FOR_EVER and made.time_to_live < LEAST_SECONDS_TO_LIVE:
            raise invalid(f"time_to_live must be -1 or at least {LEAST_SECONDS_TO_LIVE}, not {made.time_to_live}.")
        if made.max_versions != 1:
            raise invalid(f"max_versions is {made.max_versions}: the local cloud keeps one version of a cell.")
        if made.deviation_cell_version_in_sec < 1:
            raise invalid("deviation_cell_version_in_sec must be at least 1.")
        return made


class RowChange(NamedTuple):
    """One conditional change of one row; ``exists`` None does not ask."""

    kind: Literal["PUT", "UPDATE", "DELETE"]
    row: RowData
    exists: bool | None = None
    condition: Callable[[Mapping[str, Value]], bool] | None = None


class Table:
    """One table: its key, its options and its rows in the order of their keys when asked."""

    def __init__(self, name: str, key: KeySchema, options: TableOptions, clock: Clock) -> None:
        self.name, self.key, self.options = name, key, options
        self.created_at = clock.now()
        self._clock = clock
        self._rows: dict[Key, Row] = {}
        self._last_stamp = 0

    def key_of(self, cells: tuple[KeyCell, ...], *, infinite: bool = False) -> Key:
        """Check a key against the table's; ``infinite`` allows the ends of a range. Raises OtsError."""
        if [cell.name for cell in cells] != [name for name, _ in self.key]:
            wanted = ", ".join(name for name, _ in self.key)
            raise _invalid_key(f"Primary key schema mismatch: the key of {self.name} is {wanted}.")
        for cell, (name, kind) in zip(cells, self.key, strict=True):
            if isinstance(cell.value, Infinite):
                if not infinite:
                    raise _invalid_key(f"Primary key column {name} can not be infinite here.")
            elif type(cell.value) is not _TYPES[kind]:
                raise _invalid_key(f"Validate PK type fail: {name} is {type(cell.value).__name__}, not {kind}.")
            elif _size(cell.value) > KEY_BYTES:
                raise invalid(f"The length of primary key column {name} exceeds {KEY_BYTES} bytes.")
        return tuple(cell.value for cell in cells)

    def get(self, key: Key) -> Row | None:
        """Return a row without the cells whose time is over; None where it does not exist."""
        row = self._rows.get(key)
        if row is None or self.options.time_to_live == FOR_EVER:
            return row
        oldest = self._now() - 1000 * self.options.time_to_live
        alive = {name: cell for name, cell in row.items() if (cell.stamp or 0) > oldest}
        return alive if alive or not row else None

    def put(self, key: Key, columns: Mapping[str, Value]) -> None:
        """Replace a row without a request: a history that a fleet file declares, say."""
        stamp = self._stamp()
        self._rows[key] = {name: Cell(name, value, stamp) for name, value in columns.items()}

    def range(self, start: Key, end: Key, *, backward: bool) -> Iterator[tuple[Key, Row]]:
        """Yield the rows from ``start`` on, up to but without ``end``, in the order of their keys or against it."""
        first, last = _place(start), _place(end)
        if (first < last) is backward or first == last:
            raise invalid(f"Begin key must be {'greater' if backward else 'less'} than end key.")
        for key in sorted(self._rows, key=_place, reverse=backward):
            place = _place(key)
            inside = last < place <= first if backward else first <= place < last
            if inside and (row := self.get(key)) is not None:
                yield key, row

    def check(self, change: RowChange) -> Key:
        """Return the key of a change that is well-formed; raises OtsError."""
        row = change.row
        key = self.key_of(row.key)
        if row.deleted is not (change.kind == "DELETE") or (row.deleted and row.cells):
            raise invalid(f"The row is no row of a {change.kind}: a delete marker or columns do not fit.")
        if len(row.cells) > MOST_COLUMNS_WRITTEN:
            raise invalid(f"The number of columns is {len(row.cells)}; the limit is {MOST_COLUMNS_WRITTEN}.")
        if change.kind == "UPDATE" and not row.cells:
            raise invalid("No attribute column of the row is updated.")
        for cell in row.cells:
            self._check_cell(cell, change.kind)
        return key

    def write(self, change: RowChange) -> None:
        """Carry out one change if its condition holds; raises OtsError, and then nothing was changed."""
        key = self.check(change)
        before = self.get(key)
        if change.exists not in (None, before is not None) or (change.condition and not _holds(change, before)):
            raise OtsError("OTSConditionCheckFail", "Condition check failed.")
        if change.kind == "DELETE":
            self._rows.pop(key, None)
        else:
            self._rows[key] = self._after(change, before if change.kind == "UPDATE" and before else {})

    def _after(self, change: RowChange, before: Row) -> Row:
        stamp = self._stamp()
        after = dict(before)
        for cell in change.row.cells:
            known = after.get(cell.name)
            if cell.operation is CellOperation.INCREMENT:
                after[cell.name] = Cell(cell.name, _sum(cell, known), stamp)
            elif cell.operation is CellOperation.DELETE_ALL or (
                cell.operation is CellOperation.DELETE_ONE and known and known.stamp == cell.stamp
            ):
                after.pop(cell.name, None)
            elif cell.operation is None:
                made = Cell(cell.name, cell.value, stamp if cell.stamp is None else cell.stamp)
                # One version is kept, that with the highest time: what is dated before it can't be seen.
                after[cell.name] = max(known or made, made, key=lambda version: version.stamp or 0)
        return after

    def _check_cell(self, cell: Cell, kind: str) -> None:
        if not is_name(cell.name):
            raise invalid(f"Invalid column name: {cell.name!r}.")
        if any(cell.name == name for name, _ in self.key):
            raise invalid(f"Attribute column {cell.name} has the name of a primary key column.")
        deletes = cell.operation in (CellOperation.DELETE_ALL, CellOperation.DELETE_ONE)
        if (cell.value is None) is not deletes or (kind == "PUT" and cell.operation):
            raise invalid(f"Column {cell.name}: a value or an operation does not fit a {kind}.")
        if cell.operation is CellOperation.INCREMENT and type(cell.value) is not int:
            raise invalid(f"Column {cell.name} can be incremented by a number only.")
        if (cell.operation is CellOperation.DELETE_ONE) is not (cell.stamp is not None) and deletes:
            raise invalid(f"Column {cell.name}: one version is deleted by its time, all without one.")
        if cell.value is not None and _size(cell.value) > VALUE_BYTES:
            raise invalid(f"The length of attribute column {cell.name} exceeds {VALUE_BYTES} bytes.")
        deviation = 1000 * self.options.deviation_cell_version_in_sec
        if cell.stamp is not None and not deletes and abs(cell.stamp - self._now()) > deviation:
            raise invalid(f"The time of column {cell.name} is off by more than {deviation // 1000} seconds.")

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    def _stamp(self) -> int:
        self._last_stamp = max(self._last_stamp + 1, self._now())
        return self._last_stamp


class TablestoreInstance:
    """One instance: where it is, which networks may come in, and its tables."""

    def __init__(self, name: str, region_id: str, networks: Iterable[Network], clock: Clock) -> None:
        if mistake := instance_mistake(name):
            raise invalid(mistake)
        self.name, self.region_id, self.networks = name, region_id, frozenset(networks)
        self.tables: dict[str, Table] = {}
        self._clock = clock

    def table(self, name: str) -> Table:
        """Return a table; raises OtsError where there is none."""
        if name not in self.tables:
            raise OtsError("OTSObjectNotExist", "Requested table does not exist.")
        return self.tables[name]

    def create_table(self, name: str, key: KeySchema, options: Mapping[str, Any] | None = None) -> Table:
        """Create a table; raises OtsError where that is not allowed."""
        if name in self.tables:
            raise OtsError("OTSObjectAlreadyExist", "Requested table already exists.")
        if len(self.tables) >= MOST_TABLES:
            raise OtsError("OTSQuotaExhausted", f"Number of tables exceeds the quota of {MOST_TABLES}.")
        if mistake := table_mistake(name, [column for column, _ in key]):
            raise invalid(mistake)
        self.tables[name] = Table(name, key, TableOptions().changed(options or {}), self._clock)
        return self.tables[name]

    def delete_table(self, name: str) -> None:
        """Delete a table with its rows; raises OtsError where there is none."""
        del self.tables[self.table(name).name]


class Instances:
    """The account's instances, by their names in lower case."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_name: dict[str, TablestoreInstance] = {}

    def create(self, name: str, region_id: str, networks: Iterable[Network]) -> TablestoreInstance:
        """Create an instance; raises OtsError where that is not allowed."""
        instance = TablestoreInstance(name, region_id, networks, self._clock)
        if name.lower() in self._by_name:
            raise OtsError("OTSObjectAlreadyExist", f"Instance {name} already exists.")
        if len(self._by_name) >= MOST_INSTANCES:
            raise OtsError("OTSQuotaExhausted", f"Number of instances exceeds the quota of {MOST_INSTANCES}.")
        self._by_name[name.lower()] = instance
        return instance

    def declare(
        self, name: str, region_id: str, networks: Iterable[Network], tables: Mapping[str, Mapping[str, str]]
    ) -> TablestoreInstance:
        """Create an instance and its tables, as a fleet file declares them; raises OtsError."""
        instance = self.create(name, region_id, networks)
        for table, key in tables.items():
            instance.create_table(table, tuple(key.items()))
        return instance

    def get(self, name: str) -> TablestoreInstance | None:
        """Return an instance, None where there is none."""
        return self._by_name.get(name.lower())

    def delete(self, name: str) -> None:
        """Delete an instance; raises OtsError where it has tables, KeyError where there is none."""
        if self._by_name[name.lower()].tables:
            raise invalid(f"Instance {name} has tables: delete them first.")
        del self._by_name[name.lower()]

    def __iter__(self) -> Iterator[TablestoreInstance]:
        return iter(self._by_name.values())


def _holds(change: RowChange, before: Row | None) -> bool:
    """Return whether the columns meet the condition; those of a row that does not exist are all missing."""
    assert change.condition
    values = {name: cell.value for name, cell in (before or {}).items() if cell.value is not None}
    return change.condition(values)


def _sum(cell: Cell, known: Cell | None) -> int:
    before = known.value if known else 0
    if type(before) is not int or type(cell.value) is not int:
        raise invalid(f"Column {cell.name} is no number and can not be incremented.")
    return before + cell.value


def _size(value: KeyValue) -> int:
    return len(value.encode()) if isinstance(value, str) else len(value) if isinstance(value, bytes) else 8


def _place(key: Key) -> list[tuple[Any, ...]]:
    """Return what puts keys into their order: texts by their bytes, below and above them the ends of a range."""
    return [
        (0,)
        if value is Infinite.LOWEST
        else (2,)
        if value is Infinite.HIGHEST
        else (1, value.encode() if isinstance(value, str) else value)
        for value in key
    ]


def _invalid_key(message: str) -> OtsError:
    return OtsError("OTSInvalidPK", message)
