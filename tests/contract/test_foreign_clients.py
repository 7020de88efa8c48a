"""Python clients of other projects and of older days, unchanged, against one local cloud.

The older core SDK and footmark, Ansible's library, take no address: they reach it as their HTTP proxy.
"""

import json
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_modules import AnsibleModules
from serving import BATCH, WEB, WEB_2

from localcloud.account import fleet
from localcloud.account.cloud import Cloud
from localcloud.server.server import Running, running

HZ = "cn-hangzhou"
TRUST = {
    "Version": "1",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["fc.aliyuncs.com"]}},
    ],
}


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    # An hour of cloud time a second: libcloud waits three real seconds between its looks.
    with running(Cloud.from_fleet(fleet.default(), time_scale=3600)) as where:
        yield where


@pytest.fixture
def as_proxy(server: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    for name in ("HTTP_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", server.url)
    return server


def keys(server: Running) -> tuple[str, str]:
    root = server.cloud.credentials.root
    return root.access_key_id, root.access_key_secret


@pytest.mark.client(
    "apache-libcloud", "ecs:DescribeInstances", "ecs:RebootInstance", "ecs:StartInstance", "ecs:StopInstance",
    "ecs:DescribeInstanceTypes", "ecs:DescribeRegions", "ecs:DescribeZones", "ecs:DescribeDisks",
    "ecs:DescribeSnapshots",
)  # fmt: skip
def test_libcloud_lists_and_operates_nodes(server: Running) -> None:
    from libcloud.compute.providers import get_driver
    from libcloud.compute.types import Provider

    host, _, port = server.host_port.partition(":")
    driver: Any = get_driver(Provider.ALIYUN_ECS)(*keys(server), region=HZ, secure=False, host=host, port=int(port))
    nodes = {node.id: node for node in driver.list_nodes()}
    assert (nodes[WEB].name, nodes[WEB].private_ips) == ("web-01", ["10.0.0.0"])
    assert driver.reboot_node(nodes[WEB])
    assert driver.stop_node(nodes[WEB_2], ex_force_stop=True)
    assert driver.start_node(nodes[BATCH])
    assert [(size.id, size.ram, size.extra["cpu_core_count"]) for size in driver.list_sizes()] == [
        ("ecs.g7.large", 8.0, 2)
    ]
    assert HZ in {location.id for location in driver.list_locations()}
    assert [zone.id for zone in driver.ex_list_zones()] == ["cn-hangzhou-b"]
    (volume,) = (volume for volume in driver.list_volumes() if volume.extra["instance_id"] == WEB)
    assert (volume.size, volume.extra["type"]) == (40, "system")
    assert driver.list_volume_snapshots(volume) == []


@pytest.mark.client(
    "footmark", "ecs:DescribeInstances", "ecs:DescribeUserData", "ecs:DescribeDisks", "ecs:DescribeZones",
    "ecs:DescribeInstanceTypes", "ecs:ListTagResources", "ecs:StopInstance", "ecs:StartInstance",
    "ecs:RebootInstance",
)  # fmt: skip
def test_footmark_reads_and_operates_instances(as_proxy: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from footmark.ecs import connection

    monkeypatch.setattr(connection.time, "sleep", lambda _seconds: None)  # its own pauses between calls
    ecs: Any = connection.ECSConnection(*keys(as_proxy), region=HZ)
    (web,) = ecs.describe_instances(instance_ids=[WEB])
    assert (web.id, web.name, web.status) == (WEB, "web-01", "running")
    assert (web.public_ip_address, web.private_ip_address) == ("", "10.0.0.0")
    assert web.tags == {"ecs-reboot": "enabled", "app": "web"}
    assert ecs.describe_user_data(instance_id=WEB).user_data == ""
    (disk,) = ecs.describe_disks(instance_id=WEB)
    assert (disk.status, disk.type, disk.instance_id) == ("in_use", "system", WEB)
    assert [zone.id for zone in ecs.describe_zones()] == ["cn-hangzhou-b"]
    assert [kind.instance_type_id for kind in ecs.describe_instance_types()] == ["ecs.g7.large"]
    assert ecs.list_tag_resources(resource_type="instance", resource_ids=[WEB])["app"] == "web"
    ecs.reboot_instances(instance_ids=[WEB])
    ecs.stop_instances(instance_ids=[WEB_2])
    ecs.start_instances(instance_ids=[BATCH])


@pytest.mark.client(
    "ansible-alicloud", "ecs:DescribeInstances", "ecs:DescribeDisks", "ecs:DescribeUserData", "ecs:StopInstance",
    "ecs:StartInstance", "ecs:ListTagResources", "ecs:TagResources",
)  # fmt: skip
def test_ansible_reads_stops_starts_and_tags_instances(server: Running, ansible_modules: AnsibleModules) -> None:
    key, secret = keys(server)
    info, stopped, started, tagged, absent = ansible_modules(
        {"http_proxy": server.url, "ALICLOUD_ACCESS_KEY": key, "ALICLOUD_SECRET_KEY": secret, "ALICLOUD_REGION": HZ},
        ("ali_instance_info", {"instance_ids": [WEB]}),
        ("ali_instance", {"state": "stopped", "instance_ids": [WEB_2], "force": True, "user_data": ""}),
        ("ali_instance", {"state": "running", "instance_ids": [BATCH]}),
        ("ali_ecs_tag", {"resource_ids": [WEB], "tags": {"owner": "web team"}}),
        ("ali_ecs_tag", {"resource_ids": ["i-bp1absentabsentabsen"], "tags": {"owner": "nobody"}}),
    )
    (web,) = info["instances"]
    assert (web["instance_name"], web["private_ip_address"], web["public_ip_address"]) == ("web-01", "10.0.0.0", "")
    assert web["eip"] == {"allocation_id": "", "ip_address": "", "internet_charge_type": ""}
    assert web["tags"] == {"ecs-reboot": "enabled", "app": "web"}
    assert [disk["volume_id"][:2] for disk in web["block_device_mappings"]] == ["d-"]
    assert (stopped["changed"], started["changed"], tagged["changed"]) == (True, True, True)
    assert "No matching resource" in absent["msg"]
    fleet_now = server.cloud.fleet
    assert (fleet_now[WEB_2].status, fleet_now[BATCH].status) == ("Stopped", "Running")
    assert fleet_now[WEB].state.tags["owner"] == "web team"


@pytest.mark.client(
    "aliyun-log-python-sdk", "sls:GetProject", "sls:GetLogStore", "sls:ListLogStores", "sls:PutLogs", "sls:GetLogs"
)
def test_aliyun_log_reads_projects_and_logstores(server: Running) -> None:
    from aliyun.log import LogClient, LogItem, PutLogsRequest

    client = LogClient(server.url, *keys(server))
    project = client.get_project("")
    assert (project.get_projectname(), project.get_region(), project.get_status()) == ("ecs-reboot", HZ, "Normal")
    store: Any = client.get_logstore("", "records")
    assert (store.logstore_name, store.ttl, store.shard_count, store.mode) == ("records", 30, 2, "standard")
    assert client.list_logstore("").get_logstores() == ["records"]
    client.put_logs(PutLogsRequest("", "records", "t", "s", [LogItem(contents=[("a", "b")])]))
    now = int(time.time())
    assert [log.contents["a"] for log in client.get_log("", "records", now - 60, now + 60).get_logs()] == ["b"]


@pytest.mark.client(
    "oss2", "oss:PutBucket", "oss:ListBuckets", "oss:PutObject", "oss:GetObject", "oss:HeadObject",
    "oss:ListObjectsV2", "oss:ListObjects", "oss:DeleteObject", refused="OSS signature version 1",
)  # fmt: skip
def test_oss2_with_signature_version_4(server: Running) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own source text, where that is compiled
        import oss2

    def bucket(auth: Any) -> Any:
        return oss2.Bucket(auth, server.url, "of-oss2", region=HZ, is_path_style=True)

    auth = oss2.AuthV4(*keys(server))
    mine = bucket(auth)
    mine.create_bucket()
    for name in ("a/1 é.txt", "a/2.txt", "b.txt"):
        mine.put_object(name, name)
    assert mine.get_object("a/1 é.txt").read().decode() == "a/1 é.txt"
    assert mine.head_object("b.txt").content_length == 5
    assert [found.key for found in oss2.ObjectIteratorV2(mine, prefix="a/", max_keys=1)] == ["a/1 é.txt", "a/2.txt"]
    assert [found.key for found in oss2.ObjectIterator(mine, delimiter="/")] == ["a/", "b.txt"]
    buckets = oss2.Service(auth, server.url, region=HZ).list_buckets().buckets
    assert [found.name for found in buckets] == ["ecs-reboot-evidence", "of-oss2"]
    mine.delete_object("b.txt")
    with pytest.raises(oss2.exceptions.NoSuchKey):
        mine.get_object("b.txt")
    with pytest.raises(oss2.exceptions.AccessDenied) as refusal:
        bucket(oss2.Auth(*keys(server))).get_object("a/2.txt")
    assert "OSS4-HMAC-SHA256" in refusal.value.message


@pytest.mark.client("aliyun-fc2", refused="Function Compute 2016-08-15")
def test_fc2_is_told_which_version_is_there(server: Running) -> None:
    import fc2

    key_id, secret = keys(server)
    client = fc2.Client(endpoint=server.url, accessKeyID=key_id, accessKeySecret=secret)
    with pytest.raises(fc2.fc_exceptions.FcError) as refusal:
        client.invoke_function("service", "ecs-reboot", payload=b"{}")
    told = json.loads(str(refusal.value.message))
    assert told["ErrorCode"] == "PathNotSupported"
    assert "2023-03-30" in told["ErrorMessage"]


@pytest.mark.client("aliyun-python-sdk-ram", "ram:CreateRole", "ram:GetRole")
@pytest.mark.client("aliyun-python-sdk-sts", "sts:GetCallerIdentity")
@pytest.mark.client("aliyun-python-sdk-ros", "ros:ListStacks")
@pytest.mark.client("aliyun-python-sdk-core", "cms:DescribeMetricRuleList", "ecs:DescribeRegions")
def test_the_older_sdk_finds_every_api_at_the_one_endpoint(server: Running) -> None:
    from aliyunsdkcore.client import AcsClient
    from aliyunsdkcore.request import CommonRequest
    from aliyunsdkram.request.v20150501.CreateRoleRequest import CreateRoleRequest
    from aliyunsdkram.request.v20150501.GetRoleRequest import GetRoleRequest
    from aliyunsdkros.request.v20190910.ListStacksRequest import ListStacksRequest
    from aliyunsdksts.request.v20150401.GetCallerIdentityRequest import GetCallerIdentityRequest

    host, _, port = server.host_port.partition(":")
    client = AcsClient(*keys(server), HZ, port=int(port))

    def ask(request: Any) -> Any:
        request.set_endpoint(host)
        request.set_protocol_type("http")
        request.set_accept_format("JSON")
        return json.loads(client.do_action_with_exception(request))

    create, get = CreateRoleRequest(), GetRoleRequest()
    create.set_RoleName("reader")
    create.set_AssumeRolePolicyDocument(json.dumps(TRUST))
    ask(create)
    get.set_RoleName("reader")
    assert ask(get)["Role"]["Arn"].endswith(":role/reader")
    assert ask(GetCallerIdentityRequest())["AccountId"] == server.cloud.account
    assert ask(ListStacksRequest())["Stacks"] == []
    rules = CommonRequest(domain=host, version="2019-01-01", action_name="DescribeMetricRuleList")
    assert ask(rules)["Alarms"] == {"Alarm": []}
    regions = CommonRequest(domain=host, version="2014-05-26", action_name="DescribeRegions")
    assert HZ in {region["RegionId"] for region in ask(regions)["Regions"]["Region"]}
