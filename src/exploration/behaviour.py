"""What a run of the real function does next, given all that it was told so far.

A run is a program that asks and is told. It has no other input, so what it does next follows from what it was told:
the same words, the same step. That is why each history is carried out once and remembered, whatever the other runs do
meanwhile; and it is checked: a history that is carried out again must ask for the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from greenlet import getcurrent, greenlet

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.credentials import NoCredentials
from ecs_reboot.invocation import Invocation
from ecs_reboot.ledger.connections import Connections
from ecs_reboot.outcomes import TO_TELL
from ecs_reboot.records.logstore_delivery import RecordDelivery
from ecs_reboot.records.record_log import RecordLog
from ecs_reboot.records.result import Result
from ecs_reboot.settings.settings import Settings
from exploration.asking import Ask, Call, Door, End, Sleep, Step

#: The function's timeout, seconds.
TIMEOUT = 60.0


class NotRepeatable(AssertionError):
    """A run that was told the same asked for something else: it has an input that this does not know."""


@dataclass(frozen=True)
class Word:
    """What a run is told: when, and which answer. ``key`` stands for the answer: equal answers have equal keys."""

    now: float
    key: str
    answer: object = field(compare=False)


class Point:
    """A run that was told all the words up to here, and its next ``step``. Equal to itself alone."""

    __slots__ = ("_after", "_program", "before", "step", "word")

    def __init__(self, before: "Point | None", word: Word, program: "_Program", step: Step) -> None:
        self.before, self.word, self.step = before, word, step
        self._program: _Program | None = program
        self._after: dict[Word, Point] = {}

    def told(self, word: Word, again: Callable[[], "_Program"]) -> "Point":
        """Return where the run is after one more word; ``again`` starts it anew from the beginning."""
        known = self._after.get(word)
        if known is None:
            program, self._program = self._program or self._repeated(again), None
            known = self._after[word] = Point(self, word, program, program.tell(word))
        return known

    def _repeated(self, again: Callable[[], "_Program"]) -> "_Program":
        path: list[Point] = []
        point: Point | None = self
        while point is not None:
            path.append(point)
            point = point.before
        program = again()
        for place in reversed(path):
            step = program.begin() if place.before is None else program.tell(place.word)
            if step != place.step:
                raise NotRepeatable(f"{step} in the place of {place.step}")
        return program


class Behaviour:
    """One run of one event. ``number`` tells it from all other runs."""

    def __init__(self, request: str, event: bytes, settings: Settings, number: int) -> None:
        self._request, self._event, self._settings = request, event, settings
        self._number = number
        self._beginnings: dict[float, Point] = {}

    def begun(self, now: float) -> Point:
        """Return where the run is when it has begun at ``now``."""
        if now not in self._beginnings:
            program = self._program(now)
            self._beginnings[now] = Point(None, Word(now, "", None), program, program.begin())
        return self._beginnings[now]

    def told(self, point: Point, word: Word) -> Point:
        """Return where it is after one more word."""
        return point.told(word, lambda: self._program(_beginning(point)))

    def _program(self, now: float) -> "_Program":
        return _Program(lambda ask: self._carried_out(ask, now))

    def _carried_out(self, ask: Ask, now: float) -> End:
        door = Door(ask, now, self._number)
        ears = _Ears(self._request, door)
        invocation = Invocation(
            self._request,
            self._settings,
            Deadline(door, TIMEOUT - self._settings.deadline_margin_seconds),
            connect=lambda _: Connections(door, lambda: door),
            record_log=ears,
            delivery=RecordDelivery(self._settings, NoCredentials(), "cn-hangzhou", door),
        )
        retriable = bool(invocation.answer(self._event).retry_reason)
        return End(tuple(ears.results), retriable)


class _Ears(RecordLog):
    """The records of a run: what it announces, and what it says in the end. Nothing is printed."""

    def __init__(self, request: str, door: Door) -> None:
        super().__init__(request, door, lambda _: None)
        self._door = door
        self.results: list[Result] = []

    def log_intent(self, result: Result) -> None:
        self._door.announced.add(result.instance_id)

    def result(self, result: Result) -> dict[str, object]:
        self.results.append(result)
        if result.code in TO_TELL.values():
            self._door.said += ((result.instance_id, result.code),)
        return {}


class _Program:
    """The function in a stack of its own, which stands still wherever it asks."""

    def __init__(self, work: Callable[[Ask], End]) -> None:
        self._hub = getcurrent()
        self._stack = greenlet(lambda: work(self._ask), self._hub)

    def begin(self) -> Step:
        """Let it go on to its first step."""
        return self._stack.switch()  # type: ignore[no-any-return]  # greenlet is untyped

    def tell(self, word: Word) -> Step:
        """Tell it, and let it go on to its next step."""
        return self._stack.switch((word.now, word.answer))  # type: ignore[no-any-return]

    def _ask(self, step: Call | Sleep) -> tuple[float, object]:
        return self._hub.switch(step)  # type: ignore[no-any-return]


def _beginning(point: Point) -> float:
    while point.before is not None:
        point = point.before
    return point.word.now
