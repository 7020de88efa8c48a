"""A clock that stands still until it is moved: a month passes as fast as its events can be worked out."""

from datetime import datetime, timedelta
from random import Random


class SteppedClock:
    """An ``ecs_reboot.clock.Clock``. Waiting takes no time of ours; chance is drawn from a fixed seed."""

    def __init__(self, start: datetime) -> None:
        self._start = self._now = start
        self._random = Random(0)  # noqa: S311 - a forecast must come out the same each time

    def go_on_to(self, moment: datetime) -> None:
        """Step ahead; a moment that has passed changes nothing."""
        self._now = max(self._now, moment)

    def now(self) -> datetime:
        """Return the time of day, UTC."""
        return self._now

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return (self._now - self._start).total_seconds()

    def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        self._now += timedelta(seconds=seconds)

    def jitter(self) -> float:
        """Return a number in [0, 1), drawn."""
        return self._random.random()
