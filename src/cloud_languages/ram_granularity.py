"""Actions of RAM that can't be narrowed to a resource: the services' tables give them as *All Resources*.

A statement with a narrower resource does not apply to such an action ("the specified resource must be compatible with
the action; otherwise the policy is ineffective": every service's page *RAM authorization*). So an Allow grants nothing,
and a Deny denies nothing. What is not listed here is taken to support resources.
"""

from collections.abc import Mapping

#: Action -> where that is said. Names are compared without case.
ALL_RESOURCES: Mapping[str, str] = {
    "ecs:DescribeInstanceHistoryEvents": "ECS, RAM authorization (2026-09-02)",
    "ecs:DescribeInstanceStatus": "ECS, RAM authorization (2026-09-02)",
    "ecs:DescribeInstancesFullStatus": "ECS, RAM authorization (2026-09-02)",
    "ecs:ListTagResources": "ECS, RAM authorization (2026-09-02)",
    # The list of resources of the log service names dashboards; its table of actions does not take them for this one.
    "log:CreateDashboard": "SLS, RAM authorization",
    "log:ListProject": "SLS, RAM authorization",
    "sts:GetCallerIdentity": "STS, RAM authorization",
}
#: Whole services whose rights are granted by action only.
SERVICES: Mapping[str, str] = {
    "cms": "CloudMonitor, RAM user authorization: rights are granted by action, a resource is written as *",
}

_FOLDED = frozenset(action.lower() for action in ALL_RESOURCES)


def is_for_all_resources(action: str) -> bool:
    """Return whether an action can only be granted on all resources (``*``)."""
    return action.lower() in _FOLDED or action.partition(":")[0].lower() in SERVICES
