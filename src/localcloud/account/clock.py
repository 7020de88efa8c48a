"""The cloud's clock: UTC now, and how long a state transition takes in it."""

from datetime import datetime, timedelta, timezone
from threading import Lock


class Clock:
    """Tells the time of the local cloud.

    Time itself is real, so that what the cloud writes down agrees with what its clients see; only durations of state
    transitions are scaled: ``time_scale`` seconds of cloud time pass in one real second. A test may hold the clock and
    step it by hand. Checks of signatures and tokens never use this clock: they use real time.
    """

    def __init__(self, *, time_scale: float = 1.0) -> None:
        if not time_scale > 0:
            raise ValueError(f"time_scale is {time_scale}: it is seconds of cloud time per real second, above 0")
        self.time_scale = time_scale
        self._held: datetime | None = None
        self._lock = Lock()

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""
        held = self._held
        return datetime.now(timezone.utc) if held is None else held

    def after(self, cloud_seconds: float, start: datetime) -> datetime:
        """Return the moment at which ``cloud_seconds`` of cloud time have passed since ``start``."""
        return start + timedelta(seconds=cloud_seconds / self.time_scale)

    def seconds_until(self, moment: datetime) -> float | None:
        """Return the real seconds until ``moment``, at least 0; None while the clock is held."""
        if self._held is not None:
            return None
        return max(0.0, (moment - self.now()).total_seconds())

    def hold(self, at: datetime | None = None) -> None:
        """Stop the clock, at ``at`` (aware) or where it stands."""
        with self._lock:
            self._held = at or self.now()

    def step(self, seconds: float) -> datetime:
        """Move a held clock on by ``seconds`` of its own time and return the new now; ValueError if it is running."""
        with self._lock:
            if self._held is None:
                raise ValueError("the clock is running: hold() it before step()")
            self._held += timedelta(seconds=seconds)
            return self._held

    def release(self) -> None:
        """Let a held clock run again, in real time."""
        with self._lock:
            self._held = None
