"""What an exploration leaves out loses nothing: on small scenarios it comes to the same ends without its reductions."""

from collections.abc import Iterator
from itertools import islice

import pytest
from unreduced_moves import UnreducedRules

from exploration.moves import Rules
from exploration.scenarios import MEETINGS, STORES, Scenario, StoreName, Weather
from exploration.search import Search
from exploration.state import Doing, Left, State
from exploration.symmetry import Key, Symmetry
from exploration.world import Laws

CALM, CRASH = Weather("calm", 2, Left()), Weather("a crash and a retry", 2, Left(crashes=1, retries=1))
ONE_PREEMPTION = Weather("one preemption", 3, Left(preemptions=1))
LOSS = Weather("a lost answer", 2, Left(losses=1))

#: So many of a scenario's states are enough to see that those which are alike are found, and go on alike.
SOME = 600


def scenario(store: StoreName, meeting: int, weather: Weather) -> Scenario:
    return Scenario(MEETINGS[meeting], store, Laws(), weather)


def states(rules: Rules, symmetry: Symmetry, beginning: State) -> Iterator[tuple[State, Key, bool]]:
    """Yield each state that is reached, its key, and whether that is new; only from these it goes on."""
    seen, due = {symmetry.key(beginning)}, [beginning]
    yield beginning, symmetry.key(beginning), True
    while due:
        for move in rules.moves(due.pop()):
            key = symmetry.key(move.state)
            yield move.state, key, key not in seen
            if key not in seen:
                seen.add(key)
                due.append(move.state)


def ends(of: Scenario, rules: type[Rules]) -> tuple[set[object], int]:
    """Return how all schedules end: when, with which world, and what each run said. And how many states there were."""
    reached = list(states(rules(of), Symmetry(of, alone=True), of.beginning))
    over: set[object] = {
        (state.now, state.world, tuple((run.request, run.attempt, run.kind, run.told) for run in state.runs))
        for state, _, _ in reached
        if state.over
    }
    return over, sum(new for _, _, new in reached)


@pytest.mark.parametrize("store", STORES)
def test_a_run_that_may_die_between_any_two_steps_dies_in_no_other_way(store: StoreName) -> None:
    of = scenario(store, 0, CRASH)
    (every, many), (kept, fewer) = ends(of, UnreducedRules), ends(of, Rules)
    assert kept == every
    assert fewer < many


def meeting_of(name: str) -> int:
    return next(place for place, meeting in enumerate(MEETINGS) if meeting.name == name)


SWEEPS = meeting_of("hung and two sweeps, to be stopped")


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    ("meeting", "weather"), [(0, CRASH), (0, LOSS), (1, CALM), (2, CALM), (5, ONE_PREEMPTION), (SWEEPS, CALM)]
)
def test_what_is_alike_goes_on_alike(store: StoreName, meeting: int, weather: Weather) -> None:
    """Every state for which another one stands could do the same as that one, move by move."""
    of = scenario(store, meeting, weather)
    rules, symmetry = Rules(of), Symmetry(of)
    futures: dict[Key, list[tuple[Key, str]]] = {}
    stood_for = 0
    for state, key, _ in islice(states(rules, symmetry, of.beginning), SOME):
        future = sorted((symmetry.key(move.state), move.broken) for move in rules.moves(state))
        stood_for += key in futures
        assert futures.setdefault(key, future) == future
    assert stood_for


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(("meeting", "weather"), [(0, CRASH), (1, CALM), (2, CALM)])
def test_of_states_that_are_alike_one_is_explored_and_all_are_counted(
    store: StoreName, meeting: int, weather: Weather
) -> None:
    of = scenario(store, meeting, weather)
    each, reduced = (Search(of, lambda _: None, alone=alone).run() for alone in (True, False))
    assert reduced.schedules == each.schedules
    assert reduced.states < each.states
    assert set(reduced.codes) == set(each.codes)
    assert sum(each.codes.values()) <= 2 * sum(reduced.codes.values())


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    ("name", "alike"),
    [
        ("two of a group", True),
        ("hung and two sweeps, to be stopped", True),
        ("hung and an alarm for it, to be stopped", False),
        ("hung and an alarm for another of its group, to be stopped", False),
    ],
)
def test_only_runs_are_alike_whose_exchange_changes_nothing(store: StoreName, name: str, *, alike: bool) -> None:
    """Of the two runs, one is about to begin and the other is dead: which of them it is counts, or does not."""
    of = scenario(store, meeting_of(name), CALM)
    key, state = Symmetry(of).key, of.beginning
    first, second = (state.with_run(place, Doing(place, 0, "dead")) for place in (0, 1))
    assert (key(first) == key(second)) is alike


def test_an_alarm_for_what_hangs_is_not_like_one_for_another() -> None:
    hangs = MEETINGS[meeting_of("hung and an alarm for it, to be stopped")].earlier
    of = Scenario(MEETINGS[1]._replace(earlier=hangs), "tags", Laws(), CALM)
    key, state = Symmetry(of).key, of.beginning
    assert key(state.with_run(0, Doing(0, 0, "dead"))) != key(state.with_run(1, Doing(1, 0, "dead")))
