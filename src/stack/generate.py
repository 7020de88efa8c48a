"""The generated blocks: policies, index and alert in ``template.yml``, the tables in docs/operate/permissions.md."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import yaml

from ecs_reboot.outcomes import OUTCOMES
from ecs_reboot.records.result import Result
from stack import deployer, permissions

#: Fields of a record that are not the result's own (``ecs_reboot.records.result.flat`` and ``record_log``).
_HEAD = {"schema": "long"} | dict.fromkeys(("record", "record_id", "time", "request_id", "handed_over_by"), "text")
_DOCUMENTS = {"facts", "exhibits"}
_DEPLOYER_START, _DEPLOYER_END = "<!-- generated: deployer -->", "<!-- end of deployer -->"
_TABLE_START, _TABLE_END = "<!-- generated: permissions -->", "<!-- end of permissions -->"


class BlockMissing(LookupError):
    """A file has no marks for a generated block."""


def record_fields() -> dict[str, str]:
    """Return the fields of a record with the type of index that each needs."""
    return _HEAD | {
        name: "json" if name in _DOCUMENTS else _index_type(field.annotation)
        for name, field in Result.model_fields.items()
    }


def index() -> list[dict[str, Any]]:
    """Return the key indices of the logstore of records."""
    return [_key(name, kind) for name, kind in sorted(record_fields().items())]


def template_blocks() -> Mapping[str, Any]:
    """Return what stands between the marks in the template, by mark."""
    blocks: dict[str, Any] = {mark: permissions.policy(callers) for mark, callers in permissions.POLICIES.items()}
    return {**blocks, "index": {"KeyIndices": index()}, "alert": {"QueryList": [alert_query()]}}


def alert_query() -> dict[str, Any]:
    """Return the query of the alert: what may be tried again, and every outcome whose row pages a person."""
    pages = " or ".join(f'code: "{outcome.code}"' for outcome in OUTCOMES if outcome.pages)
    return {
        "Query": f"record: result and (retriable: true or {pages}) | select count(1) as needed",
        "LogStore": {"Fn::Sub": "${FunctionName}-records"},
        "ChartTitle": "needed",
        "Start": "-600s",
        "End": "now",
        "TimeSpanType": "Custom",
    }


def template_text(text: str) -> str:
    """Return the template's text with its generated blocks written again."""
    for mark, block in template_blocks().items():
        written = yaml.dump(block, Dumper=Plain, sort_keys=False, width=160, allow_unicode=True)
        text = _replaced(text, f"# generated: {mark}", f"# end of {mark}", written)
    return text


def permissions_page(text: str) -> str:
    """Return the text of docs/operate/permissions.md with its table written again."""
    text = _replaced(text, _TABLE_START, _TABLE_END, "\n".join(permissions.table()) + "\n")
    return _replaced(text, _DEPLOYER_START, _DEPLOYER_END, "\n".join(deployer.table()) + "\n")


def write(root: Path) -> list[Path]:
    """Write the generated blocks of the project's files; return those that changed."""
    changed = []
    for name, rewritten in (("template.yml", template_text), ("docs/operate/permissions.md", permissions_page)):
        path = root / name
        before = path.read_text(encoding="utf-8")
        after = rewritten(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(path)
    return changed


class Plain(yaml.SafeDumper):
    """Writes every value where it stands, without aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Take no value for one that was written already."""
        return True


def _replaced(text: str, start: str, end: str, block: str) -> str:
    lines = text.splitlines(keepends=True)
    first = next((number for number, line in enumerate(lines) if line.strip() == start), None)
    last = next((number for number, line in enumerate(lines) if line.strip() == end), None)
    if first is None or last is None or last < first:
        raise BlockMissing(f"there is no block from {start!r} to {end!r}: put the two lines where it belongs")
    indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
    inner = [indent + line if line.strip() else line for line in block.splitlines(keepends=True)]
    return "".join([*lines[: first + 1], *inner, *lines[last:]])


def _index_type(annotation: Any) -> str:
    kinds = {kind for kind in (get_args(annotation) or (annotation,)) if kind is not type(None)}
    # A truth value is written as the JSON word, so it is text.
    if kinds <= {int}:
        return "long"
    return "double" if kinds <= {int, float} else "text"


def _key(name: str, kind: str) -> dict[str, Any]:
    key: dict[str, Any] = {"Name": name, "Type": kind}
    if kind in ("text", "json"):
        key |= {"CaseSensitive": False, "Delimiter": ", '\";=()[]{}?@&<>/\n\t\r" if kind == "json" else " \n\t\r"}
    return key | {"EnableAnalytics": True}
