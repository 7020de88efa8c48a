"""(a), (b): what a competent engineer writes with the generated ECS client, pydantic and the generated SLS client.

The calls are those that our function makes for the same event, named in CALLS; RebootInstances is one of them.
"""

import json
import os
import time
from typing import Any

from alibabacloud_ecs20140526 import models as ecs
from alibabacloud_ecs20140526.client import Client as EcsClient
from alibabacloud_sls20201230 import models as sls
from alibabacloud_sls20201230.client import Client as SlsClient
from alibabacloud_tea_openapi.models import Config
from pydantic import BaseModel, Field


class ApprovedReboot(BaseModel):
    """The event: which instances, where."""

    instance_ids: list[str] = Field(min_length=1)
    region_id: str = Field(pattern="^[a-z]{2}(-[a-z0-9]+)+$")
    reason: str = ""


class Record(BaseModel):
    """What is written down."""

    instance_id: str
    code: str
    previous_status: str
    current_status: str


def handle(event: bytes, context: Any) -> dict[str, Any]:
    """Reboot what the event names and write a record for each."""
    order = ApprovedReboot.model_validate_json(event)
    keys = {
        "access_key_id": context.credentials.access_key_id,
        "access_key_secret": context.credentials.access_key_secret,
        "region_id": order.region_id,
        "protocol": "http",
    }
    client = EcsClient(Config(endpoint=os.environ["ECS_ENDPOINT"].removeprefix("http://"), **keys))
    records: list[Record] = []
    for call in os.environ["CALLS"].split():
        if call == "DescribeInstances":
            page = client.describe_instances(
                ecs.DescribeInstancesRequest(region_id=order.region_id, instance_ids=json.dumps(order.instance_ids))
            ).body
            if any(instance.status != "Running" for instance in page.instances.instance):
                raise RuntimeError("not running")
        elif call == "TagResources":
            client.tag_resources(
                ecs.TagResourcesRequest(
                    region_id=order.region_id,
                    resource_type="instance",
                    resource_id=order.instance_ids,
                    tag=[ecs.TagResourcesRequestTag(key="last-reboot", value=str(int(time.time())))],
                )
            )
        elif call == "RebootInstances":
            answer = client.reboot_instances(
                ecs.RebootInstancesRequest(
                    region_id=order.region_id, instance_id=order.instance_ids, force_reboot=False
                )
            ).body
            records = [
                Record(
                    instance_id=row.instance_id,
                    code=row.code,
                    previous_status=row.previous_status,
                    current_status=row.current_status,
                )
                for row in answer.instance_responses.instance_response
            ]
    for record in records:
        print(record.model_dump_json())
    proxy = os.environ["ECS_ENDPOINT"]  # so that the project's host name need not exist
    store = SlsClient(Config(endpoint="cn-hangzhou.log.aliyuncs.com", http_proxy=proxy, **keys))
    items = [
        sls.LogItem(
            time=int(time.time()),
            contents=[sls.LogContent(key=key, value=value) for key, value in record.model_dump().items()],
        )
        for record in records
    ]
    group = sls.LogGroup(topic="reboot", source="fc", log_items=items, log_tags=[])
    store.put_logs("project", "records", sls.PutLogsRequest(body=group))
    return {"results": [record.model_dump() for record in records]}
