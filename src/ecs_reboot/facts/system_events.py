"""The open events of the platform: what it is doing to the instance, or is going to do."""

from collections.abc import Sequence

from ecs_reboot import utc_time
from ecs_reboot.cloud.ecs_api import Api, Question
from ecs_reboot.facts.answers import Inquiry, rows, text
from ecs_reboot.policy.facts import Facts
from ecs_reboot.policy.findings import SystemEvent

_API = Api("ecs", "DescribeInstanceHistoryEvents")
#: Without them the answer holds only events that have ended.
OPEN = ("Scheduled", "Executing", "Inquiring")
_PAGE = 100


def inquire(region_id: str, wanted: Sequence[Facts]) -> Inquiry:
    """Ask for at most 100 instances."""
    found: dict[str, tuple[SystemEvent, ...]] = {}
    asked = {
        "RegionId": region_id,
        "ResourceType": "instance",
        "ResourceId": [facts.target.instance_id for facts in wanted],
        "InstanceEventCycleStatus": list(OPEN),
        "MaxResults": _PAGE,
    }
    token = ""
    while True:
        (body,) = yield [Question(_API, region_id, {**asked, **({"NextToken": token} if token else {})})]
        for row in rows(_API.action, body, "InstanceSystemEventSet", "InstanceSystemEventType"):
            event = SystemEvent(
                event_id=text(row, "EventId"),
                type=text(row, "EventType", "Name"),
                cycle=text(row, "EventCycleStatus", "Name"),
                not_before=utc_time.parse(text(row, "NotBefore")),
            )
            instance_id = text(row, "InstanceId")
            found[instance_id] = (*found.get(instance_id, ()), event)
        token = text(body, "NextToken")
        if not token:
            return found
