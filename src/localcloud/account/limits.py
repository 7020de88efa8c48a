"""Calls a minute that an action may have, as declared: refused in one minute, it may be called again in the next.

ECS counts by account, region, action and minute of the clock; the local cloud counts all regions together.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock

from localcloud.account.clock import Clock

Limits = Mapping[str, Mapping[str, int]]


class Throttle:
    """The calls of this minute, counted for every action that has a limit. Safe to use from several threads."""

    def __init__(self, limits: Limits, clock: Clock, code: Callable[[], str] = lambda: "") -> None:
        """``code``: what a refusal says, '' for the documented code."""
        self.code = code
        self._limits = limits
        self._clock = clock
        self._lock = Lock()
        self._minute: datetime | None = None
        self._calls: dict[tuple[str, str], int] = {}

    def exceeds(self, service: str, action: str) -> bool:
        """Count a call; return whether it is one too many for this minute. One that is refused counts too."""
        limit = self._limits.get(service, {}).get(action)
        if limit is None:
            return False
        minute = self._clock.now().replace(second=0, microsecond=0)
        with self._lock:
            if minute != self._minute:
                self._minute, self._calls = minute, {}
            count = self._calls[service, action] = self._calls.get((service, action), 0) + 1
        return count > limit
