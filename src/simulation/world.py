"""The simulated account: instances, the ledger's tags of each region, and who watches over what is done to them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from random import Random
from typing import Any, NamedTuple, TypeVar

from ecs_reboot.cloud.ecs_api import Question, TagPage
from ecs_reboot.cloud.errors import CloudError, Refused
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.model import Instance, InstanceAnswer, RebootAnswer, Selector
from ecs_reboot.policy.hung import IN_BETWEEN
from ecs_reboot.settings.settings import Settings
from localcloud.openapi.quiet_answers import quiet_answer
from simulation.assumptions import Assumptions
from simulation.conditions import Conditions
from simulation.invariant_checker import InvariantChecker
from simulation.machine import Machine, Spell
from simulation.memory_table import MemoryTable
from simulation.network import FaultProfile, exchange
from simulation.run import EPOCH, Run
from simulation.scheduler import Scheduler
from simulation.table_limits import TableLimits
from simulation.tag_history import TagHistory

T = TypeVar("T")


class World:
    """All that is true, and the ``checker`` that is told of every effect."""

    def __init__(self, machines: list[Machine], settings: Settings, assumptions: Assumptions) -> None:
        self.scheduler = Scheduler()
        self.assumptions = assumptions
        self.machines = {machine.instance_id: machine for machine in machines}
        self.registers = {machine.region_id: TagHistory() for machine in machines}
        self.table = MemoryTable(lambda: EPOCH + timedelta(seconds=self.scheduler.now))
        self.table_limits = TableLimits(Conditions(), "")
        #: The tag that is the ledger of this mode.
        self.key = ledger.OBSERVED_KEY if settings.policy.mode == "observe" else ledger.KEY
        #: Calls of each action in a minute, 0 for any number.
        self.quota = 0
        #: Instances on one page of a reading of tags.
        self.page = Conditions().page
        self._calls: Counter[tuple[str, int]] = Counter()
        self.checker = InvariantChecker(self.machines, self.registers, settings, assumptions, self.scheduler)

    def admits(self, action: str) -> bool:
        """Count a call; return whether the account may make it in this minute."""
        if not self.quota:
            return True
        self._calls[action, int(self.scheduler.now // 60)] += 1
        return self._calls[action, int(self.scheduler.now // 60)] <= self.quota

    def of_region(self, region_id: str) -> list[Machine]:
        """Return the region's instances."""
        return [machine for machine in self.machines.values() if machine.region_id == region_id]


class Listing(NamedTuple):
    """A reading of tags that goes on: all names, the first of the next page, and of which moment its content is."""

    names: list[str]
    first: int
    moment: float | None


class SimulatedEcs:
    """``ecs_api.EcsApi`` as one run sees it."""

    def __init__(self, world: World, run: Run, profile: FaultProfile, random: Random) -> None:
        self._world, self._run, self._faults, self._random = world, run, profile, random
        self._listings: dict[str, Listing] = {}

    def ask(self, questions: Sequence[Question], seconds: float) -> list[Mapping[str, Any] | CloudError]:  # noqa: ARG002 - the protocol's
        """Answer from the truth, each question meeting faults by itself."""
        answers: list[Mapping[str, Any] | CloudError] = []
        for question in questions:
            try:
                answers.append(self._exchange(question.api.action, partial(self._answered, question)))
            except CloudError as error:
                answers.append(error)
        return answers

    def _exchange(self, action: str, effect: Callable[[], T]) -> T:
        """Carry one call, unless the account has made its calls of this minute."""
        return exchange(self._run, self._faults, action, partial(self._metered, action, effect))

    def _metered(self, action: str, effect: Callable[[], T]) -> T:
        if not self._world.admits(action):
            self._run.troubled = True
            raise Refused(action, code="Throttling.User", message="slow down", status=400, request_id="")
        return effect()

    def _answered(self, question: Question) -> Mapping[str, Any]:
        if question.api.action == "DescribeScalingInstances":
            asked = question.parameters["InstanceIds"]
            member = {"ScalingGroupId": "asg-1", "CreationType": "AutoCreated"}
            owned = [
                machine for instance_id in asked if (machine := self._world.machines[instance_id]).in_scaling_group
            ]
            return {
                "ScalingInstances": [
                    {
                        "InstanceId": machine.instance_id,
                        "LifecycleState": "Protected" if machine.protected else "InService",
                        **member,
                    }
                    for machine in owned
                ]
            }
        if question.api.action == "SetInstancesProtection":
            protected = question.parameters["ProtectedFromScaleIn"] == "true"
            for instance_id in question.parameters["InstanceIds"]:
                machine, who = self._world.machines[instance_id], f"run {self._run.number}"
                self._world.checker.note(self._run.number, f"{'PROTECTS' if protected else 'FREES'} {instance_id}")
                self._world.checker.owners.protecting(machine, who, self._world.scheduler.now, protected=protected)
            return {}
        if question.api.action == "DescribeInstanceHistoryEvents":
            now = self._world.scheduler.now
            repaired = [
                instance_id
                for instance_id in question.parameters["ResourceId"]
                if self._world.machines[instance_id].under_repair(now)
            ]
            event = {"EventType": {"Name": "SystemFailure.Reboot"}, "EventCycleStatus": {"Name": "Executing"}}
            rows = [{"EventId": f"e-{instance_id}", "InstanceId": instance_id, **event} for instance_id in repaired]
            return {"InstanceSystemEventSet": {"InstanceSystemEventType": rows}, "NextToken": ""}
        if question.api.action == "DescribeScalingGroups":
            return {"ScalingGroups": [{"ScalingGroupId": "asg-1", "HealthCheckType": "ECS"}]}
        return quiet_answer(question.api.action)

    def describe(self, region_id: str, instance_ids: tuple[str, ...]) -> tuple[Instance, ...]:
        """Return the facts of instances, as old as staleness allows."""
        read_at = self._run.now()
        return self._exchange(
            "DescribeInstances",
            lambda: self._shown(
                [self._world.machines[instance_id] for instance_id in instance_ids], region_id, read_at
            ),
        )

    def select(self, selector: Selector) -> Iterator[tuple[Instance, ...]]:
        """Yield the instances that have the selector's tags, a few a page."""
        read_at = self._run.now()
        found = self._exchange("DescribeInstances", lambda: self._selected(selector, read_at))
        half = len(found) // 2
        yield found[:half]
        if half < len(found):
            yield self._exchange("DescribeInstances", lambda: found[half:])

    def count(self, region_id: str, tag: tuple[str, str] | None) -> int:
        """Return how many instances of the region have the tag."""
        return self._exchange("DescribeInstances", lambda: self._counted(region_id, tag))

    def tag_page(self, region_id: str, key: str, start: str = "", *, whole: bool = False) -> TagPage:  # noqa: ARG002 - the protocol's
        """Return a page of the ledger's tags of the region, as old as staleness allows."""
        if key != self._world.key:
            raise AssertionError(f"the ledger is the tag {self._world.key}, not {key}")
        register = self._world.registers[region_id]
        # A page is known by its place, its content is what it was.
        listing = self._listings[start] if start else Listing(sorted(register.values), 0, None)
        moment, values = self._exchange("DescribeInstances", partial(self._page, register, listing.moment))
        names, first = listing.names, listing.first + self._world.page
        shown = names[listing.first : first] if names else sorted(values)
        rest = ""
        if first < len(names):
            rest = f"{region_id} {len(self._listings)}"
            kept = moment if self._world.assumptions.consistent else None
            self._listings[rest] = Listing(names, first, kept)
        return TagPage(tuple((name, values[name]) for name in shown if name in values), rest)

    def set_tag(self, region_id: str, instance_ids: tuple[str, ...], key: str, value: str) -> None:
        """Write the ledger's tag on instances."""
        self._world.checker.marking(self._run, shadow=key == ledger.OBSERVED_KEY)
        self._exchange("TagResources", lambda: self._written(region_id, instance_ids, value))

    def remove_tag(self, region_id: str, instance_ids: tuple[str, ...], key: str) -> None:
        """Take the ledger's tag from instances."""
        self._world.checker.marking(self._run, shadow=key == ledger.OBSERVED_KEY)
        self._exchange("UntagResources", lambda: self._removed(region_id, instance_ids))

    def reboot(
        self, region_id: str, instance_ids: tuple[str, ...], *, force: bool, dry_run: bool, batch_optimization: str
    ) -> RebootAnswer:
        """Reboot what is Running, as RebootInstances does."""
        together = batch_optimization == "AllTogether"
        return self._exchange(
            "RebootInstances",
            lambda: self._rebooted(region_id, instance_ids, force=force, dry_run=dry_run, together=together),
        )

    def stop(self, region_id: str, instance_ids: tuple[str, ...]) -> RebootAnswer:  # noqa: ARG002 - the protocol's
        """Power off what hangs between two statuses."""
        return self._exchange("StopInstances", lambda: self._powered(instance_ids, stops=True))

    def start(self, region_id: str, instance_ids: tuple[str, ...]) -> RebootAnswer:  # noqa: ARG002 - the protocol's
        """Start what is Stopped."""
        return self._exchange("StartInstances", lambda: self._powered(instance_ids, stops=False))

    def _powered(self, instance_ids: tuple[str, ...], *, stops: bool) -> RebootAnswer:
        world, now = self._world, self._world.scheduler.now
        rows = []
        for machine in (world.machines[instance_id] for instance_id in instance_ids):
            before = machine.at(now).status
            taken = before in (("Running", *IN_BETWEEN) if stops else ("Stopped",))
            if taken and stops:
                world.checker.stopping(self._run, machine)
                machine.stop(now, assumptions=world.assumptions)
            elif taken:
                world.checker.starting(self._run, machine)
                machine.start(now, assumptions=world.assumptions)
            rows.append(
                InstanceAnswer(
                    instance_id=machine.instance_id,
                    code="200" if taken else "IncorrectInstanceStatus",
                    message="",
                    previous_status=before,
                    current_status=machine.at(now).status,
                )
            )
        return RebootAnswer(request_id="", instances=tuple(rows))

    def _moment(self) -> float:
        lag = self._random.random()
        now = self._world.scheduler.now
        return now if lag < 0.5 else now - self._world.assumptions.staleness * (2 * lag - 1)  # noqa: PLR2004 - half

    def _page(self, register: TagHistory, moment: float | None) -> tuple[float, dict[str, str]]:
        if moment is None:
            moment = self._moment()
        return moment, register.at(moment)

    def _shown(self, machines: list[Machine], region_id: str, read_at: datetime) -> tuple[Instance, ...]:
        moment = self._moment()
        values = self._world.registers[region_id].at(moment)
        return tuple(
            _instance(machine, machine.at(moment), self._tags(machine, moment, values), read_at) for machine in machines
        )

    def _tags(self, machine: Machine, moment: float, values: Mapping[str, str]) -> dict[str, str]:
        entry = values.get(machine.instance_id)
        return machine.tags_at(moment) | ({self._world.key: entry} if entry is not None else {})

    def _selected(self, selector: Selector, read_at: datetime) -> tuple[Instance, ...]:
        wanted = set(selector.tags)
        around = [
            instance
            for instance in self._world.of_region(selector.region_id)
            if any(wanted <= set(tags.items()) for _, tags in instance.tags)
        ]
        return tuple(
            instance for instance in self._shown(around, selector.region_id, read_at) if wanted <= set(instance.tags)
        )

    def _counted(self, region_id: str, tag: tuple[str, str] | None) -> int:
        moment = self._moment()
        machines = self._world.of_region(region_id)
        return sum(tag is None or machine.tags_at(moment).get(tag[0]) == tag[1] for machine in machines)

    def _written(self, region_id: str, instance_ids: tuple[str, ...], value: str) -> None:
        now = self._world.scheduler.now
        for instance_id in instance_ids:
            tags = self._world.machines[instance_id].tags_at(now)
            if len(tags) >= ledger.MOST_TAGS and instance_id not in self._world.registers[region_id].values:
                raise Refused(
                    "TagResources", code="OperationDenied.QuotaExceed", message="20 tags", status=403, request_id=""
                )
        for instance_id in instance_ids:
            self._world.checker.writing(self._run, region_id, instance_id, value)
            self._world.registers[region_id].write(now, instance_id, value)
            self._world.checker.written(region_id, value)

    def _removed(self, region_id: str, instance_ids: tuple[str, ...]) -> None:
        register, now = self._world.registers[region_id], self._world.scheduler.now
        for instance_id in instance_ids:
            if instance_id in register.values:
                self._world.checker.removing(self._run, instance_id, register.values[instance_id])
                register.lose(now, instance_id)

    def _rebooted(
        self, region_id: str, instance_ids: tuple[str, ...], *, force: bool, dry_run: bool, together: bool
    ) -> RebootAnswer:
        world = self._world
        now = world.scheduler.now
        machines = [world.machines[instance_id] for instance_id in instance_ids]
        refusals = {machine.instance_id: _refusal(machine, now, world.assumptions) for machine in machines}
        if together and any(refusals.values()):
            code = next(code for code in refusals.values() if code)
            raise Refused("RebootInstances", code=code, message="one of them", status=403, request_id="")
        if dry_run:
            return RebootAnswer(request_id="", instances=(), dry_run_code="DRYRUN.SUCCESS")
        rows = []
        for machine in machines:
            before = machine.at(now).status
            code = refusals[machine.instance_id]
            if not code:
                world.checker.rebooting(self._run, region_id, machine, force=force)
                machine.reboot(now, force=force, assumptions=world.assumptions)
                machine.reboots.append(now)
                if self._random.random() < self._faults.faults / 4:
                    # It was done, and the row says that something failed: in turn with each of the two codes.
                    code = ("InternalError", "ServiceUnavailable")[len(machine.reboots) % 2]
            rows.append(
                InstanceAnswer(
                    instance_id=machine.instance_id,
                    code=code or "200",
                    message="",
                    previous_status=before,
                    current_status=machine.at(now).status,
                )
            )
        return RebootAnswer(request_id="", instances=tuple(rows))


def _refusal(machine: Machine, now: float, assumptions: Assumptions) -> str:
    if machine.locked:
        return "InstanceLockedForSecurity"
    return "IncorrectInstanceStatus" if assumptions.mutex and machine.at(now).status != "Running" else ""


def _instance(machine: Machine, spell: Spell, tags: dict[str, str], read_at: datetime) -> Instance:
    started = EPOCH + timedelta(seconds=spell.started)
    return Instance(
        instance_id=machine.instance_id,
        region_id=machine.region_id,
        status=spell.status,
        tags=tuple(tags.items()),
        operation_locks=("security",) if machine.locked else (),
        start_time=started.replace(second=0, microsecond=0, tzinfo=timezone.utc),
        read_at=read_at,
    )
