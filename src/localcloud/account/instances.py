"""The live instances of an account and their state machine: Running -> Stopping -> Starting -> Running, in cloud time.

A state is never changed, only followed by another: that is what lets a stale read tell what was true a while ago.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import count
from typing import NamedTuple

from localcloud.account.audit import Audit
from localcloud.account.clock import Clock
from localcloud.account.fleet import DEFAULT_UPTIME, InstanceSpec, Status

STOPPING_SHARE = 0.4  # of a graceful reboot; what is left is Starting
FORCED_STOPPING_SHARE = 0.05  # power off: no shutdown to wait for
HISTORY = 256  # states kept for stale reads
CREATED_BEFORE_START = timedelta(days=1)

Course = tuple[tuple[float, Status], ...]
"""(cloud seconds after the call, status) of each change to come."""


class StateChange(NamedTuple):
    """What is true of an instance from ``at`` on."""

    at: datetime
    status: Status
    start_time: datetime | None
    tags: Mapping[str, str]


class EcsInstance:
    """A declared instance and what has become of it; ``rank`` is its place in the fleet."""

    __slots__ = ("created", "declared_start", "history", "rank", "spec")

    def __init__(self, spec: InstanceSpec, rank: int, state: StateChange) -> None:
        self.spec = spec
        self.rank = rank
        self.declared_start = state.start_time
        self.created = (state.start_time or state.at) - CREATED_BEFORE_START
        self.history = deque((state,), maxlen=HISTORY)

    @property
    def state(self) -> StateChange:
        """The present state."""
        return self.history[-1]

    @property
    def started_again(self) -> bool:
        """Whether it has started since it was declared."""
        return self.history[-1].start_time != self.declared_start

    @property
    def status(self) -> Status:
        """The present status."""
        return self.history[-1].status

    def state_at(self, moment: datetime) -> StateChange:
        """Return the state at an earlier moment, the oldest known if it is before that."""
        return next((state for state in reversed(self.history) if state.at <= moment), self.history[0])


def reboot_course(spec: InstanceSpec, *, force: bool) -> Course:
    """Plan a reboot."""
    if spec.hangs and not force:
        return ((0.0, "Stopping"),)
    down = spec.reboot_seconds * (FORCED_STOPPING_SHARE if force else STOPPING_SHARE)
    if spec.stays_down:
        return ((0.0, "Stopping"), (down, "Stopped"))
    return ((0.0, "Stopping"), (down, "Starting"), (down + _starting_seconds(spec), "Running"))


def stop_course(spec: InstanceSpec, *, force: bool) -> Course:
    """Plan a stop."""
    if spec.hangs and not force:
        return ((0.0, "Stopping"),)
    down = spec.reboot_seconds * (FORCED_STOPPING_SHARE if force else STOPPING_SHARE)
    return ((0.0, "Stopping"), (down, "Stopped"))


def start_course(spec: InstanceSpec) -> Course:
    """Plan a start."""
    return ((0.0, "Starting"), (_starting_seconds(spec), "Running"))


def _starting_seconds(spec: InstanceSpec) -> float:
    return spec.reboot_seconds * (1 - STOPPING_SHARE)


class Instances:
    """The instances by ID, in the order of the fleet, with the changes that are due.

    Not for several threads at once: hold the cloud's lock.
    """

    def __init__(
        self,
        specs: Sequence[InstanceSpec],
        clock: Clock,
        audit: Audit,
        *,
        start_time_moves: Callable[[], bool] = lambda: True,
    ) -> None:
        """``start_time_moves``: whether a restart shows in StartTime."""
        self._clock = clock
        self._audit = audit
        self._start_time_moves = start_time_moves
        self._due: list[tuple[datetime, int, EcsInstance, Status]] = []
        self._order = count()
        now = clock.now()
        self._by_id = {
            spec.instance_id: EcsInstance(spec, rank, _declared(spec, now)) for rank, spec in enumerate(specs)
        }
        self._by_region: dict[str, list[EcsInstance]] = {}
        for instance in self._by_id.values():
            self._by_region.setdefault(instance.spec.region_id, []).append(instance)

    def __getitem__(self, instance_id: str) -> EcsInstance:
        return self._by_id[instance_id]

    def __iter__(self) -> Iterator[EcsInstance]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, instance_id: str) -> EcsInstance | None:
        """Return an instance, None if there is none of that ID."""
        return self._by_id.get(instance_id)

    def in_region(self, region_id: str) -> Sequence[EcsInstance]:
        """Return the instances of a region, in the order of the fleet."""
        return self._by_region.get(region_id, ())

    def begin(self, instance: EcsInstance, course: Course) -> None:
        """Start a course: what is due at once happens now, the rest in its time."""
        now = self._clock.now()
        (_, first), *later = course
        if instance.status in ("Stopping", "Starting"):
            self._forget(instance)
        self._enter(instance, first, now)
        for seconds, status in later:
            heappush(self._due, (self._clock.after(seconds, now), next(self._order), instance, status))

    def advance(self) -> None:
        """Let every change happen that is due by now."""
        now = self._clock.now()
        while self._due and self._due[0][0] <= now:
            at, _, instance, status = heappop(self._due)
            self._enter(instance, status, at)

    def release(self, instance: EcsInstance, at: datetime) -> None:
        """Take an instance out of the account for good, with its disks."""
        del self._by_id[instance.spec.instance_id]
        self._by_region[instance.spec.region_id].remove(instance)
        self._forget(instance)
        self._audit.state(instance.spec.instance_id, instance.status, "Released", at)

    def _forget(self, instance: EcsInstance) -> None:
        """Drop what is still to come of an earlier course."""
        self._due = [change for change in self._due if change[2] is not instance]
        heapify(self._due)

    def next_change(self) -> datetime | None:
        """Return when the next change is due, None if none is."""
        return self._due[0][0] if self._due else None

    def tag(self, instance: EcsInstance, tags: Mapping[str, str]) -> bool:
        """Set tags, replacing values of keys that are there; returns whether anything changed."""
        return self._retag(instance, {**instance.state.tags, **tags})

    def untag(self, instance: EcsInstance, keys: Iterable[str] | None) -> bool:
        """Take tags away, all if ``keys`` is None; returns whether anything changed."""
        gone = set(instance.state.tags if keys is None else keys)
        return self._retag(instance, {key: value for key, value in instance.state.tags.items() if key not in gone})

    def _retag(self, instance: EcsInstance, tags: Mapping[str, str]) -> bool:
        if tags == instance.state.tags:
            return False
        instance.history.append(instance.state._replace(at=self._clock.now(), tags=tags))
        return True

    def _enter(self, instance: EcsInstance, status: Status, at: datetime) -> None:
        before = instance.state
        start_time = at if status == "Running" and self._start_time_moves() else before.start_time
        instance.history.append(StateChange(at, status, start_time, before.tags))
        self._audit.state(instance.spec.instance_id, before.status, status, at)


def _declared(spec: InstanceSpec, now: datetime) -> StateChange:
    start_time = spec.start_time or now - DEFAULT_UPTIME
    return StateChange(min(start_time, now), spec.status, start_time, spec.tags)
