"""Requests in our own form: by hand, by timer and through a queue."""

import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from ecs_reboot.events import EventSettings, read
from ecs_reboot.model import ParsedEvent, Target
from ecs_reboot.policy.guards import SOFT

ONE = "i-bp1a2b3c4d5e6f7g8h9i"
TWO = "i-bp1z9y8x7w6v5u4t3s2r"
NOW = datetime(2024, 6, 1, 3, 40, tzinfo=timezone.utc)
BY_ID: dict[str, Any] = {"instance_ids": [ONE], "region_id": "cn-hangzhou"}


def reading(event: object, default_region: str = "", max_age: int = 1800) -> ParsedEvent:
    rules = EventSettings(default_region=default_region, max_event_age_seconds=max_age)
    return read(json.dumps(event).encode(), rules, NOW)


def refused(event: object) -> list[tuple[str, str]]:
    found = reading(event, default_region="cn-hangzhou")
    assert not found.requests
    assert found.trigger == "manual"
    return [(refused.code, refused.path) for refused in found.rejected]


def timer(payload: object, at: str = "2024-06-01T03:39:00Z") -> dict[str, object]:
    return {"triggerTime": at, "triggerName": "nightly", "payload": payload}


def test_a_request_by_ids_says_all_that_was_asked() -> None:
    event = {**BY_ID, "instance_ids": [ONE, TWO, ONE], "reason": "disk\nfull", "force": False, "dry_run": True}
    (request,) = reading(event).requests
    assert request.targets == tuple(
        Target(instance_id=instance_id, region_id="cn-hangzhou") for instance_id in (ONE, TWO)
    )
    assert request.reason == "disk\\nfull"
    assert request.force is False
    assert request.dry_run
    assert request.by_hand
    assert request.event_time is None
    assert request.trigger == "manual"
    assert "2 instances" in request.evidence


def test_force_is_unsaid_unless_said() -> None:
    assert reading(BY_ID).requests[0].force is None
    assert reading({**BY_ID, "force": True}).requests[0].force is True


@pytest.mark.parametrize(
    "selector",
    [{"tags": {"app": "web", "role": "x"}}, {"resource_group_id": "rg-acfm2abcd"}, {"name": "web-*"}],
)
def test_a_selector_needs_no_ids(selector: dict[str, Any]) -> None:
    (request,) = reading({**selector, "region_id": "cn-beijing"}).requests
    assert not request.targets
    assert request.selector is not None
    assert request.selector.region_id == "cn-beijing"
    found = request.selector.model_dump(exclude_defaults=True, exclude={"region_id"})
    expected = {**selector, "tags": tuple(sorted(selector["tags"].items()))} if "tags" in selector else selector
    assert found == expected


@pytest.mark.parametrize(
    "selector",
    [
        {"tags": {}},
        {"tags": {"": "web"}},
        {"tags": {"app": ""}},
        {"tags": {"app": 1}},
        {"tags": [["app", "web"]]},
        {"tags": {str(n): "x" for n in range(21)}},
        {"tags": None},
        {"name": "*"},
        {"name": " ** "},
        {"name": ""},
        {"name": "a\nb"},
        {"name": ["web"]},
        {"resource_group_id": ""},
        {"resource_group_id": "*"},
        {"name": "web-*", "tags": {}},
    ],
)
def test_a_selector_that_might_mean_everything_is_refused(selector: dict[str, object]) -> None:
    assert {code for code, _ in refused(selector)} == {"invalid_field"}


def test_a_selector_beside_ids_is_refused() -> None:
    assert refused({**BY_ID, "tags": {"app": "web"}}) == [("contradiction", "tags")]


def test_bad_ids_spoil_only_themselves() -> None:
    bad = [
        "",
        "i-",
        ONE.upper(),
        f" {ONE} ",
        "d-bp1a2b3c4d5e6f7g8h9i",
        "i-12345",
        "i-xxxxxxxxxxxx",
        ONE + "\n",
        None,
        7,
    ]
    found = reading({**BY_ID, "instance_ids": [*bad, TWO]})
    assert [target.instance_id for target in found.requests[0].targets] == [TWO]
    assert [refused.code for refused in found.rejected] == ["invalid_instance_id"] * len(bad)
    assert found.rejected[5].instance_id == "i-12345"
    assert found.rejected[5].path == "instance_ids[5]"
    assert [refused.path for refused in found.rejected] == [f"instance_ids[{n}]" for n in range(len(bad))]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("instance_ids", ONE),
        ("instance_ids", []),
        ("instance_ids", {}),
        ("region_id", ""),
        ("region_id", None),
        ("region_id", "cn-hangzhou.example.com/"),
        ("region_id", "CN-HANGZHOU"),
        ("reason", 1),
        ("force", "true"),
        ("force", 1),
        ("force", None),
        ("dry_run", "false"),
        ("dry_run", 0),
        ("override", "paused"),
    ],
)
def test_a_wrong_type_is_named(field: str, value: object) -> None:
    assert refused({**BY_ID, field: value}) == [("invalid_field", field)]


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("instance_id", "instance_ids"), ("dryrun", "dry_run"), ("Force", "force"), ("regionid", "region_id")],
)
def test_an_unknown_field_is_refused_with_the_nearest(typo: str, meant: str) -> None:
    found = reading({**BY_ID, typo: True})
    assert not found.requests
    assert [(refused.code, refused.path) for refused in found.rejected] == [("unknown_field", typo)]
    assert f"'{meant}'" in found.rejected[0].reason


def test_a_request_whose_only_field_is_misspelt_is_still_told_so() -> None:
    found = reading({"instances_id": [ONE]})
    assert found.trigger == "manual"
    assert found.rejected[0].code == "unknown_field"


def test_all_mistakes_are_told_at_once() -> None:
    assert {path for _, path in refused({"instance_ids": "x", "force": 1, "colour": "red"})} == {
        "instance_ids",
        "force",
        "colour",
    }


def test_a_missing_region_is_the_default_one_or_refused() -> None:
    event = {"instance_ids": [ONE]}
    assert reading(event, default_region="cn-beijing").requests[0].targets[0].region_id == "cn-beijing"
    assert [refused.code for refused in reading(event).rejected] == ["no_region"]


def test_no_targets_at_all_is_refused() -> None:
    assert refused({"region_id": "cn-hangzhou", "force": True}) == [("no_targets", "instance_ids")]


def test_override_needs_a_reason_and_a_known_guard() -> None:
    event = {**BY_ID, "reason": "told to", "override": [*SOFT, "paused"]}
    assert reading(event).requests[0].override == SOFT
    assert refused({**event, "reason": " "}) == [("override_no_reason", "reason")]
    assert refused({**event, "override": ["locked"]}) == [("invalid_field", "override[0]")]
    assert refused({**event, "override": [["paused"]]}) == [("invalid_field", "override[0]")]


@pytest.mark.parametrize("wrap", [lambda payload: timer(json.dumps(payload)), timer])
def test_a_timer_asks_what_its_payload_says(wrap: Callable[[object], object]) -> None:
    (request,) = reading(wrap({"tags": {"app": "web"}, "region_id": "cn-hangzhou"})).requests
    assert request.trigger == "timer"
    assert not request.by_hand
    assert request.event_time == datetime(2024, 6, 1, 3, 39, tzinfo=timezone.utc)
    assert request.fault_key == "timer:nightly:2024-06-01T03:39:00Z"


@pytest.mark.parametrize("payload", ["", "awesome-fc", "[]", "null", None, 7, json.dumps(json.dumps(BY_ID))])
def test_a_timer_without_a_request_is_told_what_to_say(payload: object) -> None:
    found = reading(timer(payload))
    assert [(refused.code, refused.path) for refused in found.rejected] == [("malformed", "payload")]
    assert "payload" in found.rejected[0].reason


def test_a_timer_can_not_override_and_can_be_late() -> None:
    asked = {**BY_ID, "reason": "x", "override": ["paused"]}
    assert [refused.code for refused in reading(timer(asked)).rejected] == ["override_not_allowed"]
    assert [ignored.code for ignored in reading(timer(BY_ID, "2024-06-01T01:39:00Z")).ignored] == ["stale"]
    assert [refused.code for refused in reading(timer(BY_ID, "yesterday")).rejected] == ["invalid_event_time"]


def test_a_payload_that_says_two_things_is_a_contradiction() -> None:
    found = reading(timer(f'{{"instance_ids": ["{ONE}"], "instance_ids": ["{TWO}"]}}'))
    assert [refused.code for refused in found.rejected] == ["contradiction"]
    assert found.trigger == "timer"


def test_only_a_bare_request_is_by_hand() -> None:
    listed = reading([BY_ID])
    queued = reading({"TopicName": "t", "Message": json.dumps(BY_ID), "PublishTime": int(NOW.timestamp() * 1000)})
    for found in (listed, queued):
        assert [request.by_hand for request in found.requests] == [False]
    assert queued.trigger == "mns_topic>manual"


def test_a_timer_inside_a_message_is_none() -> None:
    found = reading({"TopicName": "t", "Message": json.dumps(timer(BY_ID))})
    assert not found.requests
    assert [refused.code for refused in found.rejected] == ["unsupported"]


def test_a_queued_request_that_waited_too_long_is_stale() -> None:
    event = {"TopicName": "t", "Message": json.dumps(BY_ID), "PublishTime": 1717113150000}
    assert [ignored.code for ignored in reading(event).ignored] == ["stale"]
    assert reading(event, max_age=0).requests
