"""What a removed stack has left can be removed later, and nothing that a stack still uses ever is."""

import json
from pathlib import Path

import pytest
from local_deployment import OPTED_IN, PROJECT, ROOT, by_topic, clients, deploy, idle, records, run

from cloud_languages.template import document
from localcloud.server.server import Running
from stack import ledger
from stack.code import default_bucket, object_name
from stack.stacks import StackFailed, Stacks

INSTANCE = ledger.instance_name("1234567890123456", "cn-hangzhou")
BUCKET = default_bucket("1234567890123456", "cn-hangzhou")
ALL = ("--logs", "--forget")
TRUST = {
    "Version": "1",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["fc.aliyuncs.com"]}},
    ],
}


def left(whole: Running) -> tuple[bool, bool, bool]:
    """Whether logs, ledger and packages are there."""
    remembers = ledger.LedgerTable(clients(whole), INSTANCE).look().found == "table"
    return PROJECT in whole.account.stores.projects(), remembers, BUCKET in whole.account.oss.buckets


def test_what_a_plain_removal_kept_is_removed_by_the_flags_afterwards(
    whole: Running, large: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, large) == 0
    assert run(whole, "remove") == 0
    told = capsys.readouterr().err
    assert f"the packages stay in the bucket {BUCKET}" in told
    assert [told.count(flag) for flag in ("(LOGS=1)", "(FORGET=1)", "(LOGS=1 FORGET=1)")] == [1, 1, 1]
    assert left(whole) == (True, True, True)
    assert run(whole, "remove") == 2, "there is nothing to do"
    told = capsys.readouterr().err
    assert "is gone already; LOGS=1 and FORGET=1 remove" in told
    assert f"`make remove REGION=cn-hangzhou STACK=ecs-reboot ENDPOINT={whole.url} LOGS=1 FORGET=1`" in told
    assert run(whole, "remove", *ALL) == 0, capsys.readouterr().err
    told = capsys.readouterr().err
    assert "the logs are gone" in told
    assert "the ledger is gone" in told
    assert f"the bucket {BUCKET} is gone" in told
    assert "nothing was left" not in told
    assert left(whole) == (False, False, False)
    assert run(whole, "remove", *ALL) == 0, "once more"
    told = capsys.readouterr().err
    assert "nothing was left" in told
    assert " is gone:" not in told.partition("removing what it left")[2]
    assert "are gone" not in told


def test_of_a_name_that_no_stack_ever_had_nothing_is_removed(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, package) == 0
    assert run(whole, "remove") == 0
    capsys.readouterr()
    assert run(whole, "remove", "--name", "ecs-rebot", *ALL) == 2
    told = capsys.readouterr().err
    assert "there is no stack ecs-rebot in cn-hangzhou, which has none" in told
    assert f"`make remove REGION=cn-hangzhou STACK=ecs-rebot ENDPOINT={whole.url} LOGS=1 FORGET=1`" in told
    assert left(whole)[:2] == (True, True)


def test_what_a_stack_still_uses_stays(whole: Running, large: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy(whole, large) == 0
    second = f"FunctionName=two ExistingLogProject={PROJECT} MaxReboots=off VerifySeconds=0"
    assert run(whole, "deploy", "--name", "two", "--package", str(large), "--params", second) == 0
    capsys.readouterr()
    for again in ("with the stack", "when it is gone"):
        assert run(whole, "remove", *ALL) == 1, again
        told = capsys.readouterr().err
        for kept in (
            f"the ledger stays: table {ledger.TABLE} in {INSTANCE}",
            f"the log project {PROJECT} stays",
            f"the packages stay in the bucket {BUCKET}",
        ):
            assert f"{kept}: the stack two uses {'them' if 'packages' in kept else 'it'}. Remove" in told, again
        assert ("the stack ecs-reboot itself is removed" in told) == (again == "with the stack")
        assert left(whole) == (True, True, True)
        assert whole.account.stores.logstores(PROJECT) == ("two-records", "two-function")
    assert run(whole, "remove", "--name", "two", *ALL) == 0, capsys.readouterr().err
    assert left(whole)[1:] == (False, False)


def test_logs_that_another_stack_writes_stay(whole: Running, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy(whole, package) == 0
    assert run(whole, "remove") == 0
    assert run(whole, "deploy", "--name", "second", "--package", str(package), "--params", "MaxReboots=off") == 0
    by_topic(whole.account, "")
    idle(whole)
    before = records(whole)
    assert before[-1]["instance_id"] == OPTED_IN[1]
    capsys.readouterr()
    assert run(whole, "remove", "--logs") == 1
    told = capsys.readouterr().err
    assert f"the logs stay: ecs-reboot-records, ecs-reboot-function in {PROJECT}: the stack second uses them. " in told
    assert records(whole) == before


def test_a_second_stack_of_the_same_function_is_refused_before_anything_is_made(
    whole: Running, large: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = ("deploy", "--name", "foo", "--package", str(large))
    stranger = Stacks(clients(whole), lambda _line: None, poll_seconds=0)
    assert deploy(whole, large) == 0
    own = document.load(ROOT / "template.yml")
    lies_there = {
        "CodeBucket": BUCKET,
        "CodeObject": object_name(large.read_bytes()),
        "ExistingLogProject": PROJECT,
        "LogstoresExist": "true",
        "LedgerInstance": INSTANCE,
        "LedgerExists": "true",
    }
    capsys.readouterr()
    for plan in ((), ("--plan",)):
        assert run(whole, *second, *plan) == 1
        told = capsys.readouterr().err
        assert "the function ecs-reboot and its roles belong to the stack ecs-reboot of cn-hangzhou" in told
        assert "PARAMS=FunctionName=foo" in told
    assert run(whole, "deploy", "--name", "Ecs_Reboot", "--package", str(large)) == 1
    assert "PARAMS=FunctionName=ecs-reboot-2" in capsys.readouterr().err, "a name that the template takes"
    assert [stack.name for stack in whole.services.ros.stacks.values()] == ["ecs-reboot"]
    assert run(whole, *second, "--plan", "--params", "FunctionName=foo") == 0, capsys.readouterr().err

    # Whoever does without these tools gets as far as this: a shell that holds nothing, and uses nothing.
    with pytest.raises(StackFailed, match="EntityAlreadyExists"):
        stranger.follow(stranger.create("foo", own, lies_there))
    capsys.readouterr()
    assert run(whole, "remove", *ALL) == 0, capsys.readouterr().err
    assert left(whole) == (False, False, False)


def test_a_role_that_no_stack_holds_is_named_before_anything_is_made(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clients(whole).rpc(
        "ram", "CreateRole", {"RoleName": "ecs-reboot-cn-hangzhou", "AssumeRolePolicyDocument": json.dumps(TRUST)}
    )
    assert deploy(whole, package) == 1
    assert "a role ecs-reboot-cn-hangzhou already, which no stack of cn-hangzhou holds" in capsys.readouterr().err
    assert whole.services.ros.stacks == {}


def test_a_bucket_that_holds_something_else_stays(
    whole: Running, large: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, large) == 0
    bucket = whole.account.oss.buckets[BUCKET]
    bucket.objects["ecs-reboot/notes.txt"] = next(iter(bucket.objects.values()))
    assert run(whole, "remove", *ALL) == 1
    assert f"the bucket {BUCKET} stays: it holds what is no package of ours (ecs-reboot/notes.txt)" in (
        capsys.readouterr().err
    )
    assert len(bucket.objects) == 2
