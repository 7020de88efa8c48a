"""The packaged function does what the source does: the same events, the same answers, and it needs nothing else."""

import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from packaged import ROOT

EVENTS = ROOT / "events"

_LOADED = """
import json, sys, types
sys.path.insert(0, sys.argv[1])
import index
context = types.SimpleNamespace(
    request_id="r", region="cn-hangzhou", function=types.SimpleNamespace(timeout=60),
    credentials=types.SimpleNamespace(access_key_id="id", access_key_secret="secret", security_token=""),
)
status = index.handle(open(sys.argv[2], "rb").read(), context)["status"]
print(json.dumps({"status": status, "modules": sorted(sys.modules)}))
"""


_AT_THE_DOOR = """
import json, sys, types
sys.path.insert(0, sys.argv[1])
import index
context = types.SimpleNamespace(
    request_id="r", region="cn-hangzhou", account_id="1", function=types.SimpleNamespace(name="ecs-reboot", timeout=60),
    credentials=types.SimpleNamespace(access_key_id="id", access_key_secret="secret", security_token=""),
)
answer = index.handle(open(sys.argv[2], "rb").read(), context)
print(json.dumps({"status": answer["statusCode"], "modules": sorted(sys.modules)}))
"""


@contextmanager
def storing() -> Iterator[str]:
    """A service that stores what it is asked to, as Function Compute does; gives its address."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(202)
            self.send_header("x-fc-request-id", "later-1")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.fixture(scope="session")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip as Function Compute unpacks it: the directory of the build is not what is deployed."""
    place = tmp_path_factory.mktemp("code")
    with zipfile.ZipFile(package.with_name("function.zip")) as archive:
        archive.extractall(place)
    return place


def invoke(event: Path, code: Path | None) -> tuple[int, Any]:
    # Without ``code`` it is the source, not the package that CODE names for the other tests.
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "SET": "VERIFY_SECONDS=0", "CODE": ""}
    command = [sys.executable, "-m", "cli", "invoke", "--event", str(event)]
    done = subprocess.run(
        [*command, *(["--code", str(code)] if code else [])],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def essence(answer: Any) -> Any:
    if "statusCode" in answer:
        answer = json.loads(answer["body"])
    if "results" not in answer:
        return answer
    said = ("instance_id", "region_id", "action", "code", "force", "trigger", "evidence", "previous_status")
    return answer["status"], [{key: result[key] for key in said} for result in answer["results"]], answer["log_store"]


@pytest.mark.parametrize(
    "name",
    ["manual-by-id.json", "manual-by-tag.json", "alarm-recovered.form.txt", "manual-misspelt.json", "sls-mixed.json"],
)
def test_the_zip_answers_as_the_source_does(unpacked: Path, name: str) -> None:
    packaged, source = invoke(EVENTS / name, unpacked), invoke(EVENTS / name, None)
    assert packaged[0] == source[0]
    assert essence(packaged[1]) == essence(source[1])


def test_the_zip_reboots(unpacked: Path) -> None:
    status, answer = invoke(EVENTS / "manual-by-id.json", unpacked)
    assert status == 0
    assert "accepted" in {result["code"] for result in answer["results"]}
    assert answer["log_store"]["status"] == "written"


@pytest.mark.parametrize(
    ("name", "status"), [("alarm-recovered.form.txt", "ignored"), ("manual-misspelt.json", "rejected")]
)
def test_an_event_that_asks_for_nothing_loads_neither_network_nor_sdk(unpacked: Path, name: str, status: str) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LOADED, str(unpacked), str(EVENTS / name)],
        capture_output=True,
        text=True,
        check=True,
        env={},
    )
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["status"] == status
    heavy = {"ssl", "socket", "http.client", "darabonba", "alibabacloud_tea_openapi", "ecs_reboot.cloud.ecs", "email"}
    assert not heavy & set(report["modules"])
    assert len(report["modules"]) < 130


def test_an_http_event_is_handed_over_without_the_network_sdk(unpacked: Path) -> None:
    with storing() as address:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _AT_THE_DOOR, str(unpacked), str(EVENTS / "http-alarm-firing.json")],
            capture_output=True,
            text=True,
            check=True,
            env={
                "HANDOVER": "on",
                "HANDOVER_ENDPOINT": address,
                "WEBHOOK_TOKEN": "demo-token",
                "MAX_EVENT_AGE_SECONDS": "0",
            },
        )
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["status"] == 202
    heavy = {"darabonba", "alibabacloud_tea_openapi", "ecs_reboot.cloud.ecs", "ecs_reboot.remediation.remediate"}
    assert not heavy & set(report["modules"])
    assert "http.client" in report["modules"]
