"""A table in memory: what a test says goes wrong, call by call, and which calls were made."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from scripted_ecs import NOW, JumpingClock, Step, deadline

from ecs_reboot.cloud.errors import CloudError, NoAnswer, Refused
from ecs_reboot.cloud.tablestore.rows import BatchWritten, Change, Key, Page, Put, RangeEnd, Read, Row, Written
from ecs_reboot.ledger.table_ledger import TableLedger
from ecs_reboot.ledger.table_maintenance import TableMaintenance
from ecs_reboot.ledger.table_reading import TableSettings
from simulation.memory_table import MemoryTable

T = TypeVar("T")

BUSY = Refused("Any", code="OTSServerBusy", message="busy", status=503, request_id="r-busy")
TIMED_OUT = Refused("Any", code="OTSTimeout", message="slow", status=503, request_id="r-timeout")
NO_RIGHT = Refused("Any", code="OTSNoPermissionAccess", message="no", status=403, request_id="r-no")
NO_ANSWER = NoAnswer("Any", "timed out")
HOLDS = timedelta(seconds=330)


class CutOff(BaseException):
    """The machine under a run is gone: nothing in the run can catch it."""


class ScriptedTable:
    """``before`` and ``after`` hold, for each call's name, what happens before and after the next effects of it.

    The run that makes more than ``most_calls`` is cut off before the next.
    """

    def __init__(self, clock: JumpingClock, *, seconds: float = 0.0) -> None:
        self.clock, self.seconds = clock, seconds
        self.memory = MemoryTable(clock.now)
        self.before: dict[str, list[Step]] = {}
        self.after: dict[str, list[Step]] = {}
        self.calls: list[str] = []
        self.most_calls = 1_000_000

    def batch_get_row(self, table: str, keys: Sequence[Key]) -> Read:
        return self._call("read", lambda: self.memory.batch_get_row(table, keys))

    def put_row(self, table: str, change: Put) -> Written:
        return self._call(str(change.row.key[1][1])[:2], lambda: self.memory.put_row(table, change))

    def batch_write_row(self, table: str, changes: Sequence[Change]) -> BatchWritten:
        return self._call("write", lambda: self.memory.batch_write_row(table, changes))

    def get_range(self, table: str, start: RangeEnd, end: RangeEnd, *, limit: int = 5_000) -> Page:
        return self._call("range", lambda: self.memory.get_range(table, start, end, limit=limit))

    def row(self, name: str, region_id: str = "cn-hangzhou") -> Row | None:
        return self.memory.rows.get((("region", region_id), ("row", name)))

    def _call(self, name: str, effect: Callable[[], T]) -> T:
        if len(self.calls) >= self.most_calls:
            raise CutOff
        self.calls.append(name)
        self.clock.sleep(self.seconds)
        self._step(name, self.before)
        answer = effect()
        self._step(name, self.after)
        return answer

    def _step(self, name: str, steps: dict[str, list[Step]]) -> None:
        step = steps[name].pop(0) if steps.get(name) else None
        if isinstance(step, CloudError):
            raise step
        if step is not None:
            step()


def of_run(request: str, run: str, stack: str = "one") -> TableSettings:
    return TableSettings(stack, request, run, 3600, HOLDS)


def store(
    table: ScriptedTable, request: str = "r-1", run: str = "run-1", *, stack: str = "one", seconds: float = 50.0
) -> TableLedger:
    return TableLedger(table, "ledger", deadline(seconds, table.clock), of_run(request, run, stack))


def maintenance(table: ScriptedTable, run: str = "sweep", *, stack: str = "one") -> TableMaintenance:
    return TableMaintenance(table, "ledger", deadline(50, table.clock), of_run("sweep", run, stack))


__all__ = ["NOW", "ScriptedTable"]
