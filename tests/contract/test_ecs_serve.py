"""The current and the older Python SDK of ECS, unchanged, against the process that ``make serve`` runs."""

import json
from typing import Any

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException as OlderServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkecs.request.v20140526 import (
    DescribeInstancesRequest,
    ListTagResourcesRequest,
    RebootInstancesRequest,
    TagResourcesRequest,
)
from serving import BATCH, DB, REGION, WEB, Served


def current(served: Served, secret: str = "") -> Client:
    return Client(
        Config(
            access_key_id=served.key,
            access_key_secret=secret or served.secret,
            endpoint=served.host_port,
            protocol="http",
            region_id=REGION,
        )
    )


def older(served: Served, request: Any, **fields: Any) -> Any:
    host, port = served.host_port.split(":")
    request.set_endpoint(host)
    request.set_protocol_type("http")
    request.set_accept_format("json")
    for name, value in fields.items():
        getattr(request, f"set_{name}")(value)
    client = AcsClient(served.key, served.secret, REGION, port=int(port))
    return json.loads(client.do_action_with_exception(request))


def test_the_current_sdk_reads_tags_and_reboots(served: Served) -> None:
    client = current(served)
    body = client.describe_instances(
        models.DescribeInstancesRequest(region_id=REGION, instance_ids=json.dumps([WEB, DB]))
    ).body
    assert [(instance.instance_id, instance.status) for instance in body.instances.instance] == [
        (WEB, "Running"),
        (DB, "Running"),
    ]
    resource = {"region_id": REGION, "resource_type": "instance", "resource_id": [WEB]}
    tag = models.TagResourcesRequestTag(key="ecs-reboot/last", value="v1 é+&= *~")
    client.tag_resources(models.TagResourcesRequest(**resource, tag=[tag]))
    listed = client.list_tag_resources(models.ListTagResourcesRequest(**resource)).body.tag_resources.tag_resource
    assert tag.value in {tag.tag_value for tag in listed}
    rows = client.reboot_instances(
        models.RebootInstancesRequest(region_id=REGION, instance_id=[WEB, DB], batch_optimization="SuccessFirst")
    ).body.instance_responses.instance_response
    assert [(row.code, row.current_status) for row in rows] == [
        ("200", "Stopping"),
        ("InstanceLockedForSecurity", "Running"),
    ]
    assert served.status(WEB) in ("Stopping", "Starting")


def test_the_current_sdk_understands_refusals(served: Served) -> None:
    for client, request, code, status in (
        (current(served), {"instance_id": [BATCH]}, "IncorrectInstanceStatus", 403),
        (current(served), {"instance_id": [WEB], "dry_run": True}, "DRYRUN.SUCCESS", 400),
        (current(served, "guessed"), {"instance_id": [WEB]}, "SignatureDoesNotMatch", 400),
    ):
        with pytest.raises(ClientException) as caught:
            client.reboot_instances(models.RebootInstancesRequest(region_id=REGION, **request))
        assert (caught.value.code, caught.value.status_code) == (code, status)
    assert served.status(WEB) == "Running"


def test_the_older_sdk_reads_tags_and_reboots(served: Served) -> None:
    described = older(
        served, DescribeInstancesRequest.DescribeInstancesRequest(), Tags=[{"Key": "app", "Value": "web"}]
    )
    assert described["TotalCount"] == 2
    resource = {"ResourceType": "instance", "ResourceIds": [WEB]}
    tags = [{"Key": "ecs-reboot/last", "Value": "v1 é+&= *~"}]
    older(served, TagResourcesRequest.TagResourcesRequest(), **resource, Tags=tags)
    listed = older(served, ListTagResourcesRequest.ListTagResourcesRequest(), **resource)
    assert "v1 é+&= *~" in {row["TagValue"] for row in listed["TagResources"]["TagResource"]}
    rebooted = older(served, RebootInstancesRequest.RebootInstancesRequest(), InstanceIds=[WEB], ForceReboot=True)
    (row,) = rebooted["InstanceResponses"]["InstanceResponse"]
    assert (row["Code"], row["CurrentStatus"]) == ("200", "Stopping")
    (call,) = served.audit(action="RebootInstances")
    assert (call["http_status"], call["effect"]) == (200, True)


def test_the_older_sdk_understands_refusals(served: Served) -> None:
    with pytest.raises(OlderServerException) as caught:
        older(served, RebootInstancesRequest.RebootInstancesRequest(), InstanceIds=[DB])
    assert (caught.value.get_error_code(), caught.value.get_http_status()) == ("InstanceLockedForSecurity", 403)
