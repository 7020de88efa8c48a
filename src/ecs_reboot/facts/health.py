"""The platform's health state of an instance, such as `Impaired`."""

from collections.abc import Sequence

from ecs_reboot.cloud.ecs_api import Api, Question
from ecs_reboot.facts.answers import Inquiry, rows, text
from ecs_reboot.policy.facts import Facts

_API = Api("ecs", "DescribeInstancesFullStatus")


def inquire(region_id: str, wanted: Sequence[Facts]) -> Inquiry:
    """Ask for at most 100 instances. The size of the page is said, since its default is 10."""
    ids = [facts.target.instance_id for facts in wanted]
    (body,) = yield [
        Question(_API, region_id, {"RegionId": region_id, "InstanceId": ids, "PageNumber": 1, "PageSize": 100})
    ]
    found = rows(_API.action, body, "InstanceFullStatusSet", "InstanceFullStatusType")
    return {text(row, "InstanceId"): text(row, "HealthStatus", "Name") for row in found}
