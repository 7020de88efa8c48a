"""Work for later: what is due at a moment of the cloud's clock is done then, in a thread of its own."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from threading import Condition, Thread

from localcloud.account.clock import Clock

Work = Callable[[], None]

# A held clock is stepped by hand and tells nobody: it is looked at this often while something waits.
_LOOK_SECONDS = 0.02
_LOG = logging.getLogger("localcloud")


class Schedule:
    """Does work when it is due. Nothing runs, not even a thread, until there is something to do."""

    def __init__(self, clock: Clock, threads: int) -> None:
        self._clock = clock
        self._executor = ThreadPoolExecutor(threads, "function")
        self._changed = Condition()
        self._waiting: list[tuple[datetime, int, Work]] = []
        self._order = count()
        self._unfinished = 0
        self._watcher: Thread | None = None

    def soon(self, work: Work) -> None:
        """Do work now, in another thread."""
        with self._changed:
            self._unfinished += 1
        self._executor.submit(self._carry_out, work)

    def at(self, moment: datetime, work: Work) -> None:
        """Do work at a moment of the cloud's clock, or as soon as it is over."""
        with self._changed:
            heappush(self._waiting, (moment, next(self._order), work))
            if self._watcher is None:
                self._watcher = Thread(target=self._watch, name="schedule", daemon=True)
                self._watcher.start()
            self._changed.notify_all()

    def forget(self) -> None:
        """Drop what is not due yet."""
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()

    def wait_until_empty(self, seconds: float) -> bool:
        """Wait for everything to be done, what is due later included; False if that takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._unfinished, seconds)

    def _watch(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._watcher = None
                    return
                if self._waiting[0][0] > self._clock.now():
                    left = self._clock.seconds_until(self._waiting[0][0])
                    self._changed.wait(_LOOK_SECONDS if left is None else min(left, _LOOK_SECONDS))
                    continue
                _, _, work = heappop(self._waiting)
                self._unfinished += 1
            self._executor.submit(self._carry_out, work)

    def _carry_out(self, work: Work) -> None:
        try:
            work()
        except Exception:
            _LOG.exception("work for later failed: a mistake in the local cloud")
            raise
        finally:
            with self._changed:
                self._unfinished -= 1
                self._changed.notify_all()
