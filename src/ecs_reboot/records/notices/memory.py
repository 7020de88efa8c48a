"""Who remembers the notices: this function instance while it stays warm, or all together (``table_memory``)."""

import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from ecs_reboot.records.notices.outbox import Outbox

T = TypeVar("T")
Decide = Callable[[Outbox, float], tuple[Outbox, T]]
"""From what is remembered and the time (``time.time``) to what is to be remembered, and an answer. Pure."""


class Memory(Protocol):
    """Where the outbox is."""

    def known(self, now: float) -> frozenset[str]:
        """Return, without a call, the keys of what this instance knows to be told."""

    def change(self, decide: Decide[T], now: float) -> T:
        """Put what is decided in the place of what was remembered, and return the answer. Raises nothing."""


class OwnMemory:
    """The memory of one function instance: not shared with others, and gone when it ends."""

    def __init__(self) -> None:
        self.outbox = Outbox()
        self._lock = threading.Lock()

    def known(self, now: float) -> frozenset[str]:
        """Return the keys of what was reported within the quiet time."""
        return self.outbox.known(now)

    def change(self, decide: Decide[T], now: float) -> T:
        """Put what is decided in the place of what was remembered, and return the answer."""
        with self._lock:
            self.outbox, answer = decide(self.outbox, now)
        return answer
