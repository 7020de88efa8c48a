"""What is explored: which runs meet, over which store, and how much may go wrong."""

from datetime import timedelta
from functools import cached_property
from typing import Literal, NamedTuple

from ecs_reboot.settings.settings import Settings, load
from exploration.behaviour import Behaviour
from exploration.state import Doing, Left, State
from exploration.world import REGION, Laws, World
from simulation import deliveries
from simulation.plan import Arrival
from simulation.run import EPOCH

StoreName = Literal["tags", "tablestore"]
STORES: tuple[StoreName, ...] = ("tags", "tablestore")

ONE, TWO, THREE = "i-000000001", "i-000000002", "i-000000003"


class Meeting(NamedTuple):
    """Runs that meet: the instance that each alarm names, and the settings that bind them."""

    name: str
    targets: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


MEETINGS: tuple[Meeting, ...] = (
    Meeting("one instance", (ONE, ONE)),
    Meeting("two of a group", (ONE, TWO), (("GROUP_TAG", "app"),)),
    Meeting("limit 1", (ONE, TWO), (("MAX_REBOOTS", "1"),)),
    Meeting("three runs, one instance", (ONE, ONE, ONE)),
    Meeting("three of a group", (ONE, TWO, THREE), (("GROUP_TAG", "app"),)),
    Meeting("three runs, limit 1", (ONE, TWO, THREE), (("MAX_REBOOTS", "1"),)),
)


class Weather(NamedTuple):
    """How much may go wrong in the meetings of ``runs`` runs, over these stores."""

    name: str
    runs: int
    left: Left
    stores: tuple[StoreName, ...] = STORES


#: The cheapest first. `tags` assume that an event is not delivered again while it is still worked on.
WEATHERS: tuple[Weather, ...] = (
    Weather("calm", 2, Left()),
    Weather("two preemptions", 3, Left(preemptions=2)),
    Weather("a crash and a retry", 2, Left(crashes=1, retries=1)),
    Weather("a lost answer", 2, Left(losses=1)),
    Weather("a duplicate", 2, Left(duplicates=1), ("tablestore",)),
    Weather("a pause", 2, Left(pauses=1)),
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
        self.meeting, self.store, self.laws, self.weather = meeting, store, laws, weather
        self._behaviours: dict[tuple[int, int], Behaviour] = {}

    @property
    def name(self) -> str:
        """What it is called on the command line and in the report."""
        return f"{self.store}, {self.meeting.name}, {self.weather.name}"

    @cached_property
    def settings(self) -> Settings:
        """The function's settings."""
        own = {"LEDGER": self.store, "CLAIM_SETTLE_SECONDS": f"{self.laws.settle:g}"}
        return load({**_ENVIRONMENT, **dict(self.meeting.environment), **own})

    @property
    def deliveries(self) -> int:
        """How often an event is delivered at most."""
        left = self.weather.left
        return 1 + left.retries + left.duplicates

    @property
    def beginning(self) -> State:
        """Every run is about to begin."""
        runs = tuple(Doing(request, 0, "to_begin") for request in range(len(self.meeting.targets)))
        return State(0.0, World(), runs, (), self.weather.left)

    def behaviour(self, request: int, attempt: int) -> Behaviour:
        """Return what a run does: of a request, delivered for this many times before."""
        if (request, attempt) not in self._behaviours:
            arrival = Arrival(request, 0.0, "alarm", REGION, (self.meeting.targets[request],))
            event = deliveries.event(arrival, EPOCH + timedelta(seconds=0))
            number = self.number(request, attempt)
            self._behaviours[request, attempt] = Behaviour(request_id(request), event, self.settings, number)
        return self._behaviours[request, attempt]

    def number(self, request: int, attempt: int) -> int:
        """Return the number that tells a run from all others."""
        return request + len(self.meeting.targets) * attempt


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
        if len(meeting.targets) == weather.runs and store in weather.stores
    ]
