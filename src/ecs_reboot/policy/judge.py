"""Deciding about several instances of one region in turn: those allowed count for those that follow. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from ecs_reboot.ledger.entry import History
from ecs_reboot.ledger.memory import RegionMemory
from ecs_reboot.model import Decision
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.policy.blast_radius import RegionActivity
from ecs_reboot.policy.decide import decide
from ecs_reboot.policy.facts import ApprovedReboot, Facts, group_of


class RefusedInstance(NamedTuple):
    """An instance that is not to be rebooted, and the facts that this rests on."""

    facts: Facts
    decision: Decision


class Judgement(NamedTuple):
    """All decisions, each with its facts."""

    allowed: tuple[ApprovedReboot, ...]
    refused: tuple[RefusedInstance, ...]


def judge(wanted: Sequence[Facts], histories: Mapping[str, History], memory: RegionMemory, now: datetime) -> Judgement:
    """Decide about each instance with what the ledger says about it and about its region."""
    allowed: list[ApprovedReboot] = []
    refused: list[RefusedInstance] = []
    if not wanted:
        return Judgement((), ())
    limit = wanted[0].policy.max_reboots
    most = limit.of(memory.opted_in) if limit else None
    activity = RegionActivity(memory, (facts.target.instance_id for facts in wanted), now)
    for asked in wanted:
        instance_id = asked.target.instance_id
        group = group_of(asked.instance, asked.policy) if asked.instance else "0"
        facts = asked.model_copy(
            update={
                "now": now,
                "history": histories[instance_id],
                "region_state": activity.excluding(instance_id, group, most),
            }
        )
        decision = decide(facts)
        if decision.action == "reboot":
            activity.allow(instance_id, group)
            allowed.append(ApprovedReboot(facts, decision))
        else:
            refused.append(RefusedInstance(facts, decision))
    return Judgement(tuple(allowed), tuple(refused))
