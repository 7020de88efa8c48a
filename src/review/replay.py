"""``replay``: recorded decisions taken again under other settings, and what would have changed.

Each decision is replayed by itself: that an earlier one would have gone another way, and have left another ledger and
another start time, is not followed up. Settings that are not given stay as each record holds them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ecs_reboot.model import Decision
from ecs_reboot.policy.decide import decide
from review.exported import Export, Record
from review.inputs import HOW, records_of, unread
from review.other_settings import parsed, unasked, under
from review.recorded_decision import judged
from review.text import counted, utc, wrapped
from terminal.key_values import UsageError, key_values
from terminal.printable import write_line


class Again(NamedTuple):
    """One decision before and after; ``unasked`` guards lack their facts, ``kept`` settings could not be replayed."""

    record: Record
    before: Decision
    after: Decision
    unasked: tuple[str, ...]
    kept: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Another action, another code, or another kind of reboot; another sentence alone is no change."""
        return _essence(self.before) != _essence(self.after)


class Replayed(NamedTuple):
    """All decisions of an export, and the records that could not be replayed with the reason."""

    again: tuple[Again, ...]
    left_out: tuple[tuple[Record, str], ...]


def main(records: str, settings: str) -> int:
    """Replay the records of a file under other settings. Returns 1 where one could not be read. Raises UsageError."""
    if not records:
        raise UsageError(f"no records: give RECORDS=path (--records). {HOW}")
    given = key_values("SET", settings)
    fields = parsed(given)
    export = records_of(records)
    for line in format_replay(export, replayed(export, fields), given):
        write_line(line)
    return 1 if export.complaints else 0


def replayed(export: Export, fields: Mapping[str, Any]) -> Replayed:
    """Decide every recorded decision again."""
    again: list[Again] = []
    left_out: list[tuple[Record, str]] = []
    for record in export.results():
        facts = record.result.facts
        if facts is None:
            left_out.append((record, f"{record.result.code}: a record without facts, no decision about an instance"))
            continue
        said = judged(record.result, facts)
        if said.why_not:
            left_out.append((record, said.why_not))
            continue
        changed = under(facts, fields)
        after = decide(changed.facts)
        missing = unasked(changed.facts) if after.action == "reboot" else ()
        again.append(Again(record, said.decision, after, missing, changed.kept))
    return Replayed(tuple(again), tuple(left_out))


def format_replay(export: Export, all_: Replayed, given: Mapping[str, str]) -> Iterator[str]:
    """Yield the report line by line."""
    yield from _head(export, all_, given)
    changed = [again for again in all_.again if again.changed]
    for again in changed:
        yield ""
        yield from _change(again)
    yield ""
    yield from _summary(all_, changed)
    yield from _left_out(export, all_)


def _head(export: Export, all_: Replayed, given: Mapping[str, str]) -> Iterator[str]:
    times = [again.record.time for again in all_.again]
    period = f", {utc(times[0])} to {utc(times[-1])}" if times else ""
    yield f"{counted(len(export.records), 'record')}, {counted(len(all_.again), 'decision')} to replay{period}"
    yield wrapped("settings  ", ", ".join(f"{name}={value}" for name, value in given.items()) or "as recorded")
    kept = Counter(reason for again in all_.again for reason in again.kept)
    for reason, count in kept.items():
        yield wrapped("  KEPT    ", f"in {counted(count, 'decision')} the recorded value stays. {reason}")


def _change(again: Again) -> Iterator[str]:
    result, facts = again.record.result, again.record.result.facts
    name = facts.instance.name if facts and facts.instance else ""
    yield "  ".join(
        word for word in (f"{again.record.time:%Y-%m-%d %H:%M:%SZ}", name, result.instance_id, result.region_id) if word
    )
    came_to = f" (it came to {result.code})" if result.action == "reboot" else ""
    yield wrapped("  before  ", _sentence(again.before) + came_to)
    yield wrapped("  after   ", _sentence(again.after))
    if again.unasked:
        listed = ", ".join(again.unasked)
        yield wrapped("          ", f"unless {listed} had objected: the region's ledger is not in this record")


def _sentence(decision: Decision) -> str:
    return f"{_kind(decision)}: {decision.reason}"


def _kind(decision: Decision) -> str:
    if decision.action == "skip":
        return f"skip {decision.code}"
    return "reboot forced" if decision.force else "reboot"


def _essence(decision: Decision) -> tuple[str, str, bool]:
    return decision.action, decision.code, decision.force


def _summary(all_: Replayed, changed: Sequence[Again]) -> Iterator[str]:
    if not all_.again:
        yield "nothing to replay"
        return
    yield f"changed {len(changed):,} of {counted(len(all_.again), 'decision')}"
    moves = Counter((_kind(again.before), _kind(again.after)) for again in changed)
    for (before, after), count in sorted(moves.items(), key=lambda counted: (-counted[1], counted[0])):
        yield f"  {count:5,}  {before} -> {after}"
    reboots = [sum(decision.action == "reboot" for decision in side) for side in zip(*_sides(all_), strict=True)]
    yield f"reboots {reboots[0]:,} before, {reboots[1]:,} after"
    open_ = sum(bool(again.unasked) for again in changed)
    if open_:
        yield f"  of these, {open_:,} unless the region's ledger had objected"


def _sides(all_: Replayed) -> list[tuple[Decision, Decision]]:
    return [(again.before, again.after) for again in all_.again]


def _left_out(export: Export, all_: Replayed) -> Iterator[str]:
    others = len(export.records) - len(export.results())
    if others:
        yield f"passed over: {counted(others, 'intent or acceptance', 'intents and acceptances')}, whose result counts"
    if export.repeated:
        yield f"passed over: {counted(export.repeated, 'repeated record')}"
    if all_.left_out:
        yield f"not replayed: {counted(len(all_.left_out), 'result')}"
        for reason, count in sorted(Counter(reason for _, reason in all_.left_out).items()):
            yield wrapped(f"  {count:5,}  ", reason)
    yield from unread(export)
