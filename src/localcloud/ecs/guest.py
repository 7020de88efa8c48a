"""What is seen of the guest and its disks: DescribeCloudAssistantStatus and DescribeSnapshots."""

from datetime import datetime, timedelta, timezone

from localcloud.account.instances import Instance
from localcloud.ecs.call import Body, Call, Outcome
from localcloud.ecs.describe import REGION
from localcloud.ecs.parameters import Parameter
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
    Parameter("NextToken", "refused"),
)
SNAPSHOTS = (
    REGION,
    Parameter("InstanceId"),
    Parameter("Status", default="all", allowed=("progressing", "accomplished", "failed", "all"),
              invalid_code="InvalidStatus.NotFound"),
    Parameter("MaxResults", "integer", default=10, maximum=100),
    Parameter("NextToken", "refused"),
)  # fmt: skip


def describe_assistant(call: Call) -> Outcome:
    """Answer for the named instances, or all of the region; those without an agent are left out."""
    region_id, now = call.arguments.text("RegionId"), call.cloud.clock.now()
    wanted = call.arguments.texts("InstanceId")
    if missing := [one for one in wanted if call.find(one, region_id) is None]:
        raise ApiError("InvalidInstance.NotFound", ", ".join(missing))
    found = [call.cloud.fleet[one] for one in wanted] or list(call.cloud.fleet.in_region(region_id))
    if refused := [one for one in found if not call.may(one)]:
        raise ApiError("Forbidden.RAM", f"ecs:{call.action} on {refused[0].spec.instance_id}")
    rows = [_row(one, heartbeat(one, now, call), now) for one in found if one.spec.visible and one.spec.agent]
    return Outcome({"InstanceCloudAssistantStatusSet": {"InstanceCloudAssistantStatus": rows}, "NextToken": ""})


def heartbeat(instance: Instance, now: datetime, call: Call) -> datetime | None:
    """Return when the agent last spoke; None where it never did."""
    agent = instance.spec.agent
    assert agent is not None
    silent = agent.silent_since
    if instance.started_again and not agent.stays_silent:
        silent = None
    last, began = now, instance.state.start_time or now
    if instance.status != "Running":
        went_down = next((one.at for one in instance.history if one.status != "Running" and one.at >= began), now)
        last = went_down
    if silent is not None:
        return min(silent, last)
    speaks = call.cloud.clock.after(_SPEAKS_AFTER, began) if instance.started_again else began
    if last >= speaks:
        return last - (last - speaks) % _BEAT
    before = [one for one in instance.history if one.status != "Running" and one.at < began]
    return before[0].at if before else None


def describe_snapshots(call: Call) -> Outcome:
    """Answer with the snapshots that are being made, or that were made in the meantime."""
    region_id, named = call.arguments.text("RegionId"), call.arguments.text("InstanceId")
    arn = f"acs:ecs:{region_id}:{call.cloud.account}:snapshot/*"
    if not call.allowed(f"ecs:{call.action}", arn):
        raise ApiError("Forbidden.RAM", f"ecs:{call.action}")
    now, status = call.cloud.clock.now(), call.arguments.text("Status")
    rows = []
    for instance in call.cloud.fleet.in_region(region_id):
        if not instance.spec.visible or named not in ("", instance.spec.instance_id):
            continue
        for number, one in enumerate(instance.spec.snapshots, 1):
            state = "accomplished" if one.done and one.done <= now else "progressing"
            if status in ("all", state):
                rows.append(
                    {
                        "SnapshotId": f"s-local{instance.rank:08d}{number:02d}",
                        "SourceDiskId": f"d-local{instance.rank:010d}",
                        "Status": state,
                        "Progress": "100%" if state == "accomplished" else f"{one.progress}%",
                        "CreationTime": _seconds(one.began),
                        "RemainTime": 0 if state == "accomplished" else 120,
                    }
                )
    return Outcome({"Snapshots": {"Snapshot": rows}, "NextToken": ""})


def _row(instance: Instance, beat: datetime | None, now: datetime) -> Body:
    agent = instance.spec.agent
    assert agent is not None
    running = 0 if instance.started_again else agent.running_commands
    return {
        "InstanceId": instance.spec.instance_id,
        "CloudAssistantStatus": "true" if beat and now - beat <= _SILENT_AFTER else "false",
        "LastHeartbeatTime": _seconds(beat),
        "CloudAssistantVersion": "2.2.4.541",
        "ActiveTaskCount": running,
        "InvocationCount": running,
        "LastInvokedTime": _seconds(agent.last_invoked),
        "OSType": "Linux",
        "SupportSessionManager": True,
    }


def _seconds(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
