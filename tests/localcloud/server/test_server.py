import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st
from signed_requests import over_http, v1

from cli.program import main
from localcloud.account import fleet
from localcloud.account.cloud import Cloud
from localcloud.server import server
from localcloud.server.server import Running

WEB = "i-bp1a2b3c4d5e6f7g8h9i"
REBOOT = {"InstanceId.1": WEB, "RegionId": "cn-hangzhou"}


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    with server.running(Cloud.from_fleet(fleet.default(), time_scale=100)) as where:
        yield where


@pytest.fixture
def running(shared: Running) -> Running:
    shared.cloud.reset()
    return shared


def ask(
    running: Running, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    with closing(http.client.HTTPConnection(running.host_port, timeout=10)) as connection:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()


def raw(running: Running, data: bytes) -> bytes:
    host, port = running.host_port.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        chunks = iter(lambda: connection.recv(65_536), b"")
        return b"".join(chunks)


def test_it_listens_on_loopback_only(running: Running) -> None:
    assert running.host_port.startswith("127.0.0.1:")


def test_state_changes_are_audited_when_nobody_asks(running: Running) -> None:
    root = running.cloud.credentials.root
    assert over_http(running.host_port, root, "RebootInstances", REBOOT)[0] == 200
    seen: list[dict[str, Any]] = []
    unsubscribe = running.cloud.audit.subscribe(seen.append)
    deadline = time.monotonic() + 60
    while len(seen) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    unsubscribe()
    assert [(entry["from"], entry["to"]) for entry in seen] == [("Stopping", "Starting"), ("Starting", "Running")]


def test_the_admin_pages_show_the_audit_from_where_one_asks(running: Running) -> None:
    root = running.cloud.credentials.root
    over_http(running.host_port, root, "DescribeRegions", {})
    over_http(running.host_port, root, "DescribeInstances", {"RegionId": "cn-hangzhou"})
    lines = [json.loads(line) for line in ask(running, "GET", "/_local/audit")[2].splitlines()]
    assert [line["action"] for line in lines] == ["DescribeRegions", "DescribeInstances"]
    rest = ask(running, "GET", "/_local/audit?since=1")[2].splitlines()
    assert [json.loads(line) for line in rest] == lines[1:]
    assert ask(running, "GET", "/_local/audit?since=x")[0] == 400


def test_the_audit_as_a_file_is_what_the_page_shows(running: Running, tmp_path: Path) -> None:
    over_http(running.host_port, running.cloud.credentials.root, "DescribeRegions", {})
    running.cloud.audit.write(tmp_path / "audit.jsonl")
    assert (tmp_path / "audit.jsonl").read_bytes() == ask(running, "GET", "/_local/audit")[2]


def test_the_admin_pages_show_the_fleet_as_it_is(running: Running) -> None:
    over_http(running.host_port, running.cloud.credentials.root, "RebootInstances", REBOOT)
    shown = {instance["instance_id"]: instance for instance in json.loads(ask(running, "GET", "/_local/instances")[2])}
    assert len(shown) == 6
    assert shown[WEB]["status"] in ("Stopping", "Starting")
    assert shown[WEB]["tags"] == {"ecs-reboot": "enabled", "app": "web"}


def test_faults_are_declared_listed_and_withdrawn(running: Running) -> None:
    status, _, body = ask(
        running, "POST", "/_local/faults", json.dumps({"kind": "throttle", "action": "DescribeRegions"})
    )
    assert (status, json.loads(body)) == (201, {"numbers": [1]})
    root = running.cloud.credentials.root
    assert over_http(running.host_port, root, "DescribeRegions", {})[0] == 400
    (listed,) = json.loads(ask(running, "GET", "/_local/faults")[2])
    assert (listed["number"], listed["kind"], listed["applied"]) == (1, "throttle", 1)
    assert json.loads(ask(running, "DELETE", "/_local/faults?number=1")[2]) == {"removed": 1}
    assert over_http(running.host_port, root, "DescribeRegions", {})[0] == 200


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("{", "not JSON"),
        ('{"kind": "delya", "seconds": 1}', "did you mean 'delay'?"),
        ('[{"kind": "throttle"}, {"kind": "throttle", "instance_id": "i-none"}]', "faults[1]"),
    ],
)
def test_mistakes_in_posted_faults_are_told_and_none_is_taken(running: Running, body: Any, part: str) -> None:
    status, _, answer = ask(running, "POST", "/_local/faults", body)
    assert status == 400
    assert part in json.loads(answer)["mistakes"][0]
    assert running.cloud.faults.describe() == []


def test_reset(running: Running) -> None:
    over_http(running.host_port, running.cloud.credentials.root, "RebootInstances", REBOOT)
    assert ask(running, "POST", "/_local/reset")[0] == 200
    assert ask(running, "GET", "/_local/audit")[2] == b""
    assert running.cloud.fleet[WEB].status == "Running"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "[::1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/_local/audit"), ("POST", "/_local/reset")])
def test_the_admin_pages_refuse_other_hosts_and_sites(
    running: Running, headers: dict[str, str], method: str, path: str
) -> None:
    over_http(running.host_port, running.cloud.credentials.root, "DescribeRegions", {})
    assert ask(running, method, path, headers=headers)[0] == 403
    assert len(running.cloud.audit.entries()) == 1


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:8080", "[::1]:80", "localhost"])
def test_the_admin_pages_know_their_own_names(running: Running, host: str) -> None:
    assert ask(running, "GET", "/_local/health", headers={"Host": host, "Origin": f"http://{host}"})[0] == 200


def test_pages_and_methods_that_are_not_there(running: Running) -> None:
    assert ask(running, "GET", "/_local/nothing")[0] == 404
    assert ask(running, "GET", "/nothing")[0] == 404
    status, headers, _ = ask(running, "GET", "/_local/reset")
    assert (status, headers["allow"]) == (405, "POST")
    assert ask(running, "PUT", "/?Format=JSON")[0] == 403


def test_version_1_answers_in_xml_unless_json_is_asked_for(running: Running) -> None:
    root = running.cloud.credentials.root
    for form in ("XML", "xml"):
        query = urlencode(v1(root, "DescribeInstances", {"RegionId": "cn-hangzhou"}, Format=form))
        status, headers, body = ask(running, "POST", f"/?{query}")
        assert (status, headers["content-type"]) == (200, "text/xml;charset=utf-8")
        document = ET.fromstring(body)  # noqa: S314 - our own server's
        assert document.tag == "DescribeInstancesResponse"
        names = [instance.findtext("InstanceName") for instance in document.iterfind("Instances/Instance")]
        assert names == ["web-01", "web-02", "db-01", "batch-01", "legacy-01"]
        assert document.findtext("Instances/Instance/DeletionProtection") == "false"


def test_an_error_in_xml(running: Running) -> None:
    status, headers, body = ask(running, "POST", "/?Action=DescribeRegions&Name=%00%3Cx%3E")
    document = ET.fromstring(body)  # noqa: S314 - our own server's
    assert (status, headers["content-type"]) == (400, "text/xml;charset=utf-8")
    assert (document.tag, document.findtext("Code")) == ("Error", "MissingAccessKeyId")


def test_another_format_is_refused(running: Running) -> None:
    query = urlencode(v1(running.cloud.credentials.root, "DescribeRegions", {}, Format="YAML"))
    assert json.loads(ask(running, "POST", f"/?{query}")[2])["Code"] == "InvalidParameter.Format"


def test_a_parameter_given_twice_is_refused(running: Running) -> None:
    query = urlencode(v1(running.cloud.credentials.root, "DescribeRegions", {"AcceptLanguage": "en-US"}))
    status, _, body = ask(running, "POST", f"/?{query}&AcceptLanguage=zh-CN")
    assert (status, json.loads(body)["Code"]) == (400, "SignatureDoesNotMatch")


def test_a_whole_url_as_target_is_taken_as_a_proxy_takes_it(running: Running) -> None:
    query = urlencode(v1(running.cloud.credentials.root, "DescribeRegions", {}, method="GET"))
    url = f"http://ecs.cn-hangzhou.aliyuncs.com/?{query}"
    answer = raw(running, f"GET {url} HTTP/1.1\r\nHost: ecs.cn-hangzhou.aliyuncs.com\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "data", [b"\x00\x01\x02\r\n\r\n", b"GET /\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
def test_what_is_not_http_is_refused_and_harms_nothing(running: Running, data: bytes) -> None:
    assert raw(running, data)[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 403")  # 403: it names no host
    assert ask(running, "GET", "/_local/health")[0] == 200


@examples(60)
@given(
    query=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=200),
    signed=st.booleans(),
)
def test_no_query_gives_a_server_error_or_changes_anything(*, shared: Running, query: str, signed: bool) -> None:
    root = shared.cloud.credentials.root
    shared.cloud.reset()
    extra = "&" + urlencode(v1(root, "RebootInstances", REBOOT)) if signed else ""
    # A "&" of its own keeps what is drawn from being empty, and so from being what was signed.
    status, _, _ = ask(shared, "POST", f"/?x{query}{extra}")
    assert 400 <= status < 500
    assert shared.cloud.audit.changes() == ()


def test_a_parameter_list_without_end_is_refused(running: Running) -> None:
    assert ask(running, "POST", "/", "a=1&" * 5000, {"content-type": "application/x-www-form-urlencoded"})[0] == 400


def test_two_clouds_do_not_know_of_each_other() -> None:
    clouds = [Cloud.from_fleet(fleet.default()) for _ in range(2)]
    with server.running(clouds[0]) as first, server.running(clouds[1]) as second:
        assert first.host_port != second.host_port
        over_http(first.host_port, clouds[0].credentials.root, "DescribeRegions", {})
        assert [len(cloud.audit.entries()) for cloud in clouds] == [1, 0]


def start(*arguments: Any, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        **options,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_says_where_it_is_and_ends_when_told(number: int) -> None:
    with start("serve") as process:
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        assert set(where) >= {"ecs", "sls", "admin", "access_key_id", "access_key_secret"}
        host_port = where["ecs"].removeprefix("http://")
        with closing(http.client.HTTPConnection(host_port, timeout=10)) as connection:
            connection.request("GET", where["admin"].removeprefix(where["ecs"]) + "/health")
            assert connection.getresponse().status == 200
            process.send_signal(number)
            assert process.communicate(timeout=20) == ("", "")
        assert process.returncode == 0


def test_serve_tells_of_mistakes_in_the_fleet_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text("instances: [{instance_id: i-a, statu: Running}]", encoding="utf-8")
    assert main(["serve", "--fleet", str(path)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err == f"{path}: instances[0] (i-a): unknown field 'statu'; did you mean 'status'?\n"


@pytest.mark.parametrize("arguments", [["serve", "--fleet", "/nowhere.yaml"], ["serve", "--port", "x"], []])
def test_serve_called_wrongly_says_so_without_a_traceback(
    arguments: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err


def test_a_port_that_is_taken_is_told(running: Running) -> None:
    with start("serve", "--port", running.host_port.split(":")[1]) as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert "choose another" in err
