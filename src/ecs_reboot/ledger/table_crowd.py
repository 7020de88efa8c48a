"""The others because of which instances are refused, and whether ECS was really asked for each of them.

A run that dies between its claim and ECS leaves a place that counts until a sweep frees it. Whoever is refused because
of such a place is to come again, and so is whoever meets a run that is just about to ask, or one whose answer was lost:
a retry of that run's event finds out whether ECS ever got the request.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.ledger import instance_row
from ecs_reboot.ledger.entry import NEVER_ASKED, OPEN, UNKNOWN_TO_ECS, Entry
from ecs_reboot.ledger.group_row import Group
from ecs_reboot.ledger.place import fate
from ecs_reboot.ledger.table_region import instance_name
from ecs_reboot.ledger.table_rows import MOST_READ, TableRows
from ecs_reboot.ledger.window_row import Slot, Window, millis, moment
from ecs_reboot.named_tuple import NamedTuple

#: A run that goes on asks ECS within this long of its claim, for all that is usual.
YOUNG = timedelta(seconds=10)


class Crowd(NamedTuple):
    """``refused``: instances refused because of others; ``places``: of those others, whose end is not known."""

    refused: frozenset[str] = frozenset()
    places: tuple[Slot, ...] = ()


class Unsettled(NamedTuple):
    """``refused``: because of places for which ECS may not have been asked. ``young``: one may be about to be."""

    refused: frozenset[str] = frozenset()
    young: bool = False


def crowd_of(
    refused: Iterable[str],
    window: Window,
    groups: Mapping[str, Group],
    *,
    ours: frozenset[tuple[str, str]],
    since: datetime,
) -> Crowd:
    """Return who was refused, and the places of others that count since then; ``ours``: this request's claims."""
    members = [
        Slot(member.instance_id, member.claim, member.run, member.at, name)
        for name, group in groups.items()
        for member in group.members
        if member.state in OPEN
    ]
    counted = [slot for slot in window.slots if slot.state == "open" and slot.at > millis(since)]
    places = {(member.instance_id, member.claim): member for member in (*members, *counted)}
    return Crowd(frozenset(refused), tuple(place for key, place in places.items() if key not in ours))


def look(rows: TableRows, region_id: str, crowd: Crowd) -> Unsettled:
    """Read the instances of the places. What can't be read may be unsettled too."""
    if not crowd.refused:
        return Unsettled()
    for start in range(0, len(crowd.places), MOST_READ):
        part = crowd.places[start : start + MOST_READ]
        try:
            found = rows.read(
                region_id, list(dict.fromkeys(instance_name(candidate.instance_id) for candidate in part))
            )
        except CloudError:
            return Unsettled(crowd.refused)
        waiting = []
        for place in part:
            row = instance_row.read(place.instance_id, found.rows[instance_name(place.instance_id)], found.now)
            entry = row.history.entry
            if not row.history.unreadable and _waits(place, entry):
                about_to_ask = entry is None or entry.state not in ("in_doubt", *NEVER_ASKED)
                waiting.append(about_to_ask and found.now - moment(place.at) < YOUNG)
        if waiting:
            return Unsettled(crowd.refused, any(waiting))
    return Unsettled()


def _waits(place: Slot, entry: Entry | None) -> bool:
    """Return whether nothing shows that ECS was asked upon the claim of a place, or that it has come to nothing since.

    Who read the place before that was written was refused because of nobody.
    """
    became, unused = fate(place, entry), (*UNKNOWN_TO_ECS, *NEVER_ASKED)
    return became == "never" or (became != "past" and entry is not None and entry.state in unused)
