"""What becomes of the alarms when nothing goes wrong any more: Function Compute's retries, one after the other.

Where the sweep brings about what is promised, sweeps follow. Twice: once all events are delivered again that are due,
as Function Compute does; and once only those whose run said so itself, since who called by hand and got no answer may
not call again. A dead run of his must not cost the others.
"""

from collections.abc import Iterator
from itertools import permutations

from exploration import promises
from exploration.moves import Rules
from exploration.scenarios import Scenario
from exploration.state import Doing, Happening, Left, State

#: Function Compute tries again after a minute, then after two, then after four (asynchronous, at most three times).
RETRIES = (60.0, 120.0, 240.0)
#: How long after that sweeps come, and after the last the end is judged: longer than HUNG_AFTER_SECONDS. Seconds.
SWEEPS, AFTERWARDS = (660.0, 660.0, 660.0), 60.0


class Closing:
    """The ends of one scenario's schedules. Equal ends are carried on once."""

    def __init__(self, scenario: Scenario, rules: Rules) -> None:
        self._scenario, self._rules = scenario, rules
        self._known: dict[tuple[object, ...], tuple[str, list[Happening]]] = {}

    def of(self, state: State) -> tuple[str, list[Happening]]:
        """Return the promise that is broken in the end ('' for none), and how it came about."""
        latest = tuple({run.request: run for run in state.runs}.values())
        key = state.world, state.now, latest, len(state.runs)
        if key not in self._known:
            self._known[key] = next((found for found in self._all(state, latest) if found[0]), ("", []))
        return self._known[key]

    def _all(self, state: State, latest: tuple[Doing, ...]) -> Iterator[tuple[str, list[Happening]]]:
        """Yield what comes of it with and without those of dead runs, in each order of those that are due at once."""
        dead = any(run.kind == "dead" for run in latest)
        for with_dead in (True, False) if dead else (True,):
            due = [run for run in latest if (with_dead and run.kind == "dead") or _again(run)]
            for order in permutations(due):
                yield self._carried_on(state, latest, order, with_dead=with_dead)

    def _carried_on(
        self, state: State, latest: tuple[Doing, ...], order: tuple[Doing, ...], *, with_dead: bool
    ) -> tuple[str, list[Happening]]:
        story: list[Happening] = []
        due = {run.request: run for run in order}
        silent = any(run.kind == "ended" and not _again(run) and self._is_due(run) for run in latest)
        at = state.now
        for wait in RETRIES:
            at = max(round(at + wait, 6), state.now)
            for request, doing in list(due.items()):
                state = self._rules.at(state, max(at, state.now))
                broken, state, happened = self._alone(state, request, doing.attempt + 1)
                story += happened
                if broken:
                    return broken, story
                last = state.runs[-1]
                if _again(last):
                    due[request] = last
                else:
                    del due[request]
                    silent = silent or self._is_due(last)
        for number, wait in enumerate(SWEEPS if self._scenario.meeting.sweeps else ()):
            at = max(round(at + wait, 6), state.now)
            state = self._rules.at(state, at)
            broken, state, happened = self._alone(state, len(self._scenario.meeting.events), number)
            story += happened
            if broken:
                return broken, story
        state = self._rules.at(state, state.now + AFTERWARDS)
        return promises.of_all(self._scenario, state, every_alarm=with_dead, silent=silent), story

    def _is_due(self, run: Doing) -> bool:
        """Return whether a run is one of an alarm that is to end in a reboot."""
        return self._scenario.event(run.request) in self._scenario.meeting.due

    def _alone(self, state: State, request: int, attempt: int) -> tuple[str, State, list[Happening]]:
        """Carry out one more delivery to its end."""
        state = state._replace(runs=(*state.runs, Doing(request, attempt, "to_begin")), left=Left())
        story = []
        while not state.over:
            move = next(self._rules.moves(state))
            story.append(move.happening)
            state = move.state
            if move.broken:
                return move.broken, state, story
        return "", state, story


def _again(doing: Doing) -> bool:
    return doing.told is not None and doing.told.retriable
