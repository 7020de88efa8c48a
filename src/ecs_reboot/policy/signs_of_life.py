"""A second opinion on an alarm: whether the guest still speaks, and whether the metric is still over its threshold.

A sign speaks `for` a reboot, `against` it, says `nothing` (no agent, no data), or is `unread`: it could not be asked.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

from ecs_reboot.model import Instance, Metric, RebootRequest
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.policy.facts import Facts, Policy
from ecs_reboot.policy.trigger_kinds import trigger_kind

#: Cloud Assistant's agent sends a heartbeat about once a minute; after two minutes it counts as silent.
SILENT_AFTER = timedelta(minutes=2)
#: A value older than this says nothing about now: CloudMonitor looks back two hours for the last one.
READING_AGE = timedelta(minutes=5)


class Sign(NamedTuple):
    """What one sign says, and the sentence about it."""

    says: Literal["for", "against", "nothing", "unread"]
    sentence: str


def asks_for_signs(request: RebootRequest, policy: Policy) -> bool:
    """Return whether RESPONSIVE binds the request; a person's request never."""
    if policy.responsive == "off":
        return False
    kind = trigger_kind(request.trigger)
    with_metric = kind == "alarm" and request.metric is not None and "metric" in policy.responsive_triggers
    return kind != "manual" and (with_metric or kind in policy.responsive_triggers)


def signs_of_life(facts: Facts, instance: Instance) -> Iterator[Sign]:
    """Yield the sign of the guest and, where the alarm carries a metric, that of the metric."""
    yield _guest(facts, instance)
    if facts.request.metric is not None:
        yield _metric(facts, facts.request.metric)


def still_over(metric: Metric, value: float) -> bool:
    """Return whether the value meets the condition that the alarm fired on."""
    threshold = metric.threshold
    return {
        ">": value > threshold,
        ">=": value >= threshold,
        "<": value < threshold,
        "<=": value <= threshold,
        "==": value == threshold,
        "!=": value != threshold,
    }[metric.operator]


def _guest(facts: Facts, instance: Instance) -> Sign:  # noqa: PLR0911 - one return a case
    findings = facts.findings
    if findings is None:
        return Sign("nothing", "the guest was not asked about")
    if findings.health == "Impaired":
        return Sign("for", "the platform finds the instance Impaired")
    unread = next((note for note in findings.unread if note.source in ("agent", "health")), None)
    if unread:
        return Sign("unread", f"whether the guest is alive can't be read: {unread.error}")
    agent = findings.agent
    if agent is None or agent.heartbeat is None:
        return Sign("nothing", "Cloud Assistant knows no agent in the guest")
    silent = facts.now - agent.heartbeat
    if agent.alive or silent <= SILENT_AFTER:
        return Sign("against", f"the guest is alive: its agent spoke {_seconds(silent)} s ago")
    if instance.start_time and agent.heartbeat < instance.start_time:
        return Sign("nothing", "the agent has not spoken since the instance started, so its silence says nothing")
    return Sign("for", f"the guest looks dead: its agent has been silent for {_seconds(silent)} s")


def _metric(facts: Facts, metric: Metric) -> Sign:
    findings = facts.findings
    if findings is None:
        return Sign("nothing", "the metric was not asked for")
    unread = next((note for note in findings.unread if note.source == "reading"), None)
    if unread:
        return Sign("unread", f"whether {metric.name} is still over its threshold can't be read: {unread.error}")
    reading = findings.reading
    if reading is None or facts.now - reading.at > READING_AGE:
        return Sign("nothing", f"CloudMonitor has no value of {metric.name} from the last {READING_AGE.seconds} s")
    measured = f"{metric.name} {metric.statistic} is {reading.value:g}"
    condition = f"{metric.operator} {metric.threshold:g}"
    if still_over(metric, reading.value):
        return Sign("for", f"{measured}, so it is still {condition}")
    return Sign("against", f"{measured}, so it is no longer {condition}")


def _seconds(span: timedelta) -> int:
    return max(0, int(span.total_seconds()))
