"""Calls that wait for each other: how many are made one after another, of calls that may overlap in time."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Noted(NamedTuple):
    """One call that the function made: from when to when the cloud had it, on a clock that never steps back."""

    at: float
    service: str
    action: str
    status: int | None
    began: float


def noted(entry: Mapping[str, Any], at: float) -> Noted:
    """Return the call of an entry of the audit that was added at a moment.

    The entry is added when the call takes effect. The cloud had let it wait for its latency before that, so it came
    that much earlier; or later still on a busy machine, where two calls seem to overlap less than they do.
    """
    waited = sum(
        fault["seconds"] for fault in entry.get("faults", ()) if fault["kind"] == "delay" and fault.get("before")
    )
    return Noted(at, entry["service"], entry["action"], entry["http_status"], at - waited)


def one_after_another(calls: Iterable[Noted]) -> int:
    """Return the most of the calls of which each began after the one before it was answered."""
    found, free = 0, float("-inf")
    for call in sorted(calls, key=lambda call: call.at):
        if call.began >= free:
            found, free = found + 1, call.at
    return found
