"""Who is let in: every path of every service asks for a loopback host and no foreign page."""

import http.client
from collections.abc import Iterator, Mapping

import pytest

from localcloud.account.cloud import Cloud
from localcloud.account.credentials import KeyPair
from localcloud.account.fleet import Fleet
from localcloud.server.server import Running, running

ACS3 = {"authorization": "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=b"}
PATHS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "front page": ("GET", "/", {}),
    "ECS, version 1": ("GET", "/?Action=DescribeRegions&Version=2014-05-26", {}),
    "ECS": ("POST", "/", {**ACS3, "x-acs-version": "2014-05-26", "x-acs-action": "DescribeRegions"}),
    "ROS": ("POST", "/", {**ACS3, "x-acs-version": "2019-09-10", "x-acs-action": "CreateStack"}),
    "STS": ("POST", "/", {**ACS3, "x-acs-version": "2015-04-01", "x-acs-action": "GetCallerIdentity"}),
    "CloudMonitor": ("POST", "/", {**ACS3, "x-acs-version": "2019-01-01", "x-acs-action": "DescribeMetricRuleList"}),
    "RAM": ("POST", "/", {**ACS3, "x-acs-version": "2015-05-01", "x-acs-action": "GetRole"}),
    "OSS": ("PUT", "/bucket/key", {"authorization": "OSS4-HMAC-SHA256 Credential=a"}),
    "SLS": ("GET", "/logstores", {"authorization": "LOG a:b", "x-log-apiversion": "0.6.0"}),
    "Tablestore": ("POST", "/GetRow", {"x-ots-apiversion": "2015-12-31"}),
    "Function Compute": ("POST", "/2023-03-30/functions/ecs-reboot/invocations", ACS3),
    "chat": ("POST", "/_chat/dingtalk/robot/send?access_token=a", {}),
    "HTTP trigger": ("POST", "/_http/ecs-reboot/", {}),
    "event bus": ("POST", "/_world/events", {}),
    "topic": ("POST", "/_world/topics/alarms", {}),
    "time": ("POST", "/_world/time", {}),
    "alarm rule": ("POST", "/_world/alarms/rule", {}),
    "audit": ("GET", "/_local/audit", {}),
    "faults": ("POST", "/_local/faults", {}),
    "reset": ("POST", "/_local/reset", {}),
    "console": ("GET", "/console/", {}),
    "console's events": ("POST", "/console/api/events", {}),
    "nothing": ("GET", "/nothing", {}),
}
#: Pages, to which nobody comes by a name of Alibaba Cloud's.
NO_CALL = ("front page", "HTTP trigger", "event bus", "audit", "console", "nothing")
FOREIGN: Mapping[str, Mapping[str, str]] = {
    "a name that was made to lead here": {"host": "evil.example"},
    "a name with ours in front": {"host": "127.0.0.1.evil.example"},
    "no host": {"host": ""},
    "another address": {"host": "10.0.0.1"},
    "a page of another site": {"origin": "http://evil.example"},
    "a page of another port": {"origin": "http://127.0.0.1:1"},
    "a page without a name": {"origin": "null"},
    "a link of another site": {"sec-fetch-site": "cross-site"},
    "a site beside ours": {"sec-fetch-site": "same-site"},
}


@pytest.fixture(scope="module")
def where() -> Iterator[Running]:
    with running(Cloud.from_fleet(Fleet())) as server:
        yield server


def status_of(where: Running, path: str, changed: Mapping[str, str]) -> tuple[int, str]:
    method, target, headers = PATHS[path]
    connection = http.client.HTTPConnection(where.host_port, timeout=10)
    try:
        connection.putrequest(method, target, skip_host=True)
        for name, value in {"host": where.host_port, "content-length": "0", **headers, **changed}.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("path", PATHS)
def test_no_path_lets_a_stranger_in(where: Running, path: str, foreign: str) -> None:
    before = where.cloud.audit.entries()
    status, body = status_of(where, path, FOREIGN[foreign])
    assert status == 403
    assert "the local cloud answers to" in body or "other sites are refused" in body
    assert where.cloud.audit.entries() == before


@pytest.mark.parametrize("path", PATHS)
def test_every_path_lets_in_who_names_this_machine(where: Running, path: str) -> None:
    port = where.host_port.partition(":")[2]
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        for more in ({}, {"origin": f"http://{host}", "sec-fetch-site": "same-origin"}):
            _, body = status_of(where, path, {"host": host, **more})
            assert "the local cloud answers to" not in body
            assert "other sites are refused" not in body


@pytest.mark.parametrize("path", NO_CALL)
def test_a_name_of_the_real_cloud_leads_to_no_page(where: Running, path: str) -> None:
    assert status_of(where, path, {"host": "ecs-reboot.cn-hangzhou.log.aliyuncs.com"})[0] == 403


@pytest.mark.parametrize("host", ["ecs-reboot.cn-hangzhou.log.aliyuncs.com", "ecs-reboot.127.0.0.1:80"])
def test_a_client_of_logs_may_come_by_its_projects_name(where: Running, host: str) -> None:
    assert "answers to" not in status_of(where, "SLS", {"host": host})[1]


def test_the_front_page_leads_on_and_keeps_the_secret(where: Running) -> None:
    status, page = status_of(where, "front page", {})
    root = where.cloud.credentials.root
    assert status == 200
    assert '<a href="/console/">' in page
    for text in (root.access_key_id, where.cloud.account, "Tablestore", "EventBridge", "0 instances"):
        assert text in page
    assert root.access_key_secret not in page
    assert "secret is in the first line that <code>serve</code> printed" in page


def test_the_front_page_of_a_cloud_with_a_chosen_key_knows_that_its_secret_was_given() -> None:
    with running(Cloud.from_fleet(Fleet(), key=KeyPair("chosen", "hunter2hunter2"))) as where:
        _, page = status_of(where, "front page", {})
    assert "secret is the one that you gave." in page
    assert "hunter2" not in page


def test_no_two_clouds_have_the_same_keys() -> None:
    first, other = (Cloud.from_fleet(Fleet()).credentials for _ in range(2))
    assert first.root.access_key_id != other.root.access_key_id
    assert first.root.access_key_secret != other.root.access_key_secret
    assert first.assume_role("role").security_token != other.assume_role("role").security_token
