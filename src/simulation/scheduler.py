"""Virtual time: many runs in one thread, of which one goes on at a time, in an order that depends on nothing else."""

from collections.abc import Callable
from heapq import heappop, heappush

from greenlet import getcurrent, greenlet


class Scheduler:
    """A clock that jumps from event to event. ``now``: seconds since the beginning."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = 0
        self._hub = getcurrent()

    def at(self, moment: float, call: Callable[[], object]) -> None:
        """Have ``call`` made at ``moment``, which must not have passed. It may not pause."""
        self._order += 1
        heappush(self._due, (moment, self._order, call))

    def start(self, moment: float, run: Callable[[], object]) -> None:
        """Have ``run`` begin at ``moment``; it may pause."""
        self.at(moment, lambda: greenlet(run, self._hub).switch())

    def pause(self, seconds: float) -> None:
        """Let so much time pass for the run that calls, and let the others go on meanwhile."""
        moment = self.now + seconds
        if not self._due or moment < self._due[0][0]:
            self.now = moment  # nobody else does anything before
            return
        self.at(moment, getcurrent().switch)
        self._hub.switch()

    def run(self) -> None:
        """Go on until nothing is left to do. What a run raises comes out here."""
        while self._due:
            self.now, _, call = heappop(self._due)
            call()
