"""What happens in one episode, drawn from its seed: the fleet, the settings, and everything that arrives."""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from ecs_reboot.settings.settings import Settings, load
from simulation.assumptions import Assumptions
from simulation.conditions import VARIED, Conditions, Profile
from simulation.machine import TEMPERS, Machine

REGIONS = ("cn-hangzhou", "cn-beijing")
#: Kinds of arrival that are no delivery: something happens in the world.
OUTSIDE = ("repaired", "rebooted_by_hand", "opted_out", "opted_in", "locked", "unlocked", "tag_lost")
#: Of alarms, the share that is delivered again although the first delivery arrived.
DUPLICATES = 0.30

#: Sweeps at the end: of what was asked for last, the longest wait is for what never went down.
DRAIN = 6
#: Of the instances, the share that the platform repairs once, and for how long at most, seconds.
REPAIRED, REPAIR_SECONDS = 0.1, 7200.0
#: Within how many calls of its beginning, each of the usual latency, a run asks ECS.
CALLS_BEFORE_A_REBOOT = 6
#: How often Function Compute tries again by default.
RETRIES = 3
#: Of the instances, the share that an Auto Scaling group owns.
IN_SCALING_GROUP = 0.1


class Arrival(NamedTuple):
    """Something that arrives at ``moment``, at one of the stacks. ``number`` seeds its chances.

    ``calm``: no faults meet it.
    """

    number: int
    moment: float
    kind: str
    region_id: str
    targets: tuple[str, ...] = ()
    override: tuple[str, ...] = ()
    calm: bool = False
    stack: int = 0


class Plan(NamedTuple):
    """One episode. ``retries``: how often Function Compute tries again; ``skew``: bound of the clocks' error."""

    seed: int
    environment: tuple[tuple[str, str], ...]
    conditions: Conditions
    retries: int
    faults: float
    crash: float
    skew: float
    arrivals: tuple[Arrival, ...]

    def settings(self, stack: int = 0) -> Settings:
        """Return the settings of one of the stacks, read as the function reads them."""
        environment = dict(self.environment) | {"STACK_NAME": stack_name(stack)}
        environment["MODE"] = "observe" if self.conditions.observes else "act"
        environment["MANAGED"] = "protect" if self.protects else "refuse"
        return load(environment)

    @property
    def protects(self) -> bool:
        """Whether members of Auto Scaling groups are protected while they restart: only a table has room for that."""
        return self.conditions.protects and dict(self.environment)["LEDGER"] == "tablestore"

    @property
    def drained(self) -> bool:
        """Whether sweeps come at the end until there is nothing left for them to do."""
        return any(arrival.kind == "verify" and arrival.calm for arrival in self.arrivals)

    def in_calm(self) -> "Plan":
        """Return it with nothing that goes wrong by itself."""
        conditions = self.conditions._replace(quota=0, meddling=0.0, calm=True)
        return self._replace(faults=0.0, crash=0.0, retries=RETRIES, conditions=conditions)


def stack_name(stack: int) -> str:
    """Return the name of a stack."""
    return f"stack-{stack}"


def draw(seed: int, deliveries: int, assumptions: Assumptions, ledger: str = "tags", profile: Profile = VARIED) -> Plan:
    """Draw an episode with about this many deliveries (retries come on top), over one of the two stores."""
    random = Random(seed)  # noqa: S311 - repeatable on purpose
    verify = random.choice((0, 0, 30, 120))
    environment = {
        "COOLDOWN_SECONDS": random.choice(("600", "900", "1800")),
        "GRACE_SECONDS": random.choice(("0", "0", "60", "600")),
        "MAX_ATTEMPTS": random.choice(("2", "3", "5")),
        "ATTEMPT_WINDOW_SECONDS": random.choice(("7200", "86400")),
        "MAX_REBOOTS": random.choice(("1", "2", "3", "5", "20%", "50%", "off")),
        "MAX_REBOOTS_WINDOW_SECONDS": random.choice(("900", "1800", "3600")),
        "GROUP_TAG": random.choice(("", "app")),
        "STORM_FACTOR": random.choice(("0", "2", "3", "10")),
        "SUSPEND_AFTER": random.choice(("0", "2", "3")),
        "FORCE_REBOOT": random.choice(("never", "escalate", "always")),
        "BATCH_OPTIMIZATION": random.choice(("AllTogether", "SuccessFirst")),
        "CLAIM_SETTLE_SECONDS": f"{assumptions.settle:g}",
        "VERIFY_SECONDS": str(verify),
        "LEDGER": ledger,
        "TABLESTORE_INSTANCE": "simulated",
        "WEBHOOK_TOKEN": "simulated",
    }
    skew = min(random.choice((0.0, 0.0, 10.0, assumptions.skew)), assumptions.skew)
    if assumptions.skew > 300:  # noqa: PLR2004 - more than the function bears
        skew = assumptions.skew
    names = [(name, machine.region_id) for name, machine in _fleet(seed, Random(seed)).items()]  # noqa: S311
    conditions = profile.draw(f"{seed}/conditions")
    plan = Plan(
        seed=seed,
        environment=tuple(environment.items()),
        conditions=conditions._replace(timeout=conditions.timeout + verify),
        retries=random.choice((0, 1, 3)),
        faults=random.choice((0.0, 0.01, 0.05, 0.2)),
        crash=random.choice((0.0, 0.002, 0.01, 0.03)),
        skew=skew,
        arrivals=tuple(_arrivals(random, names, deliveries, assumptions, Stacks(seed, conditions.stacks))),
    )
    plan = plan.in_calm() if conditions.calm else plan
    plan = plan._replace(arrivals=(*plan.arrivals, *_meddling(plan)))
    if plan.protects and assumptions.sweep:
        plan = plan._replace(arrivals=(*plan.arrivals, *_drain(plan, assumptions)))
    return plan


def fleet(plan: Plan) -> list[Machine]:
    """Return the episode's instances as they are at its beginning."""
    machines = list(_fleet(plan.seed, Random(plan.seed)).values())  # noqa: S311
    for machine in machines if plan.conditions.calm else ():
        machine.repair = (0.0, 0.0)  # which an alarm would wait for
    return machines


def _fleet(seed: int, random: Random) -> dict[str, Machine]:
    random.seed(seed * 2 + 1)
    machines = {}
    for region in REGIONS[: random.choice((1, 1, 2))]:
        for number in range(random.choice((3, 6, 10, 16))):
            instance_id = f"i-{region[3:5]}{number:08d}"
            tags = {"app": f"app{random.randrange(4)}"}
            if random.random() < 0.9:  # noqa: PLR2004
                tags["ecs-reboot"] = "enabled"
            if random.random() < 0.04:  # noqa: PLR2004
                tags |= {f"t{more}": "" for more in range(18)}
            temper = TEMPERS[min(int(random.expovariate(1.0)), 3)]
            machines[instance_id] = Machine(
                instance_id,
                region,
                tags,
                temper,
                Random(random.random()),  # noqa: S311
                started=-random.uniform(100, 1e6),
            )
            # Of a series of its own, so that the other draws of a seed stay what they were.
            others = Random(f"{seed}/{instance_id}")  # noqa: S311
            machines[instance_id].in_scaling_group = others.random() < IN_SCALING_GROUP
            if others.random() < REPAIRED:
                since = others.uniform(0, 20_000)
                machines[instance_id].repair = since, since + others.uniform(600, REPAIR_SECONDS)
    return machines


_Draw = Callable[[Random, list[str], float], Iterator[tuple[float, str, tuple[str, ...], tuple[str, ...]]]]
_Event = tuple[float, str, tuple[str, ...], tuple[str, ...]]


def _single(random: Random, names: list[str], at: float) -> Iterator[_Event]:
    yield at, random.choice(("alarm", "http_alarm")), (random.choice(names),), ()


def _burst(random: Random, names: list[str], at: float) -> Iterator[_Event]:
    name = random.choice(names)
    for _ in range(random.randint(2, 8)):
        yield at + random.uniform(0, 3), random.choice(("alarm", "http_alarm")), (name,), ()


def _storm(random: Random, names: list[str], at: float) -> Iterator[_Event]:
    for name in random.sample(names, max(1, int(len(names) * random.uniform(0.4, 1)))):
        yield at + random.uniform(0, 8), random.choice(("alarm", "http_alarm")), (name,), ()


def _flapping(random: Random, names: list[str], at: float) -> Iterator[_Event]:
    name = random.choice(names)
    for _ in range(random.randint(3, 10)):
        yield at, "alarm", (name,), ()
        yield at + random.uniform(1, 60), "recovery", (name,), ()
        at += random.uniform(60, 1200)


def _batch(random: Random, names: list[str], at: float) -> Iterator[_Event]:
    yield at, "manual", tuple(random.sample(names, min(len(names), random.randint(2, 6)))), ()


def _overridden(random: Random, names: list[str], at: float) -> Iterator[_Event]:
    codes = ("cooldown", "attempts_exhausted", "blast_radius", "suspended", "not_opted_in", "recently_started")
    override = tuple(random.sample(codes, random.randint(1, 3)))
    yield at, "manual", tuple(random.sample(names, random.randint(1, min(2, len(names))))), override


def _rolling(random: Random, _names: list[str], at: float) -> Iterator[_Event]:
    for tick in range(random.randint(2, 6)):
        yield at + 300 * tick, "rolling", (), ()


def _sweep(random: Random, _names: list[str], at: float) -> Iterator[_Event]:
    for tick in range(random.randint(1, 4)):
        yield at + 300 * tick, "verify", (), ()


def _person(random: Random, names: list[str], at: float) -> Iterator[_Event]:
    kind = random.choice(("reset", "resume", "repaired", "repaired", "rebooted_by_hand", "opted_out", "opted_in"))
    yield at, kind, (random.choice(names),) if kind != "resume" else (), ()


def _locks(random: Random, names: list[str], at: float) -> Iterator[_Event]:
    name = random.choice(names)
    yield at, "locked", (name,), ()
    yield at + random.uniform(60, 1800), "unlocked", (name,), ()


_PATTERNS: tuple[tuple[_Draw, int], ...] = (
    (_single, 8), (_burst, 6), (_storm, 1), (_flapping, 3), (_batch, 3), (_overridden, 1), (_rolling, 1), (_sweep, 1),
    (_person, 4), (_locks, 1),
)  # fmt: skip
_BAG = tuple(pattern for pattern, weight in _PATTERNS for _ in range(weight))


class Stacks(NamedTuple):
    """How many stacks there are, and to which of them each arrival comes."""

    seed: int
    number: int

    def of(self, arrival: int) -> int:
        """Return the stack of an arrival, from a series of its own."""
        return Random(f"{self.seed}/{arrival}/stack").randrange(self.number) if self.number > 1 else 0  # noqa: S311


def _arrivals(
    random: Random, names: list[tuple[str, str]], deliveries: int, assumptions: Assumptions, stacks: Stacks
) -> Iterator[Arrival]:
    number = made = 0
    moment = last = 0.0
    regions = sorted({region for _, region in names})
    while made < deliveries:
        moment += random.expovariate(1 / 90)
        region = random.choice(regions)
        of_region = [name for name, where in names if where == region]
        for at, kind, targets, override in random.choice(_BAG)(random, of_region, moment):
            copies = [at]
            while kind not in OUTSIDE and not override and random.random() < DUPLICATES:
                copies.append(at + random.choice((0.0, 0.05, 1.0, 5.0, 60.0)) * random.uniform(0.5, 1.5))
            for copy in copies:
                number += 1
                made += kind not in OUTSIDE
                last = max(last, copy)
                yield Arrival(number, copy, kind, region, targets, override, stack=stacks.of(number))
        if not assumptions.own_key and random.random() < 0.2:  # noqa: PLR2004
            number += 1
            yield Arrival(number, moment, "tag_lost", region, (random.choice(of_region),))
    for tick in range(1, int(last / assumptions.sweep) if assumptions.sweep else 0):
        for region in regions:
            for stack in range(stacks.number):
                number += 1
                yield Arrival(number, tick * assumptions.sweep, "verify", region, stack=stack)


def _meddling(plan: Plan) -> Iterator[Arrival]:
    """Yield what people do to instances while a run is at work on them: most often ECS then refuses the reboot."""
    number = max(arrival.number for arrival in plan.arrivals)
    random = Random(f"{plan.seed}/meddling")  # noqa: S311 - repeatable on purpose
    conditions = plan.conditions
    for alarm in plan.arrivals:
        if alarm.kind not in ("alarm", "manual") or random.random() >= conditions.meddling:
            continue
        at = alarm.moment + random.uniform(0.0, conditions.start_up + CALLS_BEFORE_A_REBOOT * conditions.latency)
        number += 2
        targets = alarm.targets[:1]
        if random.random() < 0.5:  # noqa: PLR2004 - a half
            yield Arrival(number, at, "rebooted_by_hand", alarm.region_id, targets)
        else:
            yield Arrival(number, at, "locked", alarm.region_id, targets)
            yield Arrival(number + 1, at + random.uniform(60, 1800), "unlocked", alarm.region_id, targets)


def _drain(plan: Plan, assumptions: Assumptions) -> Iterator[Arrival]:
    """Yield sweeps that nothing disturbs, after all else."""
    number = max(arrival.number for arrival in plan.arrivals)
    last = max(arrival.moment for arrival in plan.arrivals)
    for tick in range(1, DRAIN + 1):
        for region in sorted({arrival.region_id for arrival in plan.arrivals}):
            for stack in range(plan.conditions.stacks):
                number += 1
                yield Arrival(number, last + tick * assumptions.sweep, "verify", region, calm=True, stack=stack)
