"""One episode: a plan carried out by the real function over the simulated world, watched at every step."""

from collections import Counter
from random import Random
from typing import NamedTuple

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.credentials import NoCredentials
from ecs_reboot.invocation import Invocation
from ecs_reboot.ledger.connections import Connections
from ecs_reboot.records.delivery import RecordDelivery
from ecs_reboot.records.record_log import RecordLog
from ecs_reboot.records.result import Result
from simulation import deliveries
from simulation.assumptions import Assumptions
from simulation.network import Weather
from simulation.plan import OUTSIDE, Arrival, Plan, fleet
from simulation.run import Crashed, Run
from simulation.simulated_table import SimulatedTable
from simulation.watch import Violation
from simulation.world import SimulatedEcs, World

#: Function Compute tries again after a minute, then after two.
RETRY_SECONDS = 60.0
#: The asynchronous kinds; who calls by HTTP or by hand tries again himself.
RETRIED = ("alarm", "rolling", "verify")


class Ended(NamedTuple):
    """How an episode went."""

    deliveries: int
    reboots: int
    crashes: int
    codes: Counter[str]
    violation: Violation | None
    trace: list[str]


class Ears(RecordLog):
    """The record_log of a run, which the watch listens to. Each line takes a moment, in which others go on."""

    def __init__(self, run: Run, world: World) -> None:
        super().__init__(run.number, run, lambda _: run.step(0.001))
        self._run, self._world = run, world
        self.results: list[Result] = []

    def log_intent(self, result: Result) -> None:
        """Write it, and tell the watch once it is written."""
        super().log_intent(result)
        self._world.watch.intended(self._run, result.instance_id)

    def result(self, result: Result) -> dict[str, object]:
        """Write it, and keep it for the end."""
        record = super().result(result)
        self.results.append(result)
        return record


class Episode:
    """Carries a plan out."""

    def __init__(self, plan: Plan, assumptions: Assumptions, *, trace: bool = False) -> None:
        self._plan, self._assumptions = plan, assumptions
        self._settings = plan.settings()
        self._world = World(fleet(plan), self._settings, assumptions)
        self._watch = self._world.watch
        # What is promised does not shrink with an assumption that is taken away.
        self._watch.slack = plan.timeout + 2 + assumptions.request + 2 * min(plan.skew, Assumptions().skew)
        if trace:
            self._watch.trace = []
        self._deliveries = self._crashes = 0

    def run(self) -> Ended:
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
        except Violation as found:
            violation = found
        reboots = sum(len(machine.reboots) for machine in self._world.machines.values())
        return Ended(self._deliveries, reboots, self._crashes, self._watch.codes, violation, self._watch.trace or [])

    def _deliver(self, arrival: Arrival, attempt: int) -> None:
        self._deliveries += 1
        plan, world = self._plan, self._world
        random = Random((plan.seed * 1_000_003 + arrival.number) * 7 + attempt)  # noqa: S311 - repeatable on purpose
        run = Run(
            f"{arrival.number}.{attempt}",
            world.scheduler,
            random,
            ends=world.scheduler.now + plan.timeout,
            skew=random.uniform(-plan.skew, plan.skew) if plan.skew else 0.0,
            crash=0.0 if arrival.calm else plan.crash,
        )
        run.overrides = frozenset(arrival.override or ((arrival.kind,) if arrival.kind in ("reset", "resume") else ()))
        weather = Weather(0.0 if arrival.calm else plan.faults, self._assumptions.request)
        self._watch.note(run.number, f"begins: {arrival.kind} {' '.join(arrival.targets)} {arrival.override or ''}")
        if arrival.kind == "reset":
            for one in arrival.targets:
                self._watch.reset(one)
        ears = Ears(run, world)
        invocation = Invocation(
            f"request-{arrival.number}",
            self._settings,
            Deadline(run, plan.timeout - self._settings.deadline_margin_seconds),
            connect=lambda _: Connections(
                SimulatedEcs(world, run, weather, random), lambda: SimulatedTable(world, run, weather)
            ),
            record_log=ears,
            delivery=RecordDelivery(self._settings, NoCredentials(), "cn-hangzhou", run),
        )
        undone = True
        try:
            undone = bool(invocation.answer(deliveries.event(arrival, run.now())).retry_reason)
        except Crashed:
            self._crashes += 1
            self._watch.note(run.number, "crashes")
        else:
            if self._watch.trace is not None:
                for result in ears.results:
                    self._watch.note(run.number, f"says {result.code} {result.instance_id}: {result.reason}")
            self._watch.finished(run, ears.results, () if arrival.kind in ("verify", "recovery") else arrival.targets)
        if arrival.kind == "reset":
            for one in arrival.targets:
                self._watch.reset(one)
        if undone and arrival.kind in RETRIED and attempt < plan.retries:
            world.scheduler.start(
                world.scheduler.now + RETRY_SECONDS * (attempt + 1), lambda: self._deliver(arrival, attempt + 1)
            )

    def _happen(self, arrival: Arrival) -> None:
        now = self._world.scheduler.now
        self._watch.note("-", f"{arrival.kind} {' '.join(arrival.targets)}")
        machine = self._world.machines[arrival.targets[0]]
        if arrival.kind == "mended":
            machine.mend(now)
        elif arrival.kind == "rebooted_by_hand" and machine.at(now).status == "Running":
            machine.reboot(now, force=False, assumptions=self._assumptions)
        elif arrival.kind == "opted_out":
            machine.tags.append((now, {**machine.tags_at(now), "ecs-reboot": "disabled"}))
        elif arrival.kind == "opted_in":
            machine.tags.append((now, {**machine.tags_at(now), "ecs-reboot": "enabled"}))
            self._watch.recount()
        elif arrival.kind in ("locked", "unlocked"):
            machine.locked = arrival.kind == "locked"
        elif arrival.kind == "tag_lost":
            self._world.registers[arrival.region_id].lose(now, machine.instance_id)
