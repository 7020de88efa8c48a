"""One batch of reboots against an ECS that answers, refuses, or leaves the answer out."""

from datetime import timedelta
from typing import Any, NoReturn

import pytest
from scripted_ecs import (
    FORBIDDEN,
    INTERNAL,
    LOST,
    NOW,
    ONE,
    REGION,
    THROTTLED,
    TWO,
    UNAVAILABLE,
    JumpingClock,
    ScriptedEcs,
    deadline,
    facts,
    instance,
)

from ecs_reboot.cloud.errors import NotSent, Refused
from ecs_reboot.ledger.entry import Entry, History
from ecs_reboot.policy.decide import decide
from ecs_reboot.policy.facts import ApprovedReboot, Facts
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.batch import Mode, RebootBatch

STATUS = Refused("Any", code="IncorrectInstanceStatus", message="not now", status=403, request_id="r")


class Bench:
    """A batch, its clock, and the intents it announced."""

    def __init__(self, ecs: ScriptedEcs, *, seconds: float = 50.0, ours: set[str] | None = None, **mode: Any) -> None:
        self.ecs, self.clock = ecs, JumpingClock()
        self.intents: list[tuple[str, int]] = []
        self.batch = RebootBatch(
            self._describe,
            ecs.reboot,
            deadline(seconds, self.clock),
            lambda result: self.intents.append((result.instance_id, ecs.calls.count("reboot"))),
            Mode(REGION, **{"force": False, "dry_run": False, "batch_optimization": "SuccessFirst", **mode}),
            still_ours=None
            if ours is None
            else lambda orders: [order for order in orders if order.instance_id in ours],
        )

    def _describe(self, region_id: str, ids: tuple[str, ...]) -> Any:
        found = self.ecs.describe(region_id, ids)
        return tuple(shown.model_copy(update={"read_at": self.clock.now()}) for shown in found)

    def run(self, **environment: str) -> dict[str, Result]:
        found = [facts(shown, environment=environment) for shown in self.ecs.instances.values()]
        results = self.batch.run([ApprovedReboot(known, decide(known)) for known in found])
        assert len(results) == len({result.instance_id for result in results}) == len(found)
        return {result.instance_id: result for result in results}

    def alone(self, **environment: str) -> Result:
        return self.run(**environment)[ONE]


def test_each_instance_gets_its_row() -> None:
    ecs = ScriptedEcs(instance(), instance(TWO))
    ecs.refusals[TWO] = "IncorrectInstanceStatus"
    results = Bench(ecs).run()
    assert results[ONE].code == "accepted"
    assert results[ONE].api_request_id == "r-1"
    assert results[TWO].code == "IncorrectInstanceStatus"
    assert len(ecs.asked) == 1


def test_the_intent_is_announced_before_ecs_is_asked_and_once() -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["reboot"] = [THROTTLED, THROTTLED]
    bench = Bench(ecs)
    assert bench.alone().code == "accepted"
    assert bench.intents == [(ONE, 0)]


@pytest.mark.parametrize("error", [THROTTLED, NotSent("RebootInstances", "no route")])
def test_what_had_no_effect_is_asked_again_until_the_deadline(error: Exception) -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["reboot"] = [error] * 2  # type: ignore[list-item]
    assert Bench(ecs).alone().code == "accepted"
    ecs = ScriptedEcs(instance())
    ecs.before["reboot"] = [error] * 99  # type: ignore[list-item]
    result = Bench(ecs).alone()
    assert result.code == error.code  # type: ignore[attr-defined]
    assert result.retriable


def test_old_facts_are_read_again_and_decided_again() -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["reboot"] = [THROTTLED] * 6
    ecs.before["describe"] = [lambda: ecs.change(ONE, operation_locks=("security",))]
    result = Bench(ecs).alone()
    assert (result.action, result.code) == ("skip", "locked")


def test_a_dead_claim_that_the_store_s_clock_called_over_is_over_when_the_facts_are_read_again() -> None:
    """The claim was judged by the clock of the table, which was a minute ahead of the function's."""
    ecs = ScriptedEcs(instance())
    ecs.before["reboot"] = [THROTTLED] * 6
    dead = Entry(at=NOW - timedelta(seconds=280), state="claimed", force=False, claim="0badcafe")
    known = facts(instance(), now=NOW + timedelta(minutes=1), claim_holds_seconds=330)
    known = known.model_copy(update={"history": History(entry=dead)})
    bench = Bench(ecs)
    (result,) = bench.batch.run([ApprovedReboot(known, decide(known))])
    assert "describe" in ecs.calls
    assert result.code == "accepted"


def test_a_restart_while_waiting_was_somebody_elses_reboot() -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["reboot"] = [THROTTLED] * 6
    ecs.before["describe"] = [lambda: ecs.change(ONE, start_time=NOW + timedelta(minutes=1))]
    assert Bench(ecs).alone(GRACE_SECONDS="0").code == "recently_started"


@pytest.mark.parametrize("error", [LOST, INTERNAL])
def test_a_lost_answer_is_settled_by_looking_and_never_sent_again(error: Any) -> None:
    ecs = ScriptedEcs(instance())
    ecs.after["reboot"] = [error]
    result = Bench(ecs).alone()
    assert result.code == "accepted"
    assert "Stopping" in result.reason
    assert len(ecs.asked) == 1


@pytest.mark.parametrize("error", [LOST, INTERNAL])
def test_a_start_time_that_moved_is_a_sign(error: Any) -> None:
    ecs = ScriptedEcs(instance())
    ecs.on_reboot = lambda instance_id: ecs.change(instance_id, start_time=NOW)
    ecs.after["reboot"] = [error]
    assert Bench(ecs).alone().code == "accepted"


def test_without_a_sign_a_lost_answer_stays_unconfirmed() -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["reboot"] = [LOST]
    result = Bench(ecs).alone()
    assert (result.code, result.retriable) == ("accepted_unconfirmed", True)
    assert len(ecs.asked) == 1


def test_an_internal_error_with_no_sign_to_the_end_of_patience_did_nothing() -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["reboot"] = [INTERNAL]
    bench = Bench(ecs)
    result = bench.alone()
    assert (result.code, result.retriable) == ("InternalError", True)
    assert bench.clock.seconds >= 10


@pytest.mark.parametrize("case", ["blind", "short"])
def test_an_internal_error_that_could_not_be_looked_into_stays_unconfirmed(case: str) -> None:
    ecs = ScriptedEcs(instance())
    ecs.after["reboot"] = [INTERNAL]
    ecs.on_reboot = lambda _: None  # nothing to be seen of it yet
    if case == "blind":
        ecs.before["describe"] = [None, *[FORBIDDEN] * 50]
    assert Bench(ecs, seconds=4.0 if case == "short" else 50.0).alone().code == "accepted_unconfirmed"


def test_unavailable_is_asked_again_after_a_look() -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["reboot"] = [UNAVAILABLE]
    assert Bench(ecs).alone().code == "accepted"
    assert len(ecs.asked) == 2


def test_unavailable_after_the_effect_is_no_second_reboot_though_the_look_was_too_early() -> None:
    ecs = ScriptedEcs(instance())
    ecs.after["reboot"] = [UNAVAILABLE]
    ecs.on_reboot = lambda _: ecs.refusals.update({ONE: "IncorrectInstanceStatus"})  # down, and not shown yet
    ecs.before["describe"] = [None, lambda: ecs.change(ONE, status="Stopping")]
    result = Bench(ecs).alone()
    assert result.code == "accepted"


def test_whatever_ends_an_order_in_doubt_its_claim_must_stand() -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["reboot"] = [UNAVAILABLE, *[THROTTLED] * 50]
    result = Bench(ecs, seconds=20.0).alone()
    assert (result.code, result.retriable) == ("accepted_unconfirmed", True)


def test_an_order_in_doubt_that_is_seen_down_later_was_accepted() -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["reboot"] = [UNAVAILABLE, *[THROTTLED] * 50]
    ecs.before["describe"] = [None, lambda: ecs.change(ONE, status="Starting")]
    result = Bench(ecs).alone()
    assert result.code == "accepted"


@pytest.mark.parametrize("code", ["InternalError", "ServiceUnavailable"])
def test_a_row_that_failed_inside_is_settled_for_itself(code: str) -> None:
    ecs = ScriptedEcs(instance(), instance(TWO))
    ecs.refusals[TWO] = code
    results = Bench(ecs).run()
    assert (results[ONE].code, results[TWO].code) == ("accepted", code)
    assert results[TWO].retriable


@pytest.mark.parametrize("code", ["InternalError", "ServiceUnavailable"])
def test_a_row_that_failed_inside_while_the_instance_reboots_is_no_refusal(code: str) -> None:
    ecs = ScriptedEcs(instance(), instance(TWO))
    ecs.refusals[TWO] = code
    ecs.before["describe"] = [lambda: ecs.change(TWO, status="Stopping")]
    results = Bench(ecs).run()
    assert (results[ONE].code, results[TWO].code) == ("accepted", "accepted")


def test_all_together_goes_on_without_the_one_that_is_refused() -> None:
    ecs = ScriptedEcs(instance(), instance(TWO))
    ecs.before["reboot"] = [STATUS]
    ecs.before["describe"] = [lambda: ecs.change(TWO, status="Stopped")]
    results = Bench(ecs, batch_optimization="AllTogether").run()
    assert (results[ONE].code, results[TWO].code) == ("accepted", "not_running")
    assert ecs.asked[-1]["ids"] == (ONE,)


def test_a_refusal_of_us_ends_it_and_may_be_tried_again() -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["reboot"] = [FORBIDDEN]
    result = Bench(ecs).alone()
    assert (result.code, result.retriable, result.api_request_id) == ("Forbidden.RAM", True, "r-403")


def test_with_no_time_left_nothing_is_asked() -> None:
    ecs = ScriptedEcs(instance())
    result = Bench(ecs, seconds=0.5).alone()
    assert (result.code, result.retriable) == ("deadline", True)
    assert not ecs.asked


def test_a_dry_run_asks_all_together_and_changes_nothing() -> None:
    ecs = ScriptedEcs(instance())
    result = Bench(ecs, dry_run=True).alone()
    assert result.code == "DRYRUN.SUCCESS"
    assert ecs.asked[0]["batch_optimization"] == "AllTogether"
    assert ecs.instances[ONE].status == "Running"


def test_force_is_what_the_order_says() -> None:
    ecs = ScriptedEcs(instance())
    found = facts(environment={"FORCE_REBOOT": "always"})
    bench = Bench(ecs, force=True)
    (result,) = bench.batch.run([ApprovedReboot(found, decide(found))])
    assert result.force
    assert ecs.asked[0]["force"] is True
    assert isinstance(found, Facts)


def test_an_ecs_that_stays_unavailable_ends_with_certainty_so_that_the_event_is_tried_again() -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["reboot"] = [UNAVAILABLE] * 100
    result = Bench(ecs).alone()
    assert (result.code, result.retriable) == ("ServiceUnavailable", True)
    assert ecs.calls[-1] == "describe", "the last word is a look, not another try"
    assert len(ecs.asked) > 2


@pytest.mark.parametrize("seconds", [1.3, 3.0, 5.0, 7.3, 12.0])
def test_what_ecs_said_to_the_end_is_the_result_and_not_that_it_was_not_asked(seconds: float) -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["reboot"] = [THROTTLED] * 100
    result = Bench(ecs, seconds=seconds).alone()
    assert (result.code, result.retriable) == (THROTTLED.code, True)
    assert THROTTLED.code in result.reason


def test_what_another_run_has_claimed_meanwhile_is_not_asked_for_again() -> None:
    ecs, ours = ScriptedEcs(instance(), instance(TWO)), {ONE, TWO}

    def taken_over() -> NoReturn:
        ours.discard(TWO)
        raise THROTTLED

    ecs.before["reboot"] = [THROTTLED, taken_over, None]
    results = Bench(ecs, ours=ours).run()
    assert (results[ONE].code, results[TWO].code) == ("accepted", "claimed_elsewhere")
    assert [asked["ids"] for asked in ecs.asked] == [(ONE, TWO), (ONE, TWO), (ONE,)]


def test_with_every_claim_lost_nothing_is_asked() -> None:
    ecs = ScriptedEcs(instance())
    assert Bench(ecs, ours=set()).alone().code == "claimed_elsewhere"
    assert not ecs.asked


def test_a_refusal_of_all_together_whose_cause_nobody_sees_is_the_result_of_each() -> None:
    ecs = ScriptedEcs(instance(), instance(TWO))
    ecs.before["reboot"] = [STATUS]
    results = Bench(ecs, batch_optimization="AllTogether").run()
    assert {result.code for result in results.values()} == {"IncorrectInstanceStatus"}
    assert len(ecs.asked) == 1
