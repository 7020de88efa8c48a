"""What became of each event that was sent: its reading, calls, state changes and records, collected while it runs."""

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any, Literal

from console.decisions import MOST_TOLD, decisions, tally
from ecs_reboot.settings.variable_table import VARIABLES
from localcloud.account.audit import Entry, utc_text
from localcloud.functioncompute.invocation import Invocation as Finished

#: Older ones are forgotten.
KEPT = 1000
_LOG_CHARACTERS = 200_000
_SECRET = frozenset(variable.name for variable in VARIABLES if variable.secret)
Status = Literal["queued", "running", "returned", "raised", "not_started"]


@dataclass
class Sent:
    """One event on its way through the function. Times are cloud time; ``reading_ms`` is how long reading it took.

    ``settings`` are those that held for it alone; ``group`` names the storm it is part of; ``again_of`` is the event
    that was run again, 0 for none.
    """

    number: int
    title: str
    request_id: str
    event: str
    dry_run: bool
    received: datetime
    reading: Mapping[str, Any]
    reading_ms: float
    settings: Mapping[str, str] = field(default_factory=dict)
    group: str = ""
    again_of: int = 0
    status: Status = "queued"
    revision: int = 0
    cold: bool = False
    started: datetime | None = None
    finished: datetime | None = None
    seconds: float = 0.0
    answer: dict[str, Any] | None = None
    error: str = ""
    logs: str = ""
    calls: list[Entry] = field(default_factory=list)
    changes: list[Entry] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Return what a list of events shows."""
        decided = decisions(self.records)
        return {
            "number": self.number,
            "title": self.title,
            "dry_run": self.dry_run,
            "received": utc_text(self.received),
            "status": self.status,
            "outcome": (self.answer or {}).get("status", ""),
            "decisions": decided[:MOST_TOLD],
            "tally": tally(decided),
            "targets": self._targets(),
            "settings": {name: "" if name in _SECRET else value for name, value in self.settings.items()},
            "group": self.group,
            "again_of": self.again_of,
            "trigger": self.reading.get("trigger", ""),
            "revision": self.revision,
        }

    def _targets(self) -> list[str]:
        elements = self.reading.get("elements", ())
        return list(dict.fromkeys(named for element in elements for named in element["instance_ids"]))[:MOST_TOLD]


class InvocationLog:
    """All events sent since the last reset. Safe from several threads.

    ``see`` is given every entry of the audit: an API call belongs to the invocation whose role session made it, a state
    change to the invocation that last rebooted its instance. A reboot's first change is audited before the call, and
    all of them where a fault holds the call's answer back: until then they belong to nobody.
    """

    def __init__(self, role: str) -> None:
        self._identity = f"role:{role}/"
        self._lock = Lock()
        self._number = 0
        self.revision = 0
        self._sent: OrderedDict[int, Sent] = OrderedDict()
        self._owner: dict[str, int] = {}
        self._unowned: dict[str, list[Entry]] = {}

    def clear(self) -> None:
        """Forget everything; numbers and revisions go on, so that nobody takes a new event for an old one."""
        with self._lock:
            for kept in (self._sent, self._owner, self._unowned):
                kept.clear()
            self.revision += 1

    def add(self, **known: Any) -> Sent:
        """Take in a new event."""
        with self._lock:
            self._number += 1
            sent = Sent(number=self._number, **known)
            self._sent[sent.number] = sent
            if len(self._sent) > KEPT:
                self._sent.popitem(last=False)
            self._touch(sent)
            return sent

    def begin(self, number: int, at: datetime, *, cold: bool) -> None:
        """Tell that the function begins with an event; ``cold``: on a fresh instance."""
        self._set(number, status="running", started=at, cold=cold)

    def finish(self, number: int, at: datetime, finished: Finished) -> None:
        """Take in what the function came to."""
        logs = finished.logs.decode(errors="replace")
        answer, error = _answer(finished.payload, failed=bool(finished.error))
        self._set(
            number,
            status="raised" if finished.error else "returned",
            finished=at,
            seconds=finished.duration,
            logs=logs[:_LOG_CHARACTERS],
            records=list(_records_in(logs)),
            answer=answer,
            error=error,
        )

    def fail(self, number: int, at: datetime, why: str) -> None:
        """Tell that an event never got to the function."""
        self._set(number, status="not_started", finished=at, error=why)

    def see(self, entry: Entry) -> None:
        """Take in one entry of the audit."""
        with self._lock:
            if entry["kind"] == "state":
                self._see_change(entry)
            elif entry["kind"] == "api" and str(entry.get("identity", "")).startswith(self._identity):
                self._see_call(entry)

    def get(self, number: int) -> Sent | None:
        """Return one event, None if it is not there any more."""
        return self._sent.get(number)

    def since(self, revision: int) -> list[dict[str, Any]]:
        """Return the summaries of the events that changed after a revision, oldest first."""
        with self._lock:
            return [sent.summary() for sent in self._sent.values() if sent.revision > revision]

    def all(self) -> list[Sent]:
        """Return all events, oldest first."""
        with self._lock:
            return list(self._sent.values())

    def _see_call(self, entry: Entry) -> None:
        number = entry["identity"].removeprefix(self._identity)
        sent = self._sent.get(int(number)) if number.isdecimal() else None
        if sent is None:
            return
        sent.calls.append(entry)
        if entry["action"].startswith("RebootInstance") and entry["effect"]:
            for name, instance_id in entry["parameters"].items():
                if name.startswith("InstanceId") and instance_id in self._unowned:
                    self._owner[instance_id] = sent.number
                    sent.changes.extend(self._unowned.pop(instance_id))
        self._touch(sent)

    def _see_change(self, entry: Entry) -> None:
        instance_id = entry["instance_id"]
        if entry["from"] == "Running":
            self._unowned[instance_id] = [entry]
            return
        if instance_id in self._unowned:
            self._unowned[instance_id].append(entry)
            return
        sent = self._sent.get(self._owner.get(instance_id, 0))
        if sent:
            sent.changes.append(entry)
            self._touch(sent)

    def _touch(self, sent: Sent) -> None:
        self.revision += 1
        sent.revision = self.revision

    def _set(self, number: int, **fields: Any) -> None:
        with self._lock:
            sent = self._sent.get(number)
            if sent:
                for name, value in fields.items():
                    setattr(sent, name, value)
                self._touch(sent)


def _answer(payload: bytes, *, failed: bool) -> tuple[dict[str, Any] | None, str]:
    """Return the function's answer, out of the HTTP response where it is one, or the message of its error."""
    try:
        told = json.loads(payload)
        if failed:
            return None, str(told.get("errorMessage", ""))
        return (json.loads(told["body"]) if "statusCode" in told else told), ""
    except (ValueError, AttributeError, TypeError):
        return None, payload[:1000].decode(errors="replace")


def _records_in(logs: str) -> Iterator[dict[str, Any]]:
    for line in logs.splitlines():
        if line.startswith('{"schema":'):
            try:
                record = json.loads(line)
            except ValueError:
                continue  # cut off by the end of the process
            yield record
