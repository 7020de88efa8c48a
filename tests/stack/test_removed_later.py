"""What a removed stack has left can be removed later, and nothing that a stack still uses ever is."""

import os
import zipfile
from pathlib import Path

import pytest
from local_deployment import OPTED_IN, PROJECT, by_topic, clients, deploy, idle, records, run

from localcloud.server.server import Running
from stack import ledger
from stack.code import default_bucket

INSTANCE = ledger.instance_name("1234567890123456", "cn-hangzhou")
BUCKET = default_bucket("1234567890123456", "cn-hangzhou")
ALL = ("--logs", "--forget")


@pytest.fixture
def large(package: Path, tmp_path: Path) -> Path:
    """A package that goes into a bucket, for it does not fit into a template."""
    path = tmp_path / "large.zip"
    path.write_bytes(package.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("padding", os.urandom(500_000))
    return path


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
    assert "is gone already; LOGS=1 and FORGET=1 remove" in capsys.readouterr().err
    for _ in range(2):  # and once more where nothing is left
        assert run(whole, "remove", *ALL) == 0, capsys.readouterr().err
        told = capsys.readouterr().err
        assert "the logs are gone" in told
        assert "the ledger is gone" in told
        assert f"the bucket {BUCKET} is gone" in told
        assert left(whole) == (False, False, False)


def test_of_a_name_that_no_stack_ever_had_nothing_is_removed(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, package) == 0
    assert run(whole, "remove") == 0
    capsys.readouterr()
    assert run(whole, "remove", "--name", "ecs-rebot", *ALL) == 2
    assert "there is no stack ecs-rebot in cn-hangzhou" in capsys.readouterr().err
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
            assert f"{kept}: the stack two uses it" in told, again
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
    assert "the logs stay: ecs-reboot-records, ecs-reboot-function" in capsys.readouterr().err
    assert records(whole) == before


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
