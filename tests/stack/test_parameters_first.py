"""Parameters are checked before anything is uploaded or taken away, in the words of the settings."""

import os
import zipfile
from pathlib import Path

import pytest
from local_deployment import deploy

from cli.program import main
from localcloud.account.fleet import EVIDENCE_BUCKET
from localcloud.server.server import Running


@pytest.fixture
def large(package: Path, tmp_path: Path) -> Path:
    """A package that does not fit into a template, and would be uploaded."""
    path = tmp_path / "large.zip"
    path.write_bytes(package.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("padding", os.urandom(500_000))
    return path


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"Freezes": "never"}, "'never' is no freeze; write it like"),
        ({"DryRum": "true"}, "DryRum"),
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
