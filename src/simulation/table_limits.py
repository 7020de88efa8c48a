"""What Tablestore refuses of its own accord: more calls than it has capacity for, and all while a partition is away.

Whatever is refused here did nothing. All callers of the table meet the same, so its chances are one series.
"""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from simulation.conditions import Conditions


class TableRefusal(NamedTuple):
    """An error of the service, of a call or of one row of a batch."""

    code: str
    message: str
    status: int


#: The table has no capacity left in this second, or is asked too often.
FULL = (
    TableRefusal("OTSNotEnoughCapacityUnit", "Remaining capacity unit is not enough.", 403),
    TableRefusal("OTSCapacityUnitExhausted", "Capacity unit is exhausted.", 403),
    TableRefusal("OTSOperationThrottled", "The operation is throttled.", 403),
    TableRefusal("OTSQuotaExhausted", "Too frequent table operations.", 403),
    TableRefusal("OTSServerBusy", "Server is busy.", 503),
)
#: The table, or the partition with the rows, is not there for the moment. The last stands for a quota that somebody
#: has to raise: the same call will not succeed soon.
AWAY = (
    TableRefusal("OTSPartitionUnavailable", "The partition is not available.", 503),
    TableRefusal("OTSServerBusy", "Server is busy.", 503),
    TableRefusal("OTSTableNotReady", "The table is not ready.", 404),
    TableRefusal("OTSQuotaExhausted", "The quota of the instance is used up.", 403),
)
#: Two runs write one row in the same moment.
CONFLICT = TableRefusal("OTSRowOperationConflict", "Data is being modified by the other request.", 409)
#: How long after a write another to the same row is in conflict with it, seconds.
CONFLICT_SECONDS = 0.005
#: How long a partition is away: most often a moment, seldom seconds, and where calls may fail at times minutes.
#: Seconds, each as likely as it stands here often.
SHORT = (0.1, 0.1, 0.3, 0.3, 0.5, 1.0, 5.0)
LONG = (30.0, 600.0)


class TableLimits:
    """What the table takes. Each question counts as a call."""

    def __init__(self, conditions: Conditions, seed: str) -> None:
        self._capacity, self._every = conditions.capacity, conditions.away_every
        self._lengths = SHORT if conditions.calm else (*SHORT, *LONG)
        self._random = Random(seed)  # noqa: S311 - repeatable on purpose
        self._spells = self._drawn()
        self._spell = next(self._spells, None)
        self._calls: Counter[int] = Counter()
        self._written: dict[object, float] = {}

    def of_read(self, now: float) -> TableRefusal | None:
        """Return why a read is refused now, None if it is not."""
        while self._spell and self._spell[1] <= now:
            self._spell = next(self._spells, None)
        if self._spell and self._spell[0] <= now:
            return self._spell[2]
        self._calls[int(now)] += 1
        if self._capacity and self._calls[int(now)] > self._capacity:
            return self._random.choice(FULL)
        return None

    def of_write(self, row: object, now: float) -> TableRefusal | None:
        """Return why a write to a row is refused now, None if it is not."""
        if refusal := self.of_read(now):
            return refusal
        if (self._capacity or self._every) and now - self._written.get(row, -1.0) < CONFLICT_SECONDS:
            return CONFLICT
        self._written[row] = now
        return None

    def _drawn(self) -> Iterator[tuple[float, float, TableRefusal]]:
        """Yield when the partition is away, one spell after the other: from, until, and what is said."""
        until = 0.0
        while self._every:
            since = until + self._random.expovariate(1 / self._every)
            until = since + self._random.choice(self._lengths)
            yield since, until, self._random.choice(AWAY)
