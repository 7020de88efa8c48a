"""The memory of notices that all function instances share: one row of the ledger's table, changed by condition.

Where the table does not answer in time this instance goes by what it knows itself:
a notice may be sent twice, but none is kept back.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from ecs_reboot.clock import Clock, Deadline
from ecs_reboot.cloud.errors import CloudError, NoAnswer
from ecs_reboot.ledger.table_rows import Swap, TableApi, TableRows
from ecs_reboot.records.notices import outbox_row
from ecs_reboot.records.notices.memory import Decide, OwnMemory
from ecs_reboot.records.notices.outbox import Outbox

#: How long a change may take, and how often it is tried where others are faster. Seconds.
CHANGE_SECONDS, TRIES, JITTER_SECONDS = 1.5, 10, 0.05

T = TypeVar("T")


class TableMemory:
    """One stack's memory. ``connect`` returns the table; ``run`` tells this run from all others."""

    def __init__(
        self,
        connect: Callable[[Deadline], TableApi],
        table: str,
        clock: Clock,
        own: OwnMemory,
        *,
        region_id: str,
        stack: str,
        run: str,
    ) -> None:
        self._connect, self._table, self._clock, self._own = connect, table, clock, own
        self._region_id, self._name, self._run = region_id, f"n#{stack}", run
        self._changes = 0

    def known(self, now: float) -> frozenset[str]:
        """Return what this instance knows to be told."""
        return self._own.known(now)

    def change(self, decide: Decide[T], now: float) -> T:
        """Change the row, taking in what this instance remembers alone; without the table only that."""
        try:
            return self._changed(decide)
        except CloudError:
            return self._own.change(decide, now)

    def _changed(self, decide: Decide[T]) -> T:
        deadline = Deadline(self._clock, CHANGE_SECONDS)
        self._changes += 1
        rows = TableRows(self._connect(deadline), self._table, deadline, f"{self._run}.n{self._changes}")
        for _ in range(TRIES):
            found = rows.read(self._region_id, [self._name])
            row, own = found.rows[self._name], self._own.outbox
            before = outbox_row.read(row)
            after, answer = decide(before.merged(own), found.now.timestamp())
            if after == before or rows.swap(self._region_id, [Swap(self._name, row, outbox_row.columns(after))]):
                self._own.change(partial(_learned, after, own), 0.0)
                return answer
            if not deadline.wait(JITTER_SECONDS * self._clock.jitter()):
                break
        raise NoAnswer("PutRow", f"others changed the row {self._name} at the same time")


def _learned(shared: Outbox, handed_in: Outbox, own: Outbox, _: float) -> tuple[Outbox, None]:
    """Return what this instance remembers after a change: what is shared, and what it has not handed in yet."""
    return shared._replace(waiting=tuple(part for part in own.waiting if part not in handed_in.waiting)), None
