"""The actions of Auto Scaling: reading groups and members, protecting a member, putting it in standby and back."""

from localcloud.account.scaling import Member
from localcloud.account.surroundings import ScalingGroupSpec
from localcloud.ecs.call import ActionRow, Body, EcsCall, Outcome
from localcloud.ecs.describe import REGION
from localcloud.ecs.parameters import Parameter
from localcloud.openapi.errors import ApiError

VERSION = "2022-02-22"
_GROUP = Parameter("ScalingGroupId", required=True)
_IDS = Parameter("InstanceIds", "repeat", limit=20)
_SOME_IDS = _IDS._replace(required=True)
_PAGING = (Parameter("PageNumber", "integer", default=1), Parameter("PageSize", "integer", default=10, maximum=100))


def describe_instances(call: EcsCall) -> Outcome:
    """Answer with members; IDs that are in no group of the region are left out, without an error."""
    arguments = call.arguments
    region_id, named = arguments.text("RegionId"), arguments.texts("InstanceIds")
    group_id = arguments.text("ScalingGroupId")
    _check(call, group_id or "*")
    found = [
        member
        for member in call.cloud.scaling
        if (not named or member.instance_id in named)
        and group_id in ("", member.group.scaling_group_id)
        and call.find(member.instance_id, region_id)
    ]
    return Outcome(
        {**_counted(call, len(found)), "ScalingInstances": [_member(call, member) for member in _page(call, found)]}
    )


def describe_groups(call: EcsCall) -> Outcome:
    """Answer with groups."""
    _check(call, "*")
    named = call.arguments.texts("ScalingGroupIds")
    found = [group for group in call.cloud.scaling.groups.values() if not named or group.scaling_group_id in named]
    return Outcome(
        {**_counted(call, len(found)), "ScalingGroups": [_group(call, group) for group in _page(call, found)]}
    )


def set_protection(call: EcsCall) -> Outcome:
    """Protect members, or take their protection back."""
    protected = call.arguments.flag("ProtectedFromScaleIn")
    return _moved(call, ("InService", "Protected"), "Protected" if protected else "InService")


def enter_standby(call: EcsCall) -> Outcome:
    """Take members out of service; their weight in load balancers becomes 0."""
    return _moved(call, ("InService", "Protected"), "Standby")


def exit_standby(call: EcsCall) -> Outcome:
    """Bring members back into service."""
    return _moved(call, ("Standby",), "InService")


def _moved(call: EcsCall, allowed: tuple[str, ...], state: str) -> Outcome:
    group_id = call.arguments.text("ScalingGroupId")
    _check(call, group_id)
    if group_id not in call.cloud.scaling.groups:
        raise ApiError("InvalidScalingGroupId.NotFound", group_id)
    members = [call.cloud.scaling.get(instance_id) for instance_id in call.arguments.texts("InstanceIds")]
    of_group = [member for member in members if member is not None and member.group.scaling_group_id == group_id]
    if len(of_group) < len(members):
        raise ApiError("InvalidInstanceId.NotFound", f"not all are in {group_id}")
    if wrong := [member for member in of_group if member.lifecycle_state not in allowed]:
        raise ApiError("IncorrectInstanceStatus", f"{wrong[0].instance_id} is {wrong[0].lifecycle_state}")
    for member in of_group:
        call.cloud.scaling.put(member._replace(lifecycle_state=state))
    return Outcome({}, effect=True)


def _check(call: EcsCall, group_id: str) -> None:
    region_id = call.arguments.text("RegionId")
    arn = f"acs:ess:{region_id}:{call.cloud.account}:scalinggroup/{group_id}"
    if not call.allowed(f"ess:{call.action}", arn):
        raise ApiError("Forbidden.RAM", f"ess:{call.action} on {arn}")


def _counted(call: EcsCall, total: int) -> Body:
    arguments = call.arguments
    return {"TotalCount": total, "PageNumber": arguments.number("PageNumber"), "PageSize": arguments.number("PageSize")}


def _page(call: EcsCall, rows: list) -> list:  # type: ignore[type-arg]
    number, size = call.arguments.number("PageNumber"), call.arguments.number("PageSize")
    return rows[(number - 1) * size : number * size]


def _member(call: EcsCall, member: Member) -> Body:
    return {
        "InstanceId": member.instance_id,
        "ScalingGroupId": member.group.scaling_group_id,
        "HealthStatus": "Healthy" if call.cloud.scaling.is_healthy(member) else "Unhealthy",
        "LifecycleState": member.lifecycle_state,
        "CreationType": "AutoCreated" if member.group.auto_created else "Attached",
        "Entrusted": member.group.entrusted,
        "WarmupState": "NoNeedWarmup",
        "ZoneId": f"{call.arguments.text('RegionId')}-b",
    }


def _group(call: EcsCall, spec: ScalingGroupSpec) -> Body:
    return {
        "ScalingGroupId": spec.scaling_group_id,
        "RegionId": call.arguments.text("RegionId"),
        "LifecycleState": "Active",
        "HealthCheckType": spec.health_check_type,
        "HealthCheckTypes": [spec.health_check_type],
        "SuspendedProcesses": list(spec.suspended_processes),
        "SystemSuspended": False,
        "ScalingPolicy": "recycle",
    }


_CHANGE = (REGION, _GROUP, _SOME_IDS)
ACTIONS = {
    "DescribeScalingInstances": ActionRow((REGION, _IDS, Parameter("ScalingGroupId"), *_PAGING), describe_instances),
    "DescribeScalingGroups": ActionRow(
        (REGION, Parameter("ScalingGroupIds", "repeat", limit=20), *_PAGING), describe_groups
    ),
    "SetInstancesProtection": ActionRow(
        (*_CHANGE, Parameter("ProtectedFromScaleIn", "boolean", required=True)), set_protection
    ),
    "EnterStandby": ActionRow((*_CHANGE, Parameter("Async", "boolean"), Parameter("ClientToken")), enter_standby),
    "ExitStandby": ActionRow((*_CHANGE, Parameter("Async", "boolean"), Parameter("ClientToken")), exit_standby),
}
