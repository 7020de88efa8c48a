"""Parameters are checked before anything is uploaded or taken away, in the words of the settings."""

import re
from pathlib import Path

import pytest
from alibabacloud_credentials.client import Client as CredentialChain
from alibabacloud_credentials.models import Config as CredentialConfig
from local_deployment import ROOT, clients, deploy, run

from cli.program import main
from cloud_languages.template import document
from localcloud.account.fleet import EVIDENCE_BUCKET
from localcloud.server.server import Running
from stack.clients import Clients


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"Freezes": "never"}, "'never' is no freeze; write it like"),
        ({"DryRum": "true"}, "DryRum"),
        ({"ScheduleRequest": "{"}, "Parameters.ScheduleRequest: '{': the payload of the timer must be a request"),
    ],
)
def test_a_wrong_parameter_leaves_no_trace(
    whole: Running, large: Path, given: dict[str, str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(whole, large, **given) != 0
    assert told in capsys.readouterr().err
    assert whole.account.oss.buckets.keys() == {EVIDENCE_BUCKET}
    assert whole.services.ros.stacks == {}


def test_right_parameters_are_deployed(whole: Running, large: Path) -> None:
    assert deploy(whole, large, GroupTag="app") == 0
    assert len(whole.account.oss.buckets.keys() - {EVIDENCE_BUCKET}) == 1


def test_parameters_alone_are_checked_without_package_and_cloud(capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = ("--endpoint", "http://127.0.0.1:9", "--package", "/nonexistent")
    assert main(["deploy", "--check", *nowhere, "--params", "DryRum=true MaxReboots=lots"]) == 2
    told = capsys.readouterr().err
    assert "did you mean DryRun" in told
    assert "MaxReboots" in told, "all mistakes at once"
    assert main(["deploy", "--check", *nowhere, "--params", "DryRun=true"]) == 0
    assert "".join(capsys.readouterr()) == ""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("MaintenanceWindows=Mon-Fry", "Parameters.MaintenanceWindows: 'Mon-Fry' is no window"),
        ("Notify=http://example", "Parameters.Notify: '***': entry 1: name the service"),
        ("Freezes=never TimeZone=Mars", "Parameters.TimeZone: 'Mars': give an IANA time zone"),
        ("MaxReboots=lots", "Parameters.MaxReboots: 'lots': a number, a share such as 5%, or off"),
        ("ScheduleRequest='{'", "Parameters.ScheduleRequest: '{': the payload of the timer must be a request"),
        ("""ScheduleRequest='{"instance_idz":["i-bp1a2b3c4d5e6f7g8h9i"]}'""", "did you mean 'instance_ids'?"),
        ("ScheduleCron=often", "Parameters.ScheduleCron: 'often': six fields, such as 0 0 4 * * *; or @every"),
    ],
)
def test_a_wrong_value_is_told_before_the_build_by_its_parameter_and_once(
    given: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deploy", "--check", "--params", given]) == 2
    said = capsys.readouterr().err
    assert told in said
    for line, word in zip(sorted(said.splitlines()), sorted(given.split()), strict=True):
        assert line.count(word.partition("=")[2]) == (0 if "***" in line else 1), line


@pytest.mark.parametrize("given", ["MaintenanceWindows='Mon-Fri 22:00-04:00' Managed=protect", "VSwitchId=vsw-1"])
def test_what_depends_on_other_parameters_is_not_refused_before_these_are_known(given: str) -> None:
    assert main(["deploy", "--check", "--params", given]) == 0


DECLARED = document.load(ROOT / "template.yml")["Parameters"]


@pytest.mark.parametrize("name", [name for name, declared in DECLARED.items() if "AllowedPattern" in declared])
def test_a_parameter_with_a_pattern_says_it_in_words_and_its_example_is_one(name: str) -> None:
    declared = DECLARED[name]
    words = declared["ConstraintDescription"]
    examples = re.findall(r"such as ([^,;]+)", words) + (["off"] if "or off" in words else [])
    assert examples or declared.get("NoEcho"), "a secret has no example: somebody would take it"
    assert [example for example in examples if not re.fullmatch(declared["AllowedPattern"], example)] == []
    assert ("or nothing" in words) == bool(re.fullmatch(declared["AllowedPattern"], ""))


def test_credentials_region_and_stack_are_checked_without_a_package(
    whole: Running, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check = ("deploy", "--check", "--reach", "--package", "/nonexistent")
    assert run(whole, *check, "--params", "DryRun=true") == 0
    assert "".join(capsys.readouterr()) == ""
    assert whole.services.ros.stacks == {}
    assert run(whole, *check, "--params", "Managed=protect Ledger=tags") == 1
    assert "Parameters.Managed: 'protect'" in capsys.readouterr().err
    assert deploy(whole, package, Ledger="tags") == 0
    capsys.readouterr()
    assert run(whole, *check, "--params", "Managed=protect") == 1, "the ledger is that of the stack"
    assert "Parameters.Managed: 'protect'" in capsys.readouterr().err
    assert run(whole, *check, "--name", "foo") == 1
    assert "belong to the stack ecs-reboot" in capsys.readouterr().err
    wrong = Clients(
        "cn-hangzhou",
        whole.url,
        CredentialChain(
            CredentialConfig(
                type="access_key",
                access_key_id=whole.cloud.credentials.root.access_key_id,
                access_key_secret="wrong",
            )
        ),
    )
    assert main([*check, "--endpoint", whole.url], wrong) == 1
    assert "look at ALIBABA_CLOUD_ACCESS_KEY_SECRET" in capsys.readouterr().err
    nowhere = Clients("cn-hangzou", whole.url, clients(whole)._given_chain)
    assert main([*check, "--region", "cn-hangzou", "--endpoint", whole.url], nowhere) == 1
    assert "look at REGION" in capsys.readouterr().err
