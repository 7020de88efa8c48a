"""The guards of one decision in their order, each with what it said and what it read. Pure."""

from typing import Literal, NamedTuple

from ecs_reboot.model import Instance
from ecs_reboot.policy.decide import objections
from ecs_reboot.policy.facts import Facts
from ecs_reboot.policy.guards import GUARDS
from review.guard_facts import FACTS

Outcome = Literal["passed", "failed", "overridden", "not reached"]


class GuardRow(NamedTuple):
    """One guard. ``fact`` is what it read; ``objection`` is what it had against the reboot, '' for nothing."""

    code: str
    outcome: Outcome
    fact: str
    objection: str


def guard_table(facts: Facts) -> list[GuardRow]:
    """Return one row for each guard; those after the one that decided read nothing."""
    objected = {objection.guard.code: objection for objection in objections(facts)}
    decided = False
    target = facts.target
    instance = facts.instance or Instance(
        instance_id=target.instance_id, region_id=target.region_id, status="", read_at=facts.now
    )
    rows = []
    for guard in GUARDS:
        if decided:
            rows.append(GuardRow(guard.code, "not reached", "", ""))
            continue
        fact, objection = FACTS[guard.code](facts, instance), objected.get(guard.code)
        if objection is None:
            rows.append(GuardRow(guard.code, "passed", fact, ""))
        else:
            rows.append(
                GuardRow(guard.code, "overridden" if objection.overridden else "failed", fact, objection.sentence)
            )
            decided = not objection.overridden
    return rows
