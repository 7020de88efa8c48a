"""A template as a document: read from YAML or JSON without losing a mistake, written as plain JSON.

YAML lets a key stand twice and keeps the last; in a template that hides a property, so it is refused here. Aliases and
merge keys are resolved by reading: what is sent to ROS is JSON and holds none.
"""

import json
from collections.abc import Hashable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from cloud_languages.finding import Finding

Document = dict[str, Any]


if TYPE_CHECKING:
    from yaml import SafeLoader as _Reader
else:
    #: That of libyaml where PyYAML has it: ten times as fast on ours.
    _Reader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableTemplate(ValueError):
    """The text is no template at all. ``finding`` says where and why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


class _Loader(_Reader):
    """Refuses a key that stands twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        own = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        seen: dict[Any, yaml.Node] = {}
        for key in own:
            name = self.construct_object(key, deep=True)
            if name in seen:
                raise UnreadableTemplate(
                    Finding(f"line {key.start_mark.line + 1}", name, "this key stands twice in one mapping; drop one")
                )
            seen[name] = key
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def _no_dates(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


# 2015-09-01 is a text in a template, whether it stands in quotation marks or not.
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _no_dates)


def read(text: str) -> Document:
    """Read a template. Raises UnreadableTemplate."""
    if text.startswith("{") and (plain := _plain(text)) is not None:
        return plain
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - derived from SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "the text"
        problem = getattr(error, "problem", "") or "it can't be read"
        raise UnreadableTemplate(Finding(where, str(problem), "this is not YAML; fix the line")) from error
    if not isinstance(document, dict):
        raise UnreadableTemplate(Finding("the text", document, "a template is a mapping with Resources"))
    return document


def _plain(text: str) -> Document | None:
    """Return a template of plain JSON, which YAML's reader is slow at; None where it is not: that reader says why."""
    try:
        plain: Document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return plain


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise ValueError("a key stands twice")
    return mapping


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def load(path: Path) -> Document:
    """Read a template file. Raises UnreadableTemplate, which names the file, and OSError."""
    try:
        document: Document = copied(_read(path.read_text(encoding="utf-8")))
    except UnicodeDecodeError as error:
        raise UnreadableTemplate(Finding(str(path), "no UTF-8", "this is no text; name a template")) from error
    except UnreadableTemplate as error:
        finding = error.finding
        raise UnreadableTemplate(finding._replace(path=f"{path}: {finding.path}")) from error
    return document


#: A program may load ours several times.
_read = lru_cache(maxsize=2)(read)


def copied(value: Any) -> Any:
    """Return a copy that shares nothing with the value, not even what aliases of YAML made one thing."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value


def as_json(document: Document) -> str:
    """Write a template as ROS takes it: plain JSON without aliases, compact and in a stable order of its own."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
