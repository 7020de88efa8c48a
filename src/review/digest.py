"""``digest``: what the function did, or would have done, in some days, from its records: how often, and why.

Counted are results, one for each instance that an event asked for. A dry run and an observing function count as
*would have rebooted*.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from ecs_reboot.outcomes import BY_CODE, Code, Outcome
from ecs_reboot.records.digest import Part, part_of
from review.exported import Export, Record
from review.inputs import HOW, records_of, unread
from review.text import counted, some, utc, wrapped
from terminal.key_values import UsageError
from terminal.printable import write_line

#: The most instances that a reason names; of the others it says how many they are.
MOST_NAMED = 3


class Digest(NamedTuple):
    """The results of a period by what came of them, each in the order of their time."""

    would: tuple[Record, ...]
    rebooted: tuple[Record, ...]
    refused: tuple[Record, ...]
    needs: tuple[Record, ...]
    idle: int
    notices: Counter[Code]


def main(records: str, days: str = "7") -> int:
    """Print the digest of a file of records. Returns 1 where one could not be read. Raises UsageError."""
    if not records:
        raise UsageError(f"no records: give RECORDS=path (--records). {HOW}")
    if not (days.isascii() and days.isdigit() and 0 < int(days) < 10_000):  # noqa: PLR2004 - some years
        raise UsageError(f"DAYS={days!r} is no number of days; write it like 7")
    export = within(records_of(records), int(days))
    for line in format_digest(export, digest(export)):
        write_line(line)
    return 1 if export.complaints else 0


def within(export: Export, days: int) -> Export:
    """Return what an export holds of the last days before its newest record."""
    if not export.records:
        return export
    since = export.records[-1].time - timedelta(days=days)
    return export._replace(records=tuple(record for record in export.records if record.time > since))


def digest(export: Export) -> Digest:
    """Sort the results of an export by what came of them."""
    parts: dict[Part, list[Record]] = {"would": [], "rebooted": [], "refused": [], "idle": []}
    needs = []
    for record in export.results():
        outcome = BY_CODE[record.result.code]
        part = part_of(outcome)
        parts[part].append(record)
        if outcome.pages:
            needs.append(record)
    notices = Counter(record.result.code for record in export.records if record.kind == "notice")
    would, rebooted, refused = (tuple(parts[part]) for part in ("would", "rebooted", "refused"))
    return Digest(would, rebooted, refused, tuple(needs), len(parts["idle"]), notices)


def format_digest(export: Export, found: Digest) -> Iterator[str]:
    """Yield the digest line by line: one sentence first, then the reasons of each part."""
    period = f", {utc(export.records[0].time)} to {utc(export.records[-1].time)}" if export.records else ""
    yield f"{counted(len(export.records), 'record')}{period}"
    yield (
        f"would have rebooted {len(found.would):,}, rebooted {len(found.rebooted):,}, refused {len(found.refused):,}, "
        f"needs a person {len(found.needs):,}, asked for nothing {found.idle:,}"
    )
    yield from _part("would have rebooted", found.would)
    yield from _part("rebooted", found.rebooted)
    yield from _down(found.rebooted)
    yield from _part("refused", found.refused)
    yield from _part("needs a person", found.needs)
    if found.notices:
        yield ""
        yield f"notices: {found.notices['notice_told']:,} told, {found.notices['notice_failed']:,} failed"
    yield from unread(export)


def _part(title: str, records: Sequence[Record]) -> Iterator[str]:
    if not records:
        return
    yield ""
    yield title
    by_code: dict[str, list[Record]] = {}
    for record in records:
        by_code.setdefault(record.result.code, []).append(record)
    for code, of_code in sorted(by_code.items(), key=lambda item: (-len(item[1]), item[0])):
        named = tuple(dict.fromkeys(_name(record) for record in of_code))
        outcome: Outcome = BY_CODE[code]
        cure = f"; {outcome.cure}" if outcome.cure and outcome.pages else ""
        text = f"{code}: {outcome.meaning}{cure} ({some(named, MOST_NAMED)})"
        yield wrapped(f"{len(of_code):>6,}  ", text)


def _down(records: Sequence[Record]) -> Iterator[str]:
    times = [record.result.downtime_seconds for record in records if record.result.downtime_seconds is not None]
    if times:
        yield f"        down for {sum(times) / len(times):.0f} s on average, {max(times):.0f} s at most"


def _name(record: Record) -> str:
    result = record.result
    instance = result.facts.instance if result.facts else None
    return (instance.name if instance else "") or result.instance_id or result.region_id or "-"
