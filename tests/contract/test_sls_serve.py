"""The clients of Simple Log Service, unchanged, against the process that ``make serve`` runs: written and read back.

aliyun-log-fastpb is what alibabacloud-sls20201230 writes its LogGroup with.
"""

import time
from collections.abc import Callable
from typing import Any

import pytest
from aliyun.log import LogClient, LogException, LogItem, PutLogsRequest
from serving import REGION, Served

PROJECT, LOGSTORE = "ecs-reboot", "records"
ENDPOINT = f"{REGION}.log.aliyuncs.com"


def test_the_log_sdk(served: Served) -> None:
    client = LogClient(served.url, served.key, served.secret)
    now = int(time.time())
    items = [LogItem(now, contents=[("n", str(n)), ("reason", "disk é failed")]) for n in range(3)]
    client.put_logs(PutLogsRequest("", LOGSTORE, "topic", "source", items))
    found = client.get_log("", LOGSTORE, now - 60, now + 60, query="reason: disk and not n: 1")
    assert [(entry.contents["n"], entry.contents["reason"]) for entry in found.get_logs()] == [
        ("0", "disk é failed"),
        ("2", "disk é failed"),
    ]
    with pytest.raises(LogException) as refusal:
        client.put_logs(PutLogsRequest("", "absent", "", "", items))
    assert refusal.value.get_error_code() == "LogStoreNotExist"


@pytest.mark.parametrize("signature_version", ["v1", "v4"])
def test_the_openapi_client_with_fastpb(served: Served, package: Callable[[str], Any], signature_version: str) -> None:
    package("aliyun_log_fastpb")
    client_module, models = package("alibabacloud_sls20201230.client"), package("alibabacloud_sls20201230.models")
    from alibabacloud_tea_openapi.models import Config

    client = client_module.Client(
        Config(
            access_key_id=served.key,
            access_key_secret=served.secret,
            endpoint=ENDPOINT,
            protocol="http",
            region_id=REGION,
            http_proxy=served.url,
            signature_version=signature_version,
        )
    )
    now = int(time.time())
    contents = [models.LogContent(key="action", value="reboot é"), models.LogContent(key="empty", value="")]
    group = models.LogGroup(
        topic="topic",
        source="source",
        log_tags=[models.LogTag(key="host", value="web-01")],
        log_items=[models.LogItem(time=now, contents=contents)],
    )
    assert client.put_logs(PROJECT, LOGSTORE, models.PutLogsRequest(body=group)).status_code == 200
    asked = models.GetLogsRequest(from_=now - 60, to=now + 60, query="action: reboot")
    (found,) = client.get_logs(PROJECT, LOGSTORE, asked).body.to_map()["data"]
    assert (found["action"], found["empty"], found["__topic__"]) == ("reboot é", "", "topic")
    assert found["__tag__:host"] == "web-01"
