"""One episode: a plan carried out by the real function over the simulated world, watched at every step."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import NamedTuple

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.credentials import NoCredentials
from ecs_reboot.invocation import Invocation
from ecs_reboot.ledger.connections import Connections
from ecs_reboot.records.logstore_delivery import RecordDelivery
from ecs_reboot.records.notices.delivery import NoticeDelivery
from ecs_reboot.records.record_log import RecordLog
from ecs_reboot.records.result import Result
from simulation import deliveries
from simulation.assumptions import Assumptions
from simulation.history import bystanders, remember
from simulation.machine import Machine
from simulation.network import FaultProfile, exchange
from simulation.plan import OUTSIDE, Arrival, Plan, fleet, stack_name
from simulation.run import Crashed, Run
from simulation.simulated_table import SimulatedTable
from simulation.table_limits import TableLimits
from simulation.violation import Violation
from simulation.world import SimulatedEcs, World

#: Function Compute tries again after a minute, then after two.
RETRY_SECONDS = 60.0
#: How long a caller over HTTP waits for an answer, as CloudMonitor does, and how long before it calls again, seconds.
HTTP_PATIENCE_SECONDS, HTTP_WAIT_SECONDS = 5.0, 2.0
#: The asynchronous kinds; who calls by HTTP or by hand tries again himself.
RETRIED = ("alarm", "handed_over", "rolling", "verify")


class EpisodeEnd(NamedTuple):
    """How an episode went, and until when, seconds: to its end, or to the violation."""

    deliveries: int
    reboots: int
    crashes: int
    codes: Counter[str]
    violation: Violation | None
    trace: list[str]
    moment: float


class DeliveryEnd(NamedTuple):
    """How one delivery ended, and what it said. ``given_up``: it was not done, and nobody tries again."""

    arrival: Arrival
    results: tuple[Result, ...]
    crashed: bool
    given_up: bool


class Ears(RecordLog):
    """The record_log of a run, which the checker listens to. Each line takes a moment, in which others go on."""

    def __init__(self, run: Run, world: World) -> None:
        super().__init__(run.number, run, lambda _: run.step(0.001))
        self._run, self._world = run, world
        self.results: list[Result] = []
        self.handed_over = False

    def log_intent(self, result: Result) -> None:
        """Write it, and tell the checker once it is written."""
        super().log_intent(result)
        self._world.checker.intended(self._run, result.instance_id)

    def result(self, result: Result) -> dict[str, object]:
        """Write it, and keep it for the end."""
        record = super().result(result)
        self.results.append(result)
        return record

    def handover(self, result: Result) -> dict[str, object]:
        """Write it, and take note of whether another run carries the event out."""
        self.handed_over = result.code == "handed_over"
        return super().handover(result)


class Episode:
    """Carries a plan out."""

    def __init__(
        self,
        plan: Plan,
        assumptions: Assumptions,
        *,
        trace: bool = False,
        notices: Callable[[Run], NoticeDelivery] | None = None,
        machines: Sequence[Machine] = (),
        watch: Callable[[DeliveryEnd], None] = lambda _: None,
    ) -> None:
        """Take ``notices`` as what tells people of each run.

        ``machines``: the fleet, in place of the one that the plan's seed draws; ``watch`` hears of each delivery's end.
        """
        self._plan, self._assumptions, self._notices, self._watch = plan, assumptions, notices, watch
        self._settings = [plan.settings(stack) for stack in range(plan.conditions.stacks)]
        machines = machines or fleet(plan)
        regions = sorted({machine.region_id for machine in machines})
        self._world = World([*machines, *bystanders(plan, regions)], self._settings[0], assumptions)
        remember(plan, self._world)
        self._checker = self._world.checker
        # What is promised does not shrink with an assumption that is taken away.
        self._checker.slack = self._checker.refusals.slack = (
            plan.conditions.timeout + 2 + assumptions.request + 2 * min(plan.skew, Assumptions().skew)
        )
        if trace:
            self._checker.trace = []
        self._checker.calm = self._checker.refusals.calm = plan.conditions.calm
        self._world.quota, self._world.page = plan.conditions.quota, plan.conditions.page
        self._world.table_limits = TableLimits(plan.conditions, f"{plan.seed}/table")
        self._deliveries = self._crashes = self._stores = 0

    def run(self) -> EpisodeEnd:
        """Return how it went; it ends at the first violation."""
        scheduler = self._world.scheduler
        for arrival in self._plan.arrivals:
            if arrival.kind in OUTSIDE:
                scheduler.at(arrival.moment, lambda arrival=arrival: self._happen(arrival))  # type: ignore[misc]  # bound
            else:
                scheduler.start(arrival.moment, lambda arrival=arrival: self._deliver(arrival, 0))  # type: ignore[misc]
        violation = None
        try:
            scheduler.run()
            if self._plan.drained:
                self._checker.owners.over(scheduler.now)
        except Violation as found:
            violation = found
        reboots = sum(len(machine.reboots) for machine in self._world.machines.values())
        trace = self._checker.trace or []
        return EpisodeEnd(
            self._deliveries, reboots, self._crashes, self._checker.codes, violation, trace, self._world.scheduler.now
        )

    def _deliver(self, arrival: Arrival, attempt: int, envelope: bytes = b"", store: str = "") -> None:
        """Carry out one delivery; ``envelope`` and ``store`` of an event that was handed over: its bytes, its place."""
        self._deliveries += 1
        came = self._world.scheduler.now
        plan, world, settings = self._plan, self._world, self._settings[arrival.stack]
        random = Random((plan.seed * 1_000_003 + arrival.number) * 7 + attempt)  # noqa: S311 - repeatable on purpose
        # Of series of their own, so that the other draws of a seed stay what they were.
        further = Random(f"{plan.seed}/{arrival.number}/{store}/{attempt}")  # noqa: S311
        world.scheduler.pause(plan.conditions.start_up * further.random())
        if store:
            random = further
        run = Run(
            f"{arrival.number}{store}.{attempt}",
            world.scheduler,
            random,
            ends=world.scheduler.now + plan.conditions.timeout,
            skew=random.uniform(-plan.skew, plan.skew) if plan.skew else 0.0,
            crash=0.0 if arrival.calm else plan.crash,
            stack=stack_name(arrival.stack),
        )
        run.overrides = frozenset(arrival.override or ((arrival.kind,) if arrival.kind in ("reset", "resume") else ()))
        run.rolling = arrival.kind == "rolling"
        self._checker.begins(run, arrival.region_id, arrival.targets)
        self._checker.note(run.number, f"begins: {arrival.kind} {' '.join(arrival.targets)} {arrival.override or ''}")
        self._reset(arrival)
        ears = Ears(run, world)
        invocation = Invocation(
            f"request-{arrival.number}{store}",
            settings,
            Deadline(run, plan.conditions.timeout - settings.deadline_margin_seconds),
            connect=lambda deadline: self._connected(arrival, run, deadline),
            record_log=ears,
            delivery=RecordDelivery(settings, NoCredentials(), "cn-hangzhou", run),
            invoke_later=partial(self._handed_over, arrival, run) if plan.conditions.door else None,
            notices=self._notices(run) if self._notices else None,
        )
        undone = crashed = True
        try:
            undone = bool(invocation.answer(envelope or deliveries.event(arrival, run.now())).retry_reason)
        except Crashed:
            self._crashes += 1
            self._checker.note(run.number, "crashes")
            self._checker.died(run)
        else:
            crashed = False
            self._ended(arrival, run, ears)
        self._reset(arrival)
        if undone and plan.conditions.calm and arrival.kind in RETRIED:
            self._checker.undone(run, attempt)
        if arrival.kind == "http_alarm":
            undone |= world.scheduler.now - came > HTTP_PATIENCE_SECONDS
            store = f"c{attempt + 1}"  # each call is a request of its own
        wait = self._wait(arrival, attempt)
        self._watch(DeliveryEnd(arrival, tuple(ears.results), crashed, given_up=undone and wait is None))
        if undone and wait is not None:
            world.scheduler.start(
                world.scheduler.now + wait, lambda: self._deliver(arrival, attempt + 1, envelope, store)
            )

    def _reset(self, arrival: Arrival) -> None:
        """Have the checker know what a person clears: from when a run may do so, and until when it may have."""
        for instance_id in arrival.targets if arrival.kind == "reset" else ():
            self._checker.reset(instance_id)

    def _wait(self, arrival: Arrival, attempt: int) -> float | None:
        """Return after how long who brought it tries again where it was not done, None where nobody does."""
        if arrival.kind == "http_alarm":
            return HTTP_WAIT_SECONDS if attempt + 1 < self._plan.conditions.http_tries else None
        more = arrival.kind in RETRIED and attempt < self._plan.retries
        return RETRY_SECONDS * (attempt + 1) if more else None

    def _connected(self, arrival: Arrival, run: Run, deadline: Deadline) -> Connections:
        profile = self._faults(arrival, deadline.left)
        world = self._world
        return Connections(SimulatedEcs(world, run, profile, run.random), lambda: SimulatedTable(world, run, profile))

    def _faults(self, arrival: Arrival, left: Callable[[], float]) -> FaultProfile:
        plan = self._plan
        faults, conditions = 0.0 if arrival.calm else plan.faults, plan.conditions
        return FaultProfile(faults, self._assumptions.request, conditions.latency, left, conditions.spread)

    def _handed_over(self, arrival: Arrival, run: Run, envelope: bytes, deadline: Deadline) -> str:
        """Have Function Compute store an envelope, as often as it is asked to."""
        profile = self._faults(arrival, lambda: deadline.left() / 2)
        return exchange(run, profile, "InvokeFunction", partial(self._stored, arrival, envelope))

    def _stored(self, arrival: Arrival, envelope: bytes) -> str:
        self._stores += 1
        store, scheduler = f"h{self._stores}", self._world.scheduler
        later = arrival._replace(kind="handed_over")
        scheduler.start(scheduler.now + 0.1, lambda: self._deliver(later, 0, envelope, store))
        return f"request-{arrival.number}{store}"

    def _ended(self, arrival: Arrival, run: Run, ears: Ears) -> None:
        """Have the checker judge what a run said, and when."""
        if self._checker.trace is not None:
            for result in ears.results:
                self._checker.note(run.number, f"says {result.code} {result.instance_id}: {result.reason}")
        if arrival.kind == "http_alarm":
            self._checker.answered(run)
        if arrival.kind == "verify" and not any(result.retriable for result in ears.results):
            self._checker.swept(arrival.region_id)
        if not ears.handed_over:
            self._checker.finished(run, ears.results, () if arrival.kind in ("verify", "recovery") else arrival.targets)

    def _happen(self, arrival: Arrival) -> None:
        now = self._world.scheduler.now
        self._checker.note("-", f"{arrival.kind} {' '.join(arrival.targets)}")
        machine = self._world.machines[arrival.targets[0]]
        if arrival.kind == "repaired":
            machine.bring_up(now)
        elif arrival.kind == "rebooted_by_hand" and machine.at(now).status == "Running":
            machine.reboot(now, force=False, assumptions=self._assumptions)
            self._checker.rebooted_by_hand(machine.instance_id)
        elif arrival.kind == "opted_out":
            machine.tags.append((now, {**machine.tags_at(now), "ecs-reboot": "disabled"}))
        elif arrival.kind == "opted_in":
            machine.tags.append((now, {**machine.tags_at(now), "ecs-reboot": "enabled"}))
            self._checker.recount()
        elif arrival.kind in ("locked", "unlocked"):
            machine.locked = arrival.kind == "locked"
        elif arrival.kind == "tag_lost":
            self._world.registers[arrival.region_id].lose(now, machine.instance_id)
