"""What happens in the world: an error names the thing, the value and the fix."""

import http.client
import json
from collections.abc import Iterator

import pytest

from localcloud.account.cloud import Cloud
from localcloud.account.fleet import Fleet
from localcloud.server.server import Running, running


@pytest.fixture(scope="module")
def where() -> Iterator[Running]:
    with running(Cloud.from_fleet(Fleet())) as server:
        server.account.messages.create_topic("alarms-here")
        server.account.alarm_rules["rule-here"] = {"EnableState": True, "Targets": {}}
        yield server


def happens(where: Running, path: str, body: str | bytes) -> tuple[int, str]:
    connection = http.client.HTTPConnection(where.host_port, timeout=30)
    try:
        connection.request(
            "POST", path if path[0] == "/" else f"/_world/{path}", body if isinstance(body, bytes) else body.encode()
        )
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()).get("error", "")
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("alarms/nope", "", "no alarm rule 'nope': there is rule-here"),
        ("topics/nope", "x", "no topic 'nope': there is alarms-here"),
        ("topics/alarms-here", "", "topic 'alarms-here': the message is empty: send it as the body"),
        (
            "time",
            "tomorrow",
            "'tomorrow' is no time: send a moment with its zone, 2030-01-01T04:00:00Z, or ",
        ),
        ("time", "2030-01-01T04:00:00", "'2030-01-01T04:00:00' is no time: send a moment with its zone, 2030"),
        ("events", "x", "the body is not JSON: Expecting value: line 1 column 1 (char 0); send a list of CloudEvents"),
        ("events", '{"id": "1"}', "the body is no list of CloudEvents: put the event into [ ]"),
        ("events", "[1]", "the body is no list of CloudEvents: put the event into [ ]"),
        ("events", "[{}]", "the event has no "),
        ("/_local/chat", "[]", 'the body is no JSON object: send {"service": "feishu", "token": "T"}'),
        ("/_local/chat", b"\xff", "the body is no JSON object: send"),
        ("events", b"\xff", "the body is not UTF-8 at byte 0: send text"),
    ],
)
def test_a_mistake_names_the_thing_the_value_and_the_fix(where: Running, path: str, body: str, told: str) -> None:
    status, error = happens(where, path, body)
    assert status == 400
    assert told in error


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("alarms/rule-here", "{}"),
        ("topics/alarms-here", "x"),
        ("time", "5m"),
        ("time", "2030-01-01T04:00Z"),
        ("events", "[]"),
    ],
)
def test_what_is_right_is_delivered_to_whoever_listens(where: Running, path: str, body: str) -> None:
    assert happens(where, path, body) == (200, "")


def test_a_cloud_without_any_says_what_makes_them() -> None:
    with running(Cloud.from_fleet(Fleet())) as bare:
        assert happens(bare, "alarms/nope", "")[1].endswith("there is none; a stack makes them: make deploy")
