"""What this function instance remembers of its notices while it stays warm: what was told, how fast, and what failed.

Not shared between instances and gone when one ends: then a fault may be told once more, never once less. Every value
is bounded.
"""

from collections import deque
from typing import NamedTuple

from ecs_reboot.records.notices.notice import Channel, Notice

#: Messages a minute to one channel: DingTalk blocks a robot for ten minutes beyond it.
MOST_A_MINUTE = 20
#: The same refusal is told again after this long. Seconds.
QUIET_SECONDS = 86_400.0
#: What failed longer ago than this is not worth telling any more. Seconds.
LATE_SECONDS = 21_600.0
_MOST_KEYS, _MOST_UNTOLD = 2_000, 200


class Untold(NamedTuple):
    """A notice that did not reach a channel, when it was made, and from when on to try again (``time.time``)."""

    notice: Notice
    channel: Channel
    since: float
    not_before: float


class Memory:
    """The memory of one function instance."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}
        self._sent: dict[Channel, deque[float]] = {}
        self._untold: deque[Untold] = deque(maxlen=_MOST_UNTOLD)

    def known(self, now: float) -> frozenset[str]:
        """Return the keys of what was told within the quiet time."""
        self._told = {key: at for key, at in self._told.items() if 0 <= now - at < QUIET_SECONDS}
        return frozenset(self._told)

    def tell(self, keys: tuple[str, ...], now: float) -> None:
        """Remember that something is being told, whatever comes of it: what fails is kept to be tried again."""
        for key in keys:
            self._told[key] = now
        for key in list(self._told)[: max(0, len(self._told) - _MOST_KEYS)]:
            del self._told[key]

    def admit(self, channel: Channel, now: float) -> bool:
        """Tell whether a channel may get another message now, and count it."""
        sent = self._sent.setdefault(channel, deque(maxlen=MOST_A_MINUTE))
        if len(sent) == MOST_A_MINUTE and 0 <= now - sent[0] < 60:  # noqa: PLR2004 - a minute
            return False
        sent.append(now)
        return True

    def keep(self, untold: Untold) -> None:
        """Keep a notice to be tried again; of too many the oldest goes."""
        self._untold.append(untold)

    def take_untold(self, now: float) -> list[Untold]:
        """Hand out, and forget, what may be tried again now; what is too late to tell is forgotten."""
        due = [notice for notice in self._untold if notice.not_before <= now < notice.since + LATE_SECONDS]
        later = [notice for notice in self._untold if now < notice.not_before and now < notice.since + LATE_SECONDS]
        self._untold = deque(later, maxlen=_MOST_UNTOLD)
        return due
