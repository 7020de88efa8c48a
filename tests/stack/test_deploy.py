"""The tools for deploying, on the local cloud: plans, updates, failures, what is taken up again, and what stays."""

import json
import os
import shlex
import subprocess
import sys
import zipfile
from datetime import datetime, timezone
from itertools import repeat
from pathlib import Path

import pytest
from local_deployment import OPTED_IN, PROJECT, ROOT, by_topic, clients, deploy, idle, records, run

from cli.program import main
from cloud_languages.template import document
from cloud_languages.template.render import plan, rendered
from localcloud.account.fleet import EVIDENCE_BUCKET
from localcloud.oss.signature import OssError, OssSignature, OssSigned, claim_of, verify
from localcloud.server.server import Running
from stack import checks, code
from stack.clashes import clash
from stack.code_parameters import CODE
from stack.roles import AccountRoles
from stack.stacks import StackFailed, Stacks

RECORDS, FUNCTION_LOGS = "ecs-reboot-records", "ecs-reboot-function"


def test_a_plan_changes_nothing(whole: Running, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(whole, "deploy", "--plan", "--package", str(package)) == 0
    told = capsys.readouterr().err
    assert "Add        Function (ALIYUN::FC3::Function)" in told
    assert whole.services.ros.stacks == {}
    assert whole.account.oss.buckets.keys() == {EVIDENCE_BUCKET}
    assert not [call for call in whole.cloud.audit.calls(service="ros") if call["effect"]]


def test_an_update_keeps_parameters_and_changes_what_changed(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, package, DryRun="true") == 0
    capsys.readouterr()
    update = ("deploy", "--package", str(package), "--params", "LogDays=30 StateEvents=false")
    assert run(whole, *update, "--plan") == 0
    planned = {line.split()[1]: line.split()[0] for line in capsys.readouterr().err.splitlines()[1:]}
    assert planned == {"Records": "Modify", "FunctionLogs": "Modify", "StateEventTrigger": "Remove"}
    assert run(whole, "deploy", "--package", str(package), "--params", "StateEvents=false GraceSeconds=60") == 0
    function = whole.account.functions.find("ecs-reboot").function
    assert (function.environment["DRY_RUN"], function.environment["GRACE_SECONDS"]) == ("true", "60")
    assert "StateEventTrigger" not in next(iter(whole.services.ros.stacks.values())).standing
    by_topic(whole.account, "")
    idle(whole)
    assert (records(whole)[-1]["code"], records(whole)[-1]["dry_run"]) == ("DRYRUN.SUCCESS", "true")
    settings = whole.account.functions.find("ecs-reboot")
    assert settings.async_config is not None, "what stands beside the function outlives its update"
    assert (settings.async_config.max_async_retry_attempts, settings.reserved) == (1, 10)
    capsys.readouterr()
    assert run(whole, *update[:3]) == 0
    assert "up to date" in capsys.readouterr().err
    assert run(whole, *update[:3], "--plan") == 0
    assert "nothing would change: the stack ecs-reboot is up to date" in capsys.readouterr().err
    assert run(whole, "status", "--stack", "ecs-rebot") == 2
    assert capsys.readouterr().err == (
        "there is no stack ecs-rebot in cn-hangzhou, which has ecs-reboot. To make it: "
        f"`make deploy REGION=cn-hangzhou STACK=ecs-rebot ENDPOINT={whole.url}`\n"
    )


def test_the_code_goes_into_a_bucket_once_where_it_does_not_fit(
    whole: Running, large: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, large) == 0
    bucket = "ecs-reboot-code-1234567890123456-cn-hangzhou"
    name = code.object_name(large.read_bytes())
    assert list(whole.account.oss.buckets[bucket].objects) == [name]
    assert deploy(whole, large) == 0
    told = capsys.readouterr().err
    assert f"was sent to oss://{bucket}/{name}" in told
    assert f"is already at oss://{bucket}/{name}" in told
    by_topic(whole.account, "")
    idle(whole)
    assert records(whole)[-1]["code"] == "accepted"


@pytest.mark.parametrize(
    ("bucket", "told"), [("Bad_Name", "Bad_Name"), ("somebody-elses", "AccessDenied")], ids=["no name", "not ours"]
)
def test_a_bucket_that_can_not_be_used_is_told(
    whole: Running, package: Path, bucket: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    allowed = whole.cloud.authorize
    whole.cloud.authorize = lambda identity, action, resource: (
        "somebody-elses" not in resource.arn and allowed(identity, action, resource)
    )
    assert run(whole, "deploy", "--package", str(package), "--bucket", bucket) == 1
    said = capsys.readouterr().err
    assert "the package can't be put into the bucket" in said
    assert told in said
    assert whole.services.ros.stacks == {}


def test_oss_checks_signature_and_time(whole: Running) -> None:
    request = OssSigned("PUT", "/bucket/", "", {"x-oss-date": "20261123T120000Z"})
    claim = OssSignature("key", "20261123", "cn-hangzhou", (), "0" * 64)
    for now, refusal in (
        (datetime(2026, 11, 23, 12, 5, tzinfo=timezone.utc), "SignatureDoesNotMatch"),
        (datetime(2026, 11, 23, 12, 16, tzinfo=timezone.utc), "RequestTimeTooSkewed"),
    ):
        with pytest.raises(OssError, match=refusal):
            verify(claim, "secret", request, now)
    with pytest.raises(OssError, match="InvalidArgument"):
        claim_of({"authorization": "OSS4-HMAC-SHA256 Credential=key"})
    with pytest.raises(OssError, match="NoSuchBucket"):
        whole.account.oss.get("nowhere", "x")


def test_the_code_is_inline_only_where_the_template_stays_small_enough() -> None:
    template = document.load(ROOT / "template.yml")
    own = code.inlined(template, b"x" * 100_000)
    assert own is not None
    assert not set(CODE) & own["Parameters"].keys()
    assert len(document.as_json(own)) < 524_288
    assert code.inlined(template, os.urandom(380_000)) is None
    assert "CodeBucket" in template["Parameters"]


def test_the_first_failure_is_told_and_the_next_try_starts_clean(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole.account.messages.create_queue("ecs-reboot-failures")  # somebody else's
    assert deploy(whole, package) == 1
    told = capsys.readouterr().err
    assert "CREATE_ROLLBACK_COMPLETE: FailureQueue: QueueAlreadyExist" in told
    assert whole.account.functions.names() == ()
    whole.account.messages.delete("ecs-reboot-failures")
    assert deploy(whole, package) == 0
    told = capsys.readouterr().err
    assert "taking away what is left" in told
    assert "is there already and is used" in told  # the log project of the first try was retained
    by_topic(whole.account, "")
    idle(whole)
    assert records(whole)[-1]["code"] == "accepted"


def test_an_interrupted_deployment_is_taken_up(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = document.load(ROOT / "template.yml")
    own = code.inlined(template, package.read_bytes())
    assert own is not None
    stacks = Stacks(clients(whole), lambda _line: None, poll_seconds=0)
    needed = {"CodeBucket": "bucket", "CodeObject": "object"}
    made = rendered(plan(template, needed, checks.EXAMPLE_PSEUDO))["Resources"]
    assert {state.found for state in AccountRoles(clients(whole)).make(made)} == {"made", "missing"}
    stack_id = stacks.create("ecs-reboot", own, {})
    stacks.get(stack_id)  # one look, and then the connection is lost
    busy = stacks.get(stack_id)
    assert busy.busy
    for second in (
        lambda: stacks.create("ecs-reboot", own, {}),
        lambda: stacks.update(busy, own, {"DryRun": "true"}),
        lambda: stacks.delete(busy),
    ):
        with pytest.raises(StackFailed, match=r"the stack ecs-reboot is under way .*run the same command again"):
            second()
    assert run(whole, "deploy", "--package", str(package)) == 0
    # Whoever saw no stack a moment ago finds its roles: they are not a stranger's, to be deleted.
    assert clash(clients(whole), stacks, "ecs-reboot", made, ".+") == ""
    assert "FunctionName=another" in clash(clients(whole), stacks, "another", made, ".+")
    told = capsys.readouterr().err
    assert "following what is under way" in told
    assert "up to date" in told
    assert len(whole.services.ros.stacks) == 1


def test_removing_keeps_logs_and_the_next_stack_takes_them_up(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, package) == 0
    by_topic(whole.account, "")
    idle(whole)
    before = records(whole)
    assert before
    assert run(whole, "remove") == 0
    assert "the logs stay" in capsys.readouterr().err
    assert whole.account.functions.names() == ()
    assert records(whole) == before
    assert run(whole, "status") == 2
    assert deploy(whole, package) == 0
    function = whole.account.functions.find("ecs-reboot").function
    assert (function.environment["LOG_PROJECT"], function.environment["LOGSTORE"]) == (PROJECT, RECORDS)
    assert records(whole) == before
    assert run(whole, "remove", "--logs") == 0
    assert PROJECT not in whole.account.stores.projects()
    assert deploy(whole, package) == 0
    assert records(whole) == []


def test_what_is_not_fit_is_not_sent(
    whole: Running, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(whole, "deploy", "--package", str(tmp_path / "none.zip")) == 1
    assert "make build" in capsys.readouterr().err
    none, empty = tmp_path / "none.zip", tmp_path / "empty.zip"
    none.write_bytes(b"PK\3\4 and no more")
    zipfile.ZipFile(empty, "w").close()
    for wrong, why in ((none, "is no zip file"), (empty, "has no index.py")):
        assert run(whole, "deploy", "--package", str(wrong)) == 1
        assert f"{wrong} {why}" in capsys.readouterr().err
    assert deploy(whole, package, ScheduleCron="0 61 4 * * *") == 1
    assert "Parameters.ScheduleCron: '0 61 4 * * *': minute '61'" in capsys.readouterr().err
    assert deploy(whole, package, MaintenanceWindows="Mon 25:00-26:00") == 1
    assert "Parameters.MaintenanceWindows: 'Mon 25:00-26:00' " in capsys.readouterr().err
    broken = tmp_path / "template.yml"
    broken.write_text((ROOT / "template.yml").read_text(encoding="utf-8").replace("MemorySize: {", "MemorySizes: {"))
    assert run(whole, "deploy", "--package", str(package), "--template", str(broken)) == 1
    assert "did you mean MemorySize" in capsys.readouterr().err
    assert whole.services.ros.stacks == {}


@pytest.mark.parametrize("python", [f"{sys.version_info[0]}{sys.version_info[1]}", "39"], ids=["the same", "another"])
def test_a_package_for_another_python_is_refused_by_a_local_cloud_at_once(
    whole: Running, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], python: str
) -> None:
    path = tmp_path / "function.zip"
    path.write_bytes(package.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"pydantic_core/_pydantic_core.cpython-{python}-x86_64-linux-gnu.so", "")
    refused = python == "39"
    assert run(whole, "deploy", "--plan", "--package", str(path)) == int(refused)
    told = capsys.readouterr().err
    assert ("the package was built for Python 3.9, and the local cloud at" in told) == refused
    assert ("`make build RUNTIME=host`" in told) == refused


def test_a_failed_update_says_why(whole: Running, package: Path) -> None:
    assert deploy(whole, package) == 0
    stacks = Stacks(clients(whole), lambda _line: None, poll_seconds=0)
    found = stacks.find("ecs-reboot")
    assert found is not None
    template = json.loads(stacks.template(found))
    template["Resources"]["Function"]["Properties"]["Code"] = {"OssBucketName": "nowhere", "OssObjectName": "x"}
    mark = stacks.newest_event(found.stack_id)
    assert stacks.update(found, template, {})
    with pytest.raises(StackFailed, match=r"UPDATE_FAILED: Function: .*NoSuchBucket"):
        stacks.follow(found.stack_id, mark)


def test_a_stack_that_says_nothing_more_is_given_up_in_a_sentence(whole: Running, package: Path) -> None:
    assert deploy(whole, package) == 0
    stack = next(iter(whole.services.ros.stacks.values()))
    stacks = Stacks(clients(whole), lambda _line: None, poll_seconds=0, most_looks=3)
    found = stacks.find("ecs-reboot")
    assert found is not None
    stacks.delete(found)
    stack._steps = repeat(None)
    with pytest.raises(StackFailed, match=r"DELETE_IN_PROGRESS and nothing has happened for 3 looks: gave up looking"):
        stacks.follow(found.stack_id)


def test_a_role_works_only_a_while_after_it_was_made(
    whole: Running, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hasty = tmp_path / "template.yml"
    text = (ROOT / "template.yml").read_text(encoding="utf-8")
    hasty.write_text(text.replace("CreateDuration: 15", "CreateDuration: 0"))
    assert run(whole, "deploy", "--package", str(package), "--template", str(hasty)) == 1
    assert "AsyncInvoke: the role ecs-reboot-cn-hangzhou was made a moment ago" in capsys.readouterr().err
    assert deploy(whole, package) == 0


def test_targets_of_an_existing_rule_stay_when_the_stack_comes_and_goes(whole: Running, package: Path) -> None:
    theirs = {"1": "acs:mns:cn-hangzhou:1234567890123456:/queues/theirs/message"}
    rule = {"RuleId": "cpu", "RuleName": "cpu", "Namespace": "acs_ecs_dashboard", "EnableState": True, "Webhook": ""}
    whole.account.alarm_rules["cpu"] = {**rule, "Targets": dict(theirs)}
    assert deploy(whole, package, AlarmRuleId="cpu") == 0
    assert whole.account.alarm_rules["cpu"]["Targets"].keys() == {"1", "ecs-reboot"}
    assert run(whole, "remove") == 0
    assert whole.account.alarm_rules["cpu"]["Targets"] == theirs


def test_status_and_the_function_s_own_output_are_told(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, package) == 0
    by_topic(whole.account, "")
    idle(whole)
    capsys.readouterr()
    assert run(whole, "status") == 0
    told = capsys.readouterr().out
    assert "CREATE_COMPLETE    Function" in told
    before = len(records(whole))
    command = told.partition("TestCommand: ")[2].splitlines()[0].replace("i-replace-me", OPTED_IN[4])
    subprocess.run(shlex.split(command), check=True, capture_output=True)
    idle(whole)
    sent = records(whole)[before:]
    assert [(record["instance_id"], record["code"]) for record in sent] == [(OPTED_IN[4], "DRYRUN.SUCCESS")]
    assert run(whole, "logs", "--function") == 0
    assert "FC Invoke End" in capsys.readouterr().out


def test_records_of_a_stack_are_written_for_digest_and_what_is_printed_is_refused_by_it(
    whole: Running, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, package, Mode="observe") == 0
    by_topic(whole.account, "")
    idle(whole)
    capsys.readouterr()
    assert run(whole, "logs") == 0
    printed, exported = tmp_path / "printed.txt", tmp_path / "records" / "night.jsonl"
    printed.write_text(capsys.readouterr().out, "utf-8")
    exported.parent.mkdir()
    assert run(whole, "logs", "--records", str(exported)) == 0
    assert f"{exported} holds " in capsys.readouterr().err
    assert main(["digest", "--records", str(exported)]) == 0
    assert "would have rebooted 1, rebooted 0" in capsys.readouterr().out
    assert len(exported.read_text("utf-8").splitlines()) == len(records(whole))
    assert [path.name for path in exported.parent.iterdir()] == ["night.jsonl"]
    for command in ("digest", "replay", "explain"):
        assert main([command, "--records", str(printed)]) == 2, command
        told = capsys.readouterr()
        assert told.out == ""
        assert f"{printed} holds no record that can be read: " in told.err
        assert "make logs RECORDS=" in told.err
    kept = exported.read_bytes()
    assert run(whole, "logs", "--records", str(exported), "--query", "code: no-such-code") == 0
    assert (
        f"nothing in {RECORDS} of the last 60 minutes for the query code: no-such-code: {exported} stays as it was"
        in (capsys.readouterr().err)
    )
    assert exported.read_bytes() == kept


def test_a_wrong_secret_is_a_sentence_that_names_its_variable(whole: Running) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "ALIBABA_CLOUD_ACCESS_KEY_ID": whole.cloud.credentials.root.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "wrong",
        "ENDPOINT": whole.url,
        "HOME": "/nonexistent",
    }
    refused = subprocess.run(
        [sys.executable, "-m", "cli", "status"], env=environment, capture_output=True, text=True, check=False
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "SignatureDoesNotMatch" in refused.stderr
    assert "look at ALIBABA_CLOUD_ACCESS_KEY_SECRET" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
