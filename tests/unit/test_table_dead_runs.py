"""What a run leaves that dies on its way, or never hears ECS's answer: who waits for it, and who goes on."""

from contextlib import suppress
from typing import Any

import pytest
from scripted_ecs import ONE, REGION, TWO
from scripted_table import NO_RIGHT, maintenance
from table_stage import Stage

from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.ledger.table_ledger import ROUNDS
from ecs_reboot.ledger.table_rows import VERSION


@pytest.mark.parametrize("environment", [{"MAX_REBOOTS": "1"}, {"MAX_REBOOTS": "off", "GROUP_TAG": "app"}])
@pytest.mark.parametrize("dies", ["before it claims", "before it asks"])
def test_a_refusal_because_of_a_run_that_may_have_died_is_retriable(dies: str, environment: dict[str, Any]) -> None:
    stage = Stage(tags={"app": "web"}, **environment)
    claims = stage.claims()
    if dies == "before it claims":
        stage.table.before["i#"] = [NO_RIGHT]
        stage.table.before["w#"] = [None, NO_RIGHT]
        stage.table.before["g#"] = [None, NO_RIGHT]
    stage.obtain(claims)
    stage.clock.sleep(15)
    _, (result,) = stage.obtain(stage.claims("r-2", "run-2"), TWO)
    assert (result.code, result.retriable) == ("blast_radius", True)
    assert "try again" in result.reason
    assert stage.clock.seconds == pytest.approx(15.0), "nobody is about to ask, so nobody is waited for"
    if dies == "before it asks":
        claims.record(REGION, {ONE: "accepted"})
    else:
        stage.clock.sleep(50)
        stage.sweep()
        assert stage.got(request="r-3", run="run-3")[0] == [ONE]
    _, (result,) = stage.obtain(stage.claims("r-4", "run-4"), TWO)
    assert (result.code, result.retriable) == ("blast_radius", dies == "before it claims")


def test_a_refusal_because_of_a_lost_answer_is_retriable_and_waits_for_nobody() -> None:
    stage = Stage(MAX_REBOOTS="1")
    first = stage.claims()
    stage.obtain(first)
    first.record(REGION, {ONE: "in_doubt"})
    _, (result,) = stage.obtain(stage.claims("r-2", "run-2"), TWO)
    assert (result.code, result.retriable, stage.clock.seconds) == ("blast_radius", True, 0.0)


def test_who_can_not_read_what_became_of_the_others_is_to_come_again() -> None:
    stage = Stage(MAX_REBOOTS="1")
    first = stage.claims()
    stage.obtain(first)
    first.record(REGION, {ONE: "accepted"})
    stage.table.before["read"] = [None, NO_RIGHT]
    for number, retriable in ((2, True), (3, False)):
        _, (result,) = stage.obtain(stage.claims(f"r-{number}", f"run-{number}"), TWO)
        assert (result.code, result.retriable) == ("blast_radius", retriable)


@pytest.mark.parametrize("environment", [{"MAX_REBOOTS": "1"}, {"MAX_REBOOTS": "off", "GROUP_TAG": "app"}])
@pytest.mark.parametrize("ends", ["in the sweep", "by its run"])
def test_a_refusal_because_of_a_claim_that_has_come_to_nothing_meanwhile_is_retriable(
    ends: str, environment: dict[str, Any]
) -> None:
    stage = Stage(tags={"app": "web"}, **environment)
    first = stage.claims()
    stage.obtain(first)
    if ends == "in the sweep":
        stage.clock.sleep(331)
        stage.table.before["read"] = [None, stage.sweep]
    else:
        stage.table.before["read"] = [None, lambda: first.release(REGION, [ONE])]
    _, (result,) = stage.obtain(stage.claims("r-2", "run-2"), TWO)
    assert (stage.state(), result.code, result.retriable) == ("void", "blast_radius", True)
    assert stage.got(TWO, request="r-2", run="run-2b")[0] == [TWO]


def test_a_run_that_died_before_its_claim_is_forgotten_by_the_sweep_and_a_late_claim_of_it_fails() -> None:
    stage = Stage(MAX_REBOOTS="1")
    stage.table.before["i#"] = [NO_RIGHT]
    stage.table.before["w#"] = [None, NO_RIGHT]  # nor can it give its place back
    assert stage.got()[1] == [(ONE, "ledger_unavailable")]
    assert len(stage.window().slots) == 1
    assert stage.got(TWO, request="r-2", run="run-2")[1] == [(TWO, "blast_radius")]
    stage.clock.sleep(61)
    stage.sweep()
    assert not stage.window().slots
    assert stage.state() == "void"
    assert stage.got(TWO, request="r-3", run="run-3")[0] == [TWO]


def test_a_place_is_its_run_s_for_as_long_as_that_may_live_and_then_anybody_s() -> None:
    stage = Stage()
    stage.table.before["i#"] = [NO_RIGHT]
    stage.table.before["w#"] = [None, NO_RIGHT]  # nor can it give its place back
    assert stage.got()[1] == [(ONE, "ledger_unavailable")]
    for seconds in (1, 328):
        stage.clock.sleep(seconds)
        _, (result,) = stage.obtain(stage.claims("r-2", "run-2"))
        assert (result.code, result.retriable) == ("claimed_elsewhere", True)
    stage.clock.sleep(2)
    assert stage.got(request="r-3", run="run-3")[0] == [ONE]


def test_who_loses_an_instance_to_another_stack_gives_its_place_back() -> None:
    stage = Stage()
    stage.table.before["i#"] = [lambda: stage.got(request="r-2", run="run-2", stack="two")]
    assert stage.got() == ([], [(ONE, "cooldown")])
    assert [len(stage.window(stack).slots) for stack in ("one", "two")] == [0, 1]


def test_an_alarm_of_another_stack_for_the_same_instance_takes_no_group_from_who_is_about_to_claim_it() -> None:
    """A window is of one stack, the row of a group of all."""
    stage = Stage(tags={"app": "web"}, MAX_REBOOTS="off", GROUP_TAG="app")
    met = []
    stage.table.before["i#"] = [lambda: met.append(stage.got(request="r-2", run="run-2", stack="two"))]
    assert stage.got() == ([ONE], [])
    assert met == [([], [(ONE, "claimed_elsewhere")])]
    assert stage.got(TWO, request="r-3", run="run-3", stack="two") == ([], [(TWO, "blast_radius")])


def test_a_place_of_a_run_that_lost_to_another_stack_and_died_ends_no_alarm_and_is_freed() -> None:
    stage = Stage(MAX_REBOOTS="1")
    other = stage.claims("r-2", "run-2", stack="two")
    stage.table.before["i#"] = [lambda: stage.obtain(other)]
    stage.table.before["w#"] = [None, None, NO_RIGHT]  # it can't give its place back
    assert stage.got() == ([], [(ONE, "cooldown")])
    assert len(stage.window().slots) == 1
    other.record(REGION, {ONE: "accepted"})
    _, (result,) = stage.obtain(stage.claims("r-3", "run-3"), TWO)
    assert (result.code, result.retriable) == ("blast_radius", True)
    stage.clock.sleep(61)
    stage.sweep()
    assert stage.got(TWO, request="r-3", run="run-3b")[0] == [TWO]
    # The row of the other stack's claim is as it was: its run, which may be watching, writes the end.
    other.record(REGION, {ONE: "back"})
    assert stage.state() == "back"


@pytest.mark.parametrize(("readable", "reset_dies"), [(True, True), (True, False), (False, False)])
def test_a_place_whose_reboot_a_person_cleared_counts_whatever_became_of_a_later_claim(
    *, readable: bool, reset_dies: bool
) -> None:
    stage = Stage(MAX_REBOOTS="1")
    first = stage.claims()
    stage.obtain(first)
    first.record(REGION, {ONE: "accepted"})
    row = stage.table.row(f"i#{ONE}")
    if row and not readable:
        stage.table.memory.rows[row.key] = row._replace(columns={**row.columns, "state": "unheard of"})
    if reset_dies:
        stage.table.before["w#"] = [NO_RIGHT]
    with suppress(CloudError):
        maintenance(stage.table).reset(REGION, [ONE])
    stage.clock.sleep(61)
    later = stage.claims("r-2", "run-2", stack="two")
    assert [order.instance_id for order in stage.obtain(later)[0]] == [ONE]
    if readable:
        later.release(REGION, [ONE])
    stage.sweep()
    assert stage.got(TWO, request="r-3", run="run-3") == ([], [(TWO, "blast_radius")])


def test_who_loses_every_round_gives_its_place_back_and_is_to_come_again() -> None:
    stage = Stage()
    claims = stage.claims("r-0", "run-0")
    stage.obtain(claims)
    claims.release(REGION, [ONE])

    def meddle() -> None:
        row = stage.table.row(f"i#{ONE}")
        assert row
        version = row.columns[VERSION]
        assert isinstance(version, int)
        stage.table.memory.rows[row.key] = row._replace(columns={**row.columns, VERSION: version + 1})

    stage.table.before["i#"] = [meddle] * ROUNDS
    _, (result,) = stage.obtain(stage.claims())
    assert (result.code, result.retriable) == ("ledger_unavailable", True)
    assert stage.window().slots == ()


def test_a_run_that_goes_on_after_the_fence_writes_its_place_again() -> None:
    stage = Stage()

    def late() -> None:
        stage.clock.sleep(61)
        stage.sweep()

    stage.table.before["i#"] = [late]
    assert stage.got(seconds=1000)[0] == [ONE]
    assert [slot.instance_id for slot in stage.window().slots] == [ONE]


def test_a_dead_claim_holds_for_a_run_s_longest_life_is_retriable_and_then_no_attempt() -> None:
    stage = Stage(MAX_ATTEMPTS="1")
    stage.got()
    stage.clock.sleep(300)
    _, results = stage.obtain(stage.claims("r-2", "run-2"))
    assert [(result.code, result.retriable) for result in results] == [("cooldown", True)]
    stage.clock.sleep(31)
    orders, _ = stage.obtain(stage.claims("r-3", "run-3"))
    assert [order.instance_id for order in orders] == [ONE]
    row = stage.table.row(f"i#{ONE}")
    assert row is not None
    assert row.columns["earlier"] == ""


def test_a_retry_of_the_same_request_waits_until_the_dead_run_may_not_ask_and_goes_on() -> None:
    stage = Stage()
    stage.got()
    began = stage.clock.seconds
    assert stage.got(run="retry") == ([ONE], [])
    assert stage.clock.seconds - began == pytest.approx(15.0)
    assert "describe" in stage.ecs.calls


def test_a_retry_of_the_same_request_sees_that_the_dead_run_had_asked() -> None:
    stage = Stage()
    stage.got()
    stage.clock.sleep(60)
    stage.ecs.change(ONE, status="Stopping")
    assert stage.got(run="retry") == ([], [(ONE, "accepted")])


def test_a_retry_takes_over_what_its_own_run_left_in_doubt_and_nobody_else_does() -> None:
    stage = Stage()
    claims = stage.claims()
    stage.obtain(claims)
    claims.record(REGION, {ONE: "in_doubt"})
    stage.clock.sleep(60)
    _, (other,) = stage.obtain(stage.claims("r-2", "run-2"))
    assert (other.code, other.retriable) == ("cooldown", True)
    assert stage.got(run="retry") == ([ONE], [])
    row = stage.table.row(f"i#{ONE}")
    assert row is not None
    assert (row.columns["state"], row.columns["earlier"]) == ("claimed", "")


def test_of_two_retries_at_once_one_goes_on() -> None:
    stage = Stage()
    stage.got()
    stage.clock.sleep(60)
    other: list[Any] = []
    stage.table.before["i#"] = [lambda: other.append(stage.got(run="retry-2"))]
    mine, _ = stage.got(run="retry-1")
    assert len(mine) + len(other[0][0]) == 1


def test_a_claim_is_renewed_before_ecs_is_asked_late_and_lost_where_a_retry_took_over() -> None:
    stage = Stage()
    claims = stage.claims()
    orders, _ = stage.obtain(claims)
    stage.clock.sleep(9.9)
    assert claims.still_ours(REGION, orders) == orders
    stage.clock.sleep(0.2)
    assert claims.still_ours(REGION, orders) == orders
    stage.clock.sleep(20)
    assert stage.got(run="retry")[0] == [ONE]
    assert claims.still_ours(REGION, orders) == []


def test_a_duplicate_never_gives_back_the_place_by_which_the_first_run_reboots() -> None:
    stage = Stage(MAX_REBOOTS="1")
    again: list[Any] = []

    def delivered_again() -> None:
        stage.table.before["i#"] = [NO_RIGHT]  # it takes the place, and then it can't claim
        again.append(stage.got(run="run-2")[1])

    stage.table.before["i#"] = [delivered_again]
    assert stage.got()[0] == [ONE]
    assert again == [[(ONE, "ledger_unavailable")]]
    assert [slot.instance_id for slot in stage.window().slots] == [ONE]
    assert stage.got(TWO, request="r-2", run="run-3")[1] == [(TWO, "blast_radius")]
