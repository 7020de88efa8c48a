from pathlib import Path

import pytest
from local_deployment import NOT_OPTED_IN, OPTED_IN, PROJECT, deploy, run

from localcloud.server.server import Running

CHAT = "dingtalk=https://oapi.dingtalk.com/robot/send?access_token=abcdef123456"


def rule(*targets: str, enabled: bool = True) -> dict[str, object]:
    return {
        "Namespace": "acs_ecs_dashboard",
        "EnableState": enabled,
        "Webhook": "",
        "Targets": dict(enumerate(targets, 1)),
    }


def examined(whole: Running, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    status = run(whole, "doctor")
    return status, capsys.readouterr().out


def test_nothing_is_deployed(whole: Running, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = examined(whole, capsys)
    assert status == 1
    assert "good  credentials: you are acs:ram::1234567890123456:root" in told
    assert "bad   stack: there is no stack ecs-reboot" in told


def test_a_sound_stack(whole: Running, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    topic = "acs:mns:cn-hangzhou:1234567890123456:/topics/ecs-reboot-alarms/message"
    other = "acs:fc:cn-hangzhou:1234567890123456:services/old/functions/reboot-it"
    account = whole.account
    account.alarm_rules["cpu"] = {"RuleId": "cpu", "RuleName": "cpu high", **rule()}
    account.alarm_rules["old"] = {"RuleId": "old", "RuleName": "old one", **rule(other)}
    account.alarm_rules["off"] = {"RuleId": "off", "RuleName": "asleep", **rule(topic, enabled=False)}
    assert deploy(whole, package, AlarmRuleId="cpu", ExampleAlarmInstance=OPTED_IN[0], ContactGroup="ops") == 0
    fleet = whole.cloud.fleet
    paused = fleet.get(OPTED_IN[4])
    assert paused is not None
    fleet.tag(paused, {"ecs-reboot": "paused; by=ada"})
    before = len(whole.cloud.audit.entries())
    status, told = examined(whole, capsys)
    assert status == 0, told
    for line in (
        "  clock: this machine is ",
        "good  stack: ecs-reboot is CREATE_COMPLETE",
        "good  settings: reboots are on, force is never",
        "note  notices: nobody is told, whatever happens: name a chat by Notify, or set AlertEmail",
        "good  role: ecs-reboot-cn-hangzhou",
        "good  logs: " + PROJECT,
        "note  alarms: old one calls another function: " + other,
        "note  alarms: asleep leads here but is disabled",
        "good  alarms: 3 of 4 ECS alarm rules lead to this function",
        f"note  instances: {OPTED_IN[4]}: not_opted_in: ",
        "good  instances: 10 instances of cn-hangzhou carry the tag ecs-reboot",
    ):
        assert line in told, told
    assert NOT_OPTED_IN not in told
    calls = whole.cloud.audit.entries(before)
    assert not [call for call in calls if call["kind"] == "api" and call["effect"]], "the doctor only looks"


def test_what_is_wrong_is_told(whole: Running, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy(whole, package, Paused="moving house; by=ada", Notify=CHAT, NotifySecret="s3cret") == 0
    whole.account.stores.delete_logstore(PROJECT, "ecs-reboot-records")
    stack = next(iter(whole.services.ros.stacks.values()))
    statements = stack.document["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    statements[:] = [one for one in statements if "ecs:RebootInstances" not in one.get("Action", ())]
    status, told = examined(whole, capsys)
    assert status == 1
    assert "good  notices: a chat is told of reboots and of what needs a person" in told
    assert "bad   settings: nothing is rebooted, the function is paused: moving house, by ada" in told
    assert "bad   role: ecs-reboot-cn-hangzhou lacks ecs:RebootInstances" in told
    assert f"bad   logs: {PROJECT} has no ecs-reboot-records" in told
    assert "paused: the function is paused" in told
