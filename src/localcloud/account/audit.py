"""The audit: every API call the local cloud got and every state change of an instance, in order."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from localcloud.account.clock import Clock

Entry = dict[str, Any]
Subscriber = Callable[[Entry], None]


def utc_text(moment: datetime) -> str:
    """Write an aware moment as the audit does: UTC, milliseconds, ``Z``."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Audit:
    """Append-only; an entry is a dict that JSON can hold, with ``kind`` (``api``, ``state`` and others) and ``time``.

    Entries are in order of what happened. Appending is safe from several threads.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[Entry] = []
        self._subscribers: tuple[Subscriber, ...] = ()

    def api(
        self,
        *,
        service: str,
        action: str,
        parameters: Mapping[str, Any],
        http_status: int | None,
        code: str,
        request_id: str,
        effect: bool,
        **more: Any,
    ) -> Entry:
        """Add one API call.

        ``http_status`` is None where no answer was sent, ``code`` is empty for a success, ``effect`` says whether the
        call changed anything in the cloud.
        """
        entry: Entry = {
            "kind": "api",
            "time": utc_text(self._clock.now()),
            "service": service,
            "action": action,
            "parameters": dict(parameters),
            "http_status": http_status,
            "code": code,
            "request_id": request_id,
            "effect": effect,
            **more,
        }
        return self._append(entry)

    def state(self, instance_id: str, before: str, after: str, at: datetime) -> Entry:
        """Add one change of an instance's status, at the moment it took place."""
        return self._append(
            {"kind": "state", "time": utc_text(at), "instance_id": instance_id, "from": before, "to": after}
        )

    def record(self, kind: str, **what: Any) -> Entry:
        """Add what happened inside the cloud, of a kind of its own: ``invocation``, ``delivery`` and the like."""
        return self._append({"kind": kind, "time": utc_text(self._clock.now()), **what})

    def entries(self, since: int = 0) -> tuple[Entry, ...]:
        """Return the entries from number ``since`` (0 is the first) on."""
        return tuple(self._entries[since:])

    def calls(self, action: str | None = None, *, service: str = "ecs") -> tuple[Entry, ...]:
        """Return the API calls of one service, all or those of one action."""
        return tuple(
            entry
            for entry in self._entries
            if entry["kind"] == "api" and entry["service"] == service and action in (None, entry["action"])
        )

    def changes(self, instance_id: str | None = None) -> tuple[Entry, ...]:
        """Return the state changes, all or those of one instance."""
        return tuple(
            entry for entry in self._entries if entry["kind"] == "state" and instance_id in (None, entry["instance_id"])
        )

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call ``subscriber`` with each further entry, in the thread that adds it; returns how to stop that."""
        self._subscribers = (*self._subscribers, subscriber)

        def unsubscribe() -> None:
            self._subscribers = tuple(other for other in self._subscribers if other is not subscriber)

        return unsubscribe

    def write(self, path: str | Path) -> None:
        """Write all entries to a file as JSON lines."""
        Path(path).write_text(json_lines(self.entries()), encoding="utf-8")

    def clear(self) -> None:
        """Forget all entries; subscribers stay."""
        self._entries = []

    def _append(self, entry: Entry) -> Entry:
        self._entries.append(entry)
        for subscriber in self._subscribers:
            subscriber(entry)
        return entry


def json_lines(entries: Iterable[Entry]) -> str:
    """Write entries one a line."""
    return "".join(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n" for entry in entries)
