"""Writes the tables of the documents that follow from the code, between their marks: ``make docs``.

A mark is ``<!-- table: NAME -->``; the table ends at ``<!-- end -->``. A test checks that nothing is out of date.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from ecs_reboot.facts.sources import SOURCES
from ecs_reboot.outcomes import OUTCOMES, Code
from ecs_reboot.policy.guards import GUARDS
from ecs_reboot.records.notices.cures import in_chinese
from ecs_reboot.records.result import Result
from ecs_reboot.settings.groups import GROUPS

DOCS = Path(__file__).resolve().parent
_TABLE = re.compile(r"(<!-- table: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def settings() -> Iterable[tuple[str, ...]]:
    """One row for each environment variable, under the group that it belongs to."""
    yield "variable", "default", "meaning"
    for group in GROUPS:
        yield f"**{group.english}**", "", ""
        for variable in group.variables():
            yield f"`{variable.name}`", f"`{variable.default}`" if variable.default else "(empty)", variable.meaning


def guards() -> Iterable[tuple[str, ...]]:
    """One row for each guard, in the order in which they are asked."""
    yield "#", "code", "kind", "what it reads", "the accident it prevents"
    for number, guard in enumerate(GUARDS, 1):
        yield str(number), f"`{guard.code}`", guard.kind, guard.reads, guard.prevents


def sources() -> Iterable[tuple[str, ...]]:
    """One row for each fact that costs calls of its own."""
    yield "fact", "read by", "call", "cost", "setting"
    for source in SOURCES:
        yield (
            f"`{source.name}`",
            ", ".join(f"`{code}`" for code in source.guards),
            ", ".join(source.calls),
            source.cost,
            ", ".join(f"`{name}`" for name in source.setting.split(", ")),
        )


def record() -> Iterable[tuple[str, ...]]:
    """One row for each field of a record."""
    yield "field", "type"
    for name, field in Result.model_fields.items():
        yield f"`{name}`", _type(field.annotation)


def outcomes() -> Iterable[tuple[str, ...]]:
    """One row for each code a record can have."""
    yield "code", "action", "tried again", "pages", "meaning", "含义"
    for row in OUTCOMES:
        yield (
            f"`{row.code}`",
            row.action,
            "yes" if row.retriable else "",
            "yes" if row.pages else "",
            row.meaning,
            row.chinese,
        )


def paging() -> Iterable[tuple[str, ...]]:
    """One row for each code that pages a person."""
    yield "what paged you", "means", "do"
    for row in OUTCOMES:
        if row.pages:
            yield f"`{row.code}`", row.meaning, row.cure


def paging_zh() -> Iterable[tuple[str, ...]]:
    """One row for each code that pages a person, in Chinese."""
    yield "告警代码", "含义", "处理"
    for row in OUTCOMES:
        if row.pages:
            yield f"`{row.code}`", row.chinese, in_chinese(row.cure)


TABLES: dict[str, Callable[[], Iterable[tuple[str, ...]]]] = {
    "settings": settings,
    "guards": guards,
    "sources": sources,
    "record": record,
    "outcomes": outcomes,
    "paging": paging,
    "paging-zh": paging_zh,
}


def written(text: str) -> str:
    """Return a document with its tables as they follow from the code now."""
    return _TABLE.sub(lambda mark: mark[1] + _markdown(TABLES[mark["name"]]()) + mark[3], text)


def _markdown(rows: Iterable[tuple[str, ...]]) -> str:
    head, *body = rows
    lines = [head, tuple("---" for _ in head), *body]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _type(annotation: object) -> str:
    name = getattr(annotation, "__name__", "") or str(annotation)
    if annotation is Code or str(annotation) == str(Code):
        return "code, see below"
    text = str(annotation) if "Literal" in str(annotation) or "|" in str(annotation) else name
    return f"`{re.sub(r'typing[.]|datetime[.]|ecs_reboot[.][a-z_.]+[.]', '', text)}`"


def main() -> None:
    """Write every document anew."""
    for path in sorted(DOCS.rglob("*.md")):
        path.write_text(written(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
