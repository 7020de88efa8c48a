"""Asking the fact sources: for whom, together, again, and what becomes of answers that don't come."""

import json
from typing import Any

from scripted_ecs import (
    FORBIDDEN,
    LOST,
    METRIC,
    NOW,
    ONE,
    REGION,
    THROTTLED,
    TWO,
    ScriptedEcs,
    deadline,
    facts,
    instance,
    request,
)

from ecs_reboot.facts.gather import gather
from ecs_reboot.facts.sources import SOURCES
from ecs_reboot.policy.findings import Findings

ALARM = request(trigger="cms_threshold", metric=METRIC)


def found(ecs: ScriptedEcs, seconds: float = 50, **fields: Any) -> Findings:
    (known,) = gather(ecs, REGION, [facts(**fields)], deadline(seconds))
    assert known.findings is not None
    return known.findings


def asked(ecs: ScriptedEcs) -> list[str]:
    return [question.api.action for question in ecs.questions]


def test_only_what_a_guard_will_read_is_asked() -> None:
    ecs = ScriptedEcs()
    found(ecs)
    assert asked(ecs) == ["DescribeScalingInstances", "DescribeInstanceHistoryEvents"]
    ecs = ScriptedEcs()
    findings = found(ecs, asked=ALARM, environment={"BUSY_SECONDS": "60"})
    assert findings.asked == tuple(source.name for source in SOURCES)
    assert set(asked(ecs)) == {call for source in SOURCES for call in source.calls} - {"DescribeScalingGroups"}
    off = {"MANAGED": "allow", "PLATFORM_EVENTS": "ignore", "RESPONSIVE": "off"}
    ecs = ScriptedEcs()
    assert found(ecs, asked=ALARM, environment=off) == Findings()
    assert asked(ecs) == []


def test_members_come_with_what_their_group_does() -> None:
    ecs = ScriptedEcs()
    row = {"InstanceId": ONE, "ScalingGroupId": "asg-1", "LifecycleState": "InService", "Entrusted": True}
    ecs.answers["DescribeScalingInstances"] = {"ScalingInstances": [row]}
    ecs.answers["DescribeScalingGroups"] = {
        "ScalingGroups": [{"ScalingGroupId": "asg-1", "HealthCheckTypes": ["ECS"], "SuspendedProcesses": ["ScaleIn"]}]
    }
    member = found(ecs).scaling
    assert member is not None
    assert (member.group_id, member.entrusted, member.health_checks, member.suspended) == (
        "asg-1", True, ("ECS",), ("ScaleIn",),
    )  # fmt: skip
    ecs.answers["DescribeScalingGroups"] = {"ScalingGroups": [{"ScalingGroupId": "asg-1", "HealthCheckType": "NONE"}]}
    member = found(ecs).scaling
    assert member is not None
    assert member.health_checks == ("NONE",)


def test_events_come_page_by_page_and_open_ones_are_named() -> None:
    ecs = ScriptedEcs()
    rows = [
        {"EventId": f"e-{n}", "InstanceId": ONE, "EventType": {"Name": "SystemMaintenance.Stop"},
         "EventCycleStatus": {"Name": "Scheduled"}, "NotBefore": "2026-03-02T18:00:00Z"}
        for n in (1, 2)
    ]  # fmt: skip
    ecs.answers["DescribeInstanceHistoryEvents"] = [
        {"InstanceSystemEventSet": {"InstanceSystemEventType": rows[:1]}, "NextToken": "more"},
        {"InstanceSystemEventSet": {"InstanceSystemEventType": rows[1:]}, "NextToken": ""},
    ]
    assert [event.event_id for event in found(ecs).system_events] == ["e-1", "e-2"]
    pages = [question for question in ecs.questions if question.api.action == "DescribeInstanceHistoryEvents"]
    assert [page.parameters.get("NextToken") for page in pages] == [None, "more"]
    assert pages[0].parameters["InstanceEventCycleStatus"] == ["Scheduled", "Executing", "Inquiring"]


def test_the_newest_value_of_the_alarms_own_statistic_and_instance() -> None:
    ecs = ScriptedEcs()
    at = int(NOW.timestamp() * 1000)
    points = [
        {"timestamp": at - 120_000, "instanceId": ONE, "Average": 99, "Maximum": 100},
        {"timestamp": at - 60_000, "instanceId": ONE, "Average": 41.5, "Maximum": 100},
        {"timestamp": at, "instanceId": TWO, "Average": 98, "Maximum": 100},
        {"timestamp": at, "instanceId": ONE, "Maximum": 100},
    ]
    ecs.answers["DescribeMetricLast"] = {"Success": True, "Code": "200", "Datapoints": json.dumps(points)}
    reading = found(ecs, asked=ALARM).reading
    assert reading is not None
    assert reading.value == 41.5
    (question,) = [question for question in ecs.questions if question.api.action == "DescribeMetricLast"]
    assert json.loads(question.parameters["Dimensions"]) == [{"instanceId": ONE}]


def test_cloudmonitors_own_verdict_counts_whatever_http_says() -> None:
    for body in (
        {"Success": False, "Code": "500", "Message": "later"},
        {"Success": True, "Code": "503", "Datapoints": "[]"},
        {"Success": True, "Code": "200", "Datapoints": "{"},
        {},
    ):
        ecs = ScriptedEcs()
        ecs.answers["DescribeMetricLast"] = body
        findings = found(ecs, asked=ALARM)
        assert [note.source for note in findings.unread] == ["reading"], body
        assert "reading" not in findings.asked


def test_what_may_pass_is_asked_again_and_what_will_not_is_not() -> None:
    ecs = ScriptedEcs()
    ecs.answers["DescribeScalingInstances"] = [THROTTLED, LOST, {"ScalingInstances": []}]
    findings = found(ecs)
    assert (findings.unread, "scaling" in findings.asked) == ((), True)
    ecs = ScriptedEcs()
    ecs.answers["DescribeScalingInstances"] = [FORBIDDEN, {"ScalingInstances": []}]
    (unread,) = found(ecs).unread
    assert (unread.source, unread.retriable) == ("scaling", True)
    assert "Forbidden.RAM" in unread.error


def test_an_answer_without_the_documented_shape_is_no_answer() -> None:
    for action, source in (
        ("DescribeScalingInstances", "scaling"),
        ("DescribeInstanceHistoryEvents", "system_events"),
        ("DescribeCloudAssistantStatus", "agent"),
        ("DescribeInstancesFullStatus", "health"),
        ("DescribeSnapshots", "snapshots"),
    ):
        ecs = ScriptedEcs()
        ecs.answers[action] = {"RequestId": "r-1"}
        findings = found(ecs, asked=ALARM, environment={"BUSY_SECONDS": "60"})
        assert [note.source for note in findings.unread] == [source]


def test_facts_take_at_most_half_of_the_time_that_is_left() -> None:
    ecs = ScriptedEcs()
    ecs.answers["DescribeScalingInstances"] = [THROTTLED] * 100
    until = deadline(4)
    gather(ecs, REGION, [facts()], until)
    assert until.left() >= 2


def test_many_instances_are_asked_for_in_the_fewest_calls() -> None:
    ecs = ScriptedEcs()
    many = [facts(shown=instance(f"i-bp1n{number:09d}")) for number in range(45)]
    known = gather(ecs, REGION, many, deadline())
    assert asked(ecs) == ["DescribeScalingInstances"] * 3 + ["DescribeInstanceHistoryEvents"]
    assert len(known) == 45
