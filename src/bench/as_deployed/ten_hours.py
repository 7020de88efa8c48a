"""Ten hours of alarms over HTTP under the simulation's clock: the function's own code, with what the template gives it.

Each alarm is for another instance that is Running, opted in and within every limit: it ends in a reboot or, given up
after all tries, in the failure queue. Anything else is a loss. All chances follow from a seed.
"""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from bench.as_deployed.stage import ACCOUNT, REGION
from localcloud.commands.rendered_template import deployment
from simulation.assumptions import Assumptions
from simulation.conditions import Conditions
from simulation.episode import DeliveryEnd, Episode
from simulation.machine import Machine
from simulation.plan import Arrival, Plan
from simulation.violation import NEVER_TWICE

HOURS, HOUR_SECONDS = 10, 3600.0
#: Of so many instances the template lets a twentieth be rebooted in an hour: more than are asked for in any.
INSTANCES = 1_000
#: A call takes 0.3 s times a number from this: 30 to 300 ms.
SLOWEST_SECONDS, SPREAD = 0.3, (0.1, 1.0)
#: A fresh process begins within this, seconds.
START_UP_SECONDS = 1.0
#: Instances on one page, as ECS answers at most.
PAGE = 100
#: The template's sweep, ``@every 5m``.
SWEEP_SECONDS = 300.0
#: Nothing in the simulation stands for the log service.
NOT_SIMULATED = {"LOG_PROJECT": "", "LOGSTORE": "", "WEBHOOK_TOKEN": "simulated"}


class Weather(NamedTuple):
    """What goes wrong.

    ``faults``: the share of calls that fail, each in one of the simulation's ways. ``crash``: the chance that a machine
    fails at any one step of a run, so that about one run in twenty does not end. ``http_tries``: how often a caller
    over HTTP calls until it has a good answer.
    """

    faults: float = 0.05
    crash: float = 0.002
    http_tries: int = 5


USUAL = Weather()


class Fates(NamedTuple):
    """What became of the alarms of one episode.

    ``queued``: given up after all tries, in the failure queue. ``recorded``: neither, and the record that there is, by
    its code. ``lost``: none of these. ``doubled``: reboots beyond the first. ``broken``: the promise at which the
    episode stopped, '' if none; later alarms are not counted then.
    """

    alarms: int
    rebooted: int
    doubled: int
    queued: int
    recorded: Counter[str]
    lost: int
    runs: int
    crashes: int
    broken: str


def fates(store: str, seed: int, alarms: int, weather: Weather = USUAL) -> Fates:
    """Return what became of alarms that came over ten hours, over one of the two stores."""
    plan = _plan(store, seed, alarms, weather)
    machines = {machine.instance_id: machine for machine in _fleet(seed)}
    given_up: set[str] = set()
    told: dict[str, str] = {}
    crashes = 0

    def watch(end: DeliveryEnd) -> None:
        nonlocal crashes
        crashes += end.crashed
        if end.given_up and end.arrival.kind == "handed_over":
            given_up.update(end.arrival.targets)
        told.update({result.instance_id: result.code for result in end.results if not result.retriable})

    ended = Episode(plan, Assumptions(), machines=list(machines.values()), watch=watch).run()
    promise = ended.violation.promise if ended.violation else ""
    asked = [
        arrival.targets[0]
        for arrival in plan.arrivals
        if arrival.kind == "http_alarm" and arrival.moment <= ended.moment
    ]
    counts = {instance_id: len(machines[instance_id].reboots) for instance_id in asked}
    rest = [instance_id for instance_id in asked if not counts[instance_id] and instance_id not in given_up]
    return Fates(
        alarms=len(asked),
        rebooted=sum(count > 0 for count in counts.values()),
        # The episode stops right before a second reboot within the cooldown would take effect.
        doubled=sum(max(0, count - 1) for count in counts.values()) + (promise == NEVER_TWICE),
        queued=sum(not counts[instance_id] for instance_id in given_up),
        recorded=Counter(told[instance_id] for instance_id in rest if instance_id in told),
        lost=sum(instance_id not in told for instance_id in rest),
        runs=ended.deliveries,
        crashes=crashes,
        broken=str(ended.violation or ""),
    )


def _plan(store: str, seed: int, alarms: int, weather: Weather) -> Plan:
    given = deployment(ACCOUNT, {"Ledger": store})
    return Plan(
        seed=seed,
        environment=tuple({**given.environment, **NOT_SIMULATED}.items()),
        conditions=Conditions(
            timeout=given.timeout,
            latency=SLOWEST_SECONDS,
            spread=SPREAD,
            start_up=START_UP_SECONDS,
            door=True,
            http_tries=weather.http_tries,
            page=PAGE,
        ),
        retries=given.async_config.max_async_retry_attempts,
        faults=weather.faults,
        crash=weather.crash,
        skew=0.0,
        arrivals=tuple(_arrivals(seed, alarms)),
    )


def _arrivals(seed: int, alarms: int) -> Iterator[Arrival]:
    """Yield the alarms, each at some moment of the ten hours and for another instance, and the timer's sweeps."""
    random = Random(f"{seed}/alarms")  # noqa: S311 - repeatable on purpose
    chosen = random.sample(range(INSTANCES), alarms)
    for number, instance in enumerate(chosen, start=1):
        moment = random.uniform(0.0, HOURS * HOUR_SECONDS)
        yield Arrival(number, moment, "http_alarm", REGION, (instance_id(instance),))
    for tick in range(1, int(HOURS * HOUR_SECONDS / SWEEP_SECONDS) + 1):
        yield Arrival(alarms + tick, tick * SWEEP_SECONDS, "verify", REGION)


def _fleet(seed: int) -> Iterator[Machine]:
    """Yield instances that come back soon, as those of the other cases do."""
    for number in range(INSTANCES):
        random = Random(f"{seed}/{number}")  # noqa: S311 - repeatable on purpose
        yield Machine(instance_id(number), REGION, {"ecs-reboot": "enabled"}, "brisk", random, started=-1e6)


def instance_id(number: int) -> str:
    """Return the ID of an instance."""
    return f"i-bp1hours{number:08d}"
