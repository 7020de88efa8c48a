"""What is true when a scenario begins: nothing, or a reboot of ours from before that is not at its end."""

from datetime import timedelta
from typing import NamedTuple

from ecs_reboot.ledger import instance_row
from ecs_reboot.ledger.entry import Entry, claim_digest, group_digest
from ecs_reboot.ledger.group_row import Group, Member
from ecs_reboot.ledger.window_row import Slot, Window, millis
from ecs_reboot.settings.settings import Settings
from exploration.machines import Power
from exploration.world import REGION, SCALING_GROUP, Rows, Truth, World
from simulation.run import EPOCH

#: The run of long ago that made the claim.
_RUN = "long-ago"


class Earlier(NamedTuple):
    """A reboot that ECS accepted at ``at`` (seconds, before 0). ``hangs``: it never left Stopping.

    ``protected``: the instance is protected in its scaling group, and the ledger owes to take that back.
    """

    instance_id: str
    at: float
    hangs: bool = False
    protected: bool = False


def world(settings: Settings, earlier: Earlier | None) -> World:
    """Return the world at the beginning."""
    if earlier is None:
        return World()
    instance_id, at = earlier.instance_id, EPOCH + timedelta(seconds=earlier.at)
    entry = Entry(
        at=at,
        state="accepted",
        force=False,
        claim=claim_digest(_RUN),
        group=group_digest("shop" if settings.policy.group_tag else ""),
        protects=SCALING_GROUP if earlier.protected else "",
    )
    truth = Truth(
        power=(Power(earlier.at, instance_id, -1, "hangs" if earlier.hangs else "reboot"),),
        protected=(instance_id,) if earlier.protected else (),
    )
    if settings.policy.ledger == "tags":
        return World(truth._replace(tags=((instance_id, str(entry)),)))
    return World(truth, _rows(settings, instance_id, entry))


def _rows(settings: Settings, instance_id: str, entry: Entry) -> Rows:
    """Return the rows that stand for a claim."""
    at, stack = millis(entry.at), settings.stack_name
    slot = Slot(instance_id, entry.claim, _RUN, at, entry.group)
    rows = {
        f"i#{instance_id}": instance_row.columns(entry, run=_RUN, ask_by=at, stack=stack),
        f"w#{stack}": Window().with_slots([slot], settings.policy.max_reboots_window_seconds, entry.at).columns(),
    }
    if entry.group != "0":
        rows[f"g#{entry.group}"] = Group((Member(instance_id, entry.claim, _RUN, at, entry.state),)).columns()
    return tuple(
        ((("region", REGION), ("row", name)), tuple(sorted({**columns, "v": 1, "by": f"{_RUN}.1"}.items())))
        for name, columns in sorted(rows.items())
    )
