"""Throttling as ECS does it: an action may be called so often in a minute, and again in the next one."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from localcloud.account.faults import parse

_MINUTE = 60.0


class MinuteLimit:
    """Limits one action of ECS by counting its answers in the cloud's audit. Close it."""

    def __init__(self, cloud: Any, action: str, limit: int) -> None:
        self._cloud, self._action, self._limit = cloud, action, limit
        self._lock = threading.Lock()
        self._answered = 0
        self.refused = 0
        self._fault: tuple[int, ...] = ()
        self._ended = threading.Event()
        self._unsubscribe = cloud.audit.subscribe(self._see)
        self._minutes = threading.Thread(target=self._tick, daemon=True)
        self._minutes.start()

    def close(self) -> None:
        """Stop limiting."""
        self._ended.set()
        self._minutes.join()
        self._unsubscribe()
        self._forgive()

    def _see(self, entry: Mapping[str, Any]) -> None:
        if entry["kind"] != "api" or entry["action"] != self._action:
            return
        with self._lock:
            if entry["http_status"] != 200:  # noqa: PLR2004 - OK
                self.refused += 1
                return
            self._answered += 1
            if self._answered >= self._limit and not self._fault:
                declared = {"action": self._action, "kind": "throttle", "code": "Throttling.User"}
                self._fault = self._cloud.faults.add(parse([declared]))

    def _tick(self) -> None:
        # A minute is the clock's, as ECS counts it: what was refused in one may be called in the next.
        while not self._ended.wait(_MINUTE - time.time() % _MINUTE):
            self._forgive()

    def _forgive(self) -> None:
        with self._lock:
            self._answered = 0
            for number in self._fault:
                self._cloud.faults.remove(number)
            self._fault = ()
