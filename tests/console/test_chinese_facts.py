"""What guards read is said in Chinese: no sentence of the code is left in English."""

import ast
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

import pytest

from console.chinese_facts import in_chinese
from ecs_reboot.policy import signs_of_life
from review import guard_facts

#: Values that stay as they are: what ECS or a setting is called.
NAMES = {"ecs", "reboot", "yes", "no", "on"}


def sentences(module: ModuleType) -> Iterator[str]:
    """Give every text that a module's functions make, with something in each hole."""
    for function in ast.parse(inspect.getsource(module)).body:
        if isinstance(function, ast.FunctionDef):
            inner = {id(part) for node in ast.walk(function) for part in _parts(node)}
            for node in (node for statement in function.body[_docstring(function) :] for node in ast.walk(statement)):
                if isinstance(node, ast.JoinedStr):
                    yield "".join(map(_filled, node.values))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
                    yield node.value


def _parts(node: ast.AST) -> list[ast.expr]:
    """Give what is filled into a text, and the nouns of counts, which stand in a text with their number."""
    if isinstance(node, ast.JoinedStr):
        return node.values
    return node.args if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "counted" else []


def _docstring(function: ast.FunctionDef) -> int:
    return 1 if ast.get_docstring(function) else 0


def _filled(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    call = part.value if isinstance(part, ast.FormattedValue) else None
    if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "counted":
        noun = call.args[1]
        return f"2 {noun.value!s}s" if isinstance(noun, ast.Constant) else "2"
    return "9"


def english(text: str) -> list[str]:
    """Return the words that are neither names nor values."""
    return [word for word in re.findall(r"(?<![\w.%-])[a-z']{3,}(?![\w.=-])", text) if word not in NAMES]


@pytest.mark.parametrize("module", [guard_facts, signs_of_life], ids=lambda module: module.__name__)
def test_every_sentence_is_translated(module: ModuleType) -> None:
    made = [text for text in sentences(module) if " " in text.strip()]
    assert len(made) > 10
    left = {text: words for text in made if (words := english(in_chinese(text)))}
    assert left == {}


@pytest.mark.parametrize(
    ("fact", "chinese"),
    [
        ("OperationLocks: none", "OperationLocks: 无"),
        ("OperationLocks: security", "OperationLocks: security"),
        (
            "StartTime 2026-11-20T18:00Z (3 d ago), GRACE_SECONDS 600",
            "StartTime 2026-11-20T18:00Z（3 天前），GRACE_SECONDS 600",
        ),
        ("no tag ecs-reboot, OPT_IN_TAG ecs-reboot=enabled", "没有标签 ecs-reboot，OPT_IN_TAG ecs-reboot=enabled"),
        (
            "1 other rebooted within 3600 s, limit 2 (MAX_REBOOTS 5%)",
            "3600 秒内另有 1 台已重启，上限 2 (MAX_REBOOTS 5%)",
        ),
    ],
)
def test_a_fact_in_chinese(fact: str, chinese: str) -> None:
    assert in_chinese(fact) == chinese
