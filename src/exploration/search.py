"""Every state that can come about, each once, and how many schedules lead through them.

Cheapest first: by how much went wrong, then by the number of moves. So the first story that breaks a promise is the
shortest. Two schedules that meet in the same state go on alike; from there they are explored once and counted apart.
Of a state that is explored only a few numbers are kept: a story is carried out again where it is told.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import islice
from typing import NamedTuple

from exploration.closing import Closing
from exploration.moves import Rules
from exploration.scenarios import Scenario
from exploration.state import Happening, State
from exploration.symmetry import Key, Symmetry

#: The progress is told after this many states.
TOLD_AFTER = 1_000
#: In the place of a state: the move broke a promise.
BROKEN = -1


class Story(NamedTuple):
    """The shortest schedule that breaks a promise."""

    promise: str
    happenings: tuple[Happening, ...]


class Explored(NamedTuple):
    """What an exploration came to.

    ``left``: states that were not gone on from, none where it is whole; else ``schedules`` counts those seen to their
    end. ``codes``: how often the states that end a schedule hold each code.
    """

    states: int
    moves: int
    schedules: int
    stories: tuple[Story, ...]
    codes: Counter[str]
    left: int
    interrupted: bool

    @property
    def whole(self) -> bool:
        """Whether there is nothing else that could happen."""
        return not self.left and not self.interrupted


class Search:
    """The exploration of one scenario. ``tell`` hears of the number of states so far; KeyboardInterrupt ends it.

    ``alone``: without the symmetry of runs that are alike; ``rules``: other moves. Both are for comparison.
    """

    def __init__(
        self,
        scenario: Scenario,
        tell: Callable[[int], None],
        *,
        most: int | None = None,
        alone: bool = False,
        rules: type[Rules] = Rules,
    ) -> None:
        self._beginning, self._rules = scenario.beginning, rules(scenario)
        self._closing, self._symmetry = Closing(scenario, self._rules), Symmetry(scenario, alone=alone)
        self._tell, self._most = tell, most
        self._numbers: dict[Key, int] = {self._symmetry.key(self._beginning): 0}
        #: By state: from which it came, by which of its moves, and at which cost.
        self._before, self._by = array("q", [0]), array("q", [0])
        self._price, self._depth = array("q", [0]), array("q", [0])
        #: By move: from where, and where to.
        self._from, self._to = array("q"), array("q")
        self._seen: set[int] = set()
        self._ends: set[int] = set()
        self._due: list[tuple[int, int, int, State]] = [(0, 0, 0, self._beginning)]
        self._stories: dict[str, Story] = {}
        self._codes: Counter[str] = Counter()

    def run(self) -> Explored:
        """Explore until nothing is left, until ``most`` states are known, or until interrupted."""
        interrupted = False
        try:
            while self._due and (self._most is None or len(self._seen) < self._most):
                self._expand(*heappop(self._due))
        except KeyboardInterrupt:
            interrupted = True
        left = len(self._numbers) - len(self._seen)
        stories = tuple(self._stories.values())
        return Explored(len(self._seen), len(self._to), self._schedules(), stories, self._codes, left, interrupted)

    def _expand(self, price: int, depth: int, number: int, state: State) -> None:
        if number in self._seen:
            return  # a shorter way led here before
        self._seen.add(number)
        if len(self._seen) % TOLD_AFTER == 0:
            self._tell(len(self._numbers))
        if state.over:
            self._ends.add(number)
            self._codes.update(code for run in state.runs if run.told for _, code in run.told.codes)
            broken, story = self._closing.of(state)
            if broken:
                self._keep(broken, number, story)
        for by, move in enumerate(self._rules.moves(state)):
            to = BROKEN
            if move.broken:
                self._keep(move.broken, number, [move.happening])
            else:
                to = self._reached(move.state, (price + move.price, depth + 1), number, by)
            self._to.append(to)
            self._from.append(number)

    def _reached(self, state: State, cost: tuple[int, int], before: int, by: int) -> int:
        """Return the number of a state that a move led to; go on from it later if it is new, or was dearer."""
        number = self._numbers.setdefault(self._symmetry.key(state), len(self._before))
        if number == len(self._before):
            for values, value in zip(
                (self._before, self._by, self._price, self._depth), (before, by, *cost), strict=True
            ):
                values.append(value)
        elif cost < (self._price[number], self._depth[number]):
            self._before[number], self._by[number] = before, by
            self._price[number], self._depth[number] = cost
        else:
            return number
        heappush(self._due, (*cost, number, state))
        return number

    def _keep(self, promise: str, number: int, end: list[Happening]) -> None:
        if promise not in self._stories:
            self._stories[promise] = Story(promise, (*self._told(number), *end))

    def _told(self, number: int) -> Iterator[Happening]:
        """Carry out once more how a state came about."""
        ways: list[int] = []
        while number:
            ways.append(self._by[number])
            number = self._before[number]
        state = self._beginning
        for by in reversed(ways):
            move = next(islice(self._rules.moves(state), by, None))
            yield move.happening
            state = move.state

    def _schedules(self) -> int:
        """Count the ways from the beginning to an end, or to a broken promise."""
        after: list[list[int]] = [[] for _ in self._before]
        waiting = array("q", [0]) * len(self._before)
        # An interrupt may have come between the two.
        for number, to in zip(self._from, self._to, strict=False):
            after[number].append(to)
            if to != BROKEN:
                waiting[to] += 1
        ways = [1] + [0] * (len(self._before) - 1)
        ready, total = [0], 0
        while ready:
            number = ready.pop()
            total += ways[number] * ((number in self._ends) + after[number].count(BROKEN))
            for to in after[number]:
                if to == BROKEN:
                    continue
                ways[to] += ways[number]
                waiting[to] -= 1
                if not waiting[to]:
                    ready.append(to)
        return total
