"""``explain``: the guards of each instance with the facts they read, and the decision that followed.

``--event``: the function runs on a fresh local cloud, asking ECS only for a dry run, and its records are explained.
``--records``: an export is explained (docs/operate/review.md).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from ecs_reboot.policy.facts import Facts
from ecs_reboot.records.result import Result
from review.exported import Export, Record
from review.guard_table import guard_table
from review.inputs import records_of, unread
from review.recorded_decision import judged
from review.text import activity, counted, some, wrapped
from terminal.key_values import UsageError
from terminal.printable import write_error, write_line

#: How an outcome stands in the table: what stopped the reboot, or nearly did, must be seen at a glance.
_SHOWN = {"passed": "passed", "failed": "FAILED", "overridden": "OVERRIDDEN", "not reached": "not reached"}
#: Of the instances that a wrong INSTANCE could have named, the most that are listed.
_MOST_NAMED = 10


def main(event: str = "", records: str = "", fleet: str = "", settings: str = "", instance: str = "") -> int:
    """Explain an event or exported records. Returns 1 where the function failed or a record could not be read.

    Raises UsageError.
    """
    if records and not event:
        if settings or fleet:
            raise UsageError("SET and FLEET belong to an EVENT; to see RECORDS under other settings use replay")
        export, error = records_of(records), ""
    elif event and not records:
        from review.dry_run import dry_run  # noqa: PLC0415 - loads the local cloud, which records do without

        export, error = dry_run(event, fleet, settings)
    else:
        raise UsageError("give one of EVENT=path and RECORDS=path")
    for line in explained(export, _chosen(export, instance, f"the records file {records}" if records else event)):
        write_line(line)
    if error:
        write_error(f"explain: the function failed: {error}")
    return 1 if error or export.complaints else 0


def _chosen(export: Export, instance: str, of: str) -> Sequence[Record]:
    """Return the results of one instance, of all where it is ''. Raises UsageError where there are none of it."""
    results = export.results()
    chosen = [record for record in results if instance in ("", record.result.instance_id)]
    if chosen or not instance:
        return chosen
    named = {record.result.instance_id: _name(record.result) for record in results if record.result.instance_id}
    known = [f"{instance_id} ({name})" if name else instance_id for instance_id, name in named.items()]
    there = f"; there are {some(known, _MOST_NAMED)}" if known else ", and about no instance at all"
    raise UsageError(f"no result of {of} is about INSTANCE={instance!r}{there}")


def explained(export: Export, records: Sequence[Record]) -> Iterator[str]:
    """Yield the explanation line by line: one table for each instance, then what came of all."""
    for request_id, group in groupby(records, key=lambda record: record.request_id):
        yield f"request {request_id or 'unknown'}"
        for record in group:
            yield ""
            yield from _of(record)
        yield ""
    yield from _summary(export, records)


def _of(record: Record) -> Iterator[str]:
    result, facts = record.result, record.result.facts
    yield _title(result)
    yield wrapped("  event     ", f"{result.trigger}: {result.evidence}" if result.evidence else result.trigger)
    if facts is None:
        yield wrapped("  no guard was asked  ", f"{result.code}: {result.reason}")
        if result.code == "stale":
            yield wrapped("  hint      ", "with SET=MAX_EVENT_AGE_SECONDS=0 an event of any age is taken as new")
        return
    said = judged(result, facts)
    if facts.request.override:
        yield wrapped("  override  ", f"{', '.join(facts.request.override)}, by hand: {facts.request.reason}")
    if said.why_not and facts.instance is None:
        yield wrapped("  no guard was asked  ", f"{result.code}: {result.reason}")
        return
    decision = said.decision
    what = f"reboot{', forced' if decision.force else ''}" if decision.action == "reboot" else f"skip {decision.code}"
    yield wrapped("  decision  ", f"{what}: {decision.reason}")
    if said.why_not or decision.action == "reboot":
        remark = f" ({said.why_not})" if said.why_not else ""
        yield wrapped("  outcome   ", f"{result.code}: {result.reason}{remark}")
    yield f"  at        {facts.now:%Y-%m-%d %H:%M:%SZ}, from these facts"
    yield ""
    yield from _table(facts)


def _name(result: Result) -> str:
    return result.facts.instance.name if result.facts and result.facts.instance else ""


def _title(result: Result) -> str:
    words = [word for word in (_name(result), result.instance_id, result.region_id) if word]
    return "  ".join(words) or "no instance"


def _table(facts: Facts) -> Iterable[str]:
    for number, row in enumerate(guard_table(facts), 1):
        lead = f"  {number:2}  {row.code:18}  {_SHOWN[row.outcome]:11}  "
        yield wrapped(lead, row.fact).rstrip() if row.fact else lead.rstrip()
        if row.outcome == "overridden":
            yield wrapped(" " * len(lead), f"it said: {row.objection}")


def _summary(export: Export, records: Sequence[Record]) -> Iterator[str]:
    if not records:
        yield "no record of a result: nothing to explain"
    else:
        counts = Counter(f"{record.result.action} {record.result.code}" for record in records)
        yield wrapped(f"{counted(len(records), 'result')}: ", activity(counts.items()))
    yield from unread(export)
