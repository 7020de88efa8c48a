"""Whether a reboot hangs and may be finished by force: what `not_running` and `cooldown` make way for. Pure.

A forced reboot of an instance that is not Running is allowed for that alone: to finish a graceful reboot of our own
that has not come to its end in time, under FORCE_REBOOT=escalate; or for a person who asks for force and says why.
"""

from datetime import datetime, timedelta

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.entry import Entry
from ecs_reboot.model import Instance
from ecs_reboot.policy.facts import Facts, Policy, history_of
from ecs_reboot.policy.seconds_by_tag import HUNG_AFTER

#: On the way from Running to Stopped, and back.
IN_BETWEEN = ("Stopping", "Starting")


def hung_after(instance: Instance, policy: Policy) -> timedelta:
    """Return how long a reboot of this instance may take before it hangs."""
    return timedelta(seconds=HUNG_AFTER.of(instance, policy.hung_after_seconds))


def finishes(facts: Facts, instance: Instance) -> str:  # noqa: PLR0911 - one return a case
    """Return which hung reboot this one would finish; '' where there is none, or none that may be finished."""
    request, policy = facts.request, facts.policy
    if instance.status not in IN_BETWEEN or policy.force_reboot == "never" or request.force is False:
        return ""
    if not policy.hung_after_seconds:
        return ""  # recorded before a reboot that hangs was finished
    entry = history_of(facts, instance).entry
    person = request.by_hand and request.force and request.reason
    if entry is None or entry.state not in ledger.ATTEMPTED:
        return f"it is {instance.status}, and a person asks for force: {request.reason}" if person else ""
    may = person or policy.force_reboot == "escalate"
    if entry.state == "finishing":
        holds = timedelta(seconds=facts.claim_holds_seconds)
        if entry.claim != facts.claim and not (may and is_left_unfinished(entry, instance, facts.now, holds)):
            return ""
        began = entry.at - timedelta(seconds=entry.earlier[0] if entry.earlier else 0)
        return f"the reboot of {began:%Y-%m-%dT%H:%M:%SZ} hangs in {instance.status}"
    if entry.state == ledger.START_DUE or facts.now - entry.at < hung_after(instance, policy):
        return ""
    if not may or not (person or is_ours_to_finish(entry, instance)):
        return ""
    return f"the reboot of {entry.at:%Y-%m-%dT%H:%M:%SZ} hangs in {instance.status}"


def is_ours_to_finish(entry: Entry, instance: Instance) -> bool:
    """Return whether what hangs is a graceful reboot of ours: not a forced one, nor what came after ours ended."""
    return (
        not entry.force
        and entry.state in (*ledger.OPEN, "hung")
        and entry.state != ledger.START_DUE
        and instance.status in IN_BETWEEN
        and not ledger.restarted(entry, instance.start_time, ledger.SKEW)
    )


def is_left_unfinished(entry: Entry, instance: Instance, now: datetime, holds: timedelta) -> bool:
    """Return whether a run was to finish what still hangs and ended before it asked ECS: it is over (``holds``)."""
    return (
        entry.state == "finishing"
        and now - entry.at > holds
        and instance.status in IN_BETWEEN
        and not ledger.restarted(entry, instance.start_time, ledger.SKEW)
    )
