"""Clients that nobody here wrote, unpatched, against the local cloud: the current SDK and the older one."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException, ThrottlingException
from alibabacloud_tea_openapi.models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException as OlderServerException
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkecs.request.v20140526 import (
    DescribeInstancesRequest,
    DescribeInstanceStatusRequest,
    DescribeRegionsRequest,
    ListTagResourcesRequest,
    RebootInstanceRequest,
    RebootInstancesRequest,
    StartInstancesRequest,
    StopInstancesRequest,
    TagResourcesRequest,
    UntagResourcesRequest,
)
from darabonba.exceptions import UnretryableException

from localcloud.account import faults, fleet
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import Credential
from localcloud.server import server
from localcloud.server.server import Running

WEB, WEB_2, DB, BATCH = (
    "i-bp1a2b3c4d5e6f7g8h9i",
    "i-bp1z9y8x7w6v5u4t3s2r",
    "i-bp1dbdbdbdbdbdbdbdb1",
    "i-bp1batchbatchbatch01",
)
HZ = "cn-hangzhou"


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    with server.running(Cloud.from_fleet(fleet.default())) as where:
        yield where


@pytest.fixture
def running(shared: Running) -> Running:
    shared.cloud.reset()
    return shared


def current_client(running: Running, credential: Credential, **more: Any) -> Client:
    return Client(
        Config(
            access_key_id=credential.access_key_id,
            access_key_secret=credential.access_key_secret,
            security_token=credential.security_token or None,
            endpoint=running.host_port,
            protocol="http",
            region_id=HZ,
            **more,
        )
    )


@pytest.fixture(params=["root", "role"])
def current(running: Running, request: pytest.FixtureRequest) -> Client:
    """The current SDK, with the account's key and with a role session's."""
    credentials = running.cloud.credentials
    return current_client(
        running, credentials.root if request.param == "root" else credentials.assume_role("ecs-reboot")
    )


class TestCurrentSdk:
    @pytest.mark.client("alibabacloud-ecs20140526", "ecs:DescribeInstances")
    def test_describe_instances(self, current: Client) -> None:
        request = models.DescribeInstancesRequest(region_id=HZ, instance_ids=json.dumps([WEB, DB]))
        body = current.describe_instances(request).body
        web, db = body.instances.instance
        assert (web.instance_id, web.instance_name, web.status, web.region_id) == (WEB, "web-01", "Running", HZ)
        assert {tag.tag_key: tag.tag_value for tag in web.tags.tag} == {"ecs-reboot": "enabled", "app": "web"}
        assert [lock.lock_reason for lock in db.operation_locks.lock_reason] == ["security"]
        assert web.vpc_attributes.private_ip_address.ip_address
        assert web.network_interfaces.network_interface[0].primary_ip_address
        assert body.total_count == 2

    def test_the_model_knows_every_field_that_is_answered(self, current: Client) -> None:
        body = current.describe_instances(models.DescribeInstancesRequest(region_id=HZ)).body
        sent = current.call_api(*raw_describe())["body"]
        assert body.to_map()["Instances"] == sent["Instances"]

    def test_describe_by_tag_and_token(self, current: Client) -> None:
        tag = models.DescribeInstancesRequestTag(key="app", value="web")
        body = current.describe_instances(models.DescribeInstancesRequest(region_id=HZ, tag=[tag], max_results=50)).body
        assert [instance.instance_id for instance in body.instances.instance] == [WEB, WEB_2]
        assert body.next_token == ""

    @pytest.mark.client("alibabacloud-ecs20140526", "ecs:DescribeInstanceStatus")
    def test_describe_instance_status(self, current: Client) -> None:
        request = models.DescribeInstanceStatusRequest(region_id=HZ, instance_id=[BATCH])
        (status,) = current.describe_instance_status(request).body.instance_statuses.instance_status
        assert (status.instance_id, status.status) == (BATCH, "Stopped")

    @pytest.mark.client("alibabacloud-ecs20140526", "ecs:DescribeRegions")
    def test_describe_regions(self, current: Client) -> None:
        regions = current.describe_regions(models.DescribeRegionsRequest()).body.regions.region
        assert HZ in {region.region_id for region in regions}

    @pytest.mark.client("alibabacloud-ecs20140526", "ecs:RebootInstances")
    def test_reboot_instances(self, current: Client, running: Running) -> None:
        request = models.RebootInstancesRequest(
            region_id=HZ, instance_id=[WEB, DB, "i-none"], batch_optimization="SuccessFirst", force_reboot=True
        )
        rows = current.reboot_instances(request).body.instance_responses.instance_response
        assert [(row.instance_id, row.code, row.previous_status, row.current_status) for row in rows] == [
            (WEB, "200", "Running", "Stopping"),
            (DB, "InstanceLockedForSecurity", "Running", "Running"),
            ("i-none", "InvalidInstanceId.NotFound", "", ""),
        ]
        (call,) = running.cloud.audit.calls("RebootInstances")
        assert call["parameters"]["ForceReboot"] == "True"

    def test_a_dry_run_ends_in_an_error_that_says_success(self, current: Client, running: Running) -> None:
        with pytest.raises(ClientException) as caught:
            current.reboot_instances(models.RebootInstancesRequest(region_id=HZ, instance_id=[WEB], dry_run=True))
        assert (caught.value.code, caught.value.status_code) == ("DRYRUN.SUCCESS", 400)
        assert running.cloud.audit.changes() == ()

    @pytest.mark.client("alibabacloud-ecs20140526", "ecs:RebootInstance")
    def test_reboot_instance(self, current: Client, running: Running) -> None:
        current.reboot_instance(models.RebootInstanceRequest(instance_id=WEB, force_stop=False))
        assert running.cloud.fleet[WEB].status == "Stopping"

    @pytest.mark.client("alibabacloud-ecs20140526", "ecs:StopInstances", "ecs:StartInstances")
    def test_stop_and_start_instances(self, current: Client) -> None:
        (row,) = current.stop_instances(
            models.StopInstancesRequest(region_id=HZ, instance_id=[WEB])
        ).body.instance_responses.instance_response
        assert (row.code, row.current_status) == ("200", "Stopping")
        (row,) = current.start_instances(
            models.StartInstancesRequest(region_id=HZ, instance_id=[BATCH])
        ).body.instance_responses.instance_response
        assert (row.code, row.current_status) == ("200", "Starting")

    @pytest.mark.client("alibabacloud-ecs20140526", "ecs:TagResources", "ecs:ListTagResources", "ecs:UntagResources")
    def test_tags(self, current: Client, running: Running) -> None:
        wanted = {"region_id": HZ, "resource_type": "instance", "resource_id": [WEB]}
        tag = models.TagResourcesRequestTag(key="ecs-reboot/last", value="v1 2026-11-23T12:00Z é+&= *~")
        current.tag_resources(models.TagResourcesRequest(**wanted, tag=[tag]))
        rows = current.list_tag_resources(models.ListTagResourcesRequest(**wanted)).body.tag_resources.tag_resource
        assert {row.tag_key: row.tag_value for row in rows}["ecs-reboot/last"] == tag.value
        current.untag_resources(models.UntagResourcesRequest(**wanted, tag_key=["ecs-reboot/last"]))
        assert dict(running.cloud.fleet[WEB].state.tags) == {"ecs-reboot": "enabled", "app": "web"}

    def test_refusals_are_client_errors_with_their_code(self, current: Client) -> None:
        with pytest.raises(ClientException) as caught:
            current.reboot_instances(models.RebootInstancesRequest(region_id=HZ, instance_id=[BATCH]))
        assert (caught.value.code, caught.value.status_code) == ("IncorrectInstanceStatus", 403)
        assert caught.value.request_id

    def test_a_wrong_secret(self, running: Running) -> None:
        forger = running.cloud.credentials.root.model_copy(update={"access_key_secret": "guessed"})
        with pytest.raises(ClientException) as caught:
            current_client(running, forger).describe_regions(models.DescribeRegionsRequest())
        assert caught.value.code == "SignatureDoesNotMatch"

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            ({"kind": "error", "code": "InternalError"}, ServerException),
            ({"kind": "throttle"}, ClientException),
            ({"kind": "throttle", "retry_after_ms": 100}, ThrottlingException),
            ({"kind": "truncate"}, UnretryableException),
            ({"kind": "not_json"}, UnretryableException),
            ({"kind": "drop_before"}, UnretryableException),
            ({"kind": "drop_after"}, UnretryableException),
            ({"kind": "delay", "seconds": 3}, UnretryableException),
        ],
    )
    def test_each_fault_is_seen_as_the_sdk_sees_it(
        self, running: Running, fault: dict[str, Any], error: type[Exception]
    ) -> None:
        running.cloud.faults.add(faults.parse({"action": "RebootInstances", "times": 1, **fault}))
        client = current_client(running, running.cloud.credentials.root, read_timeout=500)
        with pytest.raises(error):
            client.reboot_instances(models.RebootInstancesRequest(region_id=HZ, instance_id=[WEB]))
        happened = fault["kind"] in ("truncate", "not_json", "drop_after", "delay")
        assert (running.cloud.fleet[WEB].status == "Stopping") is happened
        assert len(running.cloud.audit.calls("RebootInstances")) == 1


def raw_describe() -> tuple[Any, Any, Any]:
    from alibabacloud_tea_openapi.models import OpenApiRequest, Params
    from darabonba.runtime import RuntimeOptions

    params = Params(
        action="DescribeInstances",
        version="2014-05-26",
        protocol="HTTPS",
        pathname="/",
        method="POST",
        auth_type="AK",
        style="RPC",
        req_body_type="formData",
        body_type="json",
    )
    return params, OpenApiRequest(query={"RegionId": HZ}), RuntimeOptions()


@pytest.fixture(params=["root", "role"])
def older(running: Running, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """The older SDK: a function that sends a request of its own kind and decodes the answer."""
    credentials = running.cloud.credentials
    host, port = running.host_port.split(":")
    if request.param == "root":
        client = AcsClient(credentials.root.access_key_id, credentials.root.access_key_secret, HZ, port=int(port))
    else:
        session = credentials.assume_role("ecs-reboot")
        token = StsTokenCredential(session.access_key_id, session.access_key_secret, session.security_token)
        client = AcsClient(region_id=HZ, credential=token, port=int(port))

    def send(sdk_request: Any, **fields: Any) -> Any:
        sdk_request.set_endpoint(host)
        sdk_request.set_protocol_type("http")
        sdk_request.set_accept_format("json")
        for name, value in fields.items():
            getattr(sdk_request, f"set_{name}")(value)
        return json.loads(client.do_action_with_exception(sdk_request))

    return send


class TestOlderSdk:
    @pytest.mark.client("aliyun-python-sdk-ecs", "ecs:DescribeInstances")
    def test_describe_instances(self, older: Callable[..., Any]) -> None:
        request = DescribeInstancesRequest.DescribeInstancesRequest()
        body = older(request, InstanceIds=json.dumps([WEB]), PageSize=100)
        assert [instance["InstanceName"] for instance in body["Instances"]["Instance"]] == ["web-01"]

    def test_describe_by_tag_and_name(self, older: Callable[..., Any]) -> None:
        request = DescribeInstancesRequest.DescribeInstancesRequest()
        body = older(request, Tags=[{"Key": "app", "Value": "web"}], InstanceName="web-*")
        assert body["TotalCount"] == 2

    @pytest.mark.client("aliyun-python-sdk-ecs", "ecs:DescribeInstanceStatus")
    def test_describe_instance_status(self, older: Callable[..., Any]) -> None:
        request = DescribeInstanceStatusRequest.DescribeInstanceStatusRequest()
        body = older(request, InstanceIds=[WEB, BATCH])
        assert [status["Status"] for status in body["InstanceStatuses"]["InstanceStatus"]] == ["Running", "Stopped"]

    @pytest.mark.client("aliyun-python-sdk-ecs", "ecs:DescribeRegions")
    def test_describe_regions(self, older: Callable[..., Any]) -> None:
        assert older(DescribeRegionsRequest.DescribeRegionsRequest())["Regions"]["Region"]

    @pytest.mark.client("aliyun-python-sdk-ecs", "ecs:RebootInstances")
    def test_reboot_instances(self, older: Callable[..., Any]) -> None:
        request = RebootInstancesRequest.RebootInstancesRequest()
        body = older(request, InstanceIds=[WEB, "i-none"], BatchOptimization="SuccessFirst", ForceReboot=True)
        codes = [row["Code"] for row in body["InstanceResponses"]["InstanceResponse"]]
        assert codes == ["200", "InvalidInstanceId.NotFound"]

    @pytest.mark.client("aliyun-python-sdk-ecs", "ecs:RebootInstance")
    def test_reboot_instance(self, older: Callable[..., Any], running: Running) -> None:
        older(RebootInstanceRequest.RebootInstanceRequest(), InstanceId=WEB)
        assert running.cloud.fleet[WEB].status == "Stopping"

    @pytest.mark.client("aliyun-python-sdk-ecs", "ecs:StopInstances", "ecs:StartInstances")
    def test_stop_and_start_instances(self, older: Callable[..., Any], running: Running) -> None:
        older(StopInstancesRequest.StopInstancesRequest(), InstanceIds=[WEB])
        older(StartInstancesRequest.StartInstancesRequest(), InstanceIds=[BATCH])
        assert (running.cloud.fleet[WEB].status, running.cloud.fleet[BATCH].status) == ("Stopping", "Starting")

    @pytest.mark.client("aliyun-python-sdk-ecs", "ecs:TagResources", "ecs:ListTagResources", "ecs:UntagResources")
    def test_tags(self, older: Callable[..., Any], running: Running) -> None:
        wanted = {"ResourceType": "instance", "ResourceIds": [WEB]}
        tags = [{"Key": "ecs-reboot/last", "Value": "v1 é+&= *~"}]
        older(TagResourcesRequest.TagResourcesRequest(), **wanted, Tags=tags)
        rows = older(ListTagResourcesRequest.ListTagResourcesRequest(), **wanted)["TagResources"]["TagResource"]
        assert {row["TagKey"]: row["TagValue"] for row in rows}["ecs-reboot/last"] == "v1 é+&= *~"
        older(UntagResourcesRequest.UntagResourcesRequest(), **wanted, TagKeys=["ecs-reboot/last"])
        assert "ecs-reboot/last" not in running.cloud.fleet[WEB].state.tags

    def test_refusals_keep_their_code_and_status(self, older: Callable[..., Any]) -> None:
        with pytest.raises(OlderServerException) as caught:
            older(RebootInstancesRequest.RebootInstancesRequest(), InstanceIds=[DB])
        error = caught.value
        assert (error.get_error_code(), error.get_http_status()) == ("InstanceLockedForSecurity", 403)
        assert error.get_request_id()
