"""What the template wires up, against the events that there are and the function's own reading of them."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from local_deployment import ROOT

from cloud_languages import event_pattern
from cloud_languages.template import document
from cloud_languages.template.render import plan, rendered
from ecs_reboot.events import EventSettings, read, system_event_catalog
from ecs_reboot.outcomes import OUTCOMES
from ecs_reboot.settings.variable_table import VARIABLES
from stack import checks
from stack.generate import record_fields

TEMPLATE = document.load(ROOT / "template.yml")
EVERYTHING = {name: value for name, value in checks.EXAMPLE_PARAMETERS.items() if name in TEMPLATE["Parameters"]}
RESOURCES = rendered(plan(TEMPLATE, EVERYTHING, checks.EXAMPLE_PSEUDO))["Resources"]
NOW = datetime(2026, 11, 23, tzinfo=timezone.utc)

#: The sample files with a CloudEvent that each trigger must get; every other one it must not.
CAUGHT = {
    "SystemEventTrigger": {
        "54-eventbridge-ebs-diskiohang.json",
        "56-eventbridge-ecs-systemfailure-executing-rebuilt.json",
        "57-eventbridge-ecs-systemfailure-executed-rebuilt.json",
        "59-eventbridge-fc-batch-array-mixed-rebuilt.json[0]",
        "59-eventbridge-fc-batch-array-mixed-rebuilt.json[1]",
        "twin-54-eventbridge-ebs-diskiohang.json",
        "twin-56-eventbridge-data-is-string.json",
        "twin-56-eventbridge-ecs-maintenance-scheduled.json",
    },
    "StateEventTrigger": {
        "58-eventbridge-ecs-statechange-stopped-rebuilt.json",
        "59-eventbridge-fc-batch-array-mixed-rebuilt.json[2]",
    },
}


def pattern_of(trigger: str) -> dict[str, Any]:
    config = RESOURCES[trigger]["Properties"]["TriggerConfig"]
    return event_pattern.parse(config["eventRuleFilterPattern"])


def sample_events() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((ROOT / "tests" / "samples").glob("*.json")):
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        for number, event in enumerate(body if isinstance(body, list) else [body]):
            if isinstance(event, dict):
                yield path.name + (f"[{number}]" if isinstance(body, list) else ""), event


@pytest.mark.parametrize("trigger", CAUGHT)
def test_a_pattern_catches_what_it_must_and_nothing_else(trigger: str) -> None:
    pattern = pattern_of(trigger)
    caught = {name for name, event in sample_events() if event_pattern.matches(pattern, event)}
    assert caught == CAUGHT[trigger]


def test_the_pattern_has_every_event_that_may_be_acted_on_and_no_other() -> None:
    wanted = {name.rpartition(":")[0] for name in system_event_catalog.switchable()}
    on_the_bus = {name.partition(":")[2] for name in pattern_of("SystemEventTrigger")["type"]}
    assert on_the_bus == wanted - {"Agent_Status_Stopped"}
    agents = {name.rpartition(":")[2] for name in pattern_of("AgentEventTrigger")["type"]}
    assert agents == {"AgentStatusStopped", "AgentStatusRunning"}


@pytest.mark.parametrize(
    ("on_the_bus", "code"), [("AgentStatusStopped", "not_actionable"), ("AgentStatusRunning", "alarm_over")]
)
def test_events_of_silent_agents_are_understood_as_the_trigger_sends_them(on_the_bus: str, code: str) -> None:
    event = {
        "id": "1",
        "specversion": "1.0",
        "source": "acs.cms",
        "type": f"cms:CloudMonitor:{on_the_bus}",
        "subject": "acs:ecs:cn-hangzhou:1234567890123456:instance/i-bp1a2b3c4d5e6f7g8h9i",
        "time": NOW.isoformat(),
        "data": {},
    }
    assert event_pattern.matches(pattern_of("AgentEventTrigger"), event)
    reading = read(json.dumps(event).encode(), EventSettings(default_region="cn-hangzhou"), NOW)
    assert [ignored.code for ignored in reading.ignored] == [code]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"a": "x"}, True),
        ({"a": "y"}, False),
        ({}, False),
        ({"a": ["x"]}, False),
    ],
)
def test_values_are_compared_exactly(event: dict[str, Any], *, expected: bool) -> None:
    assert event_pattern.matches({"a": ["x", {"prefix": "z-"}]}, event) is expected


def test_matchers_and_nesting() -> None:
    pattern = {
        "type": [{"prefix": "ecs:"}],
        "data": {"state": [{"anything-but": ["Stopped"]}], "note": [{"exists": False}], "name": [{"suffix": ".x"}]},
    }
    good = {"type": "ecs:A", "data": {"state": "Running", "name": "a.x"}}
    assert event_pattern.matches(pattern, good)
    for data in ({"state": "Stopped", "name": "a.x"}, {**good["data"], "note": 1}, {"state": "Running"}, "text"):  # type: ignore[dict-item]
        assert not event_pattern.matches(pattern, {**good, "data": data})


def test_every_setting_is_in_the_template_or_left_out_for_a_reason() -> None:
    left_out = {
        "ECS_ENDPOINT": "for a stand-in cloud",
        "SLS_ENDPOINT": "for a stand-in cloud",
        "HANDOVER_ENDPOINT": "for a stand-in cloud",
        "ESS_ENDPOINT": "for a stand-in cloud",
        "CMS_ENDPOINT": "for a stand-in cloud",
        "OSS_ENDPOINT": "for a stand-in cloud",
    }
    known = {variable.name for variable in VARIABLES}
    variables = RESOURCES["Function"]["Properties"]["EnvironmentVariables"]
    # The example keeps its ledger in tags and takes no evidence.
    on_demand = {"TABLESTORE_ENDPOINT", "TABLESTORE_INSTANCE", "TABLESTORE_TABLE", "EVIDENCE_BUCKET"}
    assert on_demand <= TEMPLATE["Resources"]["Function"]["Properties"]["EnvironmentVariables"].keys()
    assert variables.keys() | on_demand | left_out.keys() == known


def test_defaults_are_those_of_the_function_unless_said_otherwise() -> None:
    otherwise = {
        "LOG_PROJECT",
        "LOGSTORE",
        "HANDOVER",  # deployed, the function may call itself
        "STACK_NAME",
        "LEDGER",  # deployed, in a table: the calls of a decision do not grow with the fleet
        "TABLESTORE_ENDPOINT",
        "TABLESTORE_INSTANCE",
        "TABLESTORE_TABLE",
        "CLAIM_SETTLE_SECONDS",  # tags take a moment to be seen everywhere, except in tests
        "STORM_FACTOR",  # a stack is deployed to be left alone: it stops sooner
        "VERIFY_SECONDS",  # deployed, the function proves what it did
    }
    given = {name: checks.EXAMPLE_PARAMETERS[name] for name in ("CodeBucket", "CodeObject")}
    made = rendered(plan(TEMPLATE, given, checks.EXAMPLE_PSEUDO))["Resources"]
    variables = made["Function"]["Properties"]["EnvironmentVariables"]
    differing = {
        variable.name
        for variable in VARIABLES
        if variable.name in variables and variables[variable.name] != variable.default
    }
    assert differing <= otherwise


def test_the_timers_send_what_the_function_reads() -> None:
    rules = EventSettings(default_region="cn-hangzhou", max_event_age_seconds=0)
    for trigger in ("ScheduleTrigger", "SweepTrigger"):
        config = RESOURCES[trigger]["Properties"]["TriggerConfig"]
        event = {"triggerTime": "2026-11-23T04:00:00Z", "triggerName": trigger, "payload": config["payload"]}
        reading = read(json.dumps(event).encode(), rules, NOW)
        assert not reading.rejected, reading
        assert bool(reading.requests) is (trigger == "ScheduleTrigger")
        assert bool(reading.upkeep) is (trigger == "SweepTrigger")


def test_each_field_of_a_record_has_its_index() -> None:
    index = {index["Name"]: index["Type"] for index in RESOURCES["RecordsIndex"]["Properties"]["KeyIndices"]}
    assert index == record_fields()
    assert index["downtime_seconds"] == "double"
    assert (index["schema"], index["attempt"], index["code"]) == ("long", "long", "text")


def test_queries_name_fields_that_are_indexed() -> None:
    fields = record_fields()
    charts = RESOURCES["Dashboard"]["Properties"]["Charts"]
    alert = RESOURCES["LogAlert"]["Properties"]["Detail"]["Configuration"]["QueryList"]
    for query in [*(chart["search"]["query"] for chart in charts), *(query["Query"] for query in alert)]:
        search = query.partition("|")[0]
        named = {word.rstrip(":").lstrip("(") for word in search.split() if word.endswith(":")}
        assert named, query
        assert named <= fields.keys(), query


def test_the_alert_is_for_every_outcome_that_pages_and_for_no_other() -> None:
    (query,) = [query["Query"] for query in RESOURCES["LogAlert"]["Properties"]["Detail"]["Configuration"]["QueryList"]]
    asked = set(re.findall(r'code: "([^"]+)"', query.partition("|")[0]))
    assert asked == {outcome.code for outcome in OUTCOMES if outcome.pages}
    assert {"hung", "stayed_down", "running_silent", "storm_began"} <= asked


def test_what_a_new_role_is_checked_for_waits_until_the_role_works() -> None:
    """ROS makes at once whatever depends on nothing: only what depends on the pause comes after it."""
    resources = TEMPLATE["Resources"]
    checked = {
        name
        for name, resource in resources.items()
        if resource["Type"] == "ALIYUN::FC3::AsyncInvokeConfig" or "InvocationRole" in resource["Properties"]
    }
    assert checked == {"AlarmTrigger", "AsyncInvoke"}
    assert {resources[name].get("DependsOn") for name in checked} == {"RolesSettle"}
    assert resources["RolesSettle"]["DependsOn"] == "Role"


def test_everything_that_is_named_after_the_function_has_one_name() -> None:
    environment = RESOURCES["Function"]["Properties"]["EnvironmentVariables"]
    policy = json.dumps(RESOURCES["Role"]["Properties"]["Policies"])
    assert environment["LOGSTORE"] == "<Records.LogstoreName>"
    assert RESOURCES["Records"]["Properties"]["LogstoreName"] in policy
    assert RESOURCES["LogProject"]["Properties"]["Name"] in policy
    assert RESOURCES["FailureQueue"]["Properties"]["QueueName"] in policy
    assert RESOURCES["Function"]["Properties"]["FunctionName"] in json.dumps(RESOURCES["AlarmRole"])


def test_every_bound_of_a_parameter_is_one_that_the_function_takes() -> None:
    """A value that the console's form accepts must not be one that the function then refuses."""
    given = {name: checks.EXAMPLE_PARAMETERS[name] for name in ("CodeBucket", "CodeObject")}
    for name, declared in TEMPLATE["Parameters"].items():
        values = [*declared.get("AllowedValues", []), declared.get("MinValue"), declared.get("MaxValue")]
        for value in values:
            if value is None or name in ("Cpu", "MemorySize"):  # they go together: see the parameter's description
                continue
            made = rendered(plan(TEMPLATE, {**given, name: str(value)}, checks.EXAMPLE_PSEUDO))["Resources"]
            assert checks.check_rendered(made) == [], (name, value)


@pytest.mark.parametrize("limit", ["1", "10000", "1%", "99%", "100%", "off"])
def test_limits_that_the_form_takes(limit: str) -> None:
    given = {name: checks.EXAMPLE_PARAMETERS[name] for name in ("CodeBucket", "CodeObject")}
    made = rendered(plan(TEMPLATE, {**given, "MaxReboots": limit}, checks.EXAMPLE_PSEUDO))["Resources"]
    assert checks.check_rendered(made) == []
