"""The simulated Tablestore as one run sees it: a table in memory behind the simulated network, watched."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from ecs_reboot.cloud.errors import Refused
from ecs_reboot.cloud.tablestore.rows import (
    BatchWritten,
    Change,
    Key,
    Page,
    Put,
    RangeEnd,
    Read,
    Row,
    RowError,
    Written,
)
from ecs_reboot.ledger import instance_row, window_row
from ecs_reboot.ledger.entry import OBSERVED
from ecs_reboot.ledger.memory import down_in_a_row
from simulation.network import FaultProfile, exchange
from simulation.run import EPOCH, Run
from simulation.table_limits import TableRefusal
from simulation.world import World

T = TypeVar("T")

#: How Tablestore says what the network's faults stand for.
CODES = {
    "Throttling.User": "OTSServerBusy",
    "ServiceUnavailable": "OTSServerUnavailable",
    "InternalError": "OTSInternalServerError",
}


class SimulatedTable:
    """``ledger.table_rows.TableApi`` for one run."""

    def __init__(self, world: World, run: Run, profile: FaultProfile) -> None:
        self._world, self._run, self._faults = world, run, profile

    def batch_get_row(self, table: str, keys: Sequence[Key]) -> Read:
        """Read rows."""
        return self._exchange("BatchGetRow", lambda: self._read(lambda: self._world.table.batch_get_row(table, keys)))

    def put_row(self, table: str, change: Put) -> Written:
        """Replace one row."""
        return self._exchange("PutRow", lambda: self._put(table, change))

    def batch_write_row(self, table: str, changes: Sequence[Change]) -> BatchWritten:
        """Change rows."""
        return self._exchange("BatchWriteRow", lambda: self._batch_written(table, changes))

    def get_range(self, table: str, start: RangeEnd, end: RangeEnd, *, limit: int = 5_000) -> Page:
        """List rows."""
        return self._exchange(
            "GetRange", lambda: self._read(lambda: self._world.table.get_range(table, start, end, limit=limit))
        )

    def _read(self, read: Callable[[], T]) -> T:
        if refusal := self._world.table_limits.of_read(self._world.scheduler.now):
            raise self._refused("read", refusal)
        return read()

    def _put(self, table: str, change: Put) -> Written:
        if refusal := self._world.table_limits.of_write(change.row.key, self._world.scheduler.now):
            raise self._refused("PutRow", refusal)
        return self._watched(lambda: self._world.table.put_row(table, change))

    def _batch_written(self, table: str, changes: Sequence[Change]) -> BatchWritten:
        """Write the rows that are taken; each is taken or refused by itself."""
        now = self._world.scheduler.now
        refused = [self._world.table_limits.of_write(_key(change), now) for change in changes]
        taken = [change for change, refusal in zip(changes, refused, strict=True) if refusal is None]
        if not taken:
            raise self._refused("BatchWriteRow", next(filter(None, refused)))
        done = self._watched(lambda: self._world.table.batch_write_row(table, taken))
        self._run.troubled |= len(taken) < len(changes)
        errors = iter(done.rows)
        rows = tuple(RowError(refusal.code, refusal.message) if refusal else next(errors) for refusal in refused)
        return BatchWritten(rows, done.now)

    def _refused(self, action: str, refusal: TableRefusal) -> Refused:
        self._run.troubled = True
        return Refused(action, code=refusal.code, message=refusal.message, status=refusal.status, request_id="")

    def _watched(self, write: Callable[[], T]) -> T:
        self._world.table.on_write = self._written
        return write()

    def _written(self, row: Row) -> None:
        place, name = str(row.key[0][1]), str(row.key[1][1])
        region_id = place.removeprefix(OBSERVED.before_region)
        self._world.checker.marking(self._run, shadow=place != region_id)
        checker, now = self._world.checker, EPOCH + timedelta(seconds=self._world.scheduler.now)
        if name.startswith("i#"):
            entry = instance_row.read(name[2:], row.columns, now).history.entry
            if entry:
                checker.writing(self._run, region_id, name[2:], str(entry))
                checker.owners.wrote(name[2:], entry.protects, f"run {self._run.number}")
        elif name.startswith("w#"):
            window = window_row.read(row.columns)
            ends = ((window_row.moment(reboot.at), reboot.state) for reboot in window.ended)
            counted = checker.place_of(region_id, name[2:])
            checker.ended(counted, down_in_a_row(ends))
            checker.stormy(counted, window.storm_at)

    def _exchange(self, action: str, effect: Callable[[], T]) -> T:
        try:
            return exchange(self._run, self._faults, action, effect)
        except Refused as error:
            code = CODES.get(error.code, error.code)
            raise Refused(
                action, code=code, message=error.message, status=error.status, request_id=error.request_id
            ) from None


def _key(change: Change) -> Key:
    return change.row.key if isinstance(change, Put) else change.key
