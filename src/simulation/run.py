"""One simulated run of the function: its own clock, its chances, and its end."""

from datetime import datetime, timedelta, timezone
from random import Random

from simulation.scheduler import Scheduler

#: The true time at the beginning of every simulation.
EPOCH = datetime(2026, 3, 2, tzinfo=timezone.utc)


class Crashed(BaseException):
    """The machine under the run is gone. Not an Exception: the function can't catch it, and so does nothing more."""


class Run:
    """One invocation. It is also the function's ``clock.Clock``.

    ``ends``: when Function Compute kills it; ``skew``: how far its clock is from the true time; ``crash``: the chance
    that it ends at any one step; ``stack``: the name of the stack whose function it is.
    """

    def __init__(
        self,
        number: str,
        scheduler: Scheduler,
        random: Random,
        *,
        ends: float,
        skew: float,
        crash: float,
        stack: str = "",
    ) -> None:
        self.number, self.scheduler, self.random = number, scheduler, random
        self.began, self.stack = scheduler.now, stack
        self._ends, self._skew, self._crash = ends, skew, crash
        self.overrides: frozenset[str] = frozenset()
        self.forced: bool | None = None
        self.rolling = False
        #: Whether a call of it failed for another reason than what it asked for.
        self.troubled = False
        #: Whether Function Compute ended it: it did not end in time by itself.
        self.timed_out = False

    def step(self, seconds: float) -> None:
        """Let time pass, and others go on. Raises Crashed where the run ends here."""
        self.scheduler.pause(seconds)
        self.timed_out = self.scheduler.now >= self._ends
        if self.timed_out or (self._crash and self.random.random() < self._crash):
            raise Crashed

    def now(self) -> datetime:
        """Return the time of day by this machine's clock."""
        return EPOCH + timedelta(seconds=self.scheduler.now + self._skew)

    def elapsed(self) -> float:
        """Return seconds since the beginning of the simulation."""
        return self.scheduler.now

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.step(seconds)

    def jitter(self) -> float:
        """Return a number in [0, 1), drawn."""
        return self.random.random()
