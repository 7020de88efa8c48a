"""Notices on their way: any failure is a result, a slow service is not waited for, and nothing is loaded idly."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest
from scripted_ecs import JumpingClock

from ecs_reboot.records.notices.composition import Frame
from ecs_reboot.records.notices.delivery import NOT_IN_TIME, TOO_MANY, NoticeDelivery
from ecs_reboot.records.notices.memory import Decide, Memory, OwnMemory
from ecs_reboot.records.notices.notice import Channel
from ecs_reboot.records.notices.outbox import MOST_A_MINUTE
from ecs_reboot.records.result import Result

T = TypeVar("T")
ROOT = Path(__file__).parent.parent.parent
FRAME = Frame("en", "ecs-reboot", "", "/ecs-reboot/cn-hangzhou", "run-1")
TOKEN = "token-0123456789"


class Service:
    """A chat service that gives a chosen answer, or holds its answer until the end of the test."""

    def __init__(self) -> None:
        self.status, self.answer, self.held = 200, "ok", threading.Event()
        self.held.set()
        self.posts: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                outer.posts.append(self.path)
                outer.held.wait(30)
                self.send_response(outer.status)
                self.send_header("content-length", str(len(outer.answer)))
                self.end_headers()
                self.wfile.write(outer.answer.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/{TOKEN}"


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    threading.Thread(target=made.server.serve_forever).start()
    yield made
    made.held.set()
    made.server.shutdown()
    made.server.server_close()


def result(code: str, number: int = 1, **more: Any) -> Result:
    return Result.model_validate(
        {
            "instance_id": f"i-{number}", "region_id": "cn-hangzhou", "action": "reboot", "code": code,
            "reason": "a test", **more,
        }
    )  # fmt: skip


def delivery(*channels: Channel, memory: Memory | None = None) -> NoticeDelivery:
    return NoticeDelivery(channels, FRAME, JumpingClock(), memory or OwnMemory())


def test_what_is_told_is_a_result_for_each_channel(service: Service) -> None:
    notices = delivery(Channel("slack", service.url), Channel("webhook", service.url))
    notices.start([result("accepted")])
    results = notices.finish(10)
    assert {(result.code, result.reason) for result in results} == {
        ("notice_told", "slack: [ecs-reboot] i-1 is being rebooted"),
        ("notice_told", "webhook: [ecs-reboot] i-1 is being rebooted"),
    }
    assert notices.outcome() == {"status": "told", "told": 2}
    assert notices.finish(10) == [], "told once"


def test_a_service_that_holds_its_answer_is_not_waited_for(service: Service) -> None:
    service.held.clear()
    notices = delivery(Channel("slack", service.url))
    notices.start([result("accepted")])
    (failed,) = notices.finish(0)
    assert (failed.code, failed.reason) == ("notice_failed", f"slack: {NOT_IN_TIME.reason}")


class SlowMemory(OwnMemory):
    """One that answers when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.held = threading.Event()

    def change(self, decide: Decide[T], now: float) -> T:
        self.held.wait(30)
        return super().change(decide, now)


def test_a_memory_that_does_not_answer_delays_nothing_and_what_it_holds_up_is_not_lost(service: Service) -> None:
    memory = SlowMemory()
    notices = delivery(Channel("slack", service.url), memory=memory)
    notices.start([result("accepted")])
    assert service.posts == []
    (failed,) = notices.finish(0)
    assert (failed.code, failed.reason) == ("notice_failed", f"slack: {NOT_IN_TIME.reason}")
    memory.held.set()
    assert [result.code for result in notices.finish(10)] == ["notice_told"], "a function that goes on says so"
    assert (len(service.posts), memory.outbox.waiting) == (1, ())


def test_a_mistake_in_a_notice_is_a_result_like_any_other_failure(service: Service) -> None:
    notices = delivery(Channel("no_such_service", service.url), Channel("slack", service.url))
    notices.start([result("accepted")])
    assert {result.code for result in notices.finish(10)} == {"notice_failed", "notice_told"}
    (failed,) = notices.outcome()["failed"]
    assert failed["reason"].startswith("a mistake in the notice itself: ModuleNotFoundError")


def test_what_never_left_is_tried_twice_and_says_so() -> None:
    notices = delivery(Channel("slack", "http://127.0.0.1:9/services/x"))
    notices.start([result("accepted")])
    (failed,) = notices.finish(10)
    assert failed.api_code == "not_sent"
    assert "ConnectionRefusedError" in failed.reason


def test_no_secret_that_a_service_quotes_is_kept(service: Service) -> None:
    service.status, service.answer = 403, f"no such hook: /services/{TOKEN}"
    notices = delivery(Channel("slack", service.url))
    notices.start([result("accepted")])
    (failed,) = notices.finish(10)
    assert "HTTP 403" in failed.reason
    assert TOKEN not in failed.model_dump_json() + json.dumps(notices.outcome())


def test_the_same_trouble_is_told_once_by_a_warm_function(service: Service) -> None:
    memory = OwnMemory()
    for told in (1, 0, 0):
        notices = delivery(Channel("slack", service.url), memory=memory)
        notices.start([result("attempts_exhausted", action="skip")])
        notices.finish(10)
        assert notices.outcome()["told"] == told


def test_what_is_more_than_a_minute_takes_is_kept_for_the_sweep(service: Service) -> None:
    memory = OwnMemory()
    notices = delivery(Channel("slack", service.url), memory=memory)
    for number in range(MOST_A_MINUTE + 1):
        notices.start([result("accepted", number)])
    codes = [result.api_code for result in notices.finish(30)]
    assert codes.count(TOO_MANY.code) == 1
    assert len(service.posts) == MOST_A_MINUTE
    late = delivery(Channel("slack", service.url), memory=memory)
    late.try_again()
    assert late.finish(10) == [], "not within the minute"


_HANDLED = """
import json, sys, types
from ecs_reboot import handler
context = types.SimpleNamespace(request_id="r", region="cn-hangzhou", function=types.SimpleNamespace(timeout=60))
handler.handle(b'{"instance_ids": ["nonsense"]}', context)
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize(("notify", "loaded"), [("", False), ("slack=http://127.0.0.1:9/x", True)])
def test_where_nobody_is_told_nothing_of_it_is_loaded(notify: str, loaded: bool) -> None:  # noqa: FBT001 - a parameter
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "NOTIFY": notify}
    done = subprocess.run([sys.executable, "-c", _HANDLED], env=environment, capture_output=True, text=True, check=True)
    modules = json.loads(done.stdout.splitlines()[-1])
    assert any(name.startswith("ecs_reboot.records.notices") for name in modules) == loaded
