"""How many instances of one region may be rebooted together: a pure judgement over what the ledger says of the region.

Three things stop further reboots: the limit within its window; a storm, when far more instances are asked for than the
limit allows (an outage of the network looks like a hundred broken instances); and a suspension, when the last reboots
did not bring their instances back. Only the ledger counts, so every invocation sees the same, however many run at once.
"""

from collections.abc import Iterable
from datetime import datetime

from ecs_reboot.ledger.entry import instance_digest
from ecs_reboot.ledger.memory import RegionMemory
from ecs_reboot.model import Value


class Limit(Value):
    """`MAX_REBOOTS`: a number of instances, or a percentage of those that opted in (``share``), at least one."""

    number: int
    share: bool

    def of(self, opted_in: int) -> int:
        """Return the limit as a number of instances; a share is of the opted-in."""
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


class RegionActivity:
    """What counts in one region while a run decides about its instances in turn."""

    def __init__(self, memory: RegionMemory, asked: Iterable[str], now: datetime) -> None:
        """``asked``: the instances that this run wants to reboot."""
        self._memory, self._now = memory, now
        self._rebooted = set(memory.rebooted)
        self._asked = set(memory.asked_for) | set(map(instance_digest, asked))
        self._busy = {group: dict(members) for group, members in memory.busy.items()}

    def excluding(self, instance_id: str, group: str, limit: int | None) -> RegionState:
        """Return the state of the region without one instance."""
        busy = {name: at for name, at in self._busy.get(group, {}).items() if name != instance_id and group != "0"}
        member = min(busy, default="")
        return RegionState(
            limit=limit,
            rebooted=len(self._rebooted) - (instance_id in self._rebooted),
            asked_for=len(self._asked) - (instance_digest(instance_id) in self._asked),
            storm_at=self._memory.storm_at,
            down_in_a_row=self._memory.down_in_a_row,
            group_member=member,
            group_since=busy.get(member),
        )

    def allow(self, instance_id: str, group: str) -> None:
        """Count an instance that this run is going to reboot."""
        self._rebooted.add(instance_id)
        self._busy.setdefault(group, {})[instance_id] = self._now

    def crowded(self) -> bool:
        """Return whether the percentage limit must be resolved: a single first reboot is always allowed."""
        return len(self._asked) > 1 or bool(self._rebooted)
