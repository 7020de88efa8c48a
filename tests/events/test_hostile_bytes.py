"""Bytes that are made to confuse: bounded, refused, and never a reason to reboot."""

import base64
import json
from datetime import datetime, timezone

import pytest

from ecs_reboot.events import EventSettings, read
from ecs_reboot.model import ParsedEvent

ID = "i-bp1a2b3c4d5e6f7g8h9i"
TWO = "i-bp1z9y8x7w6v5u4t3s2r"
NOW = datetime(2024, 6, 1, 3, 40, tzinfo=timezone.utc)
RULES = EventSettings(default_region="cn-hangzhou", webhook_token="t", max_event_age_seconds=0)
GOOD = f'{{"instance_ids": ["{ID}"]}}'


def reading(event: bytes) -> ParsedEvent:
    return read(event, RULES, NOW)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"[]", "empty"),
        (b"{}", "unsupported"),
        (b"null", "unsupported"),
        (b"true", "unsupported"),
        (b"5", "unsupported"),
        (b'""', "empty"),
        (b"\xff\xfe{}", "malformed"),
        (GOOD.encode("utf-16"), "malformed"),
        (GOOD.encode() + b"\xff", "malformed"),
        (b'{"instance_ids": ["%s"], "reason": "\\ud800"}' % ID.encode(), "malformed"),
        (b'{"instance_ids": ["%s"], "\\udfff": 1}' % ID.encode(), "malformed"),
        (b'{"instance_ids": ["%s"], "dry_run": true, "dry_run": false}' % ID.encode(), "contradiction"),
        (b'{"instance_ids": ["%s"], "reason": NaN}' % ID.encode(), "malformed"),
        (b'{"instance_ids": ["%s"], "reason": -Infinity}' % ID.encode(), "malformed"),
        (b'{"instance_ids": ["%s"], "reason": 1e999}' % ID.encode(), "malformed"),
        (b'{"instance_ids": ["%s"], "reason": %s}' % (ID.encode(), b"9" * 5000), "malformed"),
        (GOOD.encode() + GOOD.encode(), "malformed"),
        (GOOD.encode()[:-1] + b",}", "malformed"),
        (b"[" * 100_000, "malformed"),
        (b'{"a":' * 100_000, "malformed"),
        (b"[" * 40 + b"]" * 40, "malformed"),
        (b" " * (1 << 20) + b"{}", "too_large"),
        (b"[" + b"1," * 1000 + b"1]", "too_large"),
        (b"a=" + b"&b=" * 300, "too_large"),
        (b"alertState=ALERT&alertState=OK&dimensions={instanceId=%s}" % ID.encode(), "contradiction"),
        (b"alertState=%FF&dimensions={}", "malformed"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else value,
)
def test_refused_with_a_reason(event: bytes, code: str) -> None:
    found = reading(event)
    assert [refused.code for refused in found.rejected] == [code]
    assert not found.requests
    assert found.rejected[0].reason


@pytest.mark.parametrize(
    "event", [b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace(" ", "\r\n").encode(), json.dumps(GOOD).encode()]
)
def test_a_byte_order_mark_other_line_ends_and_json_in_a_string_do_no_harm(event: bytes) -> None:
    assert reading(event).requests[0].targets[0].instance_id == ID


def test_layers_are_bounded() -> None:
    event = GOOD
    for _ in range(8):
        event = json.dumps({"TopicName": "t", "Message": event})
    assert [refused.code for refused in reading(event.encode()).rejected] == ["too_large"]


def test_base64_is_tried_only_where_an_envelope_may_leave_it() -> None:
    coded = base64.b64encode(GOOD.encode()).decode()
    assert not reading(coded.encode()).requests
    assert reading(json.dumps({"TopicName": "t", "Message": coded}).encode()).requests
    twice = base64.b64encode(coded.encode()).decode()
    assert not reading(json.dumps({"TopicName": "t", "Message": twice}).encode()).requests


def test_words_of_strangers_are_bounded_and_on_one_line() -> None:
    event = {
        "alertState": "ALERT",
        "namespace": "acs_ecs_dashboard",
        "alertName": "x\n\x1b[31m\u202e" + "y" * 5000,
        "dimensions": {"instanceId": ID},
    }
    (request,) = reading(json.dumps(event).encode()).requests
    assert len(request.evidence) < 400
    assert request.evidence.isprintable()
    bad = reading(json.dumps({"instance_ids": ["i-\n\x00" + "z" * 5000]}).encode()).rejected[0]
    assert len(bad.value) <= 200
    assert (bad.reason + bad.value + bad.instance_id).isprintable()


def test_many_alerts_are_judged_or_refused_as_a_whole() -> None:
    firing = {"status": "firing", "labels": {"instance_id": ID}, "startsAt": "2024-06-01T03:39:00Z"}
    group = {"alerts": [firing] * 900, "status": "firing"}
    few = reading(json.dumps(group).encode())
    assert len(few.requests) == 900
    many = reading(json.dumps([{"alerts": [{}] * 900, "status": "firing"}] * 100).encode())
    assert [refused.code for refused in many.rejected] == ["too_large"]
    assert not many.requests


def test_a_good_element_survives_its_neighbours() -> None:
    event = [json.loads(GOOD), None, {"key": "value"}, "no json"]
    found = reading(json.dumps(event).encode())
    assert len(found.requests) == 1
    assert sorted(refused.code for refused in found.rejected) == ["malformed", "unsupported", "unsupported"]
    assert found.trigger == "manual+unsupported"


def threshold(**more: object) -> dict[str, object]:
    base = {"alertState": "ALERT", "triggerLevel": "CRITICAL", "namespace": "acs_ecs_dashboard", "ruleId": "r"}
    return {**base, "dimensions": {"instanceId": ID}, **more}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"dimensions": None}, "no_instance_id"),
        ({"dimensions": "{}"}, "no_instance_id"),
        ({"dimensions": {"instanceId": "rm-bp1a2b3c4d5e6f7g8h9i"}}, "invalid_instance_id"),
        ({"dimensions": {"instanceId": [ID]}}, "invalid_instance_id"),
        ({"dimensions": {"x.instanceId": ID}}, "no_instance_id"),
        ({"dimensions": [{"instanceId": ID}, {"instanceId": TWO}]}, "id_conflict"),
        ({"dimensions": f"{{instanceId={ID}, instanceId={TWO}}}"}, "contradiction"),
        ({"dimensions": f"{{instanceId={ID}"}, "malformed"),
        ({"dimensions": f"{{{ID}}}"}, "malformed"),
        ({"dimensions": '[{"instanceId": '}, "malformed"),
        ({"dimensions": 5}, "malformed"),
        ({"namespace": None}, "not_ecs"),
        ({"namespace": "acs_rds_dashboard"}, "not_ecs"),
        ({"metricProject": "acs_slb"}, "not_ecs"),
        ({"namespace": "acs_ecsx"}, "not_ecs"),
        ({"regionId": "${region}"}, "invalid_region"),
        ({"regionId": "cn-hangzhou", "dimensions": {"instanceId": ID, "region": "cn-beijing"}}, "region_conflict"),
    ],
)
def test_an_alarm_that_does_not_name_one_ecs_instance_is_rejected(change: dict[str, object], code: str) -> None:
    found = reading(json.dumps(threshold(**change)).encode())
    assert [refused.code for refused in found.rejected] == [code]
    assert not found.requests


@pytest.mark.parametrize(
    "dimensions",
    [
        {"instanceId": ID},
        [{"userId": "1", "instanceId": ID}],
        f"{{userId=1, instanceId={ID}}}",
        f"{{instanceId={ID},userId=1}}",
        f'{{"instanceId": "{ID}"}}',
        f'[{{"instanceId":"{ID}"}}]',
    ],
)
def test_every_spelling_of_dimensions(dimensions: object) -> None:
    (request,) = reading(json.dumps(threshold(dimensions=dimensions)).encode()).requests
    assert request.targets[0].instance_id == ID


def test_a_threshold_alarm_inside_a_cloud_event_of_cloudmonitor() -> None:
    event = {"specversion": "1.0", "id": "1", "source": "acs.cms", "type": "cms:Alert", "data": threshold()}
    found = reading(json.dumps(event).encode())
    assert found.trigger == "eventbridge>cms_threshold"
    assert found.requests[0].trigger == found.trigger
    event["source"] = "my.own"
    assert reading(json.dumps(event).encode()).requests[0].targets[0].instance_id == ID
