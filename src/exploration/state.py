"""One moment of an exploration: the world, how far each run is, and what may still go wrong. Values only."""

from typing import Literal, NamedTuple

from exploration.behaviour import Point, Word
from exploration.world import World

Kind = Literal["to_begin", "asks", "waits", "ended", "dead"]


class Told(NamedTuple):
    """What a run said in the end: instance and code of each result, and whether its event is delivered again."""

    codes: tuple[tuple[str, str], ...]
    retriable: bool


class Doing(NamedTuple):
    """What one run does.

    ``to_begin``; ``asks``: its call is on its way since ``at``; ``waits`` until ``at``, to be told ``word`` then (None:
    that time has passed); ``ended`` with ``told``; ``dead``. ``attempt``: how often its event was delivered before.
    Of a run that is over nothing is kept but what it said, of a dead one the verdicts that a person must hear: how it
    came there changes nothing for the others.
    """

    request: int
    attempt: int
    kind: Kind
    at: float = 0.0
    point: Point | None = None
    word: Word | None = None
    began: float = 0.0
    told: Told | None = None


class InFlight(NamedTuple):
    """A call on its way that nobody waits for any more: of ``run``, sent at ``sent``."""

    run: int
    sent: float
    point: Point


class Left(NamedTuple):
    """How much may still go wrong: crashes, lost answers, retries, pauses, and preemptions (None: any number).

    A retry begins when the run before it is over; ``duplicates`` are deliveries of an event that is still worked on.
    """

    crashes: int = 0
    losses: int = 0
    retries: int = 0
    duplicates: int = 0
    pauses: int = 0
    preemptions: int | None = None


class State(NamedTuple):
    """Two equal states have the same future, however they came about. ``last``: the run that went on last."""

    now: float
    world: World
    runs: tuple[Doing, ...]
    in_flight: tuple[InFlight, ...]
    left: Left
    last: int = -1

    @property
    def over(self) -> bool:
        """Whether nothing has to happen any more."""
        return not self.in_flight and all(run.kind in ("ended", "dead") for run in self.runs)

    def with_run(self, place: int, doing: Doing) -> "State":
        """Return the same with one run further on."""
        now, world, runs, in_flight, left, last = self
        return State(now, world, (*runs[:place], doing, *runs[place + 1 :]), in_flight, left, last)

    def with_world(self, world: World) -> "State":
        """Return the same with another world."""
        return State(self.now, world, self.runs, self.in_flight, self.left, self.last)


class Happening(NamedTuple):
    """One line of a story: when, which run (as it was named: request and attempt), what, and with which answer."""

    now: float
    request: int
    attempt: int
    what: str
    point: Point | None = None
    answer: object = None


class Move(NamedTuple):
    """One thing that may happen next. ``price``: what it uses up of what may go wrong; ``broken``: which promise."""

    state: State
    happening: Happening
    price: int = 0
    broken: str = ""
