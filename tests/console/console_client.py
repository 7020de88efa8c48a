"""Calls to the console as a page makes them."""

import http.client
import json
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, NamedTuple

from console.deliveries import alarm
from localcloud.server.server import Running

WEB_01 = "i-bp1a2b3c4d5e6f7g8h9i"
DB_01 = "i-bp1dbdbdbdbdbdbdbdb1"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    def __init__(self, where: Running) -> None:
        self.where = where

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent.setdefault("content-type", "application/json")
        connection = http.client.HTTPConnection(self.where.host_port, timeout=30)
        try:
            payload = body if isinstance(body, bytes | None) else json.dumps(body)
            connection.request(method, path, payload, sent)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def send(self, event: str, **more: Any) -> int:
        answer = self("POST", "/console/api/events", {"title": "test", "event": event, **more})
        assert answer.status == 202, answer.body
        return int(answer.json["number"])

    def story(self, number: int) -> Any:
        return self("GET", f"/console/api/event?number={number}").json

    def finished(self, number: int) -> Any:
        return wait_for(lambda: story if (story := self.story(number))["status"] not in ("queued", "running") else None)


def wait_for(condition: Callable[[], Any], seconds: float = 40) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


def cpu_alarm(instance_id: str, region_id: str = "cn-hangzhou") -> str:
    return alarm(instance_id, region_id, datetime.now(timezone.utc))


def codes(story: Any) -> list[str]:
    return [record["code"] for record in story["records"]]


def first_message(where: Running) -> Any:
    connection = http.client.HTTPConnection(where.host_port, timeout=10)
    connection.request("GET", "/console/api/live")
    line = connection.getresponse().readline()
    connection.close()
    return json.loads(line.removeprefix(b"data: "))
