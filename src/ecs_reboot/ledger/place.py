"""What the row of an instance says about a place in the window that was given for it. Pure."""

from typing import Literal

from ecs_reboot.ledger.entry import OPEN, Entry
from ecs_reboot.ledger.window_row import Slot, millis, same_claim

#: `current`: the row is that of the place's claim. `taken_over`: that of a claim of the same request, which may still
#: be open. `past`: the claim was an attempt once. `never`: the run that took the place did not come to claim.
Fate = Literal["current", "taken_over", "past", "never"]


def fate(slot: Slot, entry: Entry | None) -> Fate:
    """Return what became of a place. In doubt it is `past`: then it counts until its window ends."""
    if entry is None:
        return "never"
    if same_claim(entry, slot.claim, slot.at):
        return "current"
    of_request = entry.claim == slot.claim
    if of_request and entry.state in OPEN:
        return "taken_over"
    at, placed_at = millis(entry.at) // 1000, slot.at // 1000
    if placed_at in {at - seconds for seconds in entry.earlier}:
        return "past"
    before = at < placed_at and not of_request
    return "never" if before or entry.state == "void" else "past"
