"""Every order of a few runs keeps every promise; without what a promise rests on, the search finds how it breaks.

The small weathers run here, all of them by hand: `make explore`.
"""

import math
import os
import re
from collections.abc import Iterator

import pytest

from cli.program import main
from exploration import promises, report
from exploration.machines import Power
from exploration.moves import PAUSES, Rules
from exploration.scenarios import ONE, Scenario, StoreName, scenarios
from exploration.search import Explored, Search
from exploration.side_by_side import ProcessKilled, each_as_it_ends
from exploration.state import Doing, Left, Move, State, Told
from exploration.story import line
from exploration.world import REGION, Laws, Truth, World

STORES: tuple[StoreName, ...] = ("tags", "tablestore")
#: Of the larger scenarios, this many states are enough to see that the search gets to where runs meet.
SOME = 400
#: Where a promise breaks, it does so within this many.
ENOUGH = 1_000


def chosen(*weathers: str) -> list[Scenario]:
    return [scenario for scenario in scenarios(STORES, Laws()) if scenario.weather.name in weathers]


def named(name: str, laws: Laws) -> Scenario:
    return next(scenario for scenario in scenarios(STORES, laws) if scenario.name == name)


def explored(scenario: Scenario, most: int | None = None) -> Explored:
    return Search(scenario, lambda _: None, most=most).run()


def broken(found: Explored) -> list[tuple[str, list[str]]]:
    return [(story.promise, [line(happening) for happening in story.happenings]) for story in found.stories]


SMALL = [
    *(scenario for scenario in chosen("calm") if not scenario.meeting.sweeps),
    *(scenario for scenario in chosen("calm") if scenario.name.startswith("tags, hung and an alarm for another")),
    *(scenario for scenario in chosen("calm") if scenario.laws.fleet.members),
    *(
        scenario
        for scenario in chosen("a crash and a retry")
        if scenario.name.startswith(("tablestore, a s", "tablestore, two al"))
    ),
    *(scenario for scenario in chosen("alone, a crash and a retry") if scenario.store == "tablestore"),
    *(scenario for scenario in chosen("a pause") if scenario.meeting.name == "one instance"),
    named("tags, one instance, a duplicate", Laws()),
]


@pytest.mark.parametrize("scenario", SMALL, ids=lambda scenario: scenario.name)
def test_no_order_of_two_runs_breaks_a_promise(scenario: Scenario) -> None:
    found = explored(scenario)
    assert found.whole
    rebooted = found.codes["accepted"] or found.codes["recovered"]  # the latter where a run watches
    assert bool(rebooted) is (bool(scenario.meeting.due) or scenario.meeting.sweeps)
    assert broken(found) == []


@pytest.mark.parametrize("store", STORES)
def test_a_hang_that_policy_never_finishes_is_heard_of_whatever_dies(store: str) -> None:
    found = explored(named(f"{store}, hung and never finished, two sweeps, a crash and a retry", Laws()))
    assert found.whole
    assert found.codes["hung"]
    assert not found.codes["accepted"]
    assert broken(found) == []


@pytest.mark.parametrize(
    "scenario",
    [
        *chosen("a crash, a lost answer and a retry", "two preemptions"),
        named("tablestore, one instance, a duplicate", Laws()),
        *(
            scenario
            for scenario in chosen("a crash and a retry")
            if scenario.meeting.name.startswith(("hung and an alarm", "one to protect, watched"))
        ),
    ],
    ids=lambda scenario: scenario.name,
)
def test_no_order_that_comes_first_in_worse_weather_breaks_a_promise(scenario: Scenario) -> None:
    found = Search(scenario, lambda _: None, most=SOME).run()
    assert found.whole or found.states == SOME
    assert broken(found) == []


@pytest.mark.parametrize(
    ("name", "laws", "promise"),
    [
        ("tablestore, one instance, calm", Laws(atomic=False), promises.COOLDOWN),
        ("tablestore, two of a group, calm", Laws(atomic=False), promises.GROUP),
        ("tablestore, limit 1, calm", Laws(atomic=False), promises.LIMIT),
        ("tags, one instance, calm", Laws(effect=20.0), promises.COOLDOWN),
    ],
)
def test_without_what_it_rests_on_a_promise_breaks(name: str, laws: Laws, promise: str) -> None:
    stories = {story.promise: story for story in explored(named(name, laws)).stories}
    told = "\n".join(line(happening) for happening in stories[promise].happenings)
    assert told.count("-> REBOOTS") == 2
    assert {"A", "B"} <= {part.split()[1] for part in told.splitlines()}


def test_without_conditions_what_hangs_is_finished_upon_a_claim_that_is_gone() -> None:
    hung = named("tablestore, hung and an alarm for it, taken by force, calm", Laws(atomic=False))
    stories = {story.promise: story for story in explored(hung, ENOUGH).stories}
    told = "\n".join(line(happening) for happening in stories[promises.CLAIMED].happenings)
    assert "-> REBOOTS BY FORCE i-000000001" in told
    assert {"A", "B"} <= {part.split()[1] for part in told.splitlines()}


def test_without_conditions_a_sweep_takes_back_the_protection_that_an_alarm_needs() -> None:
    held = named("tablestore, a sweep and an alarm for one that is protected, calm", Laws(atomic=False))
    stories = {story.promise: story for story in explored(held, ENOUGH).stories}
    told = "\n".join(line(happening) for happening in stories[promises.RELEASED].happenings)
    assert "SetInstancesProtection i-000000001 off" in told


@pytest.mark.parametrize(("protected", "promise"), [((ONE,), promises.FOR_GOOD), ((), "")])
def test_no_protection_is_left_in_the_end(protected: tuple[str, ...], promise: str) -> None:
    scenario = named("tablestore, two alarms for one to protect, calm", Laws())
    state = State(100.0, World(Truth(power=(Power(1.0, ONE, 0),), protected=protected)), (SILENT,), (), Left())
    assert promises.of_all(scenario, state, every_alarm=True, silent=True) == promise


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("name", ["one instance", "two of a group"])
def test_an_observer_changes_nothing_of_what_an_acting_run_does(store: StoreName, name: str) -> None:
    """With it and without it, the acting run comes to the same ends: what it says, what it did, what it remembers."""
    beside = named(f"{store}, {name}, an observer, a crash and a retry", Laws())
    alone = Scenario(beside.meeting._replace(events=beside.meeting.events[:1]), store, Laws(), beside.weather)
    acted = [{acting(end) for end in ends_of(scenario)} for scenario in (alone, beside)]
    assert len(acted[0]) > 1
    assert acted[0] == acted[1]


def acting(end: State) -> tuple[object, ...]:
    """Return what the acting run came to: what each of its deliveries said, and what is left of it in the world."""
    said = tuple((run.attempt, run.kind, run.told) for run in end.runs if run.request == 0)
    states = [dict(columns).get("state") for key, columns in end.world.rows if key[0][1] == REGION]
    states += [text.split(" ")[3] for _, text in end.world.truth.tags]
    return said, len(end.world.truth.power), tuple(map(str, states))


def ends_of(scenario: Scenario) -> Iterator[State]:
    rules, seen, due = Rules(scenario), {scenario.beginning}, [scenario.beginning]
    while due:
        state = due.pop()
        if state.over:
            yield state
        for move in rules.moves(state):
            if move.state not in seen:
                seen.add(move.state)
                due.append(move.state)


HANGS = Power(-1300.0, ONE, -1, "hangs")
TOLD = Doing(0, 0, "ended", told=Told((("i-000000001", "hung"),), retriable=False))
SILENT = TOLD._replace(told=Told((("i-000000001", "accepted"),), retriable=False))


@pytest.mark.parametrize(
    ("power", "run", "promise"),
    [
        ((HANGS,), SILENT, promises.FINISHED),
        ((HANGS,), TOLD, ""),
        ((HANGS, Power(1.0, HANGS.instance_id, 0, "forced")), SILENT, ""),
        ((HANGS, Power(1.0, HANGS.instance_id, 0, "stop")), TOLD, promises.STARTED),
        ((HANGS, Power(1.0, HANGS.instance_id, 0, "stop"), Power(5.0, HANGS.instance_id, 0, "start")), SILENT, ""),
    ],
)
def test_what_hung_is_up_in_the_end_or_somebody_was_told(power: tuple[Power, ...], run: Doing, promise: str) -> None:
    scenario = named("tablestore, hung and two sweeps, taken by force, calm", Laws())
    state = State(100.0, World(Truth(power=power)), (run,), (), Left())
    assert promises.of_all(scenario, state, every_alarm=True, silent=True) == promise


def in_full(rules: Rules, state: State) -> Iterator[Move | State]:
    """Walk through every schedule one by one, without remembering any state."""
    if state.over:
        yield state
    for move in rules.moves(state):
        if move.broken:
            yield move
        else:
            yield from in_full(rules, move.state)


def test_the_schedules_counted_are_those_that_there_are() -> None:
    scenario = named("tags, one instance, calm", Laws())
    ends = list(in_full(Rules(scenario), scenario.beginning))
    found = explored(scenario)
    assert len(ends) == found.schedules
    assert {end.world for end in ends if isinstance(end, State)} == {
        end.world for end in in_full(Rules(scenario), scenario.beginning) if isinstance(end, State)
    }


def test_the_same_scenario_is_the_same_exploration() -> None:
    first, second = (explored(named("tablestore, limit 1, calm", Laws(atomic=False))) for _ in range(2))
    assert first[:3] == second[:3]
    assert [list(map(line, story.happenings)) for story in first.stories] == [
        list(map(line, story.happenings)) for story in second.stories
    ]


def test_an_interrupted_exploration_tells_what_it_has() -> None:
    def interrupt(states: int) -> None:
        if states > 1:
            raise KeyboardInterrupt

    found = Search(named("tablestore, one instance, a duplicate", Laws()), interrupt).run()
    assert found.interrupted
    assert found.left
    assert not found.whole


def test_the_command_tells_the_numbers_and_the_story(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--only", "tablestore, limit 1, calm"]) == 0
    assert "schedules" in (told := capsys.readouterr().out)
    assert told.startswith("1 of 1, tablestore, limit 1, calm: ")
    assert told.endswith("every promise was kept; 1 of 1 scenarios are clean to their end\n")
    assert main(["explore", "--only", "tablestore, one instance, calm", "--assume-less", "conditions"]) == 1
    told = capsys.readouterr().out
    assert f"BROKEN: {promises.COOLDOWN}" in told
    assert "RebootInstances" in told
    assert "; 0 of 1 scenarios are clean to their end" in told
    assert main(["explore", "--assume-less", "nonsense"]) == 2


def test_scenarios_that_are_explored_at_once_come_to_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    def told(*options: str) -> set[str]:
        assert main(["explore", "--only", "limit 1, calm", "--assume-less", "conditions", *options]) == 1
        return {re.sub(r", \d+ s$", "", said) for said in capsys.readouterr().out.splitlines()}

    assert told("--jobs", "2") == told()


def test_a_process_that_is_killed_is_no_clean_run() -> None:
    assert sorted(each_as_it_ends(math.sqrt, [1, 4, 9], 2)) == [1, 2, 3]
    with pytest.raises(ProcessKilled, match="want of memory"):
        list(each_as_it_ends(os._exit, [1], 1))


def test_progress_is_told_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "QUIET_SECONDS", 0.0)
    progress = report.Progress("3 of 9, tags")
    progress.tell(1_500)
    progress.tell(2_700)
    progress.clear()
    assert capsys.readouterr().err.splitlines() == [
        "3 of 9, tags: 1,000 of 1,500 states so far",
        "3 of 9, tags: 2,000 of 2,700 states so far",
    ]


def test_a_run_pauses_once_after_an_answer_or_after_it_has_waited() -> None:
    scenario = named("tags, one instance, a pause", Laws())
    rules, due, said = Rules(scenario), [scenario.beginning], set[str]()
    for _ in range(SOME):
        moves = list(rules.moves(due.pop()))
        paused = [move for move in moves if "pauses" in move.happening.what]
        assert not any(move.state.left.pauses for move in paused)
        said |= {move.happening.what for move in paused}
        due += [move.state for move in moves if move not in paused]
    assert said >= {f"{did}, and pauses {seconds:g} s" for did in ("asks", "has waited") for seconds in PAUSES["tags"]}


def test_a_text_that_no_scenario_holds_is_a_mistake_and_not_a_clean_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--only", "tablestore, limt 1, calm"]) == 2
    told = capsys.readouterr()
    assert "'tablestore, limt 1, calm'" in told.err
    assert "tablestore, limit 1, calm" in told.err
    assert "kept" not in told.out
    assert main(["explore", "--only", "tablestore, one instance, a duplicate", "--ledger", "tags"]) == 2
