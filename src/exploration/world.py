"""All that is true at one moment, and what one call makes of it. Values only: nothing here remembers.

Adverse where that costs nothing: ECS reboots whatever it is asked to reboot, Running or not. Only a forced reboot or
stop of what is between two statuses is answered as ECS may answer it: taken, or refused.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from ecs_reboot.cloud.errors import NoAnswer, Refused
from ecs_reboot.cloud.tablestore.rows import Condition, Key, Put, Row, Stored
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.model import Instance, InstanceAnswer, RebootAnswer
from ecs_reboot.policy.finding_guards import SCALING_TAG
from exploration.asking import Action, Call
from exploration.machines import IN_BETWEEN, Fleet, Kind, Power, spell
from simulation.memory_table import MemoryTable
from simulation.run import EPOCH

REGION = "cn-hangzhou"
#: The Auto Scaling group that owns the members.
SCALING_GROUP = "asg-1"

Tags = tuple[tuple[str, str], ...]
Rows = tuple[tuple[Key, tuple[tuple[str, Stored], ...]], ...]


class Laws(NamedTuple):
    """What the promises rest on, and what an exploration may take away (docs/understand/safety.md); seconds.

    ``atomic``: the table checks conditions. ``settle``: CLAIM_SETTLE_SECONDS. ``staleness``: what an API shows of tags
    and status is at most so old. ``effect``: a request takes effect within this long, or never. ``fleet``: what ECS and
    others do with the instances.
    """

    atomic: bool = True
    settle: float = 2.0
    staleness: float = 0.25
    effect: float = 0.5
    fleet: Fleet = Fleet()


class Truth(NamedTuple):
    """What APIs show: the ledger's tags, those of its shadow, what was done to power, and who is protected."""

    tags: Tags = ()
    shadow: Tags = ()
    power: tuple[Power, ...] = ()
    protected: tuple[str, ...] = ()


class World(NamedTuple):
    """What is true, the table's rows, and what was true a moment ago: ``past``, until when it was so, oldest first."""

    truth: Truth = Truth()
    rows: Rows = ()
    past: tuple[tuple[float, Truth], ...] = ()

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
    call, truth = sent.call, world.truth
    if call.action in _READS:
        read = _READS[call.action]
        yield Effect(world, read(truth, call.subject, sent.at, now, laws.fleet))
        for _, then in reversed(world.past):
            yield Effect(world, read(then, call.subject, sent.at, now, laws.fleet), old=True)
        if call.action in laws.fleet.dark:
            yield Effect(world, NoAnswer(call.action, "the service is away"))
    elif call.action == "TagResources":
        instance_ids, key, value = call.subject
        of_key = truth.shadow if key == ledger.OBSERVED_KEY else truth.tags
        tags = tuple(sorted({**dict(of_key), **dict.fromkeys(instance_ids, value)}.items()))
        after = truth._replace(shadow=tags) if key == ledger.OBSERVED_KEY else truth._replace(tags=tags)
        yield Effect(_changed(world, now, after), None)
    elif call.action == "SetInstancesProtection":
        instance_ids, protects = call.subject
        others = set(truth.protected) - set(instance_ids)
        protected = tuple(sorted({*others, *(instance_ids if protects else ())}))
        yield Effect(_changed(world, now, truth._replace(protected=protected)), {})
    elif call.action in _POWERED:
        yield _powered(world, sent, now, laws.fleet)
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


def shown(instance_id: str, truth: Truth, asked_at: float, now: float, fleet: Fleet) -> Instance:
    """Return an instance as ECS describes it."""
    status, started = spell(truth.power, instance_id, now)
    kept = {ledger.KEY: dict(truth.tags).get(instance_id), ledger.OBSERVED_KEY: dict(truth.shadow).get(instance_id)}
    kept[SCALING_TAG] = SCALING_GROUP if instance_id in fleet.members else None
    return Instance(
        instance_id=instance_id,
        region_id=REGION,
        status=status,
        tags=(
            ("ecs-reboot", "enabled"),
            ("app", "shop"),
            *((key, value) for key, value in kept.items() if value is not None),
        ),
        start_time=_moment(started).replace(second=0, microsecond=0),
        read_at=_moment(asked_at),
    )


def _powered(world: World, sent: Sent, now: float, fleet: Fleet) -> Effect:
    """Return what comes of a call that changes power; a whole call is refused where one instance is (AllTogether)."""
    kind, in_status, becomes = _POWERED[sent.call.action]
    before = {instance_id: spell(world.truth.power, instance_id, now).status for instance_id in sent.call.subject}
    refused = [
        instance_id
        for instance_id, status in before.items()
        if in_status
        and (status not in in_status or (kind == "forced" and status != "Running" and not fleet.takes_force))
    ]
    if refused and kind == "forced":
        reason = f"{refused[0]} is {before[refused[0]]}"
        error = Refused("RebootInstances", code="IncorrectInstanceStatus", message=reason, status=403, request_id="")
        return Effect(world, error)
    if sent.call.action == "RebootInstances dry run":
        return Effect(world, RebootAnswer(request_id="", instances=(), dry_run_code="DRYRUN.SUCCESS"))
    rows = tuple(
        InstanceAnswer(
            instance_id=instance_id,
            code="IncorrectInstanceStatus" if instance_id in refused else "200",
            message="",
            previous_status="Running" if kind == "reboot" else status,
            current_status=status if instance_id in refused else becomes,
        )
        for instance_id, status in before.items()
    )
    done = tuple(Power(now, instance_id, sent.run, kind) for instance_id in before if instance_id not in refused)
    answer = RebootAnswer(request_id="", instances=rows)
    after = world.truth._replace(power=world.truth.power + done)
    return Effect(_changed(world, now, after) if done else world, answer)


#: By call: what it does to power, in which status (none: in any), and what the instance is then.
_POWERED: dict[Action, tuple[Kind, tuple[str, ...], str]] = {
    "RebootInstances": ("reboot", (), "Stopping"),
    "RebootInstances by force": ("forced", ("Running", *IN_BETWEEN), "Stopping"),
    "RebootInstances dry run": ("forced", ("Running", *IN_BETWEEN), ""),
    "StopInstances": ("stop", ("Running", *IN_BETWEEN), "Stopping"),
    "StartInstances": ("start", ("Stopped",), "Starting"),
}


def _described(truth: Truth, subject: Any, asked_at: float, now: float, fleet: Fleet) -> object:
    return tuple(shown(instance_id, truth, asked_at, now, fleet) for instance_id in subject)


def _listed(truth: Truth, subject: Any, _asked_at: float, _now: float, _fleet: Fleet) -> object:
    return truth.shadow if subject == ledger.OBSERVED_KEY else truth.tags


def _members(truth: Truth, subject: Any, _asked_at: float, _now: float, fleet: Fleet) -> object:
    rows = [
        {
            "InstanceId": instance_id,
            "ScalingGroupId": SCALING_GROUP,
            "CreationType": "AutoCreated",
            "LifecycleState": "Protected" if instance_id in truth.protected else "InService",
        }
        for instance_id in subject
        if instance_id in fleet.members
    ]
    return {"ScalingInstances": rows}


def _groups(_truth: Truth, _subject: Any, _asked_at: float, _now: float, _fleet: Fleet) -> object:
    return {"ScalingGroups": [{"ScalingGroupId": SCALING_GROUP, "HealthCheckType": "ECS"}]}


def _events(_truth: Truth, subject: Any, _asked_at: float, _now: float, fleet: Fleet) -> object:
    event = {"EventType": {"Name": "SystemFailure.Reboot"}, "EventCycleStatus": {"Name": "Executing"}}
    rows = [
        {"EventId": f"e-{instance_id}", "InstanceId": instance_id, **event}
        for instance_id in subject
        if instance_id in fleet.repaired
    ]
    return {"InstanceSystemEventSet": {"InstanceSystemEventType": rows}, "NextToken": ""}


_READS: dict[Action, Callable[[Truth, Any, float, float, Fleet], object]] = {
    "DescribeInstances": _described,
    "DescribeInstances by tag": _listed,
    "DescribeScalingInstances": _members,
    "DescribeScalingGroups": _groups,
    "DescribeInstanceHistoryEvents": _events,
}


def _changed(world: World, now: float, truth: Truth) -> World:
    return world._replace(truth=truth, past=(*world.past, (now, world.truth)))


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
