"""Every state that can come about, each once, and how many schedules lead through them.

Cheapest first: by how much went wrong, then by the number of moves. So the first story that breaks a promise is the
shortest. Two schedules that meet in the same state go on alike; from there they are explored once and counted apart.
"""

from collections import Counter
from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple

from exploration.closing import Closing
from exploration.moves import Rules
from exploration.scenarios import Scenario
from exploration.state import Happening, State

#: The progress is told after this many states.
TOLD_AFTER = 1_000


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
    """The exploration of one scenario. ``tell`` hears of the number of states so far; KeyboardInterrupt ends it."""

    def __init__(self, scenario: Scenario, tell: Callable[[int], None], *, most: int | None = None) -> None:
        self._rules = Rules(scenario)
        self._closing = Closing(self._rules)
        self._tell, self._most = tell, most
        self._numbers: dict[State, int] = {scenario.beginning: 0}
        self._came: list[tuple[int, Happening] | None] = [None]
        self._next: list[list[int]] = [[]]
        self._seen: set[int] = set()
        self._ends: set[int] = set()
        self._cost: list[tuple[int, int]] = [(0, 0)]
        self._due: list[tuple[int, int, int, State]] = [(0, 0, 0, scenario.beginning)]
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
        moves = sum(map(len, self._next))
        left = len(self._numbers) - len(self._seen)
        stories = tuple(self._stories.values())
        return Explored(len(self._seen), moves, self._schedules(), stories, self._codes, left, interrupted)

    def _expand(self, price: int, depth: int, number: int, state: State) -> None:
        if number in self._seen:
            return  # a shorter way led here before
        self._seen.add(number)
        if number % TOLD_AFTER == 0:
            self._tell(len(self._numbers))
        if state.over:
            self._ends.add(number)
            self._codes.update(code for run in state.runs if run.told for _, code in run.told.codes)
            broken, story = self._closing.of(state)
            if broken:
                self._keep(broken, number, story)
        for move in self._rules.moves(state):
            if move.broken:
                self._keep(move.broken, number, [move.happening])
                self._next[number].append(-1)
                continue
            cost = price + move.price, depth + 1
            known = self._numbers.setdefault(move.state, len(self._came))
            if known == len(self._came):
                self._came.append((number, move.happening))
                self._cost.append(cost)
                self._next.append([])
                heappush(self._due, (*cost, known, move.state))
            elif cost < self._cost[known]:
                self._came[known], self._cost[known] = (number, move.happening), cost
                heappush(self._due, (*cost, known, move.state))
            self._next[number].append(known)

    def _keep(self, promise: str, number: int, end: list[Happening]) -> None:
        if promise in self._stories:
            return
        happenings = list(reversed(end))
        came = self._came[number]
        while came:
            number, happening = came
            happenings.append(happening)
            came = self._came[number]
        self._stories[promise] = Story(promise, tuple(reversed(happenings)))

    def _schedules(self) -> int:
        """Count the ways from the beginning to an end, or to a broken promise."""
        waiting = Counter(after for steps in self._next for after in steps if after >= 0)
        ways = [1] + [0] * (len(self._next) - 1)
        ready, total = [0], 0
        while ready:
            number = ready.pop()
            total += ways[number] * ((number in self._ends) + self._next[number].count(-1))
            for after in self._next[number]:
                if after < 0:
                    continue
                ways[after] += ways[number]
                waiting[after] -= 1
                if not waiting[after]:
                    ready.append(after)
        return total
