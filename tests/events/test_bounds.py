"""What is more than an event may hold is refused as a whole, in words that name the limit; up to there it is read.

Each limit has both sides here: the last that is read, and the first that is not.
"""

import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from source_samples import ID, SAMPLES, TWO

from ecs_reboot.events import EventSettings, labels, parsing, read
from ecs_reboot.events.sources import manual
from ecs_reboot.model import ParsedEvent

NOW = datetime(2024, 6, 1, 3, 40, tzinfo=timezone.utc)
RULES = EventSettings(default_region="cn-hangzhou", max_event_age_seconds=0)


def reading(event: object) -> ParsedEvent:
    return read(event if isinstance(event, bytes) else json.dumps(event).encode(), RULES, NOW)


def alert(**more: object) -> dict[str, object]:
    return {"status": "firing", "labels": {"instance_id": ID}, "startsAt": "2024-06-01T03:39:00Z", **more}


def alerts(count: int) -> dict[str, object]:
    return {"status": "firing", "alerts": [alert()] * count}


def by_ids(count: int) -> dict[str, object]:
    return {"instance_ids": [f"i-bp1bound{number:08d}" for number in range(count)], "reason": "all of them"}


def threshold(dimensions: object) -> dict[str, object]:
    base = {"alertState": "ALERT", "triggerLevel": "CRITICAL", "namespace": "acs_ecs_dashboard", "ruleId": "r"}
    return {**base, "dimensions": dimensions}


def many_names(count: int) -> object:
    return threshold({"instanceId": ID, **{f"name{number}": "x" for number in range(count - 1)}})


def java_map(length: int) -> object:
    start = f"{{instanceId={ID},command="
    return threshold(start + "x" * (length - len(start) - 1) + "}")


def rows(count: int) -> object:
    """Return an alert of SLS, with one label that names the instance and as many rows of its query."""
    return {
        "alert_name": "cpu", "status": "firing", "severity": 10, "aliuid": "1", "region": "cn-hangzhou",
        "alert_instance_id": "a-1", "labels": {"instance_id": ID}, "fire_time": 1717213140, "alert_time": 1717213140,
        "fire_results": [{"host": "web"}] * count,
    }  # fmt: skip


def form(length: int) -> bytes:
    start = f"alertState=ALERT&namespace=acs_ecs_dashboard&dimensions={{instanceId={ID}}}&alertName="
    return (start + "x" * (length - len(start))).encode()


@pytest.mark.parametrize(
    ("event_of", "most", "told"),
    [
        (alerts, 1000, "the group has more than 1000 alerts"),
        (lambda count: [alerts(count - 500), alerts(500)], 1000, "its alerts name more than 1000 instances"),
        (many_names, 1000, "the dimensions have 1001 names; at most 1000 are read"),
        (java_map, 16_384, "dimensions have 16385 characters; at most 16384 are read"),
        (rows, 1000, "the alert has 1001 rows; at most 1000 are read"),
        (form, parsing.MAX_FORM, f"the form has {parsing.MAX_FORM + 1} characters"),
    ],
    ids=["alerts of a group", "instances of an event", "names", "a map", "rows", "a form"],
)
def test_as_much_as_an_alarm_may_hold_is_read_and_one_more_is_not(
    event_of: Callable[[int], Any], most: int, told: str
) -> None:
    within = reading(event_of(most))
    assert within.requests
    assert not within.rejected
    beyond = reading(event_of(most + 1))
    assert [(refused.code, told in refused.reason) for refused in beyond.rejected] == [("too_large", True)]
    assert not beyond.requests


def test_a_person_names_as_many_instances_as_one_request_takes() -> None:
    (request,) = reading(by_ids(manual.MAX_IN_REQUEST)).requests
    assert len(request.targets) == manual.MAX_IN_REQUEST
    (refused,) = reading(by_ids(manual.MAX_IN_REQUEST + 1)).rejected
    assert "split the request" in refused.reason


@pytest.mark.parametrize("count", [0, 1, 100, 101])
def test_a_reset_names_one_to_a_hundred(count: int) -> None:
    found = reading({"reset": [f"i-bp1bound{number:08d}" for number in range(count)], "reason": "seen"})
    assert [len(command.instance_ids) for command in found.upkeep] == ([count] if 1 <= count <= 100 else [])
    assert [refused.code for refused in found.rejected] == ([] if 1 <= count <= 100 else ["invalid_field"])


@pytest.mark.parametrize("value", [False, 1, "true", None, [ID]])
def test_resume_is_true_or_a_mistake(value: object) -> None:
    found = reading({"resume": value, "reason": "seen"})
    assert [(refused.code, refused.path) for refused in found.rejected] == [("invalid_field", "resume")]
    assert not found.upkeep


def test_texts_in_texts_count_together() -> None:
    def wrapped(characters: int) -> bytes:
        request = json.dumps({"instance_ids": [ID], "region_id": "cn-hangzhou", "reason": "x" * characters})
        return json.dumps(json.dumps(request)).encode()

    assert reading(wrapped(600_000)).requests
    (refused,) = reading(wrapped(720_000)).rejected
    assert (refused.code, refused.reason) == ("too_large", "what is nested in the event is too large")


def test_the_text_of_one_document_is_bounded_wherever_it_comes_from() -> None:
    spaces = " " * (parsing.MAX_BYTES - 2)
    assert parsing.parse_json(f"[{spaces}]") == []
    with pytest.raises(parsing.UnreadableText, match="at most 1048576 are read"):
        parsing.parse_json(f"[ {spaces}]")


def test_long_decimals_are_no_long_numbers() -> None:
    event = f'{{"instance_ids": ["{ID}"], "max_age": 7, "x": 0.{"1" * 60}}}'.encode()
    assert {refused.code for refused in reading(event).rejected} == {"unknown_field"}
    assert {refused.code for refused in reading(event.replace(b" 7", b" " + b"7" * 41)).rejected} == {"malformed"}


def test_far_too_many_labels_are_no_identity() -> None:
    few = {f"label{number}": "x" for number in range(1000)}
    assert labels.identity(few) == labels.identity(dict(reversed(few.items()))) != ""
    assert labels.identity({**few, "one_more": "x"}) == ""


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (f"alertState=ALERT&&namespace=acs_ecs_dashboard&dimensions={{instanceId={ID}}}&", None),
        (f"alertState=ALERT&namespace&dimensions={{instanceId={ID}}}", "malformed"),
    ],
    ids=["an empty part says nothing", "a part without a value"],
)
def test_parts_of_a_form(event: str, code: str | None) -> None:
    found = reading(event.encode())
    assert [refused.code for refused in found.rejected] == ([code] if code else [])
    assert len(found.requests) == (code is None)


@pytest.mark.parametrize(
    ("regions", "codes"), [(("cn-hangzhou", "cn-hangzhou"), []), (("cn-hangzhou", "cn-beijing"), ["region_conflict"])]
)
def test_one_instance_is_in_one_region(regions: tuple[str, str], codes: list[str]) -> None:
    named = [{"instance_id": ID, "region_id": where} for where in regions]
    found = reading({**rows(0), "labels": {}, "fire_results": named})  # type: ignore[dict-item]
    assert [refused.code for refused in found.rejected] == codes
    assert len(found.requests) == (not codes)


@pytest.mark.parametrize(("source", "code"), [("acs.ecs", "malformed"), ("my.own", None)])
def test_data_that_is_no_json_is_a_mistake_in_an_event_of_ecs_and_nothing_in_a_strangers(
    source: str, code: str | None
) -> None:
    event = {"specversion": "1.0", "id": "e-1", "source": source, "type": "ecs:Instance:Any", "data": "{no json"}
    found = reading(event)
    assert [refused.code for refused in found.rejected] == ([code] if code else [])
    assert [ignored.code for ignored in found.ignored] == ([] if code else ["information"])


@pytest.mark.parametrize("product", ["ECS", "RDS"])
def test_an_alarm_without_a_namespace_is_of_the_product_that_it_names(product: str) -> None:
    sample = next(sample for sample in SAMPLES if sample.trigger.startswith("cms_subscription>cms_threshold"))
    alert = {**sample.firing["alert"], "product": product}
    metric = {key: value for key, value in alert["meta"]["metricEventMeta"].items() if key != "namespace"}
    found = reading({"strategyName": "s", "alert": {**alert, "meta": {"metricEventMeta": metric}}})
    assert len(found.requests) == (product == "ECS")
    assert [refused.code for refused in found.rejected] == ([] if product == "ECS" else ["not_ecs"])


@pytest.mark.parametrize("value", ["false", "0", "", "true", "NoData"])
def test_a_label_about_missing_data_counts_where_it_says_so(value: str) -> None:
    found = reading({"status": "firing", "alerts": [alert(annotations={"nodata": value})]})
    about_the_monitor = value in ("true", "NoData")
    assert len(found.requests) == (not about_the_monitor)
    assert [ignored.code for ignored in found.ignored] == ["monitor_fault"] * about_the_monitor


def test_an_alert_was_told_of_when_it_was_updated_last() -> None:
    (element,) = reading([alert(updatedAt="2024-06-01T03:39:30Z", endsAt="2024-06-01T04:39:30Z")]).requests
    assert element.event_time == datetime(2024, 6, 1, 3, 39, 30, tzinfo=timezone.utc)


def test_a_resource_may_be_a_bare_instance_id() -> None:
    event = {
        "product": "ECS", "name": "Instance:SystemMaintenance.Reboot:Executed", "resourceId": TWO,
        "regionId": "cn-hangzhou", "eventTime": "20240601T113900.000+0800", "content": {"eventId": "e-1"},
    }  # fmt: skip
    (over,) = reading(event).ignored
    assert (over.code, over.instance_id, over.region_id) == ("alarm_over", TWO, "cn-hangzhou")


def test_an_event_holds_a_thousand_objects_however_they_are_nested() -> None:
    assert len(reading([[{"a": 1}] * 40] * 24).rejected) == 960
    (refused,) = reading([[{"a": 1}] * 40] * 30).rejected
    assert (refused.code, refused.reason) == ("too_large", "the event holds more than 1000 objects")


def test_lists_in_lists_are_layers_too() -> None:
    def nested(layers: int) -> object:
        event: object = {"instance_ids": [ID], "region_id": "cn-hangzhou"}
        for _ in range(layers):
            event = [event]
        return event

    assert reading(nested(5)).requests
    assert [refused.code for refused in reading(nested(6)).rejected] == ["too_large"]


def test_a_text_holds_so_many_members_and_no_more() -> None:
    def of_members(count: int) -> bytes:
        return json.dumps(
            {"instance_ids": [ID], "region_id": "cn-hangzhou", "x": [0] * count}, separators=(",", ":")
        ).encode()

    assert [refused.code for refused in reading(of_members(149_000)).rejected] == ["unknown_field"]
    (refused,) = reading(of_members(151_000)).rejected
    assert (refused.code, refused.reason) == ("too_large", "a text of the event holds more than 150000 members")


def test_the_data_of_a_cloud_event_is_looked_into_as_far_as_its_share_goes() -> None:
    def cloud_event(rows: int) -> dict[str, object]:
        data = json.dumps({**alerts(1), "rows": [{}] * rows})
        return {"specversion": "1.0", "id": "1", "source": "my.own", "type": "any:Thing", "data": data}

    assert len(reading([cloud_event(1_000)] * 20).requests) == 20
    many = reading([cloud_event(1_000)] * 39)
    assert not many.requests
    assert [ignored.code for ignored in many.ignored] == ["information"] * 39
    assert [refused.code for refused in reading([cloud_event(1_000)] * 41).rejected] == ["too_large"]


@pytest.mark.parametrize("message", [5, True, None])
def test_the_message_of_a_topic_is_text_or_an_object(message: object) -> None:
    found = reading({"TopicName": "t", "Message": message})
    assert [(refused.code, refused.path) for refused in found.rejected] == [("malformed", "Message")]
