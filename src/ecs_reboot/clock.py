"""Time and chance as one object, so that whatever waits or jitters can be run under a simulated clock."""

import os
import time
from datetime import datetime, timezone
from typing import Protocol


class Clock(Protocol):
    """What the function knows of time."""

    def now(self) -> datetime:
        """Return the time of day, UTC."""

    def elapsed(self) -> float:
        """Return seconds on a clock that never steps back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def jitter(self) -> float:
        """Return a random number in [0, 1)."""


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        """Return the time of day, UTC."""
        return datetime.now(timezone.utc)

    def elapsed(self) -> float:
        """Return seconds since some fixed point."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def jitter(self) -> float:
        """Return a random number in [0, 1)."""
        return int.from_bytes(os.urandom(4), "big") / 2**32


#: Time beyond a deadline for taking back what must not stay behind. Seconds.
RESERVE_SECONDS = 2.5


class Deadline:
    """The moment by which the records must be on their way; ``seconds`` after it was set.

    ``reserve`` seconds more are for taking back what must not stay behind: all of it together, since who is cut off
    while taking back leaves no record either.
    """

    def __init__(self, clock: Clock, seconds: float, reserve: float = RESERVE_SECONDS) -> None:
        self.clock, self.seconds = clock, seconds
        self._at, self._reserve = clock.elapsed() + seconds, reserve
        self._for_taking_back: Deadline | None = None

    def left(self) -> float:
        """Return the seconds left, never negative."""
        return max(0.0, self._at - self.clock.elapsed())

    def wait(self, seconds: float) -> bool:
        """Sleep that long where it still fits; else return False at once."""
        if seconds >= self.left():
            return False
        self.clock.sleep(seconds)
        return True

    def for_taking_back(self) -> "Deadline":
        """Return this deadline, or once it is nearer than the reserve one that is set for the reserve, only once."""
        if self._for_taking_back is None and self.left() >= self._reserve:
            return self
        self._for_taking_back = self._for_taking_back or Deadline(self.clock, self._reserve)
        return self._for_taking_back
