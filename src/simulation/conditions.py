"""Under which conditions an episode runs, drawn from a profile: how slow calls are, what the account allows, ..."""

from random import Random
from typing import NamedTuple


class Conditions(NamedTuple):
    """What holds for a whole episode.

    ``timeout``: after which a run is killed, seconds. ``latency``: of a call there and back, times a number from the
    ``spread``, seconds.
    ``start_up``: how long a run takes to begin, at most, seconds. ``quota``: calls of each action of ECS that the
    account may make in a minute, 0 for any number. ``door``: HTTP events are handed over. ``old_entries``: how many
    instances of each region have an entry that no longer matters, beside those of the fleet. ``stacks``: how many
    functions work in the same regions, each with alarms and timers of its own. ``calm``: no call fails for longer than
    moments, no run crashes, and Function Compute tries again as often as it does by default. ``observes``: the function
    only observes (MODE).
    ``protects``: members of Auto Scaling groups are protected while they restart (MANAGED), if the ledger is a table.
    ``capacity``: calls that the table takes in a second, 0 for any number. ``away_every``: after how long, on average,
    it refuses all calls for a while, 0 for never, seconds. ``meddling``: the share of alarms during which a person
    locks the instance or reboots it. ``http_tries``: how often a caller over HTTP calls until it has a good answer.
    ``page``: instances on one page of a reading of tags; few, so that a reading is many calls.
    """

    timeout: float = 60.0
    latency: float = 0.1
    start_up: float = 0.0
    quota: int = 0
    door: bool = False
    old_entries: int = 0
    stacks: int = 1
    calm: bool = False
    observes: bool = False
    protects: bool = False
    capacity: int = 0
    away_every: float = 0.0
    meddling: float = 0.0
    spread: tuple[float, float] = (0.1, 1.1)
    http_tries: int = 1
    page: int = 10


class Profile(NamedTuple):
    """What conditions are drawn from: the choices for each, all alike likely."""

    timeout: tuple[float, ...]
    latency: tuple[float, ...]
    start_up: tuple[float, ...]
    quota: tuple[int, ...]
    door: tuple[bool, ...]
    old_entries: tuple[int, ...]
    stacks: tuple[int, ...]
    calm: tuple[bool, ...]
    observes: tuple[bool, ...] = (False,)
    protects: tuple[bool, ...] = (False,)
    capacity: tuple[int, ...] = (0,)
    away_every: tuple[float, ...] = (0.0,)
    meddling: tuple[float, ...] = (0.0,)

    def draw(self, seed: str) -> Conditions:
        """Draw from a series of its own, so that the other draws of an episode stay what they are."""
        random = Random(seed)  # noqa: S311 - repeatable on purpose
        return Conditions(**{name: random.choice(choices) for name, choices in self._asdict().items()})


#: What a campaign draws under all assumptions.
VARIED = Profile(
    timeout=(30.0, 60.0, 60.0, 150.0),
    latency=(0.02, 0.1, 0.1, 0.3, 0.6),
    start_up=(0.0, 0.0, 1.0, 5.0),
    quota=(0, 0, 0, 30, 100),
    door=(True, True, True, False),
    old_entries=(0, 0, 0, 40),
    stacks=(1, 1, 2),
    calm=(False, False, False, False, False, False, True),
    observes=(False, False, False, False, False, False, False, False, False, True),
    protects=(False, True),
    capacity=(0, 0, 3, 10),
    away_every=(0.0, 0.0, 0.0, 300.0),
    meddling=(0.0, 0.2),
)
#: What is drawn where an assumption is taken away whose break is a race of a few hundredths of a second between runs
#: that begin together: nothing that pulls them apart, so that faults and crashes alone decide.
CLOSE = Profile(
    timeout=(60.0,),
    latency=(0.1,),
    start_up=(0.0,),
    quota=(0,),
    door=(False,),
    old_entries=(0,),
    stacks=(1,),
    calm=(False,),
)
