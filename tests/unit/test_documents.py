"""The documents say what the code says."""

import ast
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
GENERATE = runpy.run_path(str(ROOT / "docs" / "generate.py"))
DOCUMENTS = sorted((ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_generated_table_is_up_to_date(path: Path):
    text = path.read_text("utf-8")
    assert GENERATE["written"](text) == text, "run `make docs`"


#: Calls that make a result or a refusal, one of whose arguments is its code.
MAKERS = {
    "Guard", "Ignored", "Rejected", "Result", "Unreadable", "_close", "_no", "_rejected", "_result", "_told",
    "of_decision", "of_request",
}  # fmt: skip
NO_CODES = {"reboot", "skip", "hard", "soft", "allowed", "intended", "endpoint", "body"}


def written_codes() -> set[str]:
    found = set()
    for path in (ROOT / "src" / "ecs_reboot").rglob("*.py"):
        for call in (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            literals = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "code")]
            if name in MAKERS:
                found |= {one.value for one in literals if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return {code for code in found if re.fullmatch(r"[a-z]+(_[a-z]+)*|DRYRUN.SUCCESS", code)} - NO_CODES


def test_every_code_that_the_function_writes_is_documented():
    found = written_codes()
    documents = "".join(path.read_text("utf-8") for path in DOCUMENTS)
    assert len(found) > 40
    assert {code for code in found if f"`{code}`" not in documents} == set()


@pytest.mark.parametrize("path", [ROOT / "README.md", *DOCUMENTS], ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path):
    for target in re.findall(r"\]\((?!https?://)([^)#]+)[^)]*\)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_every_make_target_in_the_documents_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for path in [ROOT / "README.md", *DOCUMENTS]:
        named = set(re.findall(r"`make (?:-s )?([a-z-]+)", path.read_text("utf-8")))
        assert named <= targets, f"{path.name} names {named - targets}"
