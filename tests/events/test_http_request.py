"""Who may speak over HTTP, and that nobody else is listened to."""

import base64
import json
from datetime import datetime, timezone
from typing import Any

import pytest

from ecs_reboot.events import EventSettings, read
from ecs_reboot.model import ParsedEvent

TOKEN = "s3cret-tökén"
ID = "i-bp1a2b3c4d5e6f7g8h9i"
NOW = datetime(2024, 6, 1, 3, 40, tzinfo=timezone.utc)
BODY = json.dumps({"instance_ids": [ID], "region_id": "cn-hangzhou"})


def http(*, headers: object = None, query: object = None, body: object = BODY, **more: object) -> dict[str, Any]:
    return {
        "version": "v1",
        "rawPath": "/alarm",
        "body": body,
        "isBase64Encoded": False,
        "headers": {} if headers is None else headers,
        "queryParameters": {} if query is None else query,
        "requestContext": {"http": {"method": "POST"}, "timeEpoch": str(int(NOW.timestamp() * 1000))},
        **more,
    }


def reading(event: object, token: str = TOKEN, max_age: int = 1800) -> ParsedEvent:
    return read(json.dumps(event).encode(), EventSettings(webhook_token=token, max_event_age_seconds=max_age), NOW)


@pytest.mark.parametrize(
    "credentials",
    [
        {"headers": {"Authorization": f"Bearer {TOKEN}"}},
        {"headers": {"AUTHORIZATION": f"bearer {TOKEN}"}},
        {"headers": {"authorization": [f"Bearer {TOKEN}"]}},
        {"query": {"token": TOKEN}},
        {"query": {"token": [TOKEN]}},
        {"query": {"token": TOKEN}, "headers": {"Authorization": "Basic eDp5"}},
    ],
)
def test_the_right_token_is_let_in(credentials: dict[str, object]) -> None:
    found = reading(http(**credentials))
    assert found.trigger == "http>manual"
    assert found.over_http
    assert [target.instance_id for request in found.requests for target in request.targets] == [ID]


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"headers": {"Authorization": TOKEN}},
        {"headers": {"Authorization": f"Basic {TOKEN}"}},
        {"headers": {"Authorization": f"Bearer {TOKEN}x"}},
        {"headers": {"Authorization": "Bearer "}},
        {"headers": {"X-Token": f"Bearer {TOKEN}"}},
        {"query": {"token": TOKEN[:-1]}},
        {"query": {"token": ""}},
        {"query": {"Token": TOKEN}},
        {"query": {"token": {"token": TOKEN}}},
        {"query": [TOKEN], "headers": f"Bearer {TOKEN}"},
    ],
)
@pytest.mark.parametrize("body", [BODY, "{", "", None])
def test_anything_else_is_refused_and_its_body_not_read(credentials: dict[str, object], body: object) -> None:
    found = reading(http(**credentials, body=body))
    assert [refused.code for refused in found.rejected] == ["unauthorized"]
    assert not found.requests
    assert not found.ignored
    assert found.over_http
    assert TOKEN not in found.model_dump_json()


def test_without_a_token_of_ours_http_is_refused_even_with_an_empty_one() -> None:
    for credentials in ({}, {"query": {"token": ""}}, {"headers": {"Authorization": "Bearer "}}):
        found = reading(http(**credentials), token="")
        assert [refused.code for refused in found.rejected] == ["http_disabled"]


@pytest.mark.parametrize("encoded", [True, "true", "True"])
def test_base64_is_told_by_its_flag(encoded: object) -> None:
    body = base64.b64encode(BODY.encode()).decode()
    assert reading(http(query={"token": TOKEN}, body=body, isBase64Encoded=encoded)).requests
    bad = reading(http(query={"token": TOKEN}, body=BODY, isBase64Encoded=encoded))
    assert [refused.code for refused in bad.rejected] == ["malformed"]


def test_the_delivery_time_counts_for_a_request_without_one() -> None:
    old = http(query={"token": TOKEN})
    old["requestContext"]["timeEpoch"] = "1717113150000"
    assert [ignored.code for ignored in reading(old).ignored] == ["stale"]
    assert reading(old, max_age=0).requests


def test_an_http_event_inside_a_message_is_no_way_in() -> None:
    inner = json.dumps(http(query={"token": TOKEN}))
    topic = {"TopicName": "t", "Message": inner, "PublishTime": int(NOW.timestamp() * 1000)}
    listed = [http(query={"token": TOKEN})]
    for event in (topic, listed, http(query={"token": TOKEN}, body=inner)):
        found = reading(event)
        assert not found.requests
        assert [refused.code for refused in found.rejected] == ["unsupported"]


def test_override_and_by_hand_are_not_for_http() -> None:
    body = json.dumps({"instance_ids": [ID], "region_id": "cn-hangzhou", "reason": "x", "override": ["paused"]})
    found = reading(http(query={"token": TOKEN}, body=body))
    assert [refused.code for refused in found.rejected] == ["override_not_allowed"]
    plain = reading(http(query={"token": TOKEN}))
    assert not plain.requests[0].by_hand


def test_a_parameter_of_the_query_stands_once() -> None:
    query = {
        "token": TOKEN,
        "alertState": "ALERT",
        "dimensions": f"{{instanceId={ID}}}",
        "namespace": "acs_ecs_dashboard",
    }
    assert reading(http(query={**query, "alertState": ["ALERT"]}, body=None)).trigger == "http>cms_threshold"
    found = reading(http(query={**query, "alertState": ["ALERT", "OK"]}, body=None))
    assert [refused.code for refused in found.rejected] == ["contradiction"]


@pytest.mark.parametrize(("pair", "admitted"), [(f"anybody:{TOKEN}", True), (f":{TOKEN}", True), (TOKEN, False)])
def test_the_token_may_be_the_password_of_anybody(pair: str, *, admitted: bool) -> None:
    credentials = base64.b64encode(pair.encode()).decode()
    found = reading(http(headers={"Authorization": f"Basic {credentials}"}))
    assert bool(found.requests) is admitted
