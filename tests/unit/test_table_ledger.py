"""A claim in the table: three calls, one winner, nothing lost and nothing doubled, whatever breaks in between."""

from datetime import timedelta
from typing import Any

import pytest
from scripted_ecs import NOW, ONE, REGION, TWO, JumpingClock, ScriptedEcs, deadline, entry, facts, instance, policy
from scripted_table import NO_ANSWER, NO_RIGHT, ScriptedTable, maintenance, store

from ecs_reboot.clock import RESERVE_SECONDS
from ecs_reboot.cloud.tablestore.rows import Row
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger import window_row
from ecs_reboot.policy.facts import ApprovedReboot
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.claims import Claims
from ecs_reboot.remediation.lifecycle import transition
from ecs_reboot.remediation.reboot_state import Patience, Swept, from_ledger

PATIENCE = Patience(holds=timedelta(seconds=330), hung_after=timedelta(seconds=1200))


class Stage:
    """Runs over one table and one ECS."""

    def __init__(self, *ids: str, seconds: float = 0.0, tags: dict[str, str] | None = None, **environment: str) -> None:
        self.clock = JumpingClock()
        self.table = ScriptedTable(self.clock, seconds=seconds)
        shown = {"ecs-reboot": "enabled", **(tags or {})}
        self.ecs = ScriptedEcs(*(instance(one, tags=shown) for one in ids or (ONE, TWO)))
        self.environment = {"MAX_REBOOTS": "10", "LEDGER": "tablestore", "TABLESTORE_INSTANCE": "table", **environment}

    def claims(self, request: str = "r-1", run: str = "run-1", *, stack: str = "one", seconds: float = 50.0) -> Claims:
        until = deadline(seconds, self.clock)
        of_run = store(self.table, request, run, stack=stack, seconds=seconds)
        return Claims(of_run, self.ecs, self.ecs.describe, policy(**self.environment), until, request_id=request)

    def obtain(self, claims: Claims, *ids: str, dry_run: bool = False) -> tuple[list[ApprovedReboot], list[Result]]:
        wanted = [
            facts(
                self.ecs.instances[one],
                environment=self.environment,
                claim=claims.claim_id(),
                now=self.clock.now(),
                claim_holds_seconds=330,
            )
            for one in ids or (ONE,)
        ]
        return claims.obtain(REGION, wanted, dry_run=dry_run)

    def got(self, *ids: str, **of_run: Any) -> tuple[list[str], list[tuple[str, str]]]:
        orders, results = self.obtain(self.claims(**of_run), *ids)
        return [order.instance_id for order in orders], [(result.instance_id, result.code) for result in results]

    def state(self, instance_id: str = ONE) -> str:
        row = self.table.row(f"i#{instance_id}")
        return str(row.columns["state"]) if row else ""

    def window(self, stack: str = "one") -> window_row.Window:
        row = self.table.row(f"w#{stack}")
        return window_row.read(row.columns) if row else window_row.Window()

    def sweep(self) -> dict[str, str]:
        upkeep = maintenance(self.table)
        ends = {}
        for one in upkeep.open_reboots(REGION, ()):
            shown = Swept(self.ecs.instances[one.instance_id], PATIENCE)
            step = transition(from_ledger(one.entry), shown, self.clock.now())
            if step.code:
                ends[one.instance_id] = one.entry, step.state
        upkeep.conclude(REGION, ends)
        return {one: state for one, (_, state) in ends.items()}


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


def test_taking_back_has_one_reserve_beyond_the_deadline_however_slow_the_calls_are() -> None:
    a_call = 0.9
    stage = Stage(seconds=a_call, tags={"app": "web"}, GROUP_TAG="app", MAX_REBOOTS="1")
    claims = stage.claims(seconds=12.0)
    assert stage.obtain(claims)[0]
    stage.clock.sleep(11.9 - stage.clock.seconds)
    claims.release(REGION, [ONE])
    assert stage.clock.seconds <= 12.0 + RESERVE_SECONDS + a_call


def test_two_of_one_group_are_not_rebooted_together_and_the_group_is_free_when_one_is_back() -> None:
    stage = Stage(tags={"app": "web"}, GROUP_TAG="app", MAX_REBOOTS="off")
    claims = stage.claims()
    assert [order.instance_id for order in stage.obtain(claims)[0]] == [ONE]
    assert stage.got(TWO, request="r-2", run="run-2")[1] == [(TWO, "blast_radius")]
    claims.record(REGION, {ONE: "back"})
    assert stage.got(TWO, request="r-3", run="run-3")[0] == [TWO]


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


def test_nothing_is_claimed_without_time_for_the_whole_rest_by_this_run_s_own_calls() -> None:
    stage = Stage(seconds=1.0)
    orders, results = stage.obtain(stage.claims(seconds=9.5))
    assert not orders
    assert [(result.code, result.retriable) for result in results] == [("deadline", True)]
    assert not stage.table.memory.rows
    assert stage.obtain(stage.claims(seconds=10.5))[0]


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
    said = [stage.got(one, request=f"r-{one}", run=f"run-{one}") for one in ids]
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


def test_a_window_that_can_t_be_read_reboots_nothing_and_a_person_begins_it_again() -> None:
    stage = Stage()
    stage.got()
    row = stage.table.row("w#one")
    assert row is not None
    stage.table.memory.rows[row.key] = row._replace(columns={**row.columns, "slots": "junk"})
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
