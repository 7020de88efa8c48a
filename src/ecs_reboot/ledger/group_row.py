"""The row of one group in the table: its instances that were rebooted and are not known to be back. Pure.

Mostly that is one. A person who overrides the guard can have more of them down at once, and each keeps the others of
its group from being rebooted until it is resolved.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from ecs_reboot.ledger.entry import OPEN, UNRESOLVED, Entry, Unreadable
from ecs_reboot.ledger.memory import holds_group
from ecs_reboot.ledger.window_row import millis, moment, same_claim
from ecs_reboot.named_tuple import NamedTuple


class Member(NamedTuple):
    """An instance of the group as ``run`` claimed it; ``at`` in milliseconds."""

    instance_id: str
    claim: str
    run: str
    at: int
    state: str


class Group(NamedTuple):
    """The row."""

    members: tuple[Member, ...] = ()

    def busy(self, window: timedelta, now: datetime) -> dict[str, datetime]:
        """Return the instances that keep the others from being rebooted, and since when."""
        return {
            member.instance_id: moment(member.at)
            for member in self.members
            if holds_group(member.state, moment(member.at), window, now)
        }

    def with_members(self, claimed: tuple[Member, ...], window: timedelta, now: datetime) -> "Group":
        """Add what a run claims, in the place of earlier claims on the same instances, and forget what is over.

        What ended badly stays beside a claim to finish it, which may come to nothing; a sweep ends it.
        """
        again, busy = {member.instance_id for member in claimed}, self.busy(window, now)
        kept = (
            member
            for member in self.members
            if member.instance_id in busy and (member.instance_id not in again or member.state in UNRESOLVED)
        )
        return Group((*kept, *claimed))

    def with_end(self, instance_id: str, entry: Entry, *, run: str = "") -> "Group":
        """Write what became of a claim (of that ``run`` only, where one is named); what no longer holds is left out."""
        members = (
            member._replace(state=entry.state)
            if member.instance_id == instance_id
            and same_claim(entry, member.claim, member.at)
            and run in ("", member.run)
            else member
            for member in self.members
        )
        return Group(tuple(member for member in members if member.state in (*OPEN, *UNRESOLVED)))

    def held_again(self, instance_id: str, entry: Entry, run: str) -> "Group":
        """Give its place back to a member that ended badly, unless the group has another claim on it."""
        if any(member.instance_id == instance_id for member in self.members):
            return self
        return Group((*self.members, Member(instance_id, entry.claim, run, millis(entry.at), entry.state)))

    def columns(self) -> dict[str, int | str]:
        """Return the row's columns."""
        return {"members": json.dumps(self.members, separators=(",", ":"))}


def read(columns: Mapping[str, object]) -> Group:
    """Read the row; none is an empty group. Raises Unreadable."""
    if not columns:
        return Group()
    try:
        return Group(tuple(_member(row) for row in json.loads(str(columns["members"]))))
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(f"it is not one of this version: {error!r}") from None


def _member(row: list[object]) -> Member:
    instance_id, claim, run, at, state = row
    if not isinstance(at, int):
        raise TypeError(f"member {row!r}")
    moment(at)
    return Member(str(instance_id), str(claim), str(run), at, str(state))
