"""Was a recorded result policy's own decision, so that deciding again from its facts must give the same? Pure.

A result may also come from elsewhere: ECS could not be reached, another run claimed the instance, the event named it
twice. Then its facts hold no answer, or policy had let the instance pass.
"""

from typing import NamedTuple

from ecs_reboot.model import Decision
from ecs_reboot.policy.decide import decide
from ecs_reboot.policy.facts import Facts
from ecs_reboot.records.result import Result


class Judged(NamedTuple):
    """What policy says from the recorded facts, and ``why_not`` this is not what was recorded ('' where it is)."""

    facts: Facts
    decision: Decision
    why_not: str


def judged(result: Result, facts: Facts) -> Judged:
    """Decide again, under the recorded policy, and compare."""
    decision = decide(facts)
    return Judged(facts, decision, _why_not(result, facts, decision))


def _why_not(result: Result, facts: Facts, decision: Decision) -> str:
    if decision.action == result.action == "reboot":
        return "" if decision.force == result.force else "this version of the policy decides otherwise about force"
    if decision.action == result.action:
        if decision.code == result.code:
            return ""
        if facts.instance is None:
            return f"{result.code} was found before the guards were asked"
    if result.action == "skip" and decision.action == "reboot":
        return f"{result.code} was found after all guards had passed"
    return f"this version of the policy decides otherwise: {decision.action}, {decision.code}"
