import py_compile
import zipfile
from pathlib import Path

import pytest
from local_deployment import NOT_OPTED_IN, OPTED_IN, PROJECT, ROOT, by_topic, deploy, idle, run

from localcloud.server.server import Running
from stack.function_output import judge

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
    assert "bad   stack: there is no stack ecs-reboot in cn-hangzhou, which has none: `make deploy REGION=" in told


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
    assert "timers:" not in told
    calls = whole.cloud.audit.entries(before)
    assert not [call for call in calls if call["kind"] == "api" and call["effect"]], "the doctor only looks"


def test_what_is_wrong_is_told(whole: Running, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy(whole, package, Paused="moving house; by=ada", Notify=CHAT, NotifySecret="s3cret") == 0
    whole.account.stores.delete_logstore(PROJECT, "ecs-reboot-records")
    stack = next(iter(whole.services.ros.stacks.values()))
    statements = stack.document["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    statements[:] = [statement for statement in statements if "ecs:RebootInstances" not in statement.get("Action", ())]
    stack.values = {**stack.values, "ScheduleRequest": '{"instance_idz": []}'}
    status, told = examined(whole, capsys)
    assert status == 1
    assert "bad   timers: the function rejects what the timer schedule sends: payload.instance_idz" in told
    assert "good  notices: a chat is told of reboots and of what needs a person" in told
    assert "bad   settings: nothing is rebooted, the function is paused: moving house, by ada" in told
    assert "bad   role: ecs-reboot-cn-hangzhou lacks ecs:RebootInstances" in told
    assert f"bad   logs: {PROJECT} has no ecs-reboot-records" in told
    assert "paused: the function is paused" in told


@pytest.fixture
def of_another_python(tmp_path: Path) -> Path:
    """A package whose modules were compiled by another Python than this one."""
    compiled = tmp_path / "handler.pyc"
    py_compile.compile(str(ROOT / "src" / "ecs_reboot" / "__init__.py"), str(compiled), doraise=True)
    path = tmp_path / "function.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("index.py", "from handler import handler\n")
        archive.writestr("handler.pyc", b"\x6f\x0d" + compiled.read_bytes()[2:])
    return path


def test_a_function_that_can_not_start_is_told_by_doctor_and_logs(
    whole: Running, package: Path, of_another_python: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, of_another_python) == 0
    assert "note  function: it has not run in the last day" in examined(whole, capsys)[1]
    by_topic(whole.account, "")
    idle(whole)
    why = "it can't start, so nothing is done for any event: ImportError: bad magic number in 'handler'"
    status, told = examined(whole, capsys)
    assert status == 1
    assert f"bad   function: {why}" in told
    assert "its package was built for another Python than the one that runs it: build again" in told
    assert run(whole, "logs") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert f"ecs-reboot: {why}" in said.err
    assert deploy(whole, package) == 0
    by_topic(whole.account, "")
    idle(whole)
    assert "good  function: its newest run ended well" in examined(whole, capsys)[1]
    assert run(whole, "logs") == 0


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("FC Invoke Start RequestId: 1\nFC Invoke End RequestId: 1", "its newest run ended well"),
        (
            "FC Invoke Start RequestId: 1\nFC Invoke End RequestId: 1, Error: Function timed out after 60 seconds",
            "its newest run failed: Function timed out after 60 seconds",
        ),
        (
            (
                "[ERROR] {'errorType': 'OfAnEarlierRun'}\nFC Initialize Start RequestId: 1\n"
                '2026-01-02T03:04:05.006Z 1 [ERROR] {\n    "errorMessage": "no, none",\n'
                '    "errorType": "RuntimeError",\n'
                '    "stackTrace": [\n        [\n            "a"\n        ]\n    ]\n}\n'
                "FC Initialize End RequestId: 1, Error: Unhandled function error"
            ),
            "it can't start, so nothing is done for any event: RuntimeError: no, none",
        ),
        (
            (
                "FC Initialize Start RequestId: 1\n2026-01-02T03:04:05.006Z 1 [ERROR] {'errorMessage': "
                "\"Unable to import module 'index'\", 'errorType': 'ImportModuleError', 'stackTrace': "
                "[\"ModuleNotFoundError: No module named 'pydantic_core._pydantic_core'\"]}\n"
                "FC Initialize End RequestId: 1, Error: Unhandled function error"
            ),
            (
                "it can't start, so nothing is done for any event: "
                "ModuleNotFoundError: No module named 'pydantic_core._pydantic_core'; its package was built for another"
            ),
        ),
        (
            (
                "FC Invoke Start RequestId: 1\n[ERROR] {half of\n[ERROR] {'none': 1}\n"
                "FC Invoke End RequestId: 1, Error: Unhandled function error"
            ),
            "its newest run failed: Unhandled function error",
        ),
    ],
)
def test_the_newest_run_is_judged_by_its_output(lines: str, told: str) -> None:
    run_of = judge(reversed(lines.splitlines()))
    assert run_of is not None
    assert run_of.sentence().startswith(told)
    assert judge(["nothing of the kind"]) is None
