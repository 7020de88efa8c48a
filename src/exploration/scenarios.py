"""What is explored: which runs meet, over which store, and how much may go wrong."""

from datetime import timedelta
from functools import cached_property
from typing import Literal, NamedTuple

from ecs_reboot.settings.settings import Settings, load
from exploration import beginnings
from exploration.beginnings import Earlier
from exploration.behaviour import Behaviour
from exploration.machines import Fleet
from exploration.state import Doing, Left, State
from exploration.world import REGION, Laws
from simulation import deliveries
from simulation.plan import Arrival
from simulation.run import EPOCH

StoreName = Literal["tags", "tablestore"]
STORES: tuple[StoreName, ...] = ("tags", "tablestore")

ONE, TWO, THREE = "i-000000001", "i-000000002", "i-000000003"


class Comes(NamedTuple):
    """An event: an alarm for ``target``, or a sweep. ``environment``: settings of the function to which it comes."""

    target: str = ""
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> str:
        """What the event is called (``simulation.deliveries``)."""
        return "alarm" if self.target else "verify"

    @property
    def observes(self) -> bool:
        """Whether the function only observes."""
        return ("MODE", "observe") in self.environment


class Meeting(NamedTuple):
    """Runs that meet: the events that come, the settings that bind them all, and how things stand when they come.

    ``in_weathers``: in which it is explored, all where none is named.
    """

    name: str
    events: tuple[Comes, ...]
    environment: tuple[tuple[str, str], ...] = ()
    stores: tuple[StoreName, ...] = STORES
    in_weathers: tuple[str, ...] = ()
    earlier: Earlier | None = None
    fleet: Fleet = Fleet()

    @property
    def observes(self) -> bool:
        """Whether a function that only observes is among them."""
        return any(event.observes for event in self.events)

    @property
    def sweeps(self) -> bool:
        """Whether what is promised is brought about by the sweeps that follow."""
        return self.earlier is not None or ("MANAGED", "protect") in self.environment

    @property
    def due(self) -> tuple[Comes, ...]:
        """The alarms that are to end in a reboot."""
        return tuple(
            event for event in self.events if event.target and not event.observes and event.target not in self.prevented
        )

    @property
    def prevented(self) -> tuple[str, ...]:
        """The instances whose reboot a fact prevents."""
        released = () if ("MANAGED", "protect") in self.environment else self.fleet.members
        return (*released, *self.fleet.repaired)


def _alarms(*targets: str) -> tuple[Comes, ...]:
    return tuple(Comes(target) for target in targets)


SWEEP = Comes()
_SHOPS, _ESCALATE = ("GROUP_TAG", "app"), ("FORCE_REBOOT", "escalate")
_HANGS = Earlier(ONE, -1300.0, hangs=True)
_TAKES, _REFUSES = Fleet(takes_force=True), Fleet(takes_force=False)
_OBSERVES = (("MODE", "observe"),)
_NO_PAUSE = ("calm", "a crash and a retry", "a lost answer")
_SCALING, _EVENTS = ("DescribeScalingInstances", "DescribeScalingGroups"), ("DescribeInstanceHistoryEvents",)
_PROTECT = (("MANAGED", "protect"),)
_OWNED = Fleet(members=(ONE,))
_WAS_PROTECTED = Earlier(ONE, -100.0, protected=True)
#: Only the table has room for the duty to take a protection back.
TABLE: tuple[StoreName, ...] = ("tablestore",)
_CRASHES = ("calm", "a crash and a retry")

MEETINGS: tuple[Meeting, ...] = (
    Meeting("one instance", _alarms(ONE, ONE)),
    Meeting("two of a group", _alarms(ONE, TWO), (_SHOPS,)),
    Meeting("limit 1", _alarms(ONE, TWO), (("MAX_REBOOTS", "1"),)),
    Meeting("three runs, one instance", _alarms(ONE, ONE, ONE)),
    Meeting("three of a group", _alarms(ONE, TWO, THREE), (_SHOPS,)),
    Meeting("three runs, limit 1", _alarms(ONE, TWO, THREE), (("MAX_REBOOTS", "1"),)),
    *(
        Meeting(f"{name} {answer}", events, (_ESCALATE, _SHOPS), in_weathers=_CRASHES, earlier=_HANGS, fleet=fleet)
        for answer, fleet in (("taken by force", _TAKES), ("to be stopped", _REFUSES))
        for name, events in (
            ("hung and an alarm for it,", (SWEEP, Comes(ONE))),
            ("hung and an alarm for another of its group,", (SWEEP, Comes(TWO))),
            ("hung and two sweeps,", (SWEEP, SWEEP)),
        )
    ),
    *(
        Meeting(f"hung and never finished, {name}", events, (_SHOPS,), in_weathers=_CRASHES, earlier=_HANGS)
        for name, events in (("a sweep and an alarm for it", (SWEEP, Comes(ONE))), ("two sweeps", (SWEEP, SWEEP)))
    ),
    Meeting(
        "two alarms for one to protect", _alarms(ONE, ONE), _PROTECT, TABLE, (*_CRASHES, "a lost answer"), fleet=_OWNED
    ),
    Meeting(
        "a sweep and an alarm for one that is protected",
        (SWEEP, Comes(ONE)),
        (*_PROTECT, ("COOLDOWN_SECONDS", "60")),
        TABLE,
        (*_CRASHES, "a lost answer"),
        _WAS_PROTECTED,
        _OWNED,
    ),
    Meeting(
        "one to protect, watched, and another alarm for it",
        _alarms(ONE, ONE),
        (*_PROTECT, ("COOLDOWN_SECONDS", "5"), ("VERIFY_SECONDS", "30")),
        TABLE,
        _CRASHES,
        fleet=_OWNED,
    ),
    Meeting("one instance, an observer", (Comes(ONE), Comes(ONE, _OBSERVES)), in_weathers=_NO_PAUSE),
    Meeting("two of a group, an observer", (Comes(ONE), Comes(TWO, _OBSERVES)), (_SHOPS,), in_weathers=_NO_PAUSE),
    *(
        Meeting(f"{whom}, {fact} can't be read", _alarms(target), setting, fleet=fleet)
        for fact, setting, fleet in (
            ("its scaling group", (("MANAGED", "refuse"),), Fleet(members=(ONE,), dark=_SCALING)),
            ("the platform's events", (("PLATFORM_EVENTS", "refuse"),), Fleet(repaired=(ONE,), dark=_EVENTS)),
        )
        for whom, target in (("one that it prevents", ONE), ("one that is free", TWO))
    ),
)


class Weather(NamedTuple):
    """How much may go wrong in the meetings of ``runs`` runs; ``only`` in the meeting of this name, '' for all."""

    name: str
    runs: int
    left: Left
    only: str = ""


#: The cheapest first.
WEATHERS: tuple[Weather, ...] = (
    Weather("calm", 2, Left()),
    Weather("alone, a crash and a retry", 1, Left(crashes=1, retries=1)),
    Weather("two preemptions", 3, Left(preemptions=2)),
    Weather("a crash and a retry", 2, Left(crashes=1, retries=1)),
    Weather("a lost answer", 2, Left(losses=1)),
    Weather("a duplicate", 2, Left(duplicates=1)),
    Weather("a pause", 2, Left(pauses=1)),
    *(
        Weather(name, 2, left, "one instance")
        for name, left in (
            ("a duplicate and a crash", Left(duplicates=1, crashes=1)),
            ("a duplicate and a pause", Left(duplicates=1, pauses=1)),
            ("a pause, a crash and a retry", Left(pauses=1, crashes=1, retries=1)),
            ("a pause and a lost answer", Left(pauses=1, losses=1)),
            ("a duplicate and a lost answer", Left(duplicates=1, losses=1)),
        )
    ),
    Weather("a crash, a lost answer and a retry", 2, Left(crashes=1, losses=1, retries=1)),
)
_ENVIRONMENT = {
    "COOLDOWN_SECONDS": "600", "GRACE_SECONDS": "0", "MAX_REBOOTS": "off", "MAX_REBOOTS_WINDOW_SECONDS": "1800",
    "STORM_FACTOR": "0", "SUSPEND_AFTER": "0", "FORCE_REBOOT": "never", "VERIFY_SECONDS": "0",
    "MANAGED": "allow", "PLATFORM_EVENTS": "ignore", "RESPONSIVE": "off", "BUSY_SECONDS": "0",
    "TABLESTORE_INSTANCE": "explored",
}  # fmt: skip


class Scenario:
    """One meeting over one store, in a weather and under laws."""

    def __init__(self, meeting: Meeting, store: StoreName, laws: Laws, weather: Weather) -> None:
        self.meeting, self.store, self.weather = meeting, store, weather
        self.laws = laws._replace(fleet=meeting.fleet)
        self._behaviours: dict[tuple[int, int], Behaviour] = {}

    @property
    def name(self) -> str:
        """What it is called on the command line and in the report."""
        return f"{self.store}, {self.meeting.name}, {self.weather.name}"

    @cached_property
    def settings(self) -> Settings:
        """The settings of a function that acts."""
        return self._settings(())

    def _settings(self, environment: tuple[tuple[str, str], ...]) -> Settings:
        own = {"LEDGER": self.store, "CLAIM_SETTLE_SECONDS": f"{self.laws.settle:g}"}
        return load({**_ENVIRONMENT, **dict(self.meeting.environment), **dict(environment), **own})

    @property
    def deliveries(self) -> int:
        """How often an event is delivered at most."""
        left = self.weather.left
        return 1 + left.retries + left.duplicates

    @property
    def beginning(self) -> State:
        """Every run is about to begin."""
        runs = tuple(Doing(request, 0, "to_begin") for request in range(len(self.meeting.events)))
        return State(0.0, beginnings.world(self.settings, self.meeting.earlier), runs, (), self.weather.left)

    def event(self, request: int) -> Comes:
        """Return the event of a request; those after the last are the sweeps that follow."""
        events = self.meeting.events
        return events[request] if request < len(events) else SWEEP

    def behaviour(self, request: int, attempt: int) -> Behaviour:
        """Return what a run does: of a request, delivered for this many times before."""
        if (request, attempt) not in self._behaviours:
            comes = self.event(request)
            arrival = Arrival(request, 0.0, comes.kind, REGION, (comes.target,))
            event = deliveries.event(arrival, EPOCH + timedelta(seconds=0))
            settings, number = self._settings(comes.environment), self.number(request, attempt)
            self._behaviours[request, attempt] = Behaviour(request_id(request), event, settings, number)
        return self._behaviours[request, attempt]

    def number(self, request: int, attempt: int) -> int:
        """Return the number that tells a run from all others."""
        return request + (len(self.meeting.events) + 1) * attempt


def request_id(request: int) -> str:
    """Return the ID of a request, the same in each of its deliveries."""
    return f"request-{request}"


def scenarios(stores: tuple[StoreName, ...], laws: Laws) -> list[Scenario]:
    """Return all scenarios over these stores, the small ones first."""
    return [
        Scenario(meeting, store, laws, weather)
        for weather in WEATHERS
        for store in stores
        for meeting in MEETINGS
        if len(meeting.events) == weather.runs
        and weather.only in ("", meeting.name)
        and store in meeting.stores
        and weather.name in (meeting.in_weathers or (weather.name,))
    ]
