"""The timers of one account: each with its expression, its payload and what it calls.

Time passes only when ``tick`` says so: a test does not wait for four in the morning.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from cloud_languages import cron

Deliver = Callable[[bytes], None]


class Timer(NamedTuple):
    """One timer; ``due`` is when it goes off next."""

    name: str
    schedule: cron.Schedule
    payload: str
    deliver: Deliver
    due: datetime | None


class TimerService:
    """All timers of one account."""

    def __init__(self, silent: Callable[[], bool] = lambda: False) -> None:
        """``silent``: whether no timer goes off, be it due or not."""
        self._silent = silent
        self._timers: dict[str, Timer] = {}
        self._reached: datetime | None = None

    def add(self, name: str, expression: str, payload: str, deliver: Deliver, now: datetime) -> None:
        """Set a timer. Raises ValueError for an expression that is none."""
        schedule = cron.parse(expression)
        self._timers[name] = Timer(name, schedule, payload, deliver, schedule.next_after(now))

    def remove(self, name: str) -> None:
        """Take a timer away."""
        self._timers.pop(name, None)

    def due(self) -> datetime | None:
        """Return when the next timer goes off."""
        return min((timer.due for timer in self._timers.values() if timer.due), default=None)

    def let_pass(self, span: timedelta, now: datetime) -> int:
        """Let a span of time pass, from ``now`` or where an earlier one ended; returns how many timers went off."""
        return self.tick(max(now, self._reached or now) + span)

    def tick(self, now: datetime) -> int:
        """Let every timer go off once that is due by ``now``; returns how many did."""
        self._reached = now
        if self._silent():
            return 0
        gone_off = [timer for timer in self._timers.values() if timer.due is not None and timer.due <= now]
        for timer in gone_off:
            assert timer.due is not None
            self._timers[timer.name] = timer._replace(due=timer.schedule.next_after(now))
            event = {
                "triggerTime": timer.due.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "triggerName": timer.name.rpartition("/")[2],
                "payload": timer.payload,
            }
            timer.deliver(json.dumps(event, ensure_ascii=False).encode())
        return len(gone_off)
