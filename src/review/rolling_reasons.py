"""Why a rolling reboot starts nothing now: the guards, asked for each instance that it has left. Pure but for reading.

The function says how many are left and that policy lets none of them be rebooted; its records would be too many else.
"""

from datetime import datetime
from typing import NamedTuple

from ecs_reboot.cloud.ecs_api import EcsApi
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.model import RebootRequest, Target
from ecs_reboot.policy.decide import decide
from ecs_reboot.policy.facts import Facts, Policy
from ecs_reboot.policy.rolling import progress, reason_to_wait


class Held(NamedTuple):
    """Instances held back by one guard, with its sentence about the first of them."""

    code: str
    reason: str
    instance_ids: tuple[str, ...]


def held_back(request: RebootRequest, ecs: EcsApi, policy: Policy, now: datetime) -> tuple[Held, ...]:
    """Ask the guards about each instance that is left; nothing where the rolling reboot itself waits or has ended."""
    if request.rolling is None or request.selector is None:
        return ()
    found = {instance.instance_id: instance for page in ecs.select(request.selector) for instance in page}
    histories = {instance_id: ledger.of(instance, now) for instance_id, instance in found.items()}
    made = progress(found.values(), histories, request.rolling, now)
    if reason_to_wait(made):
        return ()
    reasons: dict[str, tuple[str, list[str]]] = {}
    for instance_id in made.left:
        target = Target(instance_id=instance_id, region_id=request.selector.region_id)
        decision = decide(Facts(request=request, target=target, instance=found[instance_id], policy=policy, now=now))
        if decision.action == "skip":
            reasons.setdefault(decision.code, (decision.reason, []))[1].append(instance_id)
    return tuple(Held(code, reason, tuple(ids)) for code, (reason, ids) in reasons.items())
