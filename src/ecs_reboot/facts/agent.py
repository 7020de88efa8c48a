"""Whether the guest still speaks: Cloud Assistant's agent sends a heartbeat about once a minute."""

from collections.abc import Sequence

from ecs_reboot import utc_time
from ecs_reboot.cloud.ecs_api import Api, Question
from ecs_reboot.facts.answers import Inquiry, rows, text, whole
from ecs_reboot.policy.facts import Facts
from ecs_reboot.policy.findings import Agent

_API = Api("ecs", "DescribeCloudAssistantStatus")


def inquire(region_id: str, wanted: Sequence[Facts]) -> Inquiry:
    """Ask for at most 50 instances. One without an agent may be missing from the answer, or be there without a time."""
    ids = [facts.target.instance_id for facts in wanted]
    (body,) = yield [Question(_API, region_id, {"RegionId": region_id, "InstanceId": ids, "MaxResults": 50})]
    return {
        text(row, "InstanceId"): Agent(
            heartbeat=utc_time.parse(text(row, "LastHeartbeatTime")),
            alive=text(row, "CloudAssistantStatus").lower() == "true",
            running_commands=whole(row, "ActiveTaskCount"),
            last_invoked=utc_time.parse(text(row, "LastInvokedTime")),
        )
        for row in rows(_API.action, body, "InstanceCloudAssistantStatusSet", "InstanceCloudAssistantStatus")
    }
