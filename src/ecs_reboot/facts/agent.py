"""Whether the guest still speaks: Cloud Assistant's agent sends a heartbeat about once a minute."""

from collections.abc import Sequence
from contextlib import suppress

from ecs_reboot import utc_time
from ecs_reboot.cloud.ecs_api import Api, EcsApi, Question, batches
from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.facts.answers import Body, Inquiry, rows, text, whole
from ecs_reboot.policy.facts import Facts
from ecs_reboot.policy.findings import Agent

#: Instances that one call names.
MOST = 50
_API = Api("ecs", "DescribeCloudAssistantStatus")


def inquire(region_id: str, wanted: Sequence[Facts]) -> Inquiry:
    """Ask for at most 50 instances. One without an agent may be missing from the answer, or be there without a time."""
    (body,) = yield [_question(region_id, [facts.target.instance_id for facts in wanted])]
    return _agents(body)


def listen(ecs: EcsApi, region_id: str, instance_ids: Sequence[str], seconds: float) -> dict[str, Agent]:
    """Return what Cloud Assistant last heard of instances; of those that could not be asked about, nothing."""
    parts = list(batches(instance_ids, MOST))
    agents: dict[str, Agent] = {}
    for answer in ecs.ask([_question(region_id, part) for part in parts], seconds):
        if not isinstance(answer, CloudError):
            with suppress(CloudError):
                agents |= _agents(answer)
    return agents


def _question(region_id: str, ids: Sequence[str]) -> Question:
    return Question(_API, region_id, {"RegionId": region_id, "InstanceId": list(ids), "MaxResults": MOST})


def _agents(body: Body) -> dict[str, Agent]:
    return {
        text(row, "InstanceId"): Agent(
            heartbeat=utc_time.parse(text(row, "LastHeartbeatTime")),
            alive=text(row, "CloudAssistantStatus").lower() == "true",
            running_commands=whole(row, "ActiveTaskCount"),
            last_invoked=utc_time.parse(text(row, "LastInvokedTime")),
        )
        for row in rows(_API.action, body, "InstanceCloudAssistantStatusSet", "InstanceCloudAssistantStatus")
    }
