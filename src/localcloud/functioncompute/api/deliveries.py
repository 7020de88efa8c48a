"""How a trigger's event reaches the function: once and at once, or as a declared fault has it.

The triggers deliver at least once, and order nothing: an event may come twice, late, or in an array with others (the
event-streaming mode of EventBridge).
"""

import json
from threading import Lock
from typing import NamedTuple

from localcloud.account.faults import Fault


class DeliveryPlan(NamedTuple):
    """How one event is delivered: a copy after each of these seconds, or with others that come within ``window``."""

    kind: str = ""
    delays: tuple[float, ...] = (0.0,)
    window: float | None = None


def plan(fault: Fault | None) -> DeliveryPlan:
    """Turn the fault that a delivery meets into a plan."""
    if fault is None:
        return DeliveryPlan()
    seconds = fault.seconds or 0.0
    if fault.kind == "batch":
        return DeliveryPlan(fault.kind, (), seconds)
    return DeliveryPlan(fault.kind, (0.0, seconds) if fault.kind == "duplicate" else (seconds,))


def array_of(events: list[bytes]) -> bytes:
    """Write a batch: a JSON array, in which an event that is not JSON is a string."""
    return json.dumps([_item(event) for event in events], ensure_ascii=False).encode()


class Batches:
    """The events of each function that wait for others to join them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._events: dict[str, list[bytes]] = {}

    def add(self, function_name: str, event: bytes) -> bool:
        """Let an event wait; True if it is the first, with which the batch's time begins."""
        with self._lock:
            events = self._events.setdefault(function_name, [])
            events.append(event)
            return len(events) == 1

    def take(self, function_name: str) -> bytes:
        """Close a batch and return its array."""
        with self._lock:
            return array_of(self._events.pop(function_name, []))

    def clear(self) -> None:
        """Forget what waits."""
        with self._lock:
            self._events.clear()


def _item(event: bytes) -> object:
    text = event.decode(errors="replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
