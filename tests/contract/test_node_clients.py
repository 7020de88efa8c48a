"""The other clients for Node, unchanged, in one process against the one that ``make serve`` runs."""

import pytest
from node_clients import NodeProgram
from serving import BATCH, WEB, WEB_2, Served

# What each client understood is asked for in one run, since a process for each would cost more than all their calls.
LOG = ("sls:GetProject", "sls:GetLogStore", "sls:ListLogStores", "sls:PutLogs", "sls:GetLogs")
SDK = ("ecs:DescribeInstances", "ecs:RebootInstance", "ecs:StartInstance", "ecs:StopInstance", "sls:ListLogStores")
OSS = (
    "oss:PutBucket", "oss:PutObject", "oss:GetObject", "oss:HeadObject", "oss:ListObjectsV2", "oss:ListObjects",
    "oss:ListBuckets", "oss:DeleteObject",
)  # fmt: skip


@pytest.mark.client("@alicloud/log", *LOG)
@pytest.mark.client("aliyun-sdk", *SDK, refused="OSS signature version 1")
@pytest.mark.client("ali-oss", *OSS, refused="OSS signature version 1")
@pytest.mark.client("@alicloud/fc2", refused="Function Compute 2016-08-15")
def test_the_node_clients_understand_what_they_are_answered(node_program: NodeProgram, served: Served) -> None:
    told = node_program("clients.js", served.host_port, served.key, served.secret, WEB, WEB_2, BATCH)
    refused = {name: told.pop(name) for name in ("sdk.oss", "oss.older", "fc2.invoke", "oss.gone")}
    assert told == {
        "log.project": "cn-hangzhou",
        "log.logstore": "records",
        "log.list": ["records"],
        "log.put": "",
        "log.get": ["reboot é"],
        "log.absent": {"code": "LogStoreNotExist", "message": "logstore absent does not exist."},
        "sdk.describe": told["sdk.describe"],
        "sdk.reboot": ["RequestId"],
        "sdk.stop": ["RequestId"],
        "sdk.start": ["RequestId"],
        "sdk.absent": {"code": "InvalidInstanceId.NotFound", "message": told["sdk.absent"]["message"]},
        "sdk.ram": {"code": "EntityNotExist.Role", "message": "The role not exists: nobody."},
        "sdk.sls": ["records"],
        "oss.put": "a/1 é.txt",
        "oss.head": "5",
        "oss.listV2": [[["a/1 é.txt", "a/2.txt"], None, True], [[], ["a/b/"], False]],
        "oss.list": ["a/1 é.txt", "a/2.txt", "a/b/3.txt"],
        "oss.buckets": [["ecs-reboot-evidence", "oss-cn-hangzhou"], ["of-ali-oss", "oss-cn-hangzhou"]],
        "oss.delete": 204,
    }
    assert WEB in told["sdk.describe"]
    assert refused["oss.gone"]["code"] == "NoSuchKey"
    assert refused["fc2.invoke"]["code"] == "PathNotSupported"
    assert "2023-03-30" in refused["fc2.invoke"]["message"]
    for name in ("sdk.oss", "oss.older"):
        assert refused[name]["code"] == "AccessDenied"
        assert "OSS4-HMAC-SHA256" in refused[name]["message"]
