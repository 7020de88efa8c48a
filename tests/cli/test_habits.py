"""What a stranger looks for in a repository is there, and what it names exists."""

import re
from pathlib import Path

import pytest
import tomllib

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_licence_is_the_one_that_the_project_names() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")[:200]
    assert set(PROJECT["license-files"]) == {"LICENSE", "NOTICE"}


def test_the_notice_names_everything_that_the_package_redistributes() -> None:
    from bundle.distributions import NAMES

    notice = (ROOT / "NOTICE").read_text("utf-8").replace("-", "_")
    assert [name for name in NAMES if name.replace("-", "_") not in notice] == []


def test_the_changelog_has_the_version() -> None:
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_every_file_and_target_that_a_page_names_exists(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    files = set(re.findall(r"`((?:src|tests|docs|events)/[\w./-]+)`|\]\(([\w./-]+)\)", text))
    named = {file or link for file, link in files}
    assert {file for file in named if "NAME" not in file and not (ROOT / file).exists()} == set()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", text)) <= targets
