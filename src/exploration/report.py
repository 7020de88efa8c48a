"""The exploration as a command: how many schedules there were, and any that breaks a promise. Status 1 if one does."""

import gc
import sys
import time
from collections.abc import Iterator
from difflib import get_close_matches
from typing import NamedTuple

from exploration.scenarios import STORES, Scenario, StoreName, scenarios
from exploration.search import TOLD_AFTER, Explored, Search
from exploration.side_by_side import each_as_it_ends
from exploration.story import line
from exploration.world import Laws

#: What `--assume-less NAME` takes away.
LESS: dict[str, Laws] = {
    "conditions": Laws(atomic=False),
    "settle": Laws(settle=0.0),
    "staleness": Laws(staleness=20.0),
    "request": Laws(effect=20.0),
}
#: Where there is no terminal, the progress is told soon and then this often, seconds.
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
    ``most``: states of each scenario at most, None for all. ``jobs``: this many scenarios at once.
    """

    ledger: StoreName | None = None
    only: str = ""
    less: str = ""
    most: int | None = None
    jobs: int = 1


class Task(NamedTuple):
    """One scenario to explore, as a process is told: its ``place`` of ``of`` scenarios, by its name."""

    place: int
    of: int
    name: str
    asked: ExploreRequest

    @property
    def title(self) -> str:
        """What is printed before what is said of it."""
        return f"{self.place} of {self.of}, {self.name}"


class ScenarioReport(NamedTuple):
    """What came of one scenario: what is printed, how many promises it ``broke``, and whether it is ``clean``."""

    text: str
    broke: int
    clean: bool
    interrupted: bool


def main(asked: ExploreRequest) -> int:
    """Explore; return the exit status. Raises UnknownAssumption and UnknownScenario."""
    if asked.less and asked.less not in LESS:
        raise UnknownAssumption(f"--assume-less {asked.less}: is no assumption; these are: {', '.join(LESS)}")
    chosen = _chosen(asked)
    tasks = [Task(place, len(chosen), scenario.name, asked) for place, scenario in enumerate(chosen, 1)]
    broke, clean, interrupted = 0, 0, False
    try:
        for report in _reports(tasks, asked.jobs):
            _say(report.text)
            broke += report.broke
            clean += report.clean
            interrupted = report.interrupted
            if interrupted:
                break
    except KeyboardInterrupt:
        interrupted = True
    _say(f"{broke} promises broken" if broke else "every promise was kept")
    _say(f"; {clean} of {len(chosen)} scenarios are clean to their end\n")
    _say("interrupted\n" if interrupted else "")
    return INTERRUPTED if interrupted else 1 if broke else 0


def _reports(tasks: list[Task], jobs: int) -> Iterator[ScenarioReport]:
    """Yield what comes of each: one after the other, or several at once, each when it is over."""
    return each_as_it_ends(explore, tasks, jobs) if jobs > 1 else map(explore, tasks)


def explore(task: Task) -> ScenarioReport:
    """Explore one scenario. All is kept to the end, so nobody looks for garbage meanwhile: that saves a tenth."""
    scenario = next(scenario for scenario in _all(task.asked) if scenario.name == task.name)
    progress, began = Progress(task.title, alone=task.asked.jobs == 1), time.monotonic()
    gc.disable()
    try:
        explored = Search(scenario, progress.tell, most=task.asked.most).run()
    finally:
        gc.enable()
        progress.clear()
    text = _text(task.title, explored, time.monotonic() - began)
    broke = len(explored.stories)
    return ScenarioReport(text, broke, explored.whole and not broke, explored.interrupted)


def _all(asked: ExploreRequest) -> list[Scenario]:
    laws = LESS[asked.less] if asked.less else Laws()
    return scenarios((asked.ledger,) if asked.ledger else STORES, laws)


def _chosen(asked: ExploreRequest) -> list[Scenario]:
    there_are = _all(asked)
    chosen = [scenario for scenario in there_are if asked.only in scenario.name]
    if not chosen:
        near = get_close_matches(asked.only, [scenario.name for scenario in there_are], NEAREST, 0)
        raise UnknownScenario(f"--only {asked.only!r}: no scenario's name holds this; the nearest: {'; '.join(near)}")
    return chosen


def _text(title: str, explored: Explored, seconds: float) -> str:
    whole = "" if explored.whole else f"; not whole: {explored.left} states are left"
    numbers = f"{explored.schedules:,} schedules, {explored.states:,} states, {explored.moves:,} moves"
    lines = [f"{title}: {numbers}, {seconds:.0f} s{whole}"]
    for story in sorted(explored.stories, key=lambda story: len(story.happenings)):
        lines += [f"BROKEN: {story.promise}", *map(line, story.happenings)]
    return "".join(f"{text}\n" for text in lines)


class Progress:
    """How far one scenario is: a line that changes on a terminal, if it is ``alone``, else one soon and each minute."""

    def __init__(self, place: str, *, alone: bool = True) -> None:
        self._place, self._last = place, -QUIET_SECONDS
        self._seen, self._changes = 0, alone and sys.stderr.isatty()

    def tell(self, states: int) -> None:
        """Hear that ``TOLD_AFTER`` more states were explored, of so many that are known."""
        self._seen += TOLD_AFTER
        told = f"{self._place}: {self._seen:,} of {states:,} states so far"
        if self._changes:
            sys.stderr.write(f"\r\033[K{told}")
        elif time.monotonic() - self._last >= QUIET_SECONDS:
            self._last = time.monotonic()
            sys.stderr.write(f"{told}\n")
        sys.stderr.flush()

    def clear(self) -> None:
        """Take the line from the terminal."""
        if self._changes:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
