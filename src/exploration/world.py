"""All that is true at one moment, and what one call makes of it. Values only: nothing here remembers.

Adverse where that costs nothing: ECS reboots whatever it is asked to reboot, Running or not.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from ecs_reboot.cloud.tablestore.rows import Condition, Key, Put, Row, Stored
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.model import Instance, InstanceAnswer, RebootAnswer
from exploration.asking import Call
from simulation.memory_table import MemoryTable
from simulation.run import EPOCH

REGION = "cn-hangzhou"
#: How long a reboot takes, and how much of it the instance is Stopping. Seconds.
CYCLE, STOPPING = 20.0, 8.0
#: When the instances started, long ago. Seconds.
STARTED = -1e6

Tags = tuple[tuple[str, str], ...]
Rows = tuple[tuple[Key, tuple[tuple[str, Stored], ...]], ...]


class Laws(NamedTuple):
    """What the promises rest on, and what an exploration may take away (docs/understand/safety.md); seconds.

    ``atomic``: the table checks conditions. ``settle``: CLAIM_SETTLE_SECONDS. ``staleness``: what an API shows of tags
    and status is at most so old. ``effect``: a request takes effect within this long, or never.
    """

    atomic: bool = True
    settle: float = 2.0
    staleness: float = 0.25
    effect: float = 0.5


class Reboot(NamedTuple):
    """A reboot that took effect, and the run that asked for it."""

    at: float
    instance_id: str
    run: int


class World(NamedTuple):
    """The ledger's tags, the table's rows, the reboots, and what the former were a moment ago.

    ``past``: until when tags and reboots were as they were then, oldest first.
    """

    tags: Tags = ()
    rows: Rows = ()
    reboots: tuple[Reboot, ...] = ()
    past: tuple[tuple[float, Tags, tuple[Reboot, ...]], ...] = ()

    def later(self, now: float, laws: Laws) -> "World":
        """Forget what no API can show any more."""
        if not self.past or self.past[0][0] >= now - laws.staleness:
            return self
        return self._replace(past=tuple(then for then in self.past if then[0] >= now - laws.staleness))


class Effect(NamedTuple):
    """What a call did: the world after it, and the answer. ``old``: it showed what was true a moment ago."""

    world: World
    answer: object
    old: bool = False


class Sent(NamedTuple):
    """A call on its way: who sent it, and when."""

    call: Call
    run: int
    at: float


def effects(world: World, sent: Sent, now: float, laws: Laws) -> Iterator[Effect]:
    """Yield each way in which a call can take effect now; the usual one first."""
    call = sent.call
    if call.action in _READS:
        read = _READS[call.action]
        yield Effect(world, read(world.tags, world.reboots, call.subject, sent.at, now))
        for _, tags, reboots in reversed(world.past):
            yield Effect(world, read(tags, reboots, call.subject, sent.at, now), old=True)
    elif call.action == "TagResources":
        instance_ids, value = call.subject
        tags = tuple(sorted({**dict(world.tags), **dict.fromkeys(instance_ids, value)}.items()))
        yield Effect(_changed(world, now, tags=tags), None)
    elif call.action == "RebootInstances":
        done = tuple(Reboot(now, instance_id, sent.run) for instance_id in call.subject)
        rows = tuple(
            InstanceAnswer(
                instance_id=instance_id, code="200", message="", previous_status="Running", current_status="Stopping"
            )
            for instance_id in call.subject
        )
        yield Effect(_changed(world, now, reboots=world.reboots + done), RebootAnswer(request_id="", instances=rows))
    else:
        table = MemoryTable(lambda: EPOCH + timedelta(seconds=now))
        table.rows = dict(_thawed(world.rows))
        subject = call.subject if laws.atomic else _unconditional(call.subject)
        methods: dict[str, Callable[[str, Any], object]] = {
            "BatchGetRow": table.batch_get_row,
            "PutRow": table.put_row,
            "BatchWriteRow": table.batch_write_row,
        }
        answer = methods[call.action]("ledger", subject)
        changed = call.action != "BatchGetRow"
        yield Effect(world._replace(rows=_frozen(table.rows)) if changed else world, answer)


def shown(instance_id: str, tags: Tags, reboots: tuple[Reboot, ...], asked_at: float, now: float) -> Instance:
    """Return an instance as ECS describes it."""
    status, started = "Running", STARTED
    for reboot in reboots:
        if reboot.instance_id == instance_id:
            age = now - reboot.at
            status = "Stopping" if age < STOPPING else "Starting" if age < CYCLE else "Running"
            started = reboot.at + CYCLE if age >= CYCLE else started
    value = dict(tags).get(instance_id)
    return Instance(
        instance_id=instance_id,
        region_id=REGION,
        status=status,
        tags=(("ecs-reboot", "enabled"), ("app", "shop"), *(((ledger.KEY, value),) if value is not None else ())),
        start_time=_moment(started).replace(second=0, microsecond=0),
        read_at=_moment(asked_at),
    )


def is_back(world: World, reboot: Reboot, now: float) -> bool:
    """Return whether a rebooted instance is Running again."""
    return all(now - other.at >= CYCLE for other in world.reboots if other.instance_id == reboot.instance_id)


def _described(tags: Tags, reboots: tuple[Reboot, ...], subject: Any, asked_at: float, now: float) -> object:
    return tuple(shown(instance_id, tags, reboots, asked_at, now) for instance_id in subject)


def _listed(tags: Tags, _reboots: tuple[Reboot, ...], _subject: Any, _asked_at: float, _now: float) -> object:
    return tags


_READS: dict[str, Callable[[Tags, tuple[Reboot, ...], Any, float, float], object]] = {
    "DescribeInstances": _described,
    "DescribeInstances by tag": _listed,
}


def _changed(world: World, now: float, *, tags: Tags | None = None, reboots: tuple[Reboot, ...] | None = None) -> World:
    return world._replace(
        tags=world.tags if tags is None else tags,
        reboots=world.reboots if reboots is None else reboots,
        past=(*world.past, (now, world.tags, world.reboots)),
    )


def _unconditional(subject: Any) -> Any:
    """Return the same writes without their conditions."""
    if isinstance(subject, Put):
        return subject._replace(condition=Condition())
    return tuple(change._replace(condition=Condition()) if isinstance(change, Put) else change for change in subject)


@lru_cache(maxsize=65_536)
def _thawed(rows: Rows) -> dict[Key, Row]:
    return {key: Row(key, dict(columns)) for key, columns in rows}


def _frozen(rows: dict[Key, Row]) -> Rows:
    return tuple((key, tuple(sorted(row.columns.items()))) for key, row in sorted(rows.items()))


def _moment(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)
