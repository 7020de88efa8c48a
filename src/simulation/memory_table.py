"""A table of Tablestore in memory: rows, conditions, one step for check and write, and the service's clock.

It passes the contract of ``tests/contract/test_ledger_stores.py`` like the real client over the local cloud.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from ecs_reboot.cloud.errors import Refused
from ecs_reboot.cloud.tablestore.outcome import CONDITION_FAILED
from ecs_reboot.cloud.tablestore.rows import (
    HIGHEST,
    LOWEST,
    BatchWritten,
    Bound,
    Change,
    Condition,
    Key,
    Page,
    Put,
    RangeEnd,
    Read,
    Row,
    RowError,
    Written,
)

#: The service's limits.
MOST_READ, MOST_WRITTEN = 100, 200


class MemoryTable:
    """One table. ``now`` is the service's clock; ``on_write`` hears of each row that is written."""

    def __init__(self, now: Callable[[], datetime], on_write: Callable[[Row], None] = lambda _: None) -> None:
        self.rows: dict[Key, Row] = {}
        self._now, self.on_write = now, on_write

    def batch_get_row(self, _table: str, keys: Sequence[Key]) -> Read:
        """Read rows."""
        if not 1 <= len(keys) <= MOST_READ or len(set(keys)) != len(keys):
            raise _invalid("BatchGetRow")
        return Read(tuple(self.rows.get(key) for key in keys), self._now())

    def put_row(self, _table: str, change: Put) -> Written:
        """Replace one row if the condition holds."""
        if not self._holds(change.row.key, change.condition):
            return Written(done=False)
        self._put(change.row)
        return Written(done=True, now=self._now())

    def batch_write_row(self, _table: str, changes: Sequence[Change]) -> BatchWritten:
        """Change rows, each by itself."""
        keys = [change.row.key if isinstance(change, Put) else change.key for change in changes]
        if not 1 <= len(keys) <= MOST_WRITTEN or len(set(keys)) != len(keys):
            raise _invalid("BatchWriteRow")
        errors: list[RowError | None] = []
        for key, change in zip(keys, changes, strict=True):
            if not self._holds(key, change.condition):
                errors.append(RowError(CONDITION_FAILED, "Condition check failed."))
                continue
            if isinstance(change, Put):
                self._put(change.row)
            else:
                self.rows.pop(key, None)
            errors.append(None)
        return BatchWritten(tuple(errors), self._now())

    def get_range(self, _table: str, start: RangeEnd, end: RangeEnd, *, limit: int = 5_000) -> Page:
        """List rows in the order of their keys."""
        found = sorted(
            (row for key, row in self.rows.items() if _place(start) <= _place(key) < _place(end)),
            key=lambda row: _place(row.key),
        )
        rest = found[limit].key if len(found) > limit else None
        return Page(tuple(found[:limit]), rest, self._now())

    def _holds(self, key: Key, condition: Condition) -> bool:
        row = self.rows.get(key)
        if condition.exists is not None and condition.exists != (row is not None):
            return False
        if condition.column is None:
            return True
        name, value = condition.column
        return row is not None and row.columns.get(name) == value

    def _put(self, row: Row) -> None:
        self.on_write(row)
        self.rows[row.key] = row


def _place(key: RangeEnd) -> tuple[tuple[int, str], ...]:
    return tuple(
        ({LOWEST: 0, HIGHEST: 2}[value], "") if isinstance(value, Bound) else (1, str(value)) for _, value in key
    )


def _invalid(action: str) -> Refused:
    return Refused(action, code="OTSParameterInvalid", message="rows", status=400, request_id="")
