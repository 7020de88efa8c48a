"""The limit, groups, storms and suspension over the table: who gets a place, how long, and who frees it."""

from typing import Any

import pytest
from scripted_ecs import ONE, REGION, TWO
from scripted_table import NO_RIGHT, maintenance, store
from table_stage import Stage


def test_of_two_runs_with_one_place_one_has_it_wherever_the_other_comes_in() -> None:
    for name in ("w#", "i#"):
        for steps in ("before", "after"):
            stage = Stage(MAX_REBOOTS="1")
            other: list[tuple[list[str], list[tuple[str, str]]]] = []

            def comes_in(stage: Stage = stage, other: list[Any] = other) -> None:
                other.append(stage.got(TWO, request="r-2", run="run-2"))

            getattr(stage.table, steps)[name] = [comes_in]
            mine, _ = stage.got()
            assert len(mine) + len(other[0][0]) == 1, (name, steps)
            assert len(stage.window().slots) == 1


def test_a_place_that_is_given_back_a_moment_later_goes_to_who_was_refused_because_of_it() -> None:
    stage = Stage(MAX_REBOOTS="1")
    first = stage.claims()
    stage.obtain(first)
    stage.table.before["read"] = [None, None, lambda: first.release(REGION, [ONE])]
    assert stage.got(TWO, request="r-2", run="run-2") == ([TWO], [])
    assert 0 < stage.clock.seconds < 1


def test_a_second_look_that_fails_leaves_no_instance_without_a_word() -> None:
    stage = Stage(MAX_REBOOTS="1")
    first = stage.claims()
    stage.obtain(first)

    def released() -> None:
        first.release(REGION, [ONE])
        stage.table.before["w#"] = [NO_RIGHT]

    stage.table.before["read"] = [None, None, released]
    orders, (result,) = stage.obtain(stage.claims("r-2", "run-2"), TWO)
    assert orders == []
    assert (result.instance_id, result.code, result.retriable) == (TWO, "ledger_unavailable", True)


def test_nobody_is_waited_for_in_a_storm() -> None:
    ids = tuple(f"i-bp1storm{number:06d}" for number in range(5))
    stage = Stage(*ids, MAX_REBOOTS="1", STORM_FACTOR="3")
    stage.got(*ids)
    _, (result,) = stage.obtain(stage.claims("r-2", "run-2"), ids[4])
    assert (result.code, result.retriable, stage.clock.seconds) == ("storm", False, 0.0)


def test_two_of_one_group_are_not_rebooted_together_and_the_group_is_free_when_one_is_back() -> None:
    stage = Stage(tags={"app": "web"}, GROUP_TAG="app", MAX_REBOOTS="off")
    claims = stage.claims()
    assert [order.instance_id for order in stage.obtain(claims)[0]] == [ONE]
    assert stage.got(TWO, request="r-2", run="run-2")[1] == [(TWO, "blast_radius")]
    claims.record(REGION, {ONE: "back"})
    assert stage.got(TWO, request="r-3", run="run-3")[0] == [TWO]


def test_two_stacks_share_the_memory_of_instances_and_count_each_for_itself() -> None:
    stage = Stage(MAX_REBOOTS="1")
    assert stage.got(stack="one")[0] == [ONE]
    assert stage.got(request="r-2", run="run-2", stack="two")[1] == [(ONE, "cooldown")]
    assert stage.got(TWO, request="r-3", run="run-3", stack="one")[1] == [(TWO, "blast_radius")]
    assert stage.got(TWO, request="r-4", run="run-4", stack="two")[0] == [TWO]


def test_a_storm_is_said_once_holds_for_its_window_and_for_its_stack_alone() -> None:
    ids = tuple(f"i-bp1storm{number:06d}" for number in range(5))
    stage = Stage(*ids, MAX_REBOOTS="1", STORM_FACTOR="3")
    assert [code for _, code in stage.got(*ids)[1]].count("storm_began") == 1
    stage.table.calls.clear()
    assert stage.got(ids[0], request="r-2", run="run-2")[1] == [(ids[0], "storm")]
    assert stage.table.calls == ["read"]
    assert stage.got(ids[0], request="r-3", run="run-3", stack="two")[0] == [ids[0]]
    assert maintenance(stage.table).resume(REGION) == {"": "storm"}
    stage.clock.sleep(3600)
    assert stage.got(ids[1], request="r-4", run="run-4")[0] == [ids[1]]


def test_alarms_that_were_refused_count_for_a_storm() -> None:
    ids = tuple(f"i-bp1storm{number:06d}" for number in range(5))
    stage = Stage(*ids, MAX_REBOOTS="1", STORM_FACTOR="3")
    said = [stage.got(instance_id, request=f"r-{instance_id}", run=f"run-{instance_id}") for instance_id in ids]
    codes = [code for _, results in said for _, code in results]
    assert codes == ["blast_radius", "blast_radius", "storm", "storm_began", "storm"]


def test_a_share_is_counted_once_and_remembered() -> None:
    stage = Stage(MAX_REBOOTS="50%")
    assert stage.got()[0] == [ONE]
    assert "count" not in stage.ecs.calls
    stage.got(TWO, request="r-2", run="run-2")
    stage.got(TWO, request="r-3", run="run-3")
    assert stage.ecs.calls.count("count") == 1


def test_reboots_that_leave_their_instances_down_suspend_the_stack_until_a_person_resumes_or_they_are_back() -> None:
    stage = Stage(SUSPEND_AFTER="1", COOLDOWN_SECONDS="0")
    claims = stage.claims()
    stage.obtain(claims)
    claims.record(REGION, {ONE: "accepted"})
    stage.ecs.change(ONE, status="Stopping")
    stage.clock.sleep(1201)
    assert stage.sweep() == {ONE: "hung"}
    assert stage.got(TWO, request="r-2", run="run-2")[1] == [(TWO, "suspended")]
    stage.ecs.change(ONE, status="Running", start_time=stage.clock.now())
    assert stage.sweep() == {ONE: "back"}
    assert stage.got(TWO, request="r-3", run="run-3")[0] == [TWO]


def test_a_person_resumes_what_is_down() -> None:
    stage = Stage(SUSPEND_AFTER="1", tags={"app": "web"}, GROUP_TAG="app")
    claims = stage.claims()
    stage.obtain(claims)
    claims.record(REGION, {ONE: "down"})
    assert maintenance(stage.table).resume(REGION) == {ONE: "down"}
    assert stage.state() == "seen"
    assert stage.got(TWO, request="r-2", run="run-2")[0] == [TWO]


def hung_stage() -> Stage:
    """One of a group of two was rebooted gracefully and hangs."""
    stage = Stage(tags={"app": "web"}, GROUP_TAG="app", FORCE_REBOOT="escalate")
    claims = stage.claims()
    assert stage.obtain(claims)[0]
    claims.record(REGION, {ONE: "accepted"})
    stage.ecs.change(ONE, status="Stopping")
    stage.clock.sleep(1300)
    assert stage.sweep() == {ONE: "hung"}
    return stage


@pytest.mark.parametrize("swept", [False, True])
def test_a_claim_to_finish_what_hangs_that_comes_to_nothing_leaves_it_hung_and_its_group_held(*, swept: bool) -> None:
    stage = hung_stage()
    claims = stage.claims(request="r-2", run="run-2")
    assert [order.decision.force for order in stage.obtain(claims)[0]] == [True]
    if swept:
        stage.clock.sleep(90)
        assert stage.sweep() == {}
    claims.release(REGION, [ONE])
    assert stage.state() == "hung"
    held = [slot.state for slot in stage.window().slots if slot.instance_id == ONE and slot.state != "ended"]
    assert held == ["hung"]
    stage.clock.sleep(7200)
    assert stage.got(TWO, request="r-3", run="run-3")[1] == [(TWO, "blast_radius")]
    stage.ecs.change(ONE, status="Running", start_time=stage.clock.now())
    assert stage.sweep() == {ONE: "back"}
    assert stage.got(TWO, request="r-4", run="run-4")[0] == [TWO]


def test_a_start_that_is_due_stands_in_the_table_before_the_stop_and_holds_the_group_until_it_is_back() -> None:
    stage = hung_stage()
    claims = stage.claims(request="r-2", run="run-2")
    assert stage.obtain(claims)[0]
    ledger_of_run = store(stage.table, "r-3", "run-3", stack="one", seconds=50)
    assert not ledger_of_run.commit(REGION, {ONE: "start_due"})
    assert claims._store.commit(REGION, {ONE: "start_due"}) == {ONE}
    assert stage.state() == "start_due"
    stage.clock.sleep(7200)
    assert stage.got(TWO, request="r-4", run="run-4")[1] == [(TWO, "blast_radius")]
    stage.ecs.change(ONE, status="Running", start_time=stage.clock.now())
    assert stage.sweep() == {ONE: "back"}
    assert stage.got(TWO, request="r-5", run="run-5")[0] == [TWO]
