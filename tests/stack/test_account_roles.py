"""Roles of the account that services need beside the stack's own: without them alarms are lost in silence."""

from pathlib import Path

import pytest
from local_deployment import OPTED_IN, ROOT, alarm, by_eventbridge, deploy, idle, records, run, system_event
from test_deployer import as_deployer, documented, without
from test_deployer import deploy as deploy_as

from cloud_languages.template import document
from cloud_languages.template.render import plan, rendered
from localcloud.ram.system_roles import CLOUD_MONITOR, EVENT_BRIDGE
from localcloud.server.server import Running
from stack import checks
from stack.roles import ACCOUNT_ROLES

RULE = {"RuleId": "cpu", "RuleName": "cpu", "Namespace": "acs_ecs_dashboard", "EnableState": True, "Webhook": ""}


FC, FC_TRIGGER = "AliyunServiceRoleForFC", "AliyunServiceRoleForFCTriggerEventBridge"
AGENT = "AliyunServiceRoleForCloudMonitor"


QUIET = {"SystemEvents": "false", "StateEvents": "false", "AgentEvents": "false", "AlarmTopic": "false"}


@pytest.mark.parametrize(
    ("parameters", "roles"),
    [
        ({}, {FC}),
        ({"AlarmTopic": "true"}, {FC, CLOUD_MONITOR}),
        ({"StateEvents": "true"}, {FC, FC_TRIGGER, EVENT_BRIDGE}),
        ({"AgentEvents": "true"}, {FC, FC_TRIGGER, EVENT_BRIDGE, AGENT}),
    ],
    ids=lambda value: "+".join(sorted(value)) or "none",  # the same in each process that collects it
)
def test_each_role_is_looked_for_where_parameters_need_it(parameters: dict[str, str], roles: set[str]) -> None:
    given = {**checks.EXAMPLE_PARAMETERS, "AlarmRuleId": "", "ExampleAlarmInstance": "", **QUIET, **parameters}
    resources = rendered(plan(document.load(ROOT / "template.yml"), given, checks.EXAMPLE_PSEUDO))["Resources"]
    assert {role.name for role in ACCOUNT_ROLES if role.needed(resources)} == roles


def test_deploy_makes_what_is_missing_and_an_alarm_rule_reaches_the_function(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole.account.alarm_rules["cpu"] = {**RULE, "Targets": {}}
    assert deploy(whole, package, AlarmRuleId="cpu") == 0
    told = capsys.readouterr().err
    for name in (CLOUD_MONITOR, EVENT_BRIDGE, "AliyunServiceRoleForFC"):
        assert f"the role {name} was missing and is made" in told
    assert "AliyunServiceRoleForCloudMonitor" not in told, "only what the parameters need"
    assert FC_TRIGGER not in told, "Function Compute makes it with the first trigger: nobody has to do anything"
    assert whole.account.alarm("cpu", alarm("cpu")) == 1
    idle(whole)
    assert [(record["instance_id"], record["code"]) for record in records(whole) if record["record"] == "result"] == [
        (OPTED_IN[1], "accepted")
    ]
    assert deploy(whole, package, AlarmRuleId="cpu") == 0
    assert "was missing" not in capsys.readouterr().err
    assert run(whole, "doctor") == 0
    told = capsys.readouterr().out
    assert f"good  roles: there are {CLOUD_MONITOR}" in told
    assert FC_TRIGGER in told


def test_without_cloud_monitors_role_the_rule_is_saved_and_nothing_arrives(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole.account.alarm_rules["cpu"] = {**RULE, "Targets": {}}
    assert deploy(whole, package, AlarmRuleId="cpu") == 0
    whole.account.roles.delete(CLOUD_MONITOR)
    assert whole.account.alarm("cpu", alarm("cpu")) == 0
    idle(whole)
    assert records(whole) == []
    capsys.readouterr()
    assert run(whole, "doctor") == 1
    told = capsys.readouterr().out
    assert f"bad   roles: {CLOUD_MONITOR} is missing: CloudMonitor saves alarm rules and no alarm reaches" in told
    assert "To make it:" in told


def test_who_may_not_make_them_is_told_how(whole: Running, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole.account.alarm_rules["cpu"] = {**RULE, "Targets": {}}
    may_not = without(documented(), "ram:CreateServiceLinkedRole")
    may_not["Statement"] = [
        statement for statement in may_not["Statement"] if "AliyunCloudMonitor" not in statement["Resource"][0]
    ]
    clients = as_deployer(whole, may_not)
    assert deploy_as(whole, clients, package, SystemEvents="false", StateEvents="false", AlarmRuleId="cpu") == 0
    told = capsys.readouterr().err
    assert f"the role {CLOUD_MONITOR} is missing, you may not make it (NoPermission). Without it" in told
    assert "Cloud Resource Access Authorization" in told
    assert whole.account.alarm("cpu", alarm("cpu")) == 0
    assert deploy_as(whole, clients, package, SystemEvents="true") == 1, "the trigger needs EventBridge's"
    told = capsys.readouterr().err
    assert EVENT_BRIDGE in told
    assert f"the role {FC_TRIGGER} is missing. Without it" in told, "it has not come with the stack"


def test_who_may_not_look_is_told_that_too(whole: Running, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blind = documented()
    blind["Statement"] = [
        statement for statement in blind["Statement"] if "role/Aliyun*" not in statement["Resource"][0]
    ]
    deploy_as(whole, as_deployer(whole, blind), package)
    assert f"whether the role {CLOUD_MONITOR} is there can't be seen (NoPermission" in capsys.readouterr().err


def test_a_plan_makes_no_roles(whole: Running, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(whole, "deploy", "--plan", "--package", str(package)) == 0
    told = capsys.readouterr().err
    assert f"the role {CLOUD_MONITOR} is missing. Without it" in told
    assert f"the role {FC_TRIGGER} is not there yet: its service makes it" in told
    assert whole.account.roles.get(CLOUD_MONITOR) is None


def test_events_on_the_bus_need_the_role_of_event_bridge(whole: Running, package: Path) -> None:
    assert deploy(whole, package) == 0
    role = whole.account.roles.get(EVENT_BRIDGE)
    assert role is not None
    whole.account.roles.delete(EVENT_BRIDGE)
    whole.account.bus.put_events([system_event("Instance:SystemFailure.Reboot")])
    idle(whole)
    assert records(whole) == []
    whole.account.roles.put(role)
    by_eventbridge(whole.account, "")
    idle(whole)
    assert records(whole)[-1]["code"] == "accepted"
