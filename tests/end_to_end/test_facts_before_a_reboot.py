"""What is asked before a reboot, over real HTTP: the accident that each guard prevents, and that the rest goes on."""

import json
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from staging import Stage, Staged, instances, records

ONE = "i-bp1test0000000000000"
TWO = "i-bp1test0000000000001"
GROUP = {"scaling_group_id": "asg-1", "instance_ids": [ONE], "patience_seconds": 0.05}
HOT, COOL = {"CPUUtilization": 97.2}, {"CPUUtilization": 12}
HANGING = {"agent": {"silent_since": "10m ago"}}
SPEAKING: dict[str, Any] = {"agent": {}}


def ask(*ids: str, **more: Any) -> dict[str, Any]:
    return {"instance_ids": list(ids or (ONE,)), "region_id": "cn-hangzhou", "reason": "test", **more}


def alarm(instance_id: str = ONE, age: float = 5) -> dict[str, Any]:
    at = datetime.now(timezone.utc) - timedelta(seconds=age)
    return {
        "alertName": "cpu-high",
        "alertState": "ALERT",
        "timestamp": str(int(at.timestamp() * 1000)),
        "dimensions": [{"userId": "1234567890123456", "instanceId": instance_id}],
        "expression": '[{"expression":"$Average>=95","level":4,"times":3}]',
        "curValue": "97.2",
        "metricName": "CPUUtilization",
        "metricProject": "acs_ecs_dashboard",
        "ruleId": "rule-1",
    }


def timer() -> dict[str, Any]:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    payload = '{"instance_ids": ["%s"], "region_id": "cn-hangzhou", "reason": "weekly"}' % ONE  # noqa: UP031 - JSON braces
    return {"triggerTime": now, "triggerName": "weekly", "payload": payload}


def answered(here: Stage, event: dict[str, Any]) -> tuple[str, str]:
    """Return code and reason of the one instance, whether the invocation was raised for a retry or not."""
    answer = here.send(event)
    results = answer.get("results") or [record for record in answer["records"] if record["record"] == "result"]
    return results[0]["code"], results[0]["reason"]


def settled(here: Stage, seconds: float = 5) -> None:
    """Let the cloud go on until nothing changes any more, or the instance is gone."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and here.cloud.fleet.next_change():
        here.cloud.advance()
        time.sleep(0.02)


def failing(service: str, action: str) -> dict[str, Any]:
    return {"service": service, "action": action, "kind": "error", "code": "ServiceUnavailable", "status": 503}


# Whose machine is it?


def test_without_the_guard_a_scaling_group_releases_the_instance_with_its_disks(stage: Staged) -> None:
    here = stage(instances(1, reboot_seconds=2), scaling_groups=[GROUP], MANAGED="allow")
    assert answered(here, ask())[0] == "accepted"
    settled(here)
    assert here.cloud.fleet.get(ONE) is None
    assert here.cloud.audit.changes(ONE)[-1]["to"] == "Released"


def test_with_the_guard_a_member_of_a_scaling_group_is_left_alone(stage: Staged) -> None:
    here = stage(instances(2, reboot_seconds=2), scaling_groups=[GROUP], MAX_REBOOTS="off")
    answer = here.send(ask(ONE, TWO))
    codes = {result["instance_id"]: result["code"] for result in answer["results"]}
    assert codes == {ONE: "managed", TWO: "accepted"}
    assert here.rebooted() == [TWO]
    settled(here)
    assert here.cloud.fleet.get(ONE) is not None


@pytest.mark.parametrize(
    "harmless",
    [
        {"health_check_type": "NONE"},
        {"suspended_processes": ["HealthCheck"]},
        {"lifecycle_state": "Protected"},
        {"lifecycle_state": "Standby"},
    ],
)
def test_a_member_that_its_group_leaves_alone_is_rebooted_and_stays(stage: Staged, harmless: dict[str, Any]) -> None:
    here = stage(instances(1, reboot_seconds=0.5), scaling_groups=[{**GROUP, **harmless}])
    assert answered(here, ask())[0] == "accepted"
    settled(here)
    assert here.cloud.fleet[ONE].status == "Running"


def test_a_kubernetes_node_is_refused_and_a_person_may_insist(stage: Staged) -> None:
    here = stage(instances(1, tags={"ecs-reboot": "enabled", "ack.aliyun.com": "c123"}))
    assert answered(here, ask())[0] == "kubernetes_node"
    assert here.rebooted() == []
    assert answered(here, ask(override=["kubernetes_node"]))[0] == "accepted"


def test_the_platforms_own_tag_is_believed_although_auto_scaling_knows_nothing(stage: Staged) -> None:
    here = stage(instances(1, tags={"ecs-reboot": "enabled", "acs:autoscaling:scalingGroupId": "asg-1"}))
    assert answered(here, ask())[0] == "managed"
    assert here.rebooted() == []


# What does the platform say?


@pytest.mark.parametrize(
    ("announced", "cure"),
    [
        ("SystemMaintenance.Redeploy", "RedeployInstance"),
        ("SystemMaintenance.IsolateErrorDisk", "unmount the bad local disk"),
        ("SystemFailure.Delete", "replace it"),
    ],
)
def test_what_a_reboot_does_not_mend_is_refused_with_its_time_and_its_real_cure(
    stage: Staged, announced: str, cure: str
) -> None:
    here = stage(instances(1, system_events=[{"type": announced, "not_before": "2099-12-01T06:00:00Z"}]))
    code, reason = answered(here, ask())
    assert code == "platform_event"
    assert "2099-12-01T06:00:00Z" in reason
    assert cure in reason
    assert here.rebooted() == []


def test_no_restart_into_the_platforms_own_repair(stage: Staged) -> None:
    here = stage(instances(1, system_events=[{"type": "SystemFailure.Reboot", "cycle": "Executing"}]), timeout=20)
    answer = here.send(ask())
    assert answer["raised"]["errorType"] == "RetryableFailure"
    assert [record["code"] for record in answer["records"] if record["record"] == "result"] == ["platform_repairing"]
    assert here.rebooted() == []


def test_our_reboot_settles_the_one_that_the_platform_announced(stage: Staged) -> None:
    event = {"type": "SystemMaintenance.Reboot", "not_before": "in 3d"}
    here = stage(instances(1, system_events=[event]))
    assert answered(here, ask())[0] == "accepted"
    assert [event.cycle for event in here.cloud.platform.events(here.cloud.clock.now())] == ["Avoided"]


# A second opinion


@pytest.mark.parametrize(
    ("declared", "under_any", "under_all"),
    [
        ({**SPEAKING, "metrics": COOL}, "responsive", "responsive"),
        ({**SPEAKING, "metrics": HOT}, "accepted", "responsive"),
        ({**HANGING, "metrics": COOL}, "accepted", "responsive"),
        ({**HANGING, "metrics": HOT}, "accepted", "accepted"),
        ({**SPEAKING, "metrics": COOL, "health": "Impaired"}, "accepted", "responsive"),
        ({}, "accepted", "accepted"),
    ],
)
def test_an_alarm_needs_a_second_opinion(
    stage: Staged, declared: dict[str, Any], under_any: str, under_all: str
) -> None:
    for value, expected in (("any", under_any), ("all", under_all), ("off", "accepted")):
        here = stage(instances(1, **declared), RESPONSIVE=value)
        assert answered(here, alarm())[0] == expected, value
        assert bool(here.rebooted()) is (expected == "accepted")


def test_a_person_needs_none(stage: Staged) -> None:
    here = stage(instances(1, **SPEAKING, metrics=COOL))
    assert answered(here, ask())[0] == "accepted"
    assert not here.cloud.audit.calls(service="cms")


def test_a_machine_that_is_running_with_a_dead_guest_has_not_recovered(stage: Staged) -> None:
    silent = {"agent": {"silent_since": "20m ago", "stays_silent": True}}
    before = {"start_time": "9m ago", "attempts": [{"ago": "10m", "state": "accepted"}]}
    here = stage(instances(1, **before, **silent))
    assert answered(here, {"verify": True, "region_id": "cn-hangzhou"})[0] == "running_silent"
    here = stage(instances(1, **before, **SPEAKING))
    assert answered(here, {"verify": True, "region_id": "cn-hangzhou"})[0] == "recovered"


@pytest.mark.parametrize(("stays_silent", "code"), [(True, "still_rebooting"), (False, "recovered")])
def test_a_watched_reboot_has_not_recovered_before_its_guest_speaks(
    stage: Staged, code: str, *, stays_silent: bool
) -> None:
    agent = {"silent_since": "10m ago", "stays_silent": stays_silent}
    seconds = "8" if stays_silent else "20"
    here = stage(instances(1, agent=agent, metrics=HOT, reboot_seconds=0.5), VERIFY_SECONDS=seconds)
    assert answered(here, alarm())[0] == code
    assert here.cloud.fleet[ONE].status == "Running"


# Is it busy?


def test_a_timer_waits_for_a_snapshot_and_an_old_alarm_does_not(stage: Staged) -> None:
    busy = instances(1, snapshots=[{"began": "1m ago"}])
    here = stage(busy, BUSY_SECONDS="600")
    assert answered(here, timer())[0] == "busy"
    assert here.rebooted() == []
    here = stage(busy, BUSY_SECONDS="600", timeout=20)
    assert answered(here, alarm(age=30))[0] == "busy"
    assert here.rebooted() == []
    assert answered(stage(busy, BUSY_SECONDS="600"), alarm(age=601))[0] == "accepted"
    assert answered(stage(busy), timer())[0] == "accepted"


def test_a_timer_waits_for_running_commands(stage: Staged) -> None:
    here = stage(instances(1, agent={"running_commands": 1, "last_invoked": "1m ago"}), BUSY_SECONDS="600")
    assert answered(here, timer())[0] == "busy"
    assert here.rebooted() == []


# What can't be read


UNREADABLE = [
    ("ess", "DescribeScalingInstances", "managed", {}),
    ("ecs", "DescribeInstanceHistoryEvents", "platform_repairing", {}),
    ("ecs", "DescribeCloudAssistantStatus", "responsive", {}),
    ("ecs", "DescribeInstancesFullStatus", "responsive", {}),
    ("cms", "DescribeMetricLast", "responsive", {}),
    ("ecs", "DescribeSnapshots", "busy", {"BUSY_SECONDS": "600"}),
]


@pytest.mark.parametrize(("service", "action", "code", "settings"), UNREADABLE)
def test_a_fact_that_can_not_be_read_never_leads_to_a_reboot(
    stage: Staged, service: str, action: str, code: str, settings: dict[str, str]
) -> None:
    here = stage(instances(1), faults=[failing(service, action)], timeout=12, **settings)
    answer = here.send(alarm())
    assert answer["raised"]["errorType"] == "RetryableFailure"
    (result,) = [record for record in answer["records"] if record["record"] == "result"]
    assert (result["code"], result["retriable"]) == (code, True)
    assert here.rebooted() == []
    assert not here.cloud.audit.calls("RebootInstances")


def test_a_moments_trouble_is_overcome_within_the_invocation(stage: Staged) -> None:
    once = [{**failing(service, action), "times": 1} for service, action, _, _ in UNREADABLE]
    here = stage(instances(1), faults=once, BUSY_SECONDS="600")
    assert answered(here, alarm())[0] == "accepted"


# Cost


def test_what_is_off_is_not_asked_and_what_is_refused_cheaply_neither(stage: Staged) -> None:
    off = {"MANAGED": "allow", "PLATFORM_EVENTS": "ignore", "RESPONSIVE": "off"}
    here = stage(instances(1), **off)
    assert answered(here, alarm())[0] == "accepted"
    assert set(here.calls()) == {"DescribeInstances", "TagResources", "RebootInstances"}
    here = stage(instances(1, operation_locks=["security"]))
    assert answered(here, alarm())[0] == "locked"
    assert here.calls() == ["DescribeInstances"]
    assert not here.cloud.audit.calls(service="ess")


def test_all_facts_of_an_alarm_are_in_its_record(stage: Staged) -> None:
    here = stage(instances(1, **HANGING, metrics=HOT), BUSY_SECONDS="600")
    invocation = here.instance.invoke(json.dumps(alarm()).encode())
    (record,) = [record for record in records(invocation.logs) if record["record"] == "result"]
    findings = record["facts"]["findings"]
    assert set(findings["asked"]) == {"scaling", "system_events", "agent", "health", "reading", "snapshots"}
    assert findings["reading"]["value"] == 97.2
    assert findings["unread"] == []
