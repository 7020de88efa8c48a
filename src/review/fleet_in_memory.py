"""ECS in memory for a forecast: the instances of a fleet file, whose reboots take their time on a stepped clock.

It answers as the local cloud does, without network, signatures and faults: what is forecast is what the timers and the
policy do, not what may break.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ecs_reboot.clock import Clock
from ecs_reboot.cloud.ecs_api import Question, TagPage
from ecs_reboot.cloud.errors import CloudError, Refused
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.model import Instance, InstanceAnswer, RebootAnswer, Selector
from localcloud.account.fleet import DEFAULT_UPTIME, Fleet, InstanceSpec
from localcloud.account.instances import reboot_course
from localcloud.openapi.quiet_answers import quiet_answer

#: DescribeInstances gives at most 100 instances a page.
PAGE = 100


class Reboot(NamedTuple):
    """One reboot that ECS took on."""

    at: datetime
    instance_id: str
    force: bool


class _Machine:
    """One instance: how it is shown now, and the changes of status still to come."""

    __slots__ = ("due", "shown", "spec", "tags")

    def __init__(self, spec: InstanceSpec, now: datetime) -> None:
        self.spec = spec
        self.tags = dict(spec.tags)
        self.due: list[tuple[datetime, str]] = []
        self.shown = Instance(
            instance_id=spec.instance_id,
            region_id=spec.region_id,
            status=spec.status,
            name=spec.instance_name,
            resource_group_id=spec.resource_group_id,
            tags=tuple(spec.tags.items()),
            operation_locks=spec.operation_locks,
            start_time=_whole_minute(spec.start_time or now - DEFAULT_UPTIME),
            expired_time=spec.expired_time,
            auto_release_time=spec.auto_release_time,
            read_at=now,
        )

    def advance(self, now: datetime) -> None:
        """Let the changes happen that are due."""
        while self.due and self.due[0][0] <= now:
            at, status = self.due.pop(0)
            update: dict[str, object] = {"status": status}
            if status == "Running":
                update["start_time"] = _whole_minute(at)
            self.shown = self.shown.model_copy(update=update)

    def untag(self, key: str) -> None:
        """Take a tag away."""
        self.tags.pop(key, None)
        self.shown = self.shown.model_copy(update={"tags": tuple(self.tags.items())})

    def tag(self, key: str, value: str) -> None:
        """Write a tag."""
        self.tags[key] = value
        self.shown = self.shown.model_copy(update={"tags": tuple(self.tags.items())})

    def meets(self, selector: Selector) -> bool:
        """Return whether all conditions of a selector hold; only * is a wildcard in a name."""
        if selector.resource_group_id and self.spec.resource_group_id != selector.resource_group_id:
            return False
        pattern = selector.name.replace("[", "[[]").replace("?", "[?]")
        if pattern and not fnmatchcase(self.spec.instance_name, pattern):
            return False
        return all(self.tags.get(key) == value for key, value in selector.tags)


class FleetInMemory:
    """An ``ecs_reboot.cloud.ecs_api.EcsApi``. ``reboots``: all that were taken on, oldest first."""

    def __init__(self, fleet: Fleet, clock: Clock) -> None:
        self._clock = clock
        self._machines = {spec.instance_id: _Machine(spec, clock.now()) for spec in fleet.instances if spec.visible}
        self._by_region: dict[str, list[_Machine]] = {}
        for machine in self._machines.values():
            self._by_region.setdefault(machine.spec.region_id, []).append(machine)
        self._busy: set[_Machine] = set()
        self.reboots: list[Reboot] = []

    def ask(self, questions: Sequence[Question], seconds: float) -> list[Mapping[str, Any] | CloudError]:  # noqa: ARG002 - the protocol's
        """Answer that nothing stands against a reboot: what is forecast is what timers and policy do."""
        return [quiet_answer(question.api.action) for question in questions]

    def describe(self, region_id: str, instance_ids: tuple[str, ...]) -> tuple[Instance, ...]:
        """Return the facts of those of the instances that exist in the region."""
        now = self._advance()
        found = (self._machines.get(instance_id) for instance_id in instance_ids)
        return tuple(_seen(machine, now) for machine in found if machine and machine.spec.region_id == region_id)

    def select(self, selector: Selector) -> Iterator[tuple[Instance, ...]]:
        """Yield page by page the instances that meet the selector."""
        now = self._advance()
        met = [machine for machine in self._in(selector.region_id) if machine.meets(selector)]
        for start in range(0, len(met), PAGE):
            yield tuple(_seen(machine, now) for machine in met[start : start + PAGE])

    def count(self, region_id: str, tag: tuple[str, str] | None) -> int:
        """Return how many instances of the region have the tag, or, without one, how many there are."""
        return sum(tag is None or machine.tags.get(tag[0]) == tag[1] for machine in self._in(region_id))

    def tag_page(self, region_id: str, key: str, start: str = "", *, whole: bool = False) -> TagPage:  # noqa: ARG002 - the protocol's
        """Return all instances of the region that have the tag."""
        return TagPage(
            tuple(
                (machine.spec.instance_id, machine.tags[key]) for machine in self._in(region_id) if key in machine.tags
            )
        )

    def set_tag(self, region_id: str, instance_ids: tuple[str, ...], key: str, value: str) -> None:
        """Write one tag on instances. Raises Refused where one has no room for it."""
        machines = [
            self._machines[instance_id]
            for instance_id in instance_ids
            if self._machines[instance_id].spec.region_id == region_id
        ]
        full = [machine for machine in machines if key not in machine.tags and len(machine.tags) >= ledger.MOST_TAGS]
        if full:
            message = f"{full[0].spec.instance_id} has {ledger.MOST_TAGS} tags"
            raise Refused(
                "TagResources", code="QuotaExceed.TagsPerResource", message=message, status=400, request_id=""
            )
        for machine in machines:
            machine.tag(key, value)

    def remove_tag(self, region_id: str, instance_ids: tuple[str, ...], key: str) -> None:
        """Take one tag from instances."""
        for machine in (self._machines[instance_id] for instance_id in instance_ids):
            if machine.spec.region_id == region_id:
                machine.untag(key)

    def reboot(
        self, region_id: str, instance_ids: tuple[str, ...], *, force: bool, dry_run: bool, batch_optimization: str
    ) -> RebootAnswer:
        """Take reboots on. Raises Refused for all of them under AllTogether where one can't be rebooted."""
        now = self._advance()
        refusals = {instance_id: self._refusal(region_id, instance_id) for instance_id in instance_ids}
        first = next(filter(None, refusals.values()), "")
        if first and batch_optimization == "AllTogether":
            raise Refused("RebootInstances", code=first, message="not now", status=403, request_id="")
        if dry_run:
            return RebootAnswer(request_id="", instances=(), dry_run_code="DRYRUN.SUCCESS")
        answers = [self._answer(instance_id, refusal, now, force=force) for instance_id, refusal in refusals.items()]
        return RebootAnswer(request_id="", instances=tuple(answers))

    def stop(self, region_id: str, instance_ids: tuple[str, ...]) -> RebootAnswer:
        """Power instances off: of a reboot that hangs."""
        return self._powered(region_id, instance_ids, ("Running", "Stopping", "Starting"), (("Stopped", 0.0),))

    def start(self, region_id: str, instance_ids: tuple[str, ...]) -> RebootAnswer:
        """Start what is Stopped."""
        return self._powered(region_id, instance_ids, ("Stopped",), (("Starting", 0.0), ("Running", 0.6)))

    def _powered(
        self, region_id: str, ids: tuple[str, ...], allowed: tuple[str, ...], course: tuple[tuple[str, float], ...]
    ) -> RebootAnswer:
        now = self._advance()
        answers = []
        for instance_id in ids:
            machine = self._machines.get(instance_id)
            known = machine if machine and machine.spec.region_id == region_id else None
            before = known.shown.status if known else ""
            code = "200" if before in allowed else "IncorrectInstanceStatus" if known else "InvalidInstanceId.NotFound"
            if known and code == "200":
                known.due = [(now + timedelta(seconds=share * known.spec.reboot_seconds), to) for to, share in course]
                self._busy.add(known)
                known.advance(now)
            after = known.shown.status if known else ""
            answers.append(
                InstanceAnswer(
                    instance_id=instance_id, code=code, message="", previous_status=before, current_status=after
                )
            )
        return RebootAnswer(request_id="", instances=tuple(answers))

    def _answer(self, instance_id: str, refusal: str, now: datetime, *, force: bool) -> InstanceAnswer:
        machine = self._machines.get(instance_id)
        before = machine.shown.status if machine else ""
        if machine and not refusal:
            self._begin(machine, now, force=force)
        return InstanceAnswer(
            instance_id=instance_id,
            code=refusal or "200",
            message=refusal or "success",
            previous_status=before,
            current_status=machine.shown.status if machine else "",
        )

    def _begin(self, machine: _Machine, now: datetime, *, force: bool) -> None:
        self.reboots.append(Reboot(now, machine.spec.instance_id, force))
        course = reboot_course(machine.spec, force=force)
        machine.due = [(now + timedelta(seconds=seconds), status) for seconds, status in course]
        self._busy.add(machine)
        machine.advance(now)

    def _refusal(self, region_id: str, instance_id: str) -> str:
        machine = self._machines.get(instance_id)
        if machine is None or machine.spec.region_id != region_id:
            return "InvalidInstanceId.NotFound"
        if machine.spec.operation_locks:
            return "InstanceLockedForSecurity"
        return "" if machine.shown.status == "Running" else "IncorrectInstanceStatus"

    def _advance(self) -> datetime:
        now = self._clock.now()
        for machine in self._busy:
            machine.advance(now)
        self._busy = {machine for machine in self._busy if machine.due}
        return now

    def _in(self, region_id: str) -> list[_Machine]:
        return self._by_region.get(region_id, [])


def _seen(machine: _Machine, now: datetime) -> Instance:
    return machine.shown.model_copy(update={"read_at": now})


def _whole_minute(moment: datetime) -> datetime:
    """ECS gives start times in whole minutes."""
    return moment.replace(second=0, microsecond=0)
