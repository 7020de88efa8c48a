"""What is seen of the guest: DescribeCloudAssistantStatus and DescribeUserData."""

from datetime import datetime, timedelta

from localcloud.account.instances import EcsInstance
from localcloud.ecs.call import Body, EcsCall, Outcome
from localcloud.ecs.describe import REGION
from localcloud.ecs.parameters import Parameter
from localcloud.ecs.presentation import api_seconds
from localcloud.openapi.errors import ApiError

_BEAT = timedelta(seconds=60)
_SILENT_AFTER = timedelta(minutes=2)
#: The agent speaks so long after the instance is Running. Seconds of cloud time.
_SPEAKS_AFTER = 3.0
ASSISTANT = (
    REGION,
    Parameter("InstanceId", "repeat", limit=50, exceeded_code="InstanceIds.ExceedLimit"),
    Parameter("OSType", allowed=("Windows", "Linux", "FreeBSD")),
    Parameter("MaxResults", "integer", default=10, maximum=50),
    *(Parameter(name, "refused") for name in ("NextToken", "PageNumber", "PageSize")),
)
USER_DATA = (REGION, Parameter("InstanceId", required=True))


def describe_assistant(call: EcsCall) -> Outcome:
    """Answer for the named instances, or all of the region; those without an agent are left out."""
    region_id, now = call.arguments.text("RegionId"), call.cloud.clock.now()
    wanted = call.arguments.texts("InstanceId")
    if missing := [instance_id for instance_id in wanted if call.find(instance_id, region_id) is None]:
        raise ApiError("InvalidInstance.NotFound", ", ".join(missing))
    found = [call.cloud.fleet[instance_id] for instance_id in wanted] or list(call.cloud.fleet.in_region(region_id))
    if refused := [instance for instance in found if not call.may(instance)]:
        raise ApiError("Forbidden.RAM", f"ecs:{call.action} on {refused[0].spec.instance_id}")
    rows = [
        _row(instance, heartbeat(instance, now, call), now)
        for instance in found
        if instance.spec.visible and instance.spec.agent
    ]
    return Outcome({"InstanceCloudAssistantStatusSet": {"InstanceCloudAssistantStatus": rows}, "NextToken": ""})


def heartbeat(instance: EcsInstance, now: datetime, call: EcsCall) -> datetime | None:
    """Return when the agent last spoke; None where it never did."""
    agent = instance.spec.agent
    assert agent is not None
    silent = agent.silent_since
    if instance.started_again and not agent.stays_silent:
        silent = None
    last, began = now, instance.state.start_time or now
    if instance.status != "Running":
        went_down = next(
            (change.at for change in instance.history if change.status != "Running" and change.at >= began), now
        )
        last = went_down
    if silent is not None:
        return min(silent, last)
    speaks = call.cloud.clock.after(_SPEAKS_AFTER, began) if instance.started_again else began
    if last >= speaks:
        return last - (last - speaks) % _BEAT
    before = [change for change in instance.history if change.status != "Running" and change.at < began]
    return before[0].at if before else None


def describe_user_data(call: EcsCall) -> Outcome:
    """Answer with the user data of an instance: none."""
    region_id, instance_id = call.arguments.text("RegionId"), call.arguments.text("InstanceId")
    instance = call.find(instance_id, region_id)
    if instance is None:
        raise ApiError("InvalidInstanceId.NotFound", instance_id)
    if not call.may(instance):
        raise ApiError("Forbidden.RAM", f"ecs:{call.action}")
    return Outcome({"RegionId": region_id, "InstanceId": instance_id, "UserData": ""})


def _row(instance: EcsInstance, beat: datetime | None, now: datetime) -> Body:
    agent = instance.spec.agent
    assert agent is not None
    running = 0 if instance.started_again else agent.running_commands
    return {
        "InstanceId": instance.spec.instance_id,
        "CloudAssistantStatus": "true" if beat and now - beat <= _SILENT_AFTER else "false",
        "LastHeartbeatTime": api_seconds(beat),
        "CloudAssistantVersion": "2.2.4.541",
        "ActiveTaskCount": running,
        "InvocationCount": running,
        "LastInvokedTime": api_seconds(agent.last_invoked),
        "OSType": "Linux",
        "SupportSessionManager": True,
    }
