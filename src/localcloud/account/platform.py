"""The platform behind the instances: the system events that it keeps about them."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from localcloud.account.clock import Clock
from localcloud.account.fleet import InstanceSpec

OPEN = ("Inquiring", "Scheduled", "Executing")


class PlatformEvent(NamedTuple):
    """One system event. ``simulated``: nothing happens to the instance when it is due."""

    event_id: str
    instance_id: str
    type: str
    cycle: str
    published: datetime
    not_before: datetime | None = None
    finished: datetime | None = None
    simulated: bool = False


class Platform:
    """Keeps the events of an account. Not for several threads at once: hold the cloud's lock."""

    def __init__(self, specs: Iterable[InstanceSpec], clock: Clock) -> None:
        self._clock = clock
        self._events: dict[str, PlatformEvent] = {}
        now = clock.now()
        for spec in specs:
            for event in spec.system_events:
                self._add(PlatformEvent("", spec.instance_id, event.type, event.cycle, now, event.not_before))

    def events(self, now: datetime) -> list[PlatformEvent]:
        """Return all events, oldest first. A simulated one is Executed once its time has come."""
        for event in list(self._events.values()):
            if event.simulated and event.cycle in OPEN and event.not_before and event.not_before <= now:
                self._put(event._replace(cycle="Executed", finished=event.not_before))
        return list(self._events.values())

    def simulate(self, instance_id: str, kind: str, not_before: datetime) -> PlatformEvent:
        """Add a simulated event."""
        cycle = "Scheduled" if kind.startswith("SystemMaintenance.") else "Executing"
        return self._add(PlatformEvent("", instance_id, kind, cycle, self._clock.now(), not_before, simulated=True))

    def cancel(self, event_id: str) -> None:
        """End an event."""
        self._put(self._events[event_id]._replace(cycle="Canceled", finished=self._clock.now()))

    def rebooted(self, instance_id: str) -> None:
        """Settle what a reboot that was asked for makes unnecessary: a scheduled reboot whose time has not come."""
        now = self._clock.now()
        for event in list(self._events.values()):
            due = event.not_before is None or now < event.not_before
            mine = event.instance_id == instance_id and event.type == "SystemMaintenance.Reboot"
            if mine and event.cycle in ("Scheduled", "Inquiring") and due:
                self._put(event._replace(cycle="Avoided", finished=now))

    def _add(self, event: PlatformEvent) -> PlatformEvent:
        event = event._replace(event_id=f"e-local{len(self._events) + 1:015d}")
        self._put(event)
        return event

    def _put(self, event: PlatformEvent) -> None:
        self._events[event.event_id] = event
