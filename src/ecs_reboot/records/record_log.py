"""One invocation's records, on their way out: printed at once, shipped together when the logstore is written to next.

Whatever happens to the logstore, the line on standard output is already written.
"""

import itertools
import json
from collections.abc import Callable
from typing import Any

from ecs_reboot.clock import Clock
from ecs_reboot.policy.facts import Facts
from ecs_reboot.records.redaction import Redactor
from ecs_reboot.records.result import Result, flat, flat_facts

_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class RecordLog:
    """Writes records under one request ID.

    ``redact`` masks secrets. ``handed_over_by`` is the ID of the HTTP request that handed the event to this invocation,
    '' where none did; every record of it then holds both.
    """

    def __init__(
        self, request_id: str, clock: Clock, write: Callable[[str], None], redact: Redactor | None = None
    ) -> None:
        self._request_id, self._clock, self._write = request_id, clock, write
        self._redact = redact or Redactor(())
        self._numbers = itertools.count(1)  # counts on whole, whatever thread a record comes from
        self._unshipped: list[dict[str, Any]] = []
        self._dumped: dict[str, tuple[Facts, dict[str, Any]]] = {}
        self.handed_over_by = ""

    def log_intent(self, result: Result) -> None:
        """Print what ECS is about to be asked for: a crash after the call must not leave it unsaid."""
        self._print(result, "intent")

    def accepted(self, result: Result) -> dict[str, Any]:
        """Print that ECS accepted, before the instance is watched, and return the record."""
        return self._print(result, "accepted")

    def result(self, result: Result) -> dict[str, Any]:
        """Print what came of one instance, and return the record."""
        return self._print(result, "result")

    def handover(self, result: Result) -> dict[str, Any]:
        """Print what came of handing an HTTP event over, and return the record."""
        return self._print(result, "handover")

    def notice(self, result: Result) -> None:
        """Print what came of one notice, and keep the record for the logstore. Threads may call this."""
        self._unshipped.append(self._print(result, "notice"))

    def notices(self) -> list[dict[str, Any]]:
        """Take the records of notices that nobody has taken yet."""
        return [self._unshipped.pop(0) for _ in range(len(self._unshipped))]

    def _print(self, result: Result, kind: str) -> dict[str, Any]:
        record: dict[str, Any] = self._redact(flat(result, self._request_id, kind, self._clock.now(), self._flat_facts))
        if self.handed_over_by:
            record["handed_over_by"] = self.handed_over_by
        record["record_id"] = f"{self._request_id}-{next(self._numbers)}"
        self._write(_printable(_as_json(record)))
        return record

    def _flat_facts(self, facts: Facts) -> dict[str, Any]:
        """Return the facts as a dict, made once: an intent and its result rest on the same."""
        instance_id = facts.target.instance_id
        dumped = self._dumped.get(instance_id)
        if dumped is None or dumped[0] is not facts:
            dumped = self._dumped[instance_id] = (facts, flat_facts(facts))
        return dumped[1]


def _printable(line: str) -> str:
    """Escape in the JSON line what could move a terminal's cursor or turn its direction; its value stays the same."""
    if line.isprintable():
        return line
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in line)
