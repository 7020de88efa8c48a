"""The envelope of an HTTP event that the function hands to itself: what it carries, and who is believed."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ecs_reboot.events import EventSettings, read
from ecs_reboot.events.handover_envelope import opened, seal
from ecs_reboot.events.parsing import UnreadableText
from ecs_reboot.model import ParsedEvent

TOKEN = "s3cret-tökén"
ID = "i-bp1a2b3c4d5e6f7g8h9i"
NOW = datetime(2024, 6, 1, 3, 40, tzinfo=timezone.utc)
BODY = json.dumps({"instance_ids": [ID], "region_id": "cn-hangzhou", "reason": "ü"}, ensure_ascii=False)
BY = "3f0a6e9e-1111-4222-8333-444455556666"


def http(body: str = BODY, **changes: object) -> dict[str, Any]:
    return {
        "version": "v1",
        "rawPath": "/alarm",
        "body": body,
        "isBase64Encoded": False,
        "headers": {"Authorization": f"Bearer {TOKEN}", "Cookie": "session=1"},
        "queryParameters": {"token": TOKEN, "source": "x"},
        "requestContext": {"http": {"method": "POST"}, "timeEpoch": str(int(NOW.timestamp() * 1000))},
        **changes,
    }


def sealed(event: dict[str, Any]) -> bytes:
    return seal(json.dumps(event).encode(), BY, NOW, TOKEN)


def reading(event: bytes, *, now: datetime = NOW) -> ParsedEvent:
    return read(event, EventSettings(webhook_token=TOKEN, max_event_age_seconds=1800), now)


def test_the_second_reading_is_the_first_without_a_caller_who_waits() -> None:
    first, second = reading(json.dumps(http()).encode()), reading(sealed(http()))
    assert first.requests
    assert (first.over_http, first.handed_over_by) == (True, "")
    assert (second.over_http, second.handed_over_by) == (False, BY)
    assert second.model_copy(update={"over_http": True, "handed_over_by": ""}) == first


@pytest.mark.parametrize("encoded", [False, True])
def test_the_body_is_carried_as_it_came(*, encoded: bool) -> None:
    import base64

    body = base64.b64encode(BODY.encode()).decode() if encoded else BODY
    envelope = opened(sealed(http(body, isBase64Encoded=encoded)).decode())
    assert envelope
    assert envelope.request["body"] == body
    assert envelope.received_at == NOW
    assert [
        target.instance_id
        for asked in reading(sealed(http(body, isBase64Encoded=encoded))).requests
        for target in asked.targets
    ] == [ID]


@pytest.mark.parametrize("carrier", ["headers", "queryParameters"])
def test_the_token_is_not_carried(carrier: str) -> None:
    without: dict[str, Any] = {name: {} for name in ("headers", "queryParameters") if name != carrier}
    event = http(**without)
    assert reading(json.dumps(event).encode()).requests
    text = sealed(event).decode()
    assert TOKEN not in text
    assert "session=1" not in text


def test_a_token_that_stands_in_the_body_too_is_not_laid_in_a_queue() -> None:
    with pytest.raises(UnreadableText, match="WEBHOOK_TOKEN"):
        sealed(http(BODY.replace("ü", TOKEN)))


def test_a_late_run_judges_the_age_by_the_callers_time() -> None:
    late = NOW + timedelta(seconds=1801)
    assert reading(sealed(http())).requests
    assert [ignored.code for ignored in reading(sealed(http()), now=late).ignored] == ["stale"]
    # Without the platform's time of the request, the time of arrival stands in.
    assert [ignored.code for ignored in reading(sealed(http(requestContext={"http": {}})), now=late).ignored] == [
        "stale"
    ]


@pytest.mark.parametrize("credentials", [{}, {"queryParameters": {"token": "guess"}}])
def test_over_http_an_envelope_does_not_stand_for_the_token(credentials: dict[str, object]) -> None:
    posted = http(sealed(http()).decode(), **{"headers": {}, "queryParameters": {}, **credentials})
    found = reading(json.dumps(posted).encode())
    assert not found.requests
    assert found.over_http
    assert [refused.code for refused in found.rejected] == ["unauthorized"]


def test_over_http_and_with_the_token_an_envelope_is_no_request() -> None:
    found = reading(json.dumps(http(sealed(http()).decode())).encode())
    assert not found.requests
    assert (found.over_http, found.handed_over_by) == (True, "")
    assert [refused.code for refused in found.rejected] == ["unsupported"]


@pytest.mark.parametrize(
    "inside",
    [
        lambda text: {"TopicName": "t", "Message": text, "MessageId": "1"},
        lambda text: [json.loads(text)],
        lambda text: {"payload": text, "triggerTime": "2024-06-01T03:40:00Z", "triggerName": "t"},
    ],
    ids=["topic", "array", "timer"],
)
def test_inside_anything_else_an_envelope_is_none(inside: Any) -> None:
    found = reading(json.dumps(inside(sealed(http()).decode())).encode())
    assert not found.requests
    assert found.handed_over_by == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"handed_over_by": ""},
        {"handed_over_by": 1},
        {"received_at": "yesterday"},
        {"request": BODY},
        {"more": 1},
    ],
)
def test_an_envelope_that_is_not_whole_is_an_object_like_others(changes: dict[str, object]) -> None:
    whole = json.loads(sealed(http()))
    assert reading(json.dumps(whole, separators=(",", ":")).encode()).requests
    found = reading(json.dumps({**whole, **changes}, separators=(",", ":")).encode())
    assert not found.requests
    assert found.handed_over_by == ""
    assert found.rejected
