"""The ledger's table: made once for a region, found again, kept, looked at by the doctor."""

import re
from pathlib import Path

import pytest
from local_deployment import by_eventbridge, by_topic, clients, deploy, idle, run

from cli.program import main
from localcloud.account.cloud import Cloud
from localcloud.account.fleet import Fleet
from localcloud.server.server import Running, running
from stack import ledger
from stack.checks.rendered import check

ACCOUNT, REGION = "1234567890123456", "cn-hangzhou"
NAME = ledger.instance_name(ACCOUNT, REGION)
IN_TABLE = {"Ledger": "tablestore"}


def examined(whole: Running, capsys: pytest.CaptureFixture[str], *name: str) -> tuple[int, str]:
    capsys.readouterr()
    status = run(whole, "doctor", *name)
    return status, "\n".join(line for line in capsys.readouterr().out.splitlines() if " ledger:" in line)


def shown(whole: Running, capsys: pytest.CaptureFixture[str], *instance: str) -> list[str]:
    capsys.readouterr()
    assert main(["ledger", "show", *instance, "--endpoint", whole.url], clients(whole)) == 0
    return capsys.readouterr().out.splitlines()


def an_alarm_is_remembered_in_the_table(whole: Running, capsys: pytest.CaptureFixture[str]) -> None:
    rebooted = by_topic(whole.account, whole.url)
    idle(whole)
    region, window, instance = shown(whole, capsys)
    assert region == f"{REGION}, in tablestore: 1 instance is remembered"
    assert f"1 rebooted or about to be ({rebooted})" in window
    assert re.fullmatch(rf"{rebooted}  20\S{{17}}Z  graceful  accepted: .*", instance)
    assert shown(whole, capsys, rebooted) == [instance]
    assert shown(whole, capsys, "i-bp1nobody")[0].startswith("i-bp1nobody  no entry")


def test_names_are_taken_by_tablestore_in_every_region() -> None:
    for region in ("cn-hangzhou", "ap-southeast-1", "us-east-1", "me-central-1"):
        for account in range(1_000_000_000_000_000, 1_000_000_000_000_200):
            name = ledger.instance_name(str(account), region)
            made = {"X": {"Type": "ALIYUN::OTS::InstanceV2", "Properties": {"InstanceName": name}}}
            assert 3 <= len(name) <= 16
            assert list(check(made)) == []


def test_the_doctor_has_a_word_for_a_fleet_that_has_outgrown_tags() -> None:
    assert ledger.outgrown(ledger.MOST_IN_TAGS) == ""
    assert "Ledger=tablestore" in ledger.outgrown(ledger.MOST_IN_TAGS + 1)


@pytest.mark.parametrize(
    ("chosen", "code", "told"),
    [
        ("tags", "", ledger.outgrown(ledger.MOST_IN_TAGS + 1)),
        ("tags", "Forbidden.RAM", "whether tags are enough for the fleet can't be seen: DescribeInstances: Forbidden"),
        ("tablestore", "", ""),
    ],
)
def test_deploying_says_where_a_fleet_has_outgrown_tags(
    package: Path, capsys: pytest.CaptureFixture[str], chosen: str, code: str, told: str
) -> None:
    names = [f"i-bp1many{number:012d}" for number in range(ledger.MOST_IN_TAGS + 1)]
    instances = [{"instance_id": name, "tags": {"ecs-reboot": "enabled"}} for name in names]
    fault = {"action": "DescribeInstances", "kind": "error", "code": code}
    fleet = Fleet.model_validate({"instances": instances, "faults": [fault] if code else []})
    with running(Cloud.from_fleet(fleet)) as cloud:
        assert run(cloud, "deploy", "--plan", "--package", str(package), "--params", f"Ledger={chosen}") == 0
        assert bool(cloud.cloud.audit.calls("DescribeInstances")) == (chosen == "tags")
    said = capsys.readouterr().err
    assert told in said
    assert bool(told) == ("tags" in said)


def test_the_first_stack_makes_it_the_second_uses_it_and_both_leave_it(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, package, **IN_TABLE) == 0
    assert f"LedgerInstance: {NAME}" in capsys.readouterr().out
    environment = whole.account.functions.find("ecs-reboot").function.environment
    assert environment["LEDGER"] == "tablestore"
    assert (environment["TABLESTORE_INSTANCE"], environment["TABLESTORE_TABLE"]) == (NAME, ledger.TABLE)
    instance = whole.services.ots.instances.get(NAME)
    assert instance is not None
    assert instance.networks == {"INTERNET", "VPC", "CLASSIC"}, "a new instance refuses the Internet unless it is named"
    assert ledger.LedgerTable(clients(whole), NAME).look().found == "table"
    assert examined(whole, capsys) == (
        0,
        f"good  ledger: the table {ledger.TABLE} in {NAME} is there and forgets nothing",
    )

    assert deploy(whole, package, **IN_TABLE, LogDays="30") == 0, "an update keeps it"
    capsys.readouterr()
    second = ("--name", "two", "--package", str(package), "--params", "Ledger=tablestore FunctionName=two")
    assert run(whole, "deploy", *second) == 0
    assert f"the ledger in {NAME} is there already and is used" in capsys.readouterr().err
    standing = {stack.name: stack.standing for stack in whole.services.ros.stacks.values()}
    assert "LedgerTable" in standing["ecs-reboot"]
    assert not {"LedgerStore", "LedgerTable"} & standing["two"].keys()

    for name in ("ecs-reboot", "two"):
        assert run(whole, "remove", "--name", name) == 0
        assert f"the ledger stays: table {ledger.TABLE} in {NAME}" in capsys.readouterr().err
    assert ledger.LedgerTable(clients(whole), NAME).look().found == "table"
    assert deploy(whole, package, **IN_TABLE) == 0
    assert "is there already and is used" in capsys.readouterr().err
    assert run(whole, "remove", "--forget") == 0
    assert "the ledger is gone" in capsys.readouterr().err
    assert ledger.LedgerTable(clients(whole), NAME).look().found == "instance"
    assert deploy(whole, package, **IN_TABLE) == 0, "the instance alone is taken up too"
    assert ledger.LedgerTable(clients(whole), NAME).look().found == "table"
    an_alarm_is_remembered_in_the_table(whole, capsys)


def test_a_stack_that_begins_to_use_it_later_gets_it(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, package, Ledger="tags") == 0
    status, told = examined(whole, capsys)
    assert (status, told) == (0, "good  ledger: attempts are remembered in a tag on each instance (Ledger=tags)")
    assert shown(whole, capsys)[0] == f"{REGION}, in tags: 0 instances are remembered"
    rebooted = by_eventbridge(whole.account, whole.url)
    idle(whole)
    assert shown(whole, capsys)[0] == f"{REGION}, in tags: 1 instance is remembered"
    assert re.fullmatch(rf"{rebooted}  20\S{{17}}Z  graceful  accepted: .*", shown(whole, capsys, rebooted)[0])
    assert run(whole, "deploy", "--package", str(package), "--params", "Ledger=tablestore") == 0
    assert ledger.LedgerTable(clients(whole), NAME).look().found == "table"
    an_alarm_is_remembered_in_the_table(whole, capsys)


def test_without_activation_nothing_is_begun_and_it_says_how(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole.account.tablestore_activated = False
    assert deploy(whole, package, **IN_TABLE) == 1
    told = capsys.readouterr().err
    assert "Tablestore can't be used in this account" in told
    assert "https://ots.console.aliyun.com" in told
    assert "Ledger=tags" in told
    assert whole.services.ros.stacks == {}
    assert deploy(whole, package, Ledger="tags") == 0


def test_the_doctor_sees_a_table_that_is_gone_or_forgets(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, package, **IN_TABLE) == 0
    instance = whole.services.ots.instances.get(NAME)
    assert instance is not None
    table = instance.table(ledger.TABLE)
    table.options = table.options.changed({"time_to_live": 86_400})
    status, told = examined(whole, capsys)
    assert status == 1
    assert f"bad   ledger: the table {ledger.TABLE} in {NAME}: it forgets rows after 86400 seconds" in told
    instance.delete_table(ledger.TABLE)
    status, told = examined(whole, capsys)
    assert status == 1
    assert (
        f"bad   ledger: {NAME}: no table {ledger.TABLE}, so nothing is rebooted. Deploy with LedgerExists=instance"
        in told
    )
    whole.services.ots.instances.delete(NAME)
    whole.account.tablestore_activated = False
    status, told = examined(whole, capsys)
    assert status == 1
    assert "no such instance, so nothing is rebooted. Tablestore may not be activated" in told


def test_a_table_that_is_no_ledger_is_not_taken(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole.services.ots.instances.declare(NAME, REGION, ("VPC",), {ledger.TABLE: {"id": "STRING"}})
    assert deploy(whole, package, **IN_TABLE) == 1
    assert f"the table {ledger.TABLE} in {NAME} is no ledger: its key is" in capsys.readouterr().err
    assert whole.services.ros.stacks == {}
