"""Whether the instance is in an Auto Scaling group that looks after its health.

An instance that is not Running is unhealthy to its group, which then removes it and releases it with its disks.
"""

from collections.abc import Sequence

from ecs_reboot.cloud.ecs_api import Api, Question, batches
from ecs_reboot.facts.answers import Body, Inquiry, rows, text
from ecs_reboot.policy.facts import Facts
from ecs_reboot.policy.findings import ScalingMember

_INSTANCES, _GROUPS = Api("ess", "DescribeScalingInstances"), Api("ess", "DescribeScalingGroups")
#: Scaling groups that one call names.
_MOST_GROUPS = 20


def inquire(region_id: str, wanted: Sequence[Facts]) -> Inquiry:
    """Ask for at most 20 instances; those that are in no group of the region are left out of the answer."""
    ids = [facts.target.instance_id for facts in wanted]
    (body,) = yield [Question(_INSTANCES, region_id, {"RegionId": region_id, "InstanceIds": ids, "PageSize": 50})]
    members = {
        text(row, "InstanceId"): ScalingMember(
            group_id=text(row, "ScalingGroupId"),
            lifecycle_state=text(row, "LifecycleState"),
            creation_type=text(row, "CreationType"),
            entrusted=text(row, "Entrusted").lower() == "true",
        )
        for row in rows(_INSTANCES.action, body, "ScalingInstances")
    }
    groups = sorted({member.group_id for member in members.values()})
    described: dict[str, Body] = {}
    if groups:
        answers = yield [
            Question(
                _GROUPS, region_id, {"RegionId": region_id, "ScalingGroupIds": list(part), "PageSize": _MOST_GROUPS}
            )
            for part in batches(groups, _MOST_GROUPS)
        ]
        described = {
            text(row, "ScalingGroupId"): row
            for answer in answers
            for row in rows(_GROUPS.action, answer, "ScalingGroups")
        }
    return {
        instance_id: member.model_copy(update=_of_group(described[member.group_id]))
        if member.group_id in described
        else member
        for instance_id, member in members.items()
    }


def _of_group(row: Body) -> dict[str, tuple[str, ...]]:
    listed = row.get("HealthCheckTypes")
    kinds = tuple(str(kind) for kind in listed) if isinstance(listed, list) else ()
    suspended = row.get("SuspendedProcesses")
    return {
        "health_checks": kinds or ((kind,) if (kind := text(row, "HealthCheckType")) else ()),
        "suspended": tuple(str(process) for process in suspended) if isinstance(suspended, list) else (),
    }
