"""Rows that know their version: read them, and replace one only while it is still the version that was read.

A conditional write without an answer is sent again until there is one: it takes effect at most once, because taking
effect moves the version it names. So after an answer it is known who won. Every version carries the token of its
writer, by which a success whose answer was lost is recognised.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.errors import CloudError, NotSent, Refused
from ecs_reboot.cloud.tablestore.outcome import CONDITION_FAILED, of_error
from ecs_reboot.cloud.tablestore.rows import (
    BatchWritten,
    Change,
    Condition,
    Key,
    Page,
    Put,
    RangeEnd,
    Read,
    Row,
    Stored,
    Written,
)
from ecs_reboot.named_tuple import NamedTuple

#: What one call takes.
MOST_READ, MOST_WRITTEN = 100, 200
#: Waits between tries: doubling from the first up to the second, each times 0.5 to 1.5. Seconds.
FIRST_WAIT, LONGEST_WAIT = 0.02, 1.0

VERSION, WRITER = "v", "by"
NO_ROW: Mapping[str, Stored] = {}

T = TypeVar("T")


class TableApi(Protocol):
    """The calls to Tablestore that the ledger makes; ``cloud.tablestore.client`` makes them for real."""

    def batch_get_row(self, table: str, keys: Sequence[Key]) -> Read:
        """Read at most 100 rows."""

    def put_row(self, table: str, change: Put) -> Written:
        """Replace one row if the condition holds."""

    def batch_write_row(self, table: str, changes: Sequence[Change]) -> BatchWritten:
        """Change at most 200 different rows, each by itself."""

    def get_range(self, table: str, start: RangeEnd, end: RangeEnd, *, limit: int = 5_000) -> Page:
        """List rows from ``start`` on, up to but without ``end``."""


class Found(NamedTuple):
    """Rows by name (NO_ROW where there is none), by the service's clock, and when asking for them began."""

    rows: dict[str, Mapping[str, Stored]]
    now: datetime
    began: float


class Swap(NamedTuple):
    """Replace the row ``before`` by ``after``."""

    name: str
    before: Mapping[str, Stored]
    after: Mapping[str, int | str]


class TableRows:
    """The rows of one table, as one run uses them. ``run``: what tells this run from all others.

    ``before_region`` keeps rows apart from those of other namespaces (``entry.Namespace``).

    ``slowest`` is the longest that a call has taken so far, seconds.
    """

    def __init__(self, api: TableApi, table: str, deadline: Deadline, run: str, before_region: str = "") -> None:
        self._api, self._table, self._deadline, self._run = api, table, deadline, run
        self._before_region = before_region
        self._writes = 0
        self.slowest = 0.0

    def read(self, region_id: str, names: Sequence[str], deadline: Deadline | None = None) -> Found:
        """Read rows, each in its newest state."""
        found: dict[str, Mapping[str, Stored]] = {}
        began, now = self._deadline.clock.elapsed(), None
        for start in range(0, len(names), MOST_READ):
            part = names[start : start + MOST_READ]
            keys = [self._key(region_id, name) for name in part]
            read = self._until_answered(lambda keys=keys: self._api.batch_get_row(self._table, keys), deadline)  # type: ignore[misc]  # bound
            found |= {name: row.columns if row else NO_ROW for name, row in zip(part, read.rows, strict=True)}
            now = now or read.now
        if now is None:
            raise AssertionError("somebody asked for no rows")
        return Found(found, now, began)

    def list(self, region_id: str, first: str, end: str) -> dict[str, Mapping[str, Stored]]:
        """Return all rows of a region whose names are from ``first`` on and before ``end``."""
        found: dict[str, Mapping[str, Stored]] = {}
        start: RangeEnd | None = self._key(region_id, first)
        while start is not None:
            page = self._until_answered(
                lambda start=start: self._api.get_range(self._table, start, self._key(region_id, end)),  # type: ignore[misc]  # bound
                None,
            )
            found |= {str(row.key[1][1]): row.columns for row in page.rows}
            start = page.rest
        return found

    def swap(
        self, region_id: str, swaps: Sequence[Swap], deadline: Deadline | None = None
    ) -> dict[str, Mapping[str, Stored]]:
        """Replace rows, each by itself; return those that were replaced, as they are now.

        Raises CloudError where the deadline comes before the answer: then what was written is not known.
        """
        written = {swap.name: self._change(region_id, swap) for swap in swaps}
        won: dict[str, Mapping[str, Stored]] = {}
        names = list(written)
        for start in range(0, len(names), MOST_WRITTEN):
            part = names[start : start + MOST_WRITTEN]
            won |= self._swapped(region_id, {name: written[name] for name in part}, deadline)
        return won

    def _change(self, region_id: str, swap: Swap) -> Put:
        self._writes += 1
        version = swap.before.get(VERSION, 0)
        if not isinstance(version, int):
            version = 0
        columns = {**swap.after, VERSION: version + 1, WRITER: f"{self._run}.{self._writes}"}
        condition = Condition(exists=True, column=(VERSION, version)) if swap.before else Condition(exists=False)
        if swap.before and VERSION not in swap.before:
            condition = Condition(exists=True)
        return Put(Row(self._key(region_id, swap.name), columns), condition)

    def _swapped(
        self, region_id: str, changes: dict[str, Put], deadline: Deadline | None
    ) -> dict[str, Mapping[str, Stored]]:
        """Write until each row has an answer."""
        deadline = deadline or self._deadline
        won: dict[str, Mapping[str, Stored]] = {}
        doubtful: set[str] = set()
        failed: set[str] = set()
        left, backoff = dict(changes), retry.waits(deadline, FIRST_WAIT, LONGEST_WAIT)
        self._check(deadline, "PutRow")
        while left:
            errors = self._write(left)
            meanings = {name: of_error(error) for name, error in errors.items()}
            won |= {name: change.row.columns for name, change in left.items() if name not in errors}
            for name, meaning in meanings.items():
                if meaning == "final":
                    raise errors[name]
            doubtful |= {name for name, meaning in meanings.items() if meaning == "unknown"}
            failed |= {name for name, meaning in meanings.items() if meaning == "condition_failed"}
            left = {name: left[name] for name, meaning in meanings.items() if meaning in ("unknown", "not_done")}
            if left and not deadline.wait(next(backoff)):
                raise errors[next(iter(left))]
        if unclear := sorted(failed & doubtful):
            now = self.read(region_id, unclear, deadline).rows
            won |= {
                name: changes[name].row.columns
                for name in unclear
                if now[name].get(WRITER) == changes[name].row.columns[WRITER]
            }
        return won

    def _write(self, changes: dict[str, Put]) -> dict[str, CloudError]:
        """Send the changes once; return the errors of those that are not known to be done."""
        try:
            if len(changes) == 1:
                ((name, change),) = changes.items()
                done = self._timed(lambda: self._api.put_row(self._table, change)).done
                return {} if done else {name: _refused("PutRow", CONDITION_FAILED, "")}
            batch = self._timed(lambda: self._api.batch_write_row(self._table, list(changes.values())))
        except CloudError as error:
            return dict.fromkeys(changes, error)
        return {
            name: _refused("BatchWriteRow", error.code, error.message)
            for name, error in zip(changes, batch.rows, strict=True)
            if error
        }

    def _until_answered(self, call: Callable[[], T], deadline: Deadline | None) -> T:
        """Read until there is an answer."""
        deadline = deadline or self._deadline
        backoff = retry.waits(deadline, FIRST_WAIT, LONGEST_WAIT)
        self._check(deadline, "BatchGetRow")
        while True:
            try:
                return self._timed(call)
            except CloudError as error:
                if of_error(error) == "final" or not deadline.wait(next(backoff)):
                    raise

    def _check(self, deadline: Deadline, action: str) -> None:
        """Raise NotSent where the time for taking back is over. The run's own deadline leaves each call a moment."""
        if deadline is not self._deadline and not deadline.left():
            raise NotSent(action, "the time for taking back is over")

    def _timed(self, call: Callable[[], T]) -> T:
        began = self._deadline.clock.elapsed()
        try:
            return call()
        finally:
            self.slowest = max(self.slowest, self._deadline.clock.elapsed() - began)

    def _key(self, region_id: str, name: str) -> Key:
        return (("region", self._before_region + region_id), ("row", name))


def _refused(action: str, code: str, message: str) -> Refused:
    return Refused(action, code=code, message=message, status=200, request_id="")
