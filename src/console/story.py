"""One event's way through the function, step by step, for the page."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from console.chinese_facts import in_chinese
from console.invocations import Sent
from console.records import in_log_store
from ecs_reboot.policy.facts import Facts
from ecs_reboot.policy.guards import GUARDS
from localcloud.account.audit import Entry
from localcloud.sls.store import LogStores
from review.guard_table import guard_table

#: The most instances of one event whose guard tables are shown.
MOST_TABLES = 100
#: Lists are cut for the page; the numbers beside them tell how long they are.
MOST_CALLS, MOST_CHANGES, MOST_RECORDS = 300, 300, 300


def story(sent: Sent, stores: LogStores) -> dict[str, Any]:
    """Return everything about one event; offsets are milliseconds since it was received.

    While the function still runs, its records are those that it has written to the log store by now.
    """
    records = [record for record in sent.records if record.get("record") == "result"]
    if sent.status == "running":
        records = [record for record in in_log_store(stores) if record.get("request_id") == sent.request_id]
    return {
        **sent.summary(),
        "request_id": sent.request_id,
        "event": sent.event,
        "reading": sent.reading,
        "reading_ms": sent.reading_ms,
        "cold": sent.cold,
        "started_ms": _offset(sent.received, sent.started),
        "finished_ms": _offset(sent.received, sent.finished),
        "seconds": sent.seconds,
        "error": sent.error,
        "log_store": (sent.answer or {}).get("log_store"),
        "reason": (sent.answer or {}).get("reason", ""),
        "calls": [_call(entry, sent.received) for entry in sent.calls[:MOST_CALLS]],
        "calls_count": len(sent.calls),
        "changes": [_change(entry, sent.received) for entry in sent.changes[:MOST_CHANGES]],
        "changes_count": len(sent.changes),
        "guards": _guards(records),
        "exhibits": _exhibits(records),
        "records": [_record(record) for record in records[:MOST_RECORDS]],
        "records_count": len(records),
        "logs": sent.logs,
    }


def _guards(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a guard table for each instance that was decided about; the last record of an instance counts."""
    latest = {str(record.get("instance_id")): record for record in records if record.get("facts")}
    tables = []
    for instance_id, record in list(latest.items())[:MOST_TABLES]:
        try:
            facts = Facts.model_validate(record["facts"])
        except ValueError:
            continue  # written by another version of the function
        tables.append(
            {
                "instance_id": instance_id,
                "name": facts.instance.name if facts.instance else "",
                "action": record.get("action"),
                "code": record.get("code"),
                "reason": record.get("reason"),
                "rows": _rows(facts),
            }
        )
    return tables


def _exhibits(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the evidence of each instance that has some; the last record of an instance counts."""
    latest = {str(record.get("instance_id")): record["exhibits"] for record in records if record.get("exhibits")}
    return [
        {"instance_id": instance_id, "exhibits": list(exhibits)}
        for instance_id, exhibits in list(latest.items())[:MOST_TABLES]
    ]


def _rows(facts: Facts) -> list[dict[str, str]]:
    """Return the guard table with what the page shows beside: each guard's kind, and what it would read."""
    return [
        {
            **row._asdict(),
            "outcome": row.outcome.replace(" ", "_"),
            "kind": guard.kind,
            "reads": guard.reads,
            "fact_zh": in_chinese(row.fact),
        }
        for row, guard in zip(guard_table(facts), GUARDS, strict=True)
    ]


def _call(entry: Entry, received: datetime) -> dict[str, Any]:
    return {
        "at_ms": _offset(received, _moment(entry)),
        "service": entry["service"],
        "action": entry["action"],
        "parameters": entry["parameters"],
        "http_status": entry["http_status"],
        "code": entry["code"],
        "request_id": entry["request_id"],
        "effect": entry["effect"],
        "faults": [fault["kind"] for fault in entry.get("faults", ())],
    }


def _change(entry: Entry, received: datetime) -> dict[str, Any]:
    return {
        "at_ms": _offset(received, _moment(entry)),
        "instance_id": entry["instance_id"],
        "from": entry["from"],
        "to": entry["to"],
    }


def _record(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "facts"}


def _moment(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry["time"].replace("Z", "+00:00"))


def _offset(start: datetime, moment: datetime | None) -> float | None:
    return None if moment is None else round((moment - start).total_seconds() * 1000, 1)
