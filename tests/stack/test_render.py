import contextlib
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from local_deployment import ROOT

from cli.program import main
from cloud_languages import cron
from cloud_languages.template import document
from cloud_languages.template.parameters import WrongParameters
from cloud_languages.template.render import CircularTemplate, plan, rendered
from stack import checks

TEMPLATE = document.load(ROOT / "template.yml")
CODE = {"CodeBucket": "bucket", "CodeObject": "object"}


def made(**parameters: str) -> dict[str, Any]:
    resources: dict[str, Any] = rendered(plan(TEMPLATE, {**CODE, **parameters}, checks.EXAMPLE_PSEUDO))["Resources"]
    return resources


def test_evidence_lies_in_a_private_bucket_for_thirty_days_unless_told_otherwise() -> None:
    assert "EvidenceBucket" not in made()
    bucket = made(Evidence="console")["EvidenceBucket"]["Properties"]
    assert (bucket["AccessControl"], bucket["BlockPublicAccess"]) == ("private", True)
    for days, chosen in ((30, {}), (7, {"EvidenceDays": "7"})):
        (rule,) = made(Evidence="full", **chosen)["EvidenceBucket"]["Properties"]["LifecycleConfiguration"]["Rule"]
        assert (rule["Status"], rule["Prefix"], rule["Expiration"]) == ("Enabled", "", {"Days": days})


def test_optional_parts_are_there_when_they_are_asked_for() -> None:
    plain = made()
    assert {"LogProject", "SystemEventTrigger", "AlarmTrigger"} <= plain.keys()
    assert not {"HttpTrigger", "ScheduleTrigger", "LogAlert", "ExampleAlarm"} & plain.keys()
    # Without the sweep nobody is told of a machine that never came back.
    assert "SweepTrigger" in plain
    assert "VpcConfig" not in plain["Function"]["Properties"]
    assert plain["Function"]["Properties"]["InternetAccess"] is True
    quiet = made(AlarmTopic="false", SystemEvents="false", AlarmRuleId="rule-1", AgentEvents="true")
    assert not {"AlarmTrigger", "AlarmRole", "AlarmRuleTarget"} & quiet.keys()
    assert "AgentEventTrigger" in quiet, "agents' events come by EventBridge, not by the topic"
    kept = made(ExistingLogProject="logs", LogstoresExist="true")
    assert not {"LogProject", "Records", "RecordsIndex"} & kept.keys()
    assert kept["Function"]["Properties"]["EnvironmentVariables"]["LOGSTORE"] == "ecs-reboot-records"
    in_vpc = made(VpcId="vpc-1", VSwitchId="vsw-1", SecurityGroupId="sg-1")["Function"]["Properties"]
    assert in_vpc["VpcConfig"] == {"VpcId": "vpc-1", "VSwitchIds": ["vsw-1"], "SecurityGroupId": "sg-1"}
    assert in_vpc["EnvironmentVariables"]["NETWORK"] == "vpc"


def test_what_is_needed_is_made_first() -> None:
    decided = plan(TEMPLATE, {**CODE, **checks.EXAMPLE_PARAMETERS}, checks.EXAMPLE_PSEUDO)
    order = [resource.name for resource in decided.resources]
    for first, then in (
        ("Role", "Function"),
        ("Records", "Function"),
        ("Alarms", "AlarmTrigger"),
        ("Function", "Dashboard"),
    ):
        assert order.index(first) < order.index(then)


def test_wrong_parameters_are_told_all_at_once_and_secrets_not_at_all() -> None:
    with pytest.raises(WrongParameters) as error:
        plan(TEMPLATE, {"Runtim": "x", "LogDays": "many", "MaxAttempts": "0", "WebhookToken": "my short secret"}, {})
    told = str(error.value)
    assert "did you mean Runtime" in told
    assert "Parameters.CodeBucket" in told
    assert "Parameters.LogDays: 'many': it is no Number" in told
    assert "MinValue is 1" in told
    assert "24 to 128 letters" in told
    assert "my short secret" not in told


def test_what_would_not_work_under_given_parameters_is_found() -> None:
    findings = checks.check_rendered(made(ScheduleCron="0 61 4 * * *", Cpu="0.33", MaintenanceWindows="Mon 25:00"))
    assert {finding.path.rpartition(".")[2] for finding in findings} == {"cronExpression", "Cpu", "MAINTENANCE_WINDOWS"}


def test_circles_are_told() -> None:
    circle = {
        "Conditions": {"A": {"Fn::Not": "B"}, "B": {"Fn::Not": "A"}},
        "Resources": {"X": {"Type": "x", "Condition": "A"}},
    }
    with pytest.raises(CircularTemplate, match="A -> B -> A"):
        plan(circle, {}, {})


def test_render_prints_what_would_be_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "--params", "DryRun=true"]) == 0
    printed = capsys.readouterr()
    shown = document.read(printed.out)
    assert shown["Resources"]["Function"]["Properties"]["EnvironmentVariables"]["DRY_RUN"] == "true"
    assert "conditions that are off" in printed.err
    assert main(["render", "--params", "Nonsense=1"]) == 2
    assert main(["render", "--params", "ScheduleCron='0 61 4 * * *'"]) == 1
    assert main(["validate"]) == 0


def test_the_console_gets_the_template_as_json_without_anchors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plain"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed) == TEMPLATE
    assert printed.count("\n") == 1


START = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)  # a Monday


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("@every 5m", "2026-11-23T12:05:00"),
        ("@every 2h", "2026-11-23T14:00:00"),
        ("0 0 4 * * *", "2026-11-24T04:00:00"),
        ("30 15 12 * * *", "2026-11-23T12:15:30"),
        ("CRON_TZ=Asia/Shanghai 0 0 4 * * *", "2026-11-23T20:00:00"),
        ("0 0 4 1 * ?", "2026-12-01T04:00:00"),
        ("0 0 4 ? * SAT,SUN", "2026-11-28T04:00:00"),
        ("0 */20 * * * *", "2026-11-23T12:20:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 9-17/4 * JAN-MAR 1", "2027-01-04T09:00:00"),
    ],
)
def test_when_a_timer_goes_off(expression: str, due: str) -> None:
    found = cron.parse(expression).next_after(START)
    assert found is not None
    assert found.strftime("%Y-%m-%dT%H:%M:%S") == due


@given(
    second=st.integers(0, 59),
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    after=st.integers(0, 10 * 366 * 86_400),
)
def test_a_daily_timer_goes_off_within_a_day(second: int, minute: int, hour: int, after: int) -> None:
    moment = START + timedelta(seconds=after)
    due = cron.parse(f"{second} {minute} {hour} * * *").next_after(moment)
    assert due is not None
    assert timedelta(0) < due - moment <= timedelta(days=1)
    assert (due.second, due.minute, due.hour) == (second, minute, hour)


@given(st.text(max_size=30))
def test_an_expression_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        cron.parse(text)
