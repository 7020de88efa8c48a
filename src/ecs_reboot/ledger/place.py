"""What the row of an instance says about a place in the window that was given for it. Pure."""

from typing import Literal

from ecs_reboot.ledger.entry import MOST_EARLIER, OPEN, Entry
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
    before = millis(entry.at) // 1000 - slot.at // 1000
    # Of what a person has cleared only the last attempt has a time.
    if before in entry.earlier or (entry.cleared is not None and before >= entry.cleared):
        return "past"
    if entry.state == "void":
        return "never"
    # A claim that was an attempt stands among those before the entry, if all of them do.
    whole = len(entry.earlier) < MOST_EARLIER and entry.state != "reset"
    return "never" if not of_request and (whole or not is_later(entry, slot)) else "past"


def is_later(entry: Entry, slot: Slot) -> bool:
    """Return whether an entry was written after the place's run had read its row: that run can't claim any more."""
    return millis(entry.at) // 1000 >= slot.at // 1000
