"""The life of one reboot as a pure machine: what the ledger says, what was just seen, and the time give the next step.

```
 claimed --asked--> accepted --+--> back
    |                in_doubt  +--> down, hung --(seen Running again)--> back
    |                           |     '--(graceful, FORCE_REBOOT=escalate)--> finishing --> in_doubt or start_due
    |                           '--> unproven
    '--> void        start_due --(seen Stopped: start it)--> accepted
```

`start_due` is on record before a stop is asked for, so that a start is owed whatever crashes; it is paid as often as it
takes, since a second start of the same instance does nothing.
"""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.entry import Entry, State
from ecs_reboot.model import Instance
from ecs_reboot.outcomes import Code
from ecs_reboot.policy.findings import Agent
from ecs_reboot.policy.hung import is_left_unfinished, is_ours_to_finish

#: An agent that is there speaks about once a minute: this long after the start its silence says something.
SPEAKS_WITHIN = timedelta(minutes=4)


class Patience(NamedTuple):
    """How long to wait: ``holds`` until a run that claimed is over, ``hung_after`` until an instance must be up.

    ``observing``: nothing is ever restarted, so nothing is waited for beyond the run.
    """

    holds: timedelta
    hung_after: timedelta
    observing: bool = False


class Step(NamedTuple):
    """Where a reboot stands, and what to do next.

    ``state`` is what the ledger is to say. ``do``: `wait` for another look; `start` the instance; `finish` what hangs,
    where policy lets it; `rest`, as nothing is left to do. ``code`` and ``reason`` tell an end that is new; without a
    code there is nothing to record.
    """

    state: State
    do: Literal["wait", "start", "finish", "rest"]
    code: Code | None = None
    reason: str = ""


def transition(entry: Entry, instance: Instance, now: datetime, patience: Patience) -> Step:
    """Return the next step of a reboot whose end is not known or was bad, from one look at the instance."""
    if patience.observing:
        return _observed(entry, now, patience)
    return (_up if instance.status == "Running" else _down)(entry, instance, now, patience)


def with_voice(step: Step, instance: Instance, agent: Agent | None, now: datetime) -> Step:
    """Return the step in the light of the guest: an agent that spoke before must have spoken since the restart.

    ``agent`` None: it is not known. ECS gives start times in whole minutes, so a heartbeat of that minute counts.
    """
    start = instance.start_time
    if step.code != "recovered" or start is None or agent is None or agent.heartbeat is None:
        return step
    if agent.heartbeat >= start:
        return step
    if now - start < SPEAKS_WITHIN:
        return Step("accepted", "wait")
    reason = f"{step.reason}, but its agent last spoke at {_at(agent.heartbeat)}: the guest may not have come up"
    return Step("back", "rest", "running_silent", reason)


def _up(entry: Entry, instance: Instance, now: datetime, patience: Patience) -> Step:
    age, claimed = now - entry.at, _claimed(entry)
    if ledger.restarted(entry, instance.start_time):
        return Step("back", "rest", "recovered", f"{claimed}, restarted at {_at(instance.start_time)}, Running")
    if entry.state in (*ledger.UNRESOLVED, ledger.START_DUE):
        return Step("back", "rest", "recovered", f"{claimed}, was {entry.state}, Running again")
    if ledger.never_asked(entry, instance, now, patience.holds):
        reason = f"{claimed}, and not restarted since: the run that claimed it ended before it asked ECS"
        return Step("void", "rest", "unproven", reason)
    if age >= patience.hung_after:
        return Step("unproven", "rest", "unproven", f"{claimed}, and nothing shows that it was restarted since")
    return Step(entry.state, "wait")


def _observed(entry: Entry, now: datetime, patience: Patience) -> Step:
    """Return the end of a claim upon which nobody asked ECS, once its run is over."""
    if now - entry.at < patience.holds:
        return Step(entry.state, "wait")
    reason = "by a function that observes: nothing was restarted, so nothing is waited for"
    return Step("back", "rest", "nothing_to_do", f"{_claimed(entry)} {reason}")


def _down(entry: Entry, instance: Instance, now: datetime, patience: Patience) -> Step:
    if entry.state == ledger.START_DUE and instance.status == "Stopped":
        return Step(entry.state, "start")
    next_: Literal["finish", "wait"] = "finish" if is_ours_to_finish(entry, instance) else "wait"
    if entry.state in ledger.UNRESOLVED:
        return Step(entry.state, next_ if entry.state == "hung" else "wait")
    if now - entry.at < patience.hung_after:
        return Step(entry.state, "finish" if is_left_unfinished(entry, instance, now, patience.holds) else "wait")
    claimed = _claimed(entry)
    if instance.status == "Stopped":
        return Step("down", "wait", "stayed_down", f"{claimed}, and it is Stopped; manual investigation required")
    return Step("hung", next_, "hung", f"{claimed}, and it is still {instance.status or 'in no known status'}")


def _claimed(entry: Entry) -> str:
    return f"claimed at {_at(entry.at)}{' to be rebooted by force' if entry.force else ''}"


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "an unknown time"
