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


class Objection(NamedTuple):
    """What a guard has against the reboot. ``overridden`` where the request may and does overrule it."""

    guard: Guard
    sentence: str
    overridden: bool


def objections(facts: Facts) -> Iterator[Objection]:
    """Ask the guards in order, until one objects that is not overridden; yield those that object."""
    target = facts.target
    instance = facts.instance or Instance(
        instance_id=target.instance_id, region_id=target.region_id, status="", read_at=facts.now
    )
    request = facts.request
    may_override = request.by_hand and bool(request.reason)
    for guard in GUARDS:
        if not (sentence := guard.objection(facts, instance)):
            continue
        overridden = guard.kind == "soft" and may_override and guard.code in request.override
        yield Objection(guard, sentence, overridden)
        if not overridden:
            return


def decide(facts: Facts) -> Decision:
    """Decide about one instance: `skip` with the first objection's code, or `reboot`, forced where the policy says."""
    objected = list(objections(facts))
    target = facts.target
    if objected and not (last := objected[-1]).overridden:
        return Decision(
            instance_id=target.instance_id,
            region_id=target.region_id,
            action="skip",
            code=last.guard.code,
            reason=str(last.sentence),
            retriable=isinstance(last.sentence, ForNow),
        )
    force, why = forced(facts)
    overrides = "".join(f"; {objection.guard.code} overridden by hand" for objection in objected)
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
