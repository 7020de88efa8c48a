"""The cloud calls that the deployed code can make, read from its syntax trees: nothing is imported or run.

A call of the network SDK is a method name in text or as an attribute (``describe_instances_with_options``); calls of
the log service and of Function Compute are known by their paths, those of Tablestore by their names; a question to
another API is ``Api("product", "Action")``. Tests fail
for a call without a right, and for a right without a call.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_METHOD = re.compile(r"([a-z][a-z0-9_]*)_with_options")
#: The end of a path in the code -> the call that it is.
_PATHS = {
    "/shards/lb": "PutLogs",
    "/shards/route": "PutLogs",
    "/logs": "GetLogs",
    "/invocations": "InvokeFunction",
}
#: A whole text in the code -> the call that it is: OSS has a method for each.
_HTTP_METHODS = {"PUT": "PutObject"}
#: Operations of Tablestore: their names are their paths.
_TABLE_OPERATIONS = re.compile(
    r"/?((?:Batch)?(?:Get|Put|Update|Delete|Write)Row|GetRange|(?:Describe|Create|Delete)Table)"
)


def calls(source: Path) -> dict[str, str]:
    """Return every cloud call that the package's modules can make, with the file that makes it."""
    found: dict[str, str] = {}
    for path in sorted(source.rglob("*.py")):
        for call in _calls_in(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(call, path.relative_to(source).as_posix())
    return found


def _calls_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _calls_of(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Api":
            named = node.args[1] if len(node.args) > 1 else None
            if isinstance(named, ast.Constant) and isinstance(named.value, str):
                yield named.value
        elif isinstance(node, ast.Attribute) and (match := _METHOD.fullmatch(node.attr)):
            yield _action(match[1])


def _calls_of(text: str) -> Iterator[str]:
    if match := _METHOD.fullmatch(text):
        yield _action(match[1])
    if match := _TABLE_OPERATIONS.fullmatch(text):
        yield match[1]
    if text in _HTTP_METHODS:
        yield _HTTP_METHODS[text]
    for path, call in _PATHS.items():
        if text.endswith(path):
            yield call


def _action(method: str) -> str:
    return "".join(word.capitalize() for word in method.split("_"))
