"""A claim in the table: three calls, one winner, nothing lost and nothing doubled, whatever breaks in between."""

import json
from datetime import timedelta
from typing import Any

import pytest
from scripted_ecs import NOW, ONE, REGION, TWO, entry
from scripted_table import NO_ANSWER, NO_RIGHT, maintenance, store
from table_stage import Stage

from ecs_reboot.clock import RESERVE_SECONDS
from ecs_reboot.cloud.tablestore.rows import Row
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger import window_row


def test_a_claim_takes_three_calls_and_waits_for_nothing() -> None:
    stage = Stage()
    assert stage.got() == ([ONE], [])
    assert stage.table.calls == ["read", "w#", "i#"]
    assert stage.clock.seconds == 0.0
    assert stage.state() == "claimed"


def test_many_instances_of_one_event_take_three_calls_too() -> None:
    ids = tuple(f"i-bp1many{number:06d}" for number in range(80))
    stage = Stage(*ids, MAX_REBOOTS="100")
    assert stage.got(*ids) == (list(ids), [])
    assert stage.table.calls == ["read", "w#", "write"]


def test_a_refusal_takes_one_call_and_a_dry_run_writes_nothing() -> None:
    stage = Stage()
    stage.obtain(stage.claims(), dry_run=True)
    assert not stage.table.memory.rows
    stage.got()
    stage.table.calls.clear()
    assert stage.got(request="r-2", run="run-2")[1] == [(ONE, "cooldown")]
    assert stage.table.calls == ["read"]


def test_of_two_runs_on_one_instance_one_has_it_wherever_the_other_comes_in() -> None:
    for name in ("w#", "i#"):
        for steps in ("before", "after"):
            stage = Stage()
            other: list[tuple[list[str], list[tuple[str, str]]]] = []

            def comes_in(stage: Stage = stage, other: list[Any] = other) -> None:
                other.append(stage.got(request="r-2", run="run-2"))

            getattr(stage.table, steps)[name] = [comes_in]
            mine, _ = stage.got()
            assert len(mine) + len(other[0][0]) == 1, (name, steps)


def test_of_two_runs_that_are_refused_both_are_noted_wherever_the_other_comes_in() -> None:
    three = "i-bp1test0000000000003"
    for steps in ("before", "after"):
        stage = Stage(ONE, TWO, three, MAX_REBOOTS="1", STORM_FACTOR="0")
        first = stage.claims()
        stage.obtain(first)
        first.record(REGION, {ONE: "accepted"})  # so nobody waits for what came of it

        def comes_in(stage: Stage = stage) -> None:
            stage.got(three, request="r-3", run="run-3")

        getattr(stage.table, steps)["w#"] = [comes_in]
        assert stage.got(TWO, request="r-2", run="run-2")[1] == [(TWO, "blast_radius")]
        asked = set(stage.window().asked_for)
        assert asked == {ledger.instance_digest(TWO), ledger.instance_digest(three)}, steps


def test_taking_back_has_one_reserve_beyond_the_deadline_however_slow_the_calls_are() -> None:
    a_call = 0.9
    stage = Stage(seconds=a_call, tags={"app": "web"}, GROUP_TAG="app", MAX_REBOOTS="1")
    claims = stage.claims(seconds=12.0)
    assert stage.obtain(claims)[0]
    stage.clock.sleep(11.9 - stage.clock.seconds)
    claims.release(REGION, [ONE])
    assert stage.clock.seconds <= 12.0 + RESERVE_SECONDS + a_call


def test_what_did_not_happen_leaves_no_attempt_no_place_and_no_cooldown() -> None:
    stage = Stage(tags={"app": "web"}, GROUP_TAG="app", MAX_REBOOTS="1")
    claims = stage.claims()
    stage.obtain(claims)
    claims.release(REGION, [ONE])
    assert stage.state() == "void"
    assert not stage.window().slots
    assert stage.got(TWO, request="r-2", run="run-2")[0] == [TWO]


def test_a_claim_is_taken_back_beyond_the_deadline() -> None:
    stage = Stage()
    claims = stage.claims(seconds=20)
    stage.obtain(claims)
    stage.clock.sleep(30)
    stage.table.before["i#"] = [NO_ANSWER]
    claims.release(REGION, [ONE])
    assert stage.state() == "void"
    assert not stage.window().slots


def test_an_earlier_attempt_comes_back_when_a_claim_is_taken_back() -> None:
    stage = Stage(COOLDOWN_SECONDS="60")
    first = stage.claims()
    stage.obtain(first)
    first.record(REGION, {ONE: "accepted"})
    stage.clock.sleep(90)
    second = stage.claims("r-2", "run-2")
    stage.obtain(second)
    second.release(REGION, [ONE])
    assert stage.state() == "accepted"
    assert len(stage.window().slots) == 1


def test_nothing_is_claimed_without_time_for_the_whole_rest_by_this_run_s_own_calls() -> None:
    stage = Stage(seconds=1.0)
    orders, results = stage.obtain(stage.claims(seconds=9.5))
    assert not orders
    assert [(result.code, result.retriable) for result in results] == [("deadline", True)]
    assert not stage.table.memory.rows
    assert stage.obtain(stage.claims(seconds=10.5))[0]


@pytest.mark.parametrize(
    "columns",
    [
        {"at": "noon"},
        {"at": -62_135_596_800_000},
        {"at": 10**18},
        {"at": int((NOW + timedelta(days=2000)).timestamp() * 1000)},
        {"state": "unheard of"},
        {"earlier": "yesterday"},
    ],
)
def test_a_row_that_can_t_be_read_blocks_its_own_instance_is_named_and_can_be_cleared(columns: dict[str, Any]) -> None:
    stage = Stage()
    stage.got()
    row = stage.table.row(f"i#{ONE}")
    assert row is not None
    stage.table.memory.rows[row.key] = row._replace(columns={**row.columns, **columns})
    stage.clock.sleep(3700)
    mine, results = stage.got(ONE, TWO, request="r-2", run="run-2")
    assert (mine, results) == ([TWO], [(ONE, "ledger_unavailable")])
    upkeep = maintenance(stage.table)
    assert dict(upkeep.list(REGION))[ONE].unreadable
    assert ONE in upkeep.reset(REGION, [ONE])
    assert stage.got(request="r-3", run="run-3")[0] == [ONE]


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("w#one", {"slots": "junk"}),
        ("w#one", {"slots": 7}),
        ("w#one", {"slots": json.dumps([[ONE, "c", "run", "noon", "0", "open"]])}),
        ("w#one", {"slots": json.dumps([[ONE, "c", "run", 1, "0", "unheard of"]])}),
        ("w#one", {"slots": json.dumps([[ONE, "c", "run", 10**18, "0", "open"]])}),
        ("w#one", {"wanted": "[]"}),
        ("w#one", {"storm_at": "noon"}),
        (f"g#{ledger.group_digest('web')}", {"members": "junk"}),
        (f"g#{ledger.group_digest('web')}", {"members": json.dumps([[ONE, "c", "run", "noon", "claimed"]])}),
    ],
    ids=lambda value: value.partition("#")[0] if isinstance(value, str) else "=".join(map(str, *value.items())),
)
def test_a_window_or_group_that_can_t_be_read_reboots_nothing_and_a_person_begins_it_again(
    name: str, columns: dict[str, Any]
) -> None:
    # Without the row of its group nobody knows that one of it is down; without that of the window, how many are.
    stage = Stage(tags={"app": "web"}, GROUP_TAG="app" if name.startswith("g#") else "")
    stage.got()
    row = stage.table.row(name)
    assert row is not None
    stage.table.memory.rows[row.key] = row._replace(columns={**row.columns, **columns})
    _, results = stage.obtain(stage.claims("r-2", "run-2"), TWO)
    assert [(result.code, result.retriable) for result in results] == [("ledger_unavailable", True)]
    assert "resume" in results[0].reason
    assert "" in maintenance(stage.table).resume(REGION)
    assert stage.got(TWO, request="r-3", run="run-3")[0] == [TWO]


def test_a_reset_clears_attempts_and_keeps_the_place() -> None:
    stage = Stage(MAX_REBOOTS="1", COOLDOWN_SECONDS="0", MAX_ATTEMPTS="1")
    claims = stage.claims()
    stage.obtain(claims)
    claims.record(REGION, {ONE: "accepted"})
    assert stage.got(request="r-2", run="run-2")[1] == [(ONE, "attempts_exhausted")]
    assert maintenance(stage.table).reset(REGION, [ONE, TWO]).keys() == {ONE}
    assert stage.got(TWO, request="r-3", run="run-3")[1] == [(TWO, "blast_radius")]
    assert stage.got(request="r-4", run="run-4")[0] == [ONE]


def test_an_instance_that_the_table_does_not_know_has_the_history_of_its_tag() -> None:
    stage = Stage(tags={ledger.KEY: entry("back", ago=60)})
    assert stage.got()[1] == [(ONE, "cooldown")]


def test_the_calls_of_a_claim_do_not_depend_on_how_much_is_remembered() -> None:
    ids = tuple(f"i-bp1past{number:06d}" for number in range(300))
    stage = Stage(*ids, ONE, MAX_REBOOTS="1000")
    stage.got(*ids)
    stage.clock.sleep(4000)
    stage.table.calls.clear()
    assert stage.got(request="r-2", run="run-2")[0] == [ONE]
    assert stage.table.calls == ["read", "w#", "i#"]


def test_a_window_that_loses_every_race_ends_retriable_and_leaves_nothing() -> None:
    stage = Stage()

    def faster() -> None:
        row = stage.table.row("w#one")
        key = (("region", REGION), ("row", "w#one"))
        version = int(str(row.columns["v"])) if row else 0
        columns = {**window_row.Window().columns(), "v": version + 1, "by": "somebody"}
        stage.table.memory.rows[key] = Row(key, columns)

    stage.table.before["w#"] = [faster] * 50
    orders, results = stage.obtain(stage.claims())
    assert not orders
    assert [(result.code, result.retriable) for result in results] == [("ledger_unavailable", True)]
    assert stage.state() == ""


def test_of_nobody_nothing_is_known_and_nothing_is_asked() -> None:
    stage = Stage()
    assert store(stage.table).histories(REGION, []) == {}
    assert stage.table.calls == []


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_table_that_can_t_be_read_refuses_and_holds_nothing(*, dry_run: bool) -> None:
    stage = Stage()
    stage.table.before["read"] = [NO_RIGHT]
    orders, (result,) = stage.obtain(stage.claims(), dry_run=dry_run)
    assert (orders, result.code, result.retriable) == ([], "ledger_unavailable", True)
    assert not stage.table.memory.rows


def test_a_run_whose_time_is_up_after_a_lost_race_ends_retriable_and_leaves_no_claim() -> None:
    stage = Stage()

    def faster() -> None:
        stage.got(TWO, request="r-2", run="run-2", seconds=1000)
        stage.clock.sleep(50)

    stage.table.before["w#"] = [faster]
    orders, results = stage.obtain(stage.claims())
    assert orders == []
    assert [(result.code, result.retriable) for result in results] == [("ledger_unavailable", True)]
    assert [slot.run for slot in stage.window().slots] == ["run-2"]
