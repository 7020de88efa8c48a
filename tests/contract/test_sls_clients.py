"""The official clients of Simple Log Service, unchanged, against the local cloud.

They put the project before the host name, so they reach it in two ways: with the loopback address and no project (the
account's only one is meant), and with the real endpoint through the local cloud as their HTTP proxy.
"""

import time

import pytest
from aliyun.log import LogClient, LogException, LogItem, PutLogsRequest
from aliyun.log.listlogstoresrequest import ListLogstoresRequest

from localcloud.account.faults import Fault
from localcloud.server.server import Running

ENDPOINT = "cn-hangzhou.log.aliyuncs.com"
PROJECT = "ecs-reboot"


@pytest.fixture(params=["address", "proxy"])
def way(request: pytest.FixtureRequest, server: Running, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The endpoint and the project to give to the client."""
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "address":
        return server.url, ""
    monkeypatch.setenv("http_proxy", server.url)
    return f"http://{ENDPOINT}", PROJECT


@pytest.mark.parametrize("auth_version", ["v1", "v4"])
@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.client("aliyun-log-python-sdk", "sls:PutLogs", "sls:GetLogs", "sls:ListLogStores")
def test_aliyun_log_writes_and_reads_back(
    server: Running, way: tuple[str, str], auth_version: str, *, compress: bool
) -> None:
    endpoint, project = way
    role = server.cloud.credentials.assume_role("function")
    client = LogClient(
        endpoint,
        role.access_key_id,
        role.access_key_secret,
        role.security_token,
        auth_version=auth_version,
        region="cn-hangzhou",
    )
    now = int(time.time())
    items = [LogItem(now, contents=[("n", str(n)), ("reason", "disk é failed")]) for n in range(3)]
    client.put_logs(PutLogsRequest(project, "records", "topic", "source", items, compress=compress))
    found = client.get_log(project, "records", now - 60, now + 60, query="reason: disk and not n: 1")
    assert found.is_completed()
    assert [entry.contents["n"] for entry in found.get_logs()] == ["0", "2"]
    assert found.get_logs()[0].contents["reason"] == "disk é failed"
    assert client.list_logstores(ListLogstoresRequest(project)).get_logstores() == ["records"]
    assert [call["code"] for call in server.cloud.audit.calls(service="sls")] == ["", "", ""]


def test_aliyun_log_understands_a_refusal(server: Running, way: tuple[str, str]) -> None:
    endpoint, project = way
    root = server.cloud.credentials.root
    client = LogClient(endpoint, root.access_key_id, "wrong")
    with pytest.raises(LogException) as refusal:
        client.list_logstores(ListLogstoresRequest(project))
    assert refusal.value.get_error_code() == "SignatureNotMatch"
    assert refusal.value.get_request_id()
    client = LogClient(endpoint, root.access_key_id, root.access_key_secret)
    with pytest.raises(LogException) as refusal:
        client.put_logs(PutLogsRequest(project, "absent", "", "s", [LogItem(contents=[("a", "b")])]))
    assert refusal.value.get_error_code() == "LogStoreNotExist"


def test_aliyun_log_repeats_a_write_after_a_server_error(server: Running, way: tuple[str, str]) -> None:
    endpoint, project = way
    root = server.cloud.credentials.root
    server.cloud.faults.add([Fault(service="sls", action="PutLogs", kind="error", code="ServerBusy", times=1)])
    client = LogClient(endpoint, root.access_key_id, root.access_key_secret)
    client.put_logs(PutLogsRequest(project, "records", "", "s", [LogItem(contents=[("a", "b")])]))
    assert [call["http_status"] for call in server.cloud.audit.calls("PutLogs", service="sls")] == [503, 200]


@pytest.mark.parametrize("signature_version", ["v1", "v4"])
@pytest.mark.parametrize("compress_type", [None, "zstd", "lz4", "deflate"])
@pytest.mark.client("alibabacloud-sls20201230", "sls:PutLogs", "sls:GetLogs")
def test_the_openapi_client_writes_and_reads_back(
    server: Running, signature_version: str, compress_type: str | None
) -> None:
    sls_client = pytest.importorskip("alibabacloud_sls20201230.client")
    pytest.importorskip("aliyun_log_fastpb")  # the client builds its LogGroup with it
    pytest.importorskip("zstandard")  # and what zstd it has decides its default compression
    from alibabacloud_sls20201230 import models
    from alibabacloud_tea_openapi.models import Config
    from darabonba.runtime import RuntimeOptions

    role = server.cloud.credentials.assume_role("function")
    client = sls_client.Client(
        Config(
            access_key_id=role.access_key_id,
            access_key_secret=role.access_key_secret,
            security_token=role.security_token,
            endpoint=ENDPOINT,
            protocol="http",
            region_id="cn-hangzhou",
            http_proxy=server.url,
            signature_version=signature_version,
        )
    )
    now = int(time.time())
    group = models.LogGroup(
        topic="topic",
        source="source",
        log_tags=[],
        log_items=[models.LogItem(time=now, contents=[models.LogContent(key="action", value="reboot é")])],
    )
    written = client.put_logs_with_options(
        PROJECT,
        "records",
        models.PutLogsRequest(body=group),
        models.PutLogsHeaders(x_log_compresstype=compress_type),
        RuntimeOptions(),
    )
    assert written.status_code == 200
    asked = models.GetLogsRequest(from_=now - 60, to=now + 60, query="action: reboot")
    (found,) = client.get_logs(PROJECT, "records", asked).body.to_map()["data"]
    assert (found["action"], found["__topic__"]) == ("reboot é", "topic")
