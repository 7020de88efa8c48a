"""The documents say what the code says."""

import ast
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
GENERATE = runpy.run_path(str(ROOT / "docs" / "generate.py"))
DOCUMENTS = sorted((ROOT / "docs").rglob("*.md"))
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
PAGES = [*READMES, *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"))]
CHINESE = [ROOT / "README.zh-CN.md", *(path for path in DOCUMENTS if path.name.endswith(".zh-CN.md"))]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_generated_table_is_up_to_date(path: Path) -> None:
    text = path.read_text("utf-8")
    assert GENERATE["written"](text) == text, "run `make docs`"


#: Calls that make a result or a refusal, one of whose arguments is its code.
MAKERS = {
    "Guard", "Ignored", "Rejected", "Result", "Unreadable", "_close", "_no", "_rejected", "_result", "_ignored",
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
                found |= {
                    literal.value
                    for literal in literals
                    if isinstance(literal, ast.Constant) and isinstance(literal.value, str)
                }
    return {code for code in found if re.fullmatch(r"[a-z]+(_[a-z]+)*|DRYRUN.SUCCESS", code)} - NO_CODES


def test_every_code_that_the_function_writes_is_documented() -> None:
    found = written_codes()
    documents = "".join(path.read_text("utf-8") for path in DOCUMENTS)
    assert len(found) > 40
    assert {code for code in found if f"`{code}`" not in documents} == set()


@pytest.mark.parametrize("path", [*READMES, *DOCUMENTS], ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)[^)]*\)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


def lines_of_prose(text: str) -> list[str]:
    """Return the lines that can be broken anywhere: tables, commands, output and documents in code can't."""
    without_blocks = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [
        line
        for line in without_blocks.splitlines()
        if not line.lstrip().startswith("|") and not line.startswith("    ") and "`{" not in line
    ]


@pytest.mark.parametrize("path", [*PAGES, *DOCUMENTS], ids=lambda path: path.name)
def test_the_lines_of_a_document_wrap(path: Path) -> None:
    lines = lines_of_prose(path.read_text("utf-8"))
    assert lines
    assert [line for line in lines if len(line) > 100] == []


def test_every_make_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for path in [*READMES, *DOCUMENTS]:
        named = set(re.findall(r"`make (?:-s )?([a-z-]+)", path.read_text("utf-8")))
        assert named <= targets, f"{path.name} names {named - targets}"


def english(chinese: Path) -> Path:
    return chinese.with_name(chinese.name.replace(".zh-CN", ""))


def blocks(text: str) -> list[str]:
    """The blocks of commands and output, without what a shell would take for a comment."""
    return [re.sub(r" +# .*", "", block) for block in re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)]


def named(text: str) -> set[str]:
    """Return what a page names in code: settings, commands, files, codes."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return {" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)}


def test_the_pages_that_most_users_read_are_there_in_chinese() -> None:
    assert {english(path).name for path in CHINESE} == {"README.md", "deploy.md", "first-stack.md", "runbook.md"}


@pytest.mark.parametrize("path", CHINESE, ids=lambda path: path.name)
def test_a_chinese_page_says_what_the_english_one_says(path: Path) -> None:
    chinese, original = path.read_text("utf-8"), english(path).read_text("utf-8")
    assert blocks(chinese) == blocks(original)
    assert named(chinese) == named(original)
    assert [len(line) - len(line.lstrip("#")) for line in chinese.splitlines() if line.startswith("#")] == [
        len(line) - len(line.lstrip("#")) for line in original.splitlines() if line.startswith("#")
    ]
    assert f"({path.name})" in original
    assert f"({english(path).name})" in chinese


@pytest.mark.parametrize("path", CHINESE, ids=lambda path: path.name)
def test_a_link_of_a_chinese_page_says_in_chinese_where_it_leads(path: Path) -> None:
    texts = re.findall(r"(?<!!)\[([^\]`]+)\]\((?!https?://)", path.read_text("utf-8"))
    assert len(texts) > 1
    assert [text for text in texts if not re.search("[\u4e00-\u9fff]", text)] == ["English"]


#: Another word for a thing that is called otherwise everywhere else -> the word.
OTHER_WORDS = {
    "告警": "报警", "负责人": "所有者", "选择加入": "允许重启", "未加入": "未允许重启", "演练模式": "试运行",
    "守卫": "检查", "占位": "认领", "监控插件没有": "云助手 Agent 没有",
}  # fmt: skip
IN_CHINESE = [
    *CHINESE,
    *(
        ROOT / name
        for name in (
            "template.yml", "docs/operate/records.md", "docs/generate.py", "src/console/assets/messages.zh-CN.js",
            "src/console/chinese_facts.py", "src/ecs_reboot/outcomes.py", "src/ecs_reboot/records/notices/cures.py",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("path", IN_CHINESE, ids=lambda path: path.name)
def test_one_thing_has_one_word_in_chinese(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.search("[\u4e00-\u9fff]", text)
    assert [(word, instead) for word, instead in OTHER_WORDS.items() if word in text] == []


@pytest.mark.parametrize(
    ("path", "said"),
    [(READMES[0], "Not verified against the live service"), (READMES[1], "未经线上服务验证")],
    ids=lambda given: getattr(given, "name", ""),
)
def test_a_first_screen_has_what_a_newcomer_needs(path: Path, said: str) -> None:
    screen = "\n".join(path.read_text("utf-8").splitlines()[:60])
    for needed in ("make demo", "make -s serve", "-> completed", "make deploy", "5,000", said, "unverified.md"):
        assert needed in screen


@pytest.mark.parametrize("path", [*READMES, *DOCUMENTS], ids=lambda path: path.name)
def test_links_within_a_document_lead_to_a_heading(path: Path) -> None:
    text = path.read_text("utf-8")
    for file, heading in re.findall(r"\]\((?!https?://)([^)#]*)#([^)]+)\)", text):
        target = (path.parent / file).read_text("utf-8") if file else text
        headings = {anchor(line) for line in re.findall(r"^#+ (.+)", target, re.MULTILINE)}
        assert heading in headings, f"{path.name} links to {file}#{heading}"


def anchor(heading: str) -> str:
    """Return the name under which a heading is linked to."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
