"""The guards that read what costs calls: what each sign says, and what a fact that can't be read does."""

from datetime import timedelta
from typing import Any

import pytest
from scripted_ecs import ALARM, METRIC, NOW, facts, instance, request

from ecs_reboot.facts.sources import SOURCES
from ecs_reboot.model import Decision
from ecs_reboot.policy.decide import decide
from ecs_reboot.policy.finding_guards import SCALING_TAG
from ecs_reboot.policy.findings import Agent, Findings, Reading, ScalingMember, Snapshot, SystemEvent, Unread
from ecs_reboot.policy.guards import GUARDS
from ecs_reboot.policy.signs_of_life import signs_of_life

ALIVE = Agent(heartbeat=NOW - timedelta(seconds=30), alive=True)
SILENT = Agent(heartbeat=NOW - timedelta(seconds=400))
OVER = Reading(at=NOW - timedelta(seconds=60), value=97.2)
UNDER = Reading(at=NOW - timedelta(seconds=60), value=12)
EXHAUSTED = Unread(source="agent", error="Throttling.User", retriable=True)


def said(findings: Findings, **fields: Any) -> Decision:
    return decide(facts(findings=findings, **fields))


def member(**fields: Any) -> Findings:
    given = {"group_id": "asg-1", "lifecycle_state": "InService", "creation_type": "AutoCreated", **fields}
    return Findings(asked=("scaling",), scaling=ScalingMember.model_validate({"health_checks": ("ECS",), **given}))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "managed"),
        ({"lifecycle_state": "Protected"}, "allowed"),
        ({"lifecycle_state": "Standby"}, "allowed"),
        ({"lifecycle_state": "Pending:Wait"}, "managed"),
        ({"health_checks": ("NONE",)}, "allowed"),
        ({"health_checks": ("NONE", "LOAD_BALANCER")}, "managed"),
        ({"health_checks": ()}, "managed"),  # the group could not be seen
        ({"suspended": ("ScaleIn", "HealthCheck")}, "allowed"),
        ({"suspended": ("ScaleIn",)}, "managed"),
    ],
)
def test_a_scaling_group_that_would_notice_is_a_hard_refusal(fields: dict[str, Any], code: str) -> None:
    assert said(member(**fields)).code == code


def test_what_the_group_would_do_is_in_the_sentence() -> None:
    assert "release it with its disks" in said(member()).reason
    assert "release it with its disks" in said(member(creation_type="Attached", entrusted=True)).reason
    assert "take it out of the group" in said(member(creation_type="Attached")).reason


def test_a_tag_that_auto_scaling_does_not_confirm_is_no_permission() -> None:
    tagged = instance(tags={"ecs-reboot": "enabled", SCALING_TAG: "asg-1"})
    assert said(Findings(asked=("scaling",)), shown=tagged).code == "managed"
    assert said(Findings(asked=("scaling",)), shown=tagged, environment={"MANAGED": "allow"}).code == "allowed"


@pytest.mark.parametrize(
    ("kind", "cycle", "code"),
    [
        ("SystemMaintenance.Reboot", "Scheduled", "allowed"),
        ("SystemMaintenance.Reboot", "Inquiring", "allowed"),
        ("SystemMaintenance.Reboot", "Executing", "platform_repairing"),
        ("SystemFailure.Reboot", "Executing", "platform_repairing"),
        ("SystemMaintenance.Redeploy", "Inquiring", "platform_event"),
        ("SystemMaintenance.RebootAndIsolateErrorDisk", "Inquiring", "platform_event"),
        ("SystemMaintenance.SomethingNew", "Scheduled", "platform_event"),
        ("AccountUnbalanced.Stop", "Scheduled", "allowed"),
        ("SystemUpgrade.Migrate", "Scheduled", "allowed"),
    ],
)
def test_what_the_platform_announces(kind: str, cycle: str, code: str) -> None:
    event = SystemEvent(event_id="e-7", type=kind, cycle=cycle, not_before=NOW + timedelta(hours=5))
    decision = said(Findings(system_events=(event,)))
    assert decision.code == code
    if code == "platform_event":
        assert "e-7" in decision.reason
        assert "2026-03-02T17:00:30Z" in decision.reason
    assert said(Findings(system_events=(event,)), environment={"PLATFORM_EVENTS": "ignore"}).code == "allowed"


#: Guest, metric -> the decision under `any` and under `all`.
SIGNS: list[tuple[Agent | None, Reading | None, str, str]] = [
    (SILENT, OVER, "allowed", "allowed"),
    (SILENT, UNDER, "allowed", "responsive"),
    (SILENT, None, "allowed", "allowed"),
    (ALIVE, OVER, "allowed", "responsive"),
    (ALIVE, UNDER, "responsive", "responsive"),
    (ALIVE, None, "responsive", "responsive"),
    (None, OVER, "allowed", "allowed"),
    (None, UNDER, "responsive", "responsive"),
    (None, None, "allowed", "allowed"),
]


@pytest.mark.parametrize(("agent", "reading", "under_any", "under_all"), SIGNS)
def test_a_second_opinion(agent: Agent | None, reading: Reading | None, under_any: str, under_all: str) -> None:
    findings = Findings(agent=agent, reading=reading)
    for value, code in (("any", under_any), ("all", under_all), ("off", "allowed")):
        assert said(findings, asked=ALARM, environment={"RESPONSIVE": value}).code == code, value


def test_a_person_and_what_is_not_bound_are_not_asked_for_signs() -> None:
    alive = Findings(agent=ALIVE, reading=UNDER)
    assert said(alive, asked=ALARM.model_copy(update={"trigger": "manual"})).code == "allowed"
    bare = request(trigger="sls_alert")
    assert said(alive, asked=bare).code == "allowed"
    assert said(alive, asked=bare, environment={"RESPONSIVE_TRIGGERS": "alarm"}).code == "responsive"
    assert said(alive, asked=request(trigger="timer")).code == "allowed"
    assert (
        said(alive, asked=request(trigger="timer"), environment={"RESPONSIVE_TRIGGERS": "timer"}).code == "responsive"
    )


def test_signs_that_are_too_old_say_nothing() -> None:
    old = Reading(at=NOW - timedelta(seconds=301), value=12)
    assert said(Findings(reading=old), asked=ALARM).code == "allowed"
    started = instance(start_time=NOW - timedelta(seconds=700))
    never_since = Agent(heartbeat=NOW - timedelta(seconds=701))
    everything = {"asked": ALARM, "environment": {"RESPONSIVE": "all"}}
    assert "looks dead" not in said(Findings(agent=never_since, reading=OVER), shown=started, **everything).reason
    assert said(Findings(agent=never_since, reading=UNDER), shown=started, asked=ALARM).code == "responsive"


def test_an_impaired_instance_looks_dead_whatever_the_agent_says() -> None:
    assert said(Findings(agent=ALIVE, health="Impaired", reading=UNDER), asked=ALARM).code == "allowed"
    assert said(Findings(agent=ALIVE, health="Warning", reading=UNDER), asked=ALARM).code == "responsive"


@pytest.mark.parametrize(
    ("operator", "value", "still"),
    [(">", 95, False), (">=", 95, True), ("<", 95, False), ("<=", 95, True), ("==", 95, True), ("!=", 95, False)],
)
def test_the_condition_is_the_alarms_own(*, operator: str, value: float, still: bool) -> None:
    asked = ALARM.model_copy(update={"metric": METRIC.model_copy(update={"operator": operator})})
    reading = Reading(at=NOW, value=value)
    assert (said(Findings(reading=reading), asked=asked).code == "allowed") is still


def test_alarms_wait_for_work_only_so_long_and_timers_to_the_next_tick() -> None:
    environment = {"BUSY_SECONDS": "600"}
    commands = Findings(agent=Agent(running_commands=2, last_invoked=NOW - timedelta(seconds=30)))
    alarm = request(trigger="sls_alert", event_time=NOW - timedelta(seconds=599))
    decision = said(commands, asked=alarm, environment=environment)
    assert (decision.code, decision.retriable) == ("busy", True)
    late = alarm.model_copy(update={"event_time": NOW - timedelta(seconds=600)})
    assert said(commands, asked=late, environment=environment).code == "allowed"
    timer = request(trigger="timer", event_time=NOW - timedelta(days=1))
    decision = said(commands, asked=timer, environment=environment)
    assert (decision.code, decision.retriable) == ("busy", False)
    long = Findings(snapshots=(Snapshot(snapshot_id="s-1", began=NOW - timedelta(seconds=600)),))
    assert said(long, asked=alarm, environment=environment).code == "allowed"
    assert said(commands, environment=environment).code == "allowed"  # a person's request


UNREADABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "scaling": ("managed", {}),
    "system_events": ("platform_repairing", {}),
    "agent": ("responsive", {"asked": ALARM}),
    "health": ("responsive", {"asked": ALARM}),
    "reading": ("responsive", {"asked": ALARM}),
    "snapshots": ("busy", {"asked": request(trigger="timer"), "environment": {"BUSY_SECONDS": "600"}}),
}


def test_every_source_has_a_case() -> None:
    assert set(UNREADABLE) == {source.name for source in SOURCES}
    assert {code for source in SOURCES for code in source.guards} <= {guard.code for guard in GUARDS}


@pytest.mark.parametrize("source", UNREADABLE)
@pytest.mark.parametrize("retriable", [True, False])
def test_a_fact_that_can_not_be_read_refuses(*, source: str, retriable: bool) -> None:
    code, fields = UNREADABLE[source]
    unread = Unread(source=source, error="Throttling.User: later", retriable=retriable)
    decision = said(Findings(unread=(unread,)), **fields)
    assert (decision.action, decision.code) == ("skip", code)
    assert "Throttling.User: later" in decision.reason
    if code != "responsive":
        assert decision.retriable is retriable


def test_what_is_switched_off_is_not_missed() -> None:
    off = {"MANAGED": "allow", "PLATFORM_EVENTS": "ignore", "RESPONSIVE": "off", "BUSY_SECONDS": "0"}
    unread = tuple(Unread(source=source.name, error="x") for source in SOURCES)
    assert said(Findings(unread=unread), asked=ALARM, environment=off).code == "allowed"
    assert not any(source.wanted(facts(asked=ALARM, environment=off)) for source in SOURCES)


def test_a_sign_that_speaks_for_the_reboot_makes_up_for_one_that_can_not_be_read() -> None:
    unread = (Unread(source="reading", error="CloudMonitor is down"),)
    assert said(Findings(agent=SILENT, unread=unread), asked=ALARM).code == "allowed"
    assert (
        said(Findings(agent=SILENT, unread=unread), asked=ALARM, environment={"RESPONSIVE": "all"}).code == "responsive"
    )
    decision = said(Findings(agent=ALIVE, unread=unread), asked=ALARM)
    assert (decision.code, decision.retriable) == ("responsive", True)


def test_what_was_not_asked_about_says_nothing() -> None:
    signs = list(signs_of_life(facts(asked=ALARM, findings=None), instance()))
    assert [sign.says for sign in signs] == ["nothing", "nothing"]
    assert ["not asked" in sign.sentence for sign in signs] == [True, True]
