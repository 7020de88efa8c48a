"""The exploration as a command: how many schedules there were, and any that breaks a promise. Status 1 if one does."""

import sys
import time
from difflib import get_close_matches
from functools import partial
from typing import NamedTuple

from exploration.scenarios import STORES, Scenario, StoreName, scenarios
from exploration.search import Explored, Search
from exploration.story import line
from exploration.world import Laws

#: What `--assume-less NAME` takes away.
LESS: dict[str, Laws] = {
    "conditions": Laws(atomic=False),
    "settle": Laws(settle=0.0),
    "staleness": Laws(staleness=20.0),
    "request": Laws(effect=20.0),
}
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
    broken = 0
    for scenario in _chosen(asked, laws):
        began = time.monotonic()
        explored = Search(scenario, partial(_progress, scenario.name), most=asked.most).run()
        broken += len(explored.stories)
        _told(scenario, explored, time.monotonic() - began)
        if explored.interrupted:
            _say("interrupted\n")
            return INTERRUPTED
    _say(f"{broken} promises broken\n" if broken else "every promise was kept\n")
    return 1 if broken else 0


def _chosen(asked: ExploreRequest, laws: Laws) -> list[Scenario]:
    there_are = scenarios((asked.ledger,) if asked.ledger else STORES, laws)
    chosen = [scenario for scenario in there_are if asked.only in scenario.name]
    if not chosen:
        near = get_close_matches(asked.only, [scenario.name for scenario in there_are], NEAREST, 0)
        raise UnknownScenario(f"--only {asked.only!r}: no scenario's name holds this; the nearest: {'; '.join(near)}")
    return chosen


def _told(scenario: Scenario, explored: Explored, seconds: float) -> None:
    _progress("", 0)
    whole = "" if explored.whole else f"; not whole: {explored.left} states are left"
    _say(
        f"{scenario.name}: {explored.schedules:,} schedules, {explored.states:,} states, {explored.moves:,} moves, "
        f"{seconds:.0f} s{whole}\n"
    )
    for story in sorted(explored.stories, key=lambda story: len(story.happenings)):
        _say(f"BROKEN: {story.promise}\n")
        _say("".join(f"{line(happening)}\n" for happening in story.happenings))


def _progress(name: str, states: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{name}: {states:,} states" if name else "\r\033[K")
        sys.stderr.flush()


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
