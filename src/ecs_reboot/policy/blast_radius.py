"""How many instances of one region may be rebooted together: a pure judgement over all ledger entries of the region.

Three things stop further reboots: the limit within its window; a storm, when far more instances are asked for than the
limit allows (an outage of the network looks like a hundred broken instances); and a suspension, when the last reboots
did not bring their instances back. Only entries count, so every invocation sees the same, however many run at once.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from ecs_reboot.ledger.entry import ATTEMPTED, Entry
from ecs_reboot.model import Value


class Limit(Value):
    """`MAX_REBOOTS`: a number of instances, or a percentage of those that opted in (``share``), at least one."""

    number: int
    share: bool

    def of(self, opted_in: int) -> int:
        """Return how many that is, of so many opted-in instances."""
        return max(1, opted_in * self.number // 100) if self.share else self.number


class RegionState(Value):
    """What the region's ledger says about the others, at the time of one decision.

    ``limit``: None for none. ``rebooted``: reboots claimed in the window; ``asked_for``: instances asked for in the
    window, rebooted or not; each without the instance decided about. ``storm_at``: when a storm was seen in this
    window. ``down_in_a_row``: how many of the latest reboots left their instance down. ``group_member``: one of the
    same group that is not back yet, rebooted at ``group_since``.
    """

    limit: int | None
    rebooted: int
    asked_for: int
    storm_at: datetime | None = None
    down_in_a_row: int = 0
    group_member: str = ""
    group_since: datetime | None = None


def parse_limit(text: str) -> Limit | None:
    """Read `5%`, `3` or `off`. ValueError with the remedy."""
    text = text.strip()
    if text.lower() == "off":
        return None
    number, percent, rest = text.partition("%")
    if rest or not (number.isascii() and number.isdigit()) or not 1 <= int(number) <= (100 if percent else 10_000):
        raise ValueError("give a number from 1, a percentage such as 5%, or off")
    return Limit(number=int(number), share=bool(percent))


#: So long a claim holds back its group where nobody has found out what became of it. A sweep knows within less.
UNKNOWN = timedelta(hours=1)


class RegionActivity:
    """One region's entries, counted once, so that thousands of instances can be judged against them."""

    def __init__(self, entries: Mapping[str, Entry], asked: Iterable[str], window: timedelta, now: datetime) -> None:
        """``asked``: the instances that this run wants to reboot."""
        recent = {instance_id: entry for instance_id, entry in entries.items() if now - entry.at < window}
        self._rebooted = {one for one, entry in recent.items() if entry.state in ATTEMPTED or entry.state == "reset"}
        self._asked = set(recent) | set(asked)
        self._storm_at = min((entry.at for entry in recent.values() if entry.state == "storm"), default=None)
        self._now = now
        self._busy: dict[str, dict[str, datetime]] = {}
        for instance_id, entry in entries.items():
            if entry.state == "down" or (entry.state == "claimed" and now - entry.at < max(window, UNKNOWN)):
                self._busy.setdefault(entry.group, {})[instance_id] = entry.at
        self._down_in_a_row = _down_in_a_row(entries.values())

    def excluding(self, instance_id: str, group: str, limit: int | None) -> RegionState:
        """Return the region_state of one instance."""
        busy = {name: at for name, at in self._busy.get(group, {}).items() if name != instance_id and group != "0"}
        member = min(busy, default="")
        return RegionState(
            limit=limit,
            rebooted=len(self._rebooted) - (instance_id in self._rebooted),
            asked_for=len(self._asked) - (instance_id in self._asked),
            storm_at=self._storm_at,
            down_in_a_row=self._down_in_a_row,
            group_member=member,
            group_since=busy.get(member),
        )

    def allow(self, instance_id: str, group: str) -> None:
        """Count an instance that this run is going to reboot."""
        self._rebooted.add(instance_id)
        self._busy.setdefault(group, {})[instance_id] = self._now

    def crowded(self) -> bool:
        """Tell whether anything but a first reboot is at hand, so that a share of the opted-in needs its number."""
        return len(self._asked) > 1 or bool(self._rebooted)


def _down_in_a_row(entries: Iterable[Entry]) -> int:
    """Count from the latest; of those claimed at the same time the ones that are down count as the latest."""
    finished = sorted(
        (one for one in entries if one.state in ("back", "down", "seen")),
        key=lambda one: (one.at, one.state == "down"),
    )
    count = 0
    while finished and finished.pop().state == "down":
        count += 1
    return count
