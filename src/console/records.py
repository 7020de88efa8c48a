"""The records of all events: those in the log store and those that got no further than standard output."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from console.invocations import Sent
from localcloud.sls.query import parse
from localcloud.sls.store import LogStores

#: Fields that are no text in a record; the log store holds the text of everything.
_NOT_TEXT = frozenset(
    {"schema", "force", "dry_run", "retriable", "attempt", "downtime_seconds", "event_time", "exhibits", "facts"}
)


class FoundRecords(NamedTuple):
    """One record; ``stored``: it is in the log store, not only on the function's standard output."""

    record: Mapping[str, Any]
    stored: bool


def search(stores: LogStores, sent: Iterable[Sent], query: str) -> list[FoundRecords]:
    """Return the records that a query of the log service finds, newest first. Raises QueryError."""
    wanted = parse(query)
    matching = [found for found in everything(stores, sent) if wanted(_as_fields(found.record))]
    return sorted(matching, key=lambda found: str(found.record.get("time", "")), reverse=True)


def everything(stores: LogStores, sent: Iterable[Sent]) -> Iterator[FoundRecords]:
    """Yield each record once."""
    stored = {str(record.get("record_id")): record for record in in_log_store(stores)}
    for event in sent:
        for record in event.records:
            if record.get("record") != "intent":
                yield FoundRecords(record, stored.pop(str(record.get("record_id")), None) is not None)
    yield from (FoundRecords(record, stored=True) for record in stored.values())


def in_log_store(stores: LogStores) -> Iterator[dict[str, Any]]:
    """Yield the records of all logstores as the function wrote them, numbers and objects read back from their text."""
    for project in stores.projects():
        for logstore in stores.logstores(project):
            for entry in tuple(stores.logstore(project, logstore)):
                if "record_id" in entry.fields:
                    yield {key: _value(key, text) for key, text in entry.fields.items() if not key.startswith("__")}


def json_lines(found: Iterable[FoundRecords]) -> str:
    """Write records one a line, oldest first, as replaying wants them."""
    lines = [json.dumps(hit.record, separators=(",", ":")) + "\n" for hit in found]
    return "".join(reversed(lines))


def _as_fields(record: Mapping[str, Any]) -> dict[str, str]:
    return {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for key, value in record.items()
    }


def _value(key: str, text: str) -> Any:
    if key not in _NOT_TEXT:
        return text
    try:
        return json.loads(text)
    except ValueError:  # a time is text where it is not null
        return text
