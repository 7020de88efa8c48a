"""Policy: may this instance be rebooted now, and how? A pure function over the ordered table of guards.

The first guard that objects wins; its code and sentence go into the record.
"""

from collections.abc import Iterator

from ecs_reboot.model import Decision, Instance
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.policy.facts import Facts, in_window
from ecs_reboot.policy.finding_guards import ForNow
from ecs_reboot.policy.guards import GUARDS, Guard
from ecs_reboot.policy.hung import finishes


class Verdict(NamedTuple):
    """What one guard said. ``overridden`` where it objected and the request overrode it."""

    guard: Guard
    objection: str
    overridden: bool


def verdicts(facts: Facts) -> Iterator[Verdict]:
    """Ask the guards in order, up to and including the first objection that is not overridden."""
    target = facts.target
    instance = facts.instance or Instance(
        instance_id=target.instance_id, region_id=target.region_id, status="", read_at=facts.now
    )
    request = facts.request
    may_override = request.by_hand and bool(request.reason)
    for guard in GUARDS:
        objection = guard.objection(facts, instance)
        overridden = bool(objection) and guard.kind == "soft" and may_override and guard.code in request.override
        yield Verdict(guard, objection, overridden)
        if objection and not overridden:
            return


def decide(facts: Facts) -> Decision:
    """Decide about one instance: `skip` with the first objection's code, or `reboot`, forced where the policy says."""
    asked = list(verdicts(facts))
    last = asked[-1]
    target = facts.target
    if last.objection and not last.overridden:
        return Decision(
            instance_id=target.instance_id,
            region_id=target.region_id,
            action="skip",
            code=last.guard.code,
            reason=str(last.objection),
            retriable=isinstance(last.objection, ForNow),
        )
    force, why = forced(facts)
    overrides = "".join(f"; {verdict.guard.code} overridden by hand" for verdict in asked if verdict.overridden)
    return Decision(
        instance_id=target.instance_id,
        region_id=target.region_id,
        action="reboot",
        code="allowed",
        reason=f"{why}{overrides}",
        force=force,
    )


def forced(facts: Facts) -> tuple[bool, str]:
    """Return whether the reboot is to be forced, and why."""
    policy = facts.policy.force_reboot
    if facts.instance and (hung := finishes(facts, facts.instance)):
        return True, f"forced: {hung} (FORCE_REBOOT={policy})"
    if facts.request.force is not None:
        kind = "forced" if facts.request.force else "graceful"
        return facts.request.force, f"{kind}, as the request asks (FORCE_REBOOT={policy})"
    if policy == "always":
        return True, "forced, by FORCE_REBOOT=always"
    if policy == "escalate" and (earlier := in_window(facts)):
        return True, f"forced: attempt {earlier + 1} within the escalation window, by FORCE_REBOOT=escalate"
    if policy == "escalate":
        return False, "graceful: the first attempt within the escalation window, by FORCE_REBOOT=escalate"
    return False, f"graceful, by FORCE_REBOOT={policy}"
