"""What the ledger of one region amounts to for the decisions about its instances, whichever store holds it. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from ecs_reboot.ledger.entry import ATTEMPTED, OPEN, SKEW, START_DUE, UNRESOLVED, Entry, attempts, instance_digest
from ecs_reboot.named_tuple import NamedTuple

#: The longest window of the limit (``MAX_REBOOTS_WINDOW_SECONDS``).
LONGEST_WINDOW = timedelta(days=1)
#: A claim holds back its group for this long where nobody has found out what became of it. A sweep knows sooner.
UNKNOWN = timedelta(hours=1)


class RegionMemory(NamedTuple):
    """What counts in one region at one moment.

    ``rebooted``: instances claimed in the window. ``asked_for``: digests of those asked for in the window, rebooted or
    not. ``storm_at``: when a storm was seen in this window. ``down_in_a_row``: how many of the latest reboots left
    their instance down or hung. ``busy``: by group, the instances that are not back yet and since when.
    ``opted_in``: how many opted in, 0 where nobody counted.
    """

    rebooted: frozenset[str] = frozenset()
    asked_for: frozenset[str] = frozenset()
    storm_at: datetime | None = None
    down_in_a_row: int = 0
    busy: Mapping[str, Mapping[str, datetime]] = {}
    opted_in: int = 0


def of_entries(entries: Mapping[str, Entry], window: timedelta, now: datetime) -> RegionMemory:
    """Count the entries of a region."""
    recent = {instance_id: entry for instance_id, entry in entries.items() if now - entry.at < window}
    busy: dict[str, dict[str, datetime]] = {}
    for instance_id, entry in entries.items():
        if holds_group(entry.state, entry.at, window, now):
            busy.setdefault(entry.group, {})[instance_id] = entry.at
    finished = ((entry.at, entry.state) for entry in entries.values())
    return RegionMemory(
        rebooted=frozenset(instance_id for instance_id, entry in entries.items() if _counts(entry, window, now)),
        asked_for=frozenset(map(instance_digest, recent)),
        storm_at=min((entry.at for entry in recent.values() if entry.state == "storm"), default=None),
        down_in_a_row=down_in_a_row(finished),
        busy=busy,
    )


def _counts(entry: Entry, window: timedelta, now: datetime) -> bool:
    """Return whether an instance was claimed in the window: by its entry, or by an attempt before, cleared or not."""
    own = (0,) if entry.state in ATTEMPTED or entry.state == "reset" else ()
    cleared = () if entry.cleared is None else (entry.cleared,)
    return any(now - entry.at + timedelta(seconds=age) < window for age in (*own, *entry.earlier, *cleared))


def holds_group(state: str, at: datetime, window: timedelta, now: datetime) -> bool:
    """Return whether an instance in this state keeps the others of its group from being rebooted."""
    return state in (*UNRESOLVED, START_DUE) or (state in OPEN and now - at < max(window, UNKNOWN))


def down_in_a_row(reboots: Iterable[tuple[datetime, str]]) -> int:
    """Count from the latest; of those claimed at the same time the ones that are down count as the latest.

    ``reboots``: claim time and state of each; states that tell no end are left out.
    """
    finished = sorted(
        (at, state in UNRESOLVED) for at, state in reboots if state in UNRESOLVED or state in ("back", "seen")
    )
    count = 0
    while finished and finished.pop()[1]:
        count += 1
    return count


def past(entries: Mapping[str, Entry], now: datetime) -> frozenset[str]:
    """Return the instances whose entries count for nothing any more, by whichever clock: without them all is the same.

    No window reaches back to them, their attempts are forgotten, and nobody waits for their end. One that came back
    stays while an instance that went down before it is not resolved: it says that not all went down since.
    """
    earliest = now - SKEW
    down = min((entry.at for entry in entries.values() if entry.state in UNRESOLVED), default=None)
    return frozenset(
        instance_id
        for instance_id, entry in entries.items()
        if entry.state not in (*OPEN, *UNRESOLVED)
        and earliest - entry.at > LONGEST_WINDOW
        and not attempts(entry, earliest)
        and not (entry.state in ("back", "seen") and down is not None and down <= entry.at)
    )
