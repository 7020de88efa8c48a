"""What a stranger looks for in a repository is there, and what it names exists."""

import ast
import re
from collections import Counter
from pathlib import Path
from statistics import median

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


#: Lines of the longest module, and of half of those of the code.
MOST_LINES, MEDIAN_LINES = 400, 120


def test_no_module_is_longer_than_a_person_reads_at_once() -> None:
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines())
        for folder in ("src", "tests", "docs")
        for path in ROOT.glob(f"{folder}/**/*.py")
    }
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}
    assert median(count for path, count in lines.items() if path.startswith("src")) < MEDIAN_LINES


def named_one(path: Path) -> list[str]:
    """Return where a module calls a variable or a parameter `one`: that says how many there are, not what it is."""
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Name) and node.id == "one") or (isinstance(node, ast.arg) and node.arg == "one")
    ]


def test_a_variable_says_what_it_is() -> None:
    modules = [path for folder in ("src", "tests", "docs") for path in sorted(ROOT.glob(f"{folder}/**/*.py"))]
    assert [place for path in modules for place in named_one(path)] == []


#: How many classes may share a name: the function's own, and its counterpart in the local cloud, say.
MOST_NAMESAKES = 2


def test_a_name_of_a_class_says_which_it_is() -> None:
    names = Counter(
        node.name
        for path in ROOT.glob("src/**/*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name: count for name, count in names.items() if count > MOST_NAMESAKES} == {}


#: What a stranger may want to change, as the headings of CONTRIBUTING.md name it.
CHANGES = (
    "An event source", "A guard", "A setting", "An outcome", "An API call", "A fault of the local cloud",
    "A console panel", "A parameter of the template", "A sink of notices", "A trigger", "A command",
    "A row of the benchmark",
)  # fmt: skip


def paths_in(text: str) -> set[str]:
    """Return the files that a page names; of a file that is to be made, its directory."""
    named = re.findall(r"`((?:src|tests|docs|events)/[\w./-]+|template\.yml)`|\]\(([\w./-]+)\)", text)
    return {re.sub(r"[^/]*NAME.*", "", file or link) for file, link in named}


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_every_file_and_target_that_a_page_names_exists(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert {file for file in paths_in(text) if not (ROOT / file).exists()} == set()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)[ `]", text)) <= targets


def test_each_kind_of_change_has_a_checklist_that_names_the_file_to_begin_with_and_a_test() -> None:
    _, *sections = re.split(r"^## ", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), flags=re.MULTILINE)
    lists = {section.partition("\n")[0]: section for section in sections}
    assert set(CHANGES) <= set(lists)
    for change in CHANGES:
        first = re.search(r"^1\. .*?(?=^2\. )", lists[change], re.MULTILINE | re.DOTALL)
        assert first, change
        assert paths_in(first[0]) or "src/cli/" in first[0], change
        assert "tests/" in lists[change] or "`make bench`" in lists[change], change
