"""The table of fact sources: which guards read each, by which calls, at what cost, and which setting switches it off.

A source is asked only for instances that passed every guard that reads what is at hand already, and only where
``wanted`` says that one of its guards will read it.
"""

from collections.abc import Callable

from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.policy.facts import Facts
from ecs_reboot.policy.signs_of_life import asks_for_signs
from ecs_reboot.policy.trigger_kinds import trigger_kind


class FactSource(NamedTuple):
    """One row. ``most`` instances are asked for together; ``guards`` are the codes of those that read the answer."""

    name: str
    guards: tuple[str, ...]
    calls: tuple[str, ...]
    cost: str
    setting: str
    most: int
    wanted: Callable[[Facts], bool]


def _managed(facts: Facts) -> bool:
    return facts.policy.managed != "allow"


def _platform(facts: Facts) -> bool:
    return facts.policy.platform_events != "ignore"


def _signs(facts: Facts) -> bool:
    return asks_for_signs(facts.request, facts.policy)


def _metric(facts: Facts) -> bool:
    return _signs(facts) and facts.request.metric is not None


def _busy(facts: Facts) -> bool:
    return facts.policy.busy_seconds > 0 and trigger_kind(facts.request.trigger) != "manual"


#: All calls of one row go out together with those of the others; Auto Scaling's second follows its first.
SOURCES: tuple[FactSource, ...] = (
    FactSource(
        "scaling",
        ("managed",),
        ("DescribeScalingInstances", "DescribeScalingGroups"),
        "one call for 20 instances; where one is in a group, a second for its group",
        "MANAGED",
        20,
        _managed,
    ),
    FactSource(
        "system_events",
        ("platform_repairing", "platform_event"),
        ("DescribeInstanceHistoryEvents",),
        "one call for 100 instances",
        "PLATFORM_EVENTS",
        100,
        _platform,
    ),
    FactSource(
        "agent",
        ("responsive", "busy"),
        ("DescribeCloudAssistantStatus",),
        "one call for 50 instances",
        "RESPONSIVE, BUSY_SECONDS",
        50,
        lambda facts: _signs(facts) or _busy(facts),
    ),
    FactSource(
        "health",
        ("responsive",),
        ("DescribeInstancesFullStatus",),
        "one call for 100 instances",
        "RESPONSIVE",
        100,
        _signs,
    ),
    FactSource(
        "reading",
        ("responsive",),
        ("DescribeMetricLast",),
        "one call for 50 instances that have the same alarm",
        "RESPONSIVE",
        50,
        _metric,
    ),
    FactSource(
        "snapshots",
        ("busy",),
        ("DescribeSnapshots",),
        "one call for each instance",
        "BUSY_SECONDS",
        1,
        _busy,
    ),
)


def read_by(guard: str) -> tuple[FactSource, ...]:
    """Return the sources that a guard reads."""
    return tuple(source for source in SOURCES if guard in source.guards)
