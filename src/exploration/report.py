"""The exploration as a command: how many schedules there were, and any that breaks a promise. Status 1 if one does."""

import gc
import sys
import time
from difflib import get_close_matches
from typing import NamedTuple

from exploration.scenarios import STORES, Scenario, StoreName, scenarios
from exploration.search import TOLD_AFTER, Explored, Search
from exploration.story import line
from exploration.world import Laws

#: What `--assume-less NAME` takes away.
LESS: dict[str, Laws] = {
    "conditions": Laws(atomic=False),
    "settle": Laws(settle=0.0),
    "staleness": Laws(staleness=20.0),
    "request": Laws(effect=20.0),
}
#: Where there is no terminal, the progress is told this often, seconds.
QUIET_SECONDS = 60.0
#: The exit status of an interrupted command.
INTERRUPTED = 130


#: How many of the nearest names are told where a name is wrong.
NEAREST = 3


class UnknownAssumption(ValueError):
    """There is no assumption of that name."""


class UnknownScenario(ValueError):
    """There is no scenario whose name holds the text."""


class ExploreRequest(NamedTuple):
    """What to explore.

    ``ledger``: over one store only. ``only``: the scenarios whose names hold this. ``less``: what is not assumed.
    ``most``: states of each scenario at most, None for all.
    """

    ledger: StoreName | None = None
    only: str = ""
    less: str = ""
    most: int | None = None


def main(asked: ExploreRequest) -> int:
    """Explore; return the exit status. Raises UnknownAssumption and UnknownScenario."""
    if asked.less and asked.less not in LESS:
        raise UnknownAssumption(f"--assume-less {asked.less}: is no assumption; these are: {', '.join(LESS)}")
    laws = LESS[asked.less] if asked.less else Laws()
    broken, clean, interrupted = 0, 0, False
    chosen = _chosen(asked, laws)
    for number, scenario in enumerate(chosen, 1):
        began, place = time.monotonic(), f"{number} of {len(chosen)}, {scenario.name}"
        explored = _explored(scenario, Progress(place), asked.most)
        broken += len(explored.stories)
        clean += explored.whole and not explored.stories
        _told(place, explored, time.monotonic() - began)
        interrupted = explored.interrupted
        if interrupted:
            break
    _say(f"{broken} promises broken" if broken else "every promise was kept")
    _say(f"; {clean} of {len(chosen)} scenarios are clean to their end\n")
    _say("interrupted\n" if interrupted else "")
    return INTERRUPTED if interrupted else 1 if broken else 0


def _explored(scenario: Scenario, progress: "Progress", most: int | None) -> Explored:
    """Explore one scenario. All is kept to the end, so nobody looks for garbage meanwhile: that saves a tenth."""
    gc.disable()
    try:
        return Search(scenario, progress.tell, most=most).run()
    finally:
        gc.enable()
        progress.clear()


def _chosen(asked: ExploreRequest, laws: Laws) -> list[Scenario]:
    there_are = scenarios((asked.ledger,) if asked.ledger else STORES, laws)
    chosen = [scenario for scenario in there_are if asked.only in scenario.name]
    if not chosen:
        near = get_close_matches(asked.only, [scenario.name for scenario in there_are], NEAREST, 0)
        raise UnknownScenario(f"--only {asked.only!r}: no scenario's name holds this; the nearest: {'; '.join(near)}")
    return chosen


def _told(place: str, explored: Explored, seconds: float) -> None:
    whole = "" if explored.whole else f"; not whole: {explored.left} states are left"
    _say(
        f"{place}: {explored.schedules:,} schedules, {explored.states:,} states, {explored.moves:,} moves, "
        f"{seconds:.0f} s{whole}\n"
    )
    for story in sorted(explored.stories, key=lambda story: len(story.happenings)):
        _say(f"BROKEN: {story.promise}\n")
        _say("".join(f"{line(happening)}\n" for happening in story.happenings))


class Progress:
    """How far one scenario is: a line that changes on a terminal, else a line each ``QUIET_SECONDS``."""

    def __init__(self, place: str) -> None:
        self._place, self._last = place, time.monotonic()
        self._seen = 0

    def tell(self, states: int) -> None:
        """Hear that ``TOLD_AFTER`` more states were explored, of so many that are known."""
        self._seen += TOLD_AFTER
        line = f"{self._place}: {self._seen:,} of {states:,} states so far"
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{line}")
        elif time.monotonic() - self._last >= QUIET_SECONDS:
            self._last = time.monotonic()
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    @staticmethod
    def clear() -> None:
        """Take the line from the terminal."""
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
