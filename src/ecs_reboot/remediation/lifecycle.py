"""The life of one reboot as a pure machine: what the ledger says, what was just seen, and the time give the next state.

```
 claimed --asked--> accepted --+--> back
    |                in_doubt  +--> down, hung --(seen Running again)--> back
    '--> void                  '--> unproven
```
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.entry import Entry, State
from ecs_reboot.model import Instance
from ecs_reboot.outcomes import Code


class Patience(NamedTuple):
    """How long to wait: ``holds`` until a run that claimed is over, ``hung_after`` until an instance must be up.

    ``observing``: nothing is ever restarted, so nothing is waited for beyond the run.
    """

    holds: timedelta
    hung_after: timedelta
    observing: bool = False


class End(NamedTuple):
    """What became of a reboot: the state for the ledger, the code and the sentence for the record."""

    state: State
    code: Code
    reason: str


def end_of(entry: Entry, instance: Instance, now: datetime, patience: Patience) -> End | None:
    """Return what became of a reboot whose end is not known or was bad; None where it is too early to tell."""
    age, claimed = now - entry.at, f"claimed at {_at(entry.at)}"
    if patience.observing:
        return _of_observed(age >= patience.holds, claimed)
    if instance.status != "Running":
        return _not_up(entry, instance, age >= patience.hung_after, claimed)
    if ledger.restarted(entry, instance.start_time):
        return End("back", "recovered", f"{claimed}, restarted at {_at(instance.start_time)}, Running")
    if entry.state in ledger.UNRESOLVED:
        return End("back", "recovered", f"{claimed}, was {entry.state}, Running again")
    if ledger.never_asked(entry, instance, now, patience.holds):
        reason = f"{claimed}, and not restarted since: the run that claimed it ended before it asked ECS"
        return End("void", "unproven", reason)
    unproven = End("unproven", "unproven", f"{claimed}, and nothing shows that it was restarted since")
    return unproven if age >= patience.hung_after else None


def _of_observed(over: bool, claimed: str) -> End | None:  # noqa: FBT001 - pure and private
    """Return the end of a claim upon which nobody asked ECS, once its run is over."""
    reason = f"{claimed} by a function that observes: nothing was restarted, so nothing is waited for"
    return End("back", "nothing_to_do", reason) if over else None


def _not_up(entry: Entry, instance: Instance, late: bool, claimed: str) -> End | None:  # noqa: FBT001 - pure and private
    if entry.state in ledger.UNRESOLVED or not late:
        return None
    if instance.status == "Stopped":
        return End("down", "stayed_down", f"{claimed}, and it is Stopped; manual investigation required")
    return End("hung", "hung", f"{claimed}, and it is still {instance.status or 'in no known status'}")


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "an unknown time"
