"""Each fault that the local cloud can make, and what the operator still has: the record, the ledger, the audit."""

import json
import time
from typing import Any

import pytest
from wire_stage import REGION, Wired, alarm, ids, outcomes, records

(ONE,) = ids(1)
NEVER_TWICE = {"MAX_REBOOTS": "5"}


def fault(action: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"action": action, "kind": kind, "times": 1, **fields}


def changed_to(state: str) -> dict[str, Any]:
    return {
        "id": "5e2f1c9a-0000-4000-8000-000000000102",
        "source": "acs.ecs",
        "specversion": "1.0",
        "type": "ecs:Instance:StateChange",
        "subject": f"acs:ecs:cn-hangzhou:1000000000000000:instance/{ONE}",
        "time": "2026-06-01T11:39:00+08:00",
        "aliyunregionid": "cn-hangzhou",
        "data": {"resourceId": ONE, "resourceType": "ALIYUN::ECS::Instance", "state": state},
    }


@pytest.mark.parametrize(
    ("declared", "codes", "rebooted"),
    [
        (fault("RebootInstances", "drop_before"), {"accepted_unconfirmed"}, 0),
        (fault("RebootInstances", "drop_after"), {"accepted"}, 1),
        (fault("RebootInstances", "truncate"), {"accepted"}, 1),
        (fault("RebootInstances", "not_json"), {"accepted"}, 1),
        (fault("RebootInstances", "delay", seconds=3, before=False), {"accepted"}, 1),
        (fault("RebootInstances", "throttle", retry_after_ms=100), {"accepted"}, 1),
        (fault("RebootInstances", "error", code="ServiceUnavailable"), {"accepted"}, 1),
        (fault("RebootInstances", "error", code="ServiceUnavailable", before=False), {"accepted"}, 1),
        (fault("RebootInstances", "error", code="InternalError", before=False), {"accepted"}, 1),
        (fault("DescribeInstances", "drop_before"), {"accepted"}, 1),
        (fault("DescribeInstances", "truncate"), {"accepted"}, 1),
        (fault("DescribeInstances", "throttle", retry_after_ms=100), {"accepted"}, 1),
        (fault("DescribeInstances", "drop_after", skip=1), {"accepted"}, 1),
        (fault("DescribeInstances", "error", code="ServiceUnavailable", skip=1), {"accepted"}, 1),
        (fault("TagResources", "throttle", retry_after_ms=100), {"accepted", "ledger_unavailable"}, 1),
        (fault("TagResources", "drop_after"), {"accepted", "ledger_unavailable"}, 1),
        (fault("TagResources", "delay", seconds=3), {"ledger_unavailable"}, 0),
        (fault("TagResources", "error", code="OperationDenied.QuotaExceed"), {"tags_full"}, 0),
    ],
    ids=lambda value: f"{value['action']}-{value['kind']}-{value.get('code', '')}" if isinstance(value, dict) else "",
)
def test_one_fault_is_at_most_one_reboot_and_one_record(
    wire: Wired, declared: dict[str, Any], codes: set[str], rebooted: int
) -> None:
    here = wire(1, [declared])
    invocation = here.send(alarm(ONE))
    assert set(outcomes(invocation)) <= codes, invocation.logs.decode()[-2000:]
    assert len(outcomes(invocation)) == 1
    assert len(here.rebooted()) <= rebooted
    effective = [call for call in here.cloud.audit.calls("RebootInstances") if call["effect"]]
    assert len(effective) <= 1, "never twice"
    if effective:
        assert here.entry(ONE).state in ("claimed", "accepted", "in_doubt")  # type: ignore[union-attr]
        assert len(records(invocation, "intent")) == 1
    again = here.send(alarm(ONE))
    assert len(here.rebooted()) <= 1, "nor by the next delivery"
    assert len(outcomes(again)) == 1


def test_a_stale_description_after_a_lost_answer_is_no_second_reboot(wire: Wired) -> None:
    stale = {"action": "DescribeInstances", "kind": "stale", "seconds": 4, "times": 3, "skip": 1}
    here = wire(1, [fault("RebootInstances", "drop_after"), stale])
    invocation = here.send(alarm(ONE))
    assert outcomes(invocation) in (["accepted"], ["accepted_unconfirmed"])
    assert len(here.rebooted()) == 1
    assert here.entry(ONE).state in ("claimed", "accepted", "in_doubt")  # type: ignore[union-attr]


def test_a_stale_ledger_within_the_settle_time_hides_no_claim(wire: Wired) -> None:
    stale = {"action": "DescribeInstances", "kind": "stale", "seconds": 0.2}
    here = wire(3, [stale], MAX_REBOOTS="1", STORM_FACTOR="0")
    here.crowd([alarm(instance_id) for instance_id in ids(3)])
    assert len(here.rebooted()) <= 1


@pytest.mark.parametrize(
    "declared",
    [
        {"service": "sls", "action": "*", "kind": "drop_before"},
        {"service": "sls", "action": "*", "kind": "error", "status": 500, "code": "InternalServerError"},
    ],
    ids=["dropped", "failing"],
)
def test_with_the_log_service_down_every_record_is_printed_and_answered(wire: Wired, declared: dict[str, Any]) -> None:
    here = wire(1, [declared])
    invocation = here.send(alarm(ONE))
    assert outcomes(invocation) == ["accepted"]
    assert records(invocation, "intent")
    answer = json.loads(invocation.payload)
    assert answer["results"][0]["code"] == "accepted"
    assert answer["log_store"]["status"] == "failed"
    assert here.rebooted() == [ONE]


def test_with_ecs_down_the_record_says_so_and_the_function_raises(wire: Wired) -> None:
    here = wire(1, [{"action": "*", "kind": "error", "code": "InternalError"}])
    invocation = here.send(alarm(ONE), timeout=4)
    assert invocation.error
    assert outcomes(invocation) == ["InternalError"]
    assert records(invocation)[0]["retriable"]
    assert not here.rebooted()
    assert here.entry(ONE) is None


def test_crash_between_claim_and_reboot_holds_others_off_while_that_run_may_live_and_is_retriable(wire: Wired) -> None:
    here = wire(1, CLAIM_SETTLE_SECONDS="2")
    invocation = here.crash(alarm(ONE), lambda entry: entry.get("action") == "TagResources")
    assert invocation.error
    assert not here.rebooted()
    assert here.entry(ONE).state == "claimed"  # type: ignore[union-attr]
    again = here.send(alarm(ONE))
    (record,) = records(again)
    assert record["code"] == "cooldown"
    assert "may have been cut off" in record["reason"]
    assert record["retriable"]


def test_crash_between_reboot_and_record_leaves_the_intent_the_ledger_and_one_reboot(wire: Wired) -> None:
    here = wire(1, [fault("RebootInstances", "delay", seconds=2, before=False)], reboot_seconds=1)
    invocation = here.crash(alarm(ONE), lambda entry: entry["kind"] == "state")
    assert invocation.error
    assert [record["instance_id"] for record in records(invocation, "intent")] == [ONE]
    assert not records(invocation)
    again = here.send(alarm(ONE))
    assert outcomes(again) in (["cooldown"], ["not_running"], ["recently_started"])
    assert here.rebooted() == [ONE]


def test_crash_between_stop_and_start_leaves_the_start_to_the_next_sweep(wire: Wired) -> None:
    hanging = {"status": "Stopping", "hangs": True, "attempts": [{"ago": "25m", "state": "hung"}], "reboot_seconds": 1}
    late = fault("StopInstances", "delay", seconds=5, before=False)
    here = wire(1, [late], FORCE_REBOOT="escalate", CLAIM_SETTLE_SECONDS="0", **hanging)
    cut_off = here.crash({"verify": True, "region_id": REGION}, lambda entry: entry.get("action") == "StopInstances")
    (intent,) = records(cut_off, "intent")
    assert (intent["instance_id"], intent["force"], intent["attempt"]) == (ONE, True, 2)
    entry = here.entry(ONE)
    assert entry
    assert (entry.state, entry.force, len(entry.earlier)) == ("start_due", True, 1)
    until = time.monotonic() + 30
    while here.cloud.fleet[ONE].status != "Stopped" and time.monotonic() < until:
        here.cloud.advance()
        time.sleep(0.05)
    assert outcomes(here.send(changed_to("Stopped"))) == ["echo", "started"]
    while here.cloud.fleet[ONE].status != "Running" and time.monotonic() < until:
        here.cloud.advance()
        time.sleep(0.05)
    assert outcomes(here.send(changed_to("Running"))) == ["echo", "recovered"]
    power = ("RebootInstances", "StopInstances", "StartInstances")
    calls = [call["action"] for call in here.cloud.audit.calls() if call["action"] in power]
    assert calls == ["RebootInstances", "StopInstances", "StartInstances"]


def test_crash_before_what_hangs_is_finished_is_no_accepted_reboot_and_the_retry_goes_on(wire: Wired) -> None:
    hanging = {"status": "Stopping", "hangs": True, "attempts": [{"ago": "25m", "state": "hung"}], "reboot_seconds": 1}
    here = wire(1, FORCE_REBOOT="escalate", CLAIM_SETTLE_SECONDS="2", **hanging)
    asks = {"instance_ids": [ONE], "region_id": REGION, "force": True, "reason": "hangs in shutdown, ada"}
    here.crash(asks, lambda entry: entry.get("action") == "TagResources", request_id="r-finish")
    entry = here.entry(ONE)
    assert entry
    assert (entry.state, entry.force, len(entry.earlier)) == ("finishing", True, 1)
    again = here.send(asks, request_id="r-finish")
    assert outcomes(again) == ["accepted"], again.logs.decode()[-2000:]
    power = [call["action"] for call in here.cloud.audit.calls() if call["effect"] and call["service"] == "ecs"]
    assert [action for action in power if action != "TagResources"] == ["StopInstances", "StartInstances"]
    assert len(here.entry(ONE).earlier) == 1, "the claim of the run that died is no attempt"  # type: ignore[union-attr]


def test_a_sweep_tells_what_became_of_a_reboot_that_nobody_recorded(wire: Wired) -> None:
    here = wire(1, [fault("RebootInstances", "delay", seconds=2, before=False)], reboot_seconds=1)
    here.crash(alarm(ONE), lambda entry: entry["kind"] == "state")
    for _ in range(20):
        found = outcomes(here.send(changed_to("Running")))
        if "recovered" in found:
            break
    assert "recovered" in found
    assert here.entry(ONE).state == "back"  # type: ignore[union-attr]
    assert here.rebooted() == [ONE]


def test_a_sweep_takes_an_old_entry_off_and_leaves_the_owner_s_tags_and_younger_entries(wire: Wired) -> None:
    here = wire(1, attempts=[{"ago": "30d", "state": "back"}], tags={"ecs-reboot": "enabled", "app": "web"})
    assert here.entry(ONE)
    sweep = {"verify": True, "region_id": REGION}
    (record,) = records(here.send(sweep), "result")
    assert (record["code"], ONE in record["reason"]) == ("forgotten", True)
    assert here.entry(ONE) is None
    instance = here.cloud.fleet.get(ONE)
    assert instance
    assert dict(instance.state.tags) == {"ecs-reboot": "enabled", "app": "web"}
    here.send(alarm(ONE))
    assert outcomes(here.send(sweep)) == ["nothing_to_do"], "the reboot of a minute ago is remembered"
    assert here.entry(ONE)
    assert len(here.cloud.audit.calls("UntagResources")) == 1


@pytest.mark.parametrize("store", ["tags", "tablestore"])
def test_slow_calls_end_in_a_record_before_the_run_is_killed(wire: Wired, store: str) -> None:
    attempts = [{"ago": "2h", "state": "back"}]
    # No facts are asked for: on a busy machine their answers would come too late, before the ledger is reached.
    no_facts = {"MANAGED": "allow", "PLATFORM_EVENTS": "ignore"}
    here = wire(320, store=store, latency=0.8, attempts=attempts, DEADLINE_MARGIN_SECONDS="5", **no_facts)
    invocation = here.send(alarm(ONE), timeout=8)
    assert not invocation.timed_out
    assert invocation.error, "so Function Compute sends the event again"
    (record,) = records(invocation)
    assert record["code"] in ("ledger_unavailable", "deadline")
    assert record["retriable"]
    assert here.rebooted() == []
    entry = here.entry(ONE)
    assert entry, "which the fleet file declares"
    assert entry.state == "back", "and no claim stays behind"
