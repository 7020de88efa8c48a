"""Our own form beyond a plain reboot: reset, resume, verify, and rolling reboots."""

import json
from datetime import datetime, timezone

import pytest

from ecs_reboot.events import EventSettings, read
from ecs_reboot.model import LedgerCommand, ParsedEvent, Rolling

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
RULES = EventSettings(
    default_region="cn-hangzhou",
    webhook_token="",
    max_event_age_seconds=1800,
    instance_labels=(),
    region_labels=(),
    actionable_events=(),
)
WEB_01 = "i-bp1a2b3c4d5e6f7g8h9i"


def reading(**request: object) -> ParsedEvent:
    return read(json.dumps(request).encode(), RULES, NOW)


def timer(**request: object) -> ParsedEvent:
    event = {"triggerTime": "2026-11-23T12:00:00Z", "triggerName": "t", "payload": json.dumps(request)}
    return read(json.dumps(event).encode(), RULES, NOW)


def test_a_person_resets_instances_and_says_why() -> None:
    found = reading(reset=[WEB_01, WEB_01], region_id="cn-beijing", reason="disk replaced")
    assert found.upkeep == (
        LedgerCommand(
            verb="reset", trigger="manual", region_id="cn-beijing", instance_ids=(WEB_01,), reason="disk replaced"
        ),
    )
    assert not found.requests
    assert not found.rejected


@pytest.mark.parametrize("request_", [{"reset": [WEB_01]}, {"resume": True}, {"resume": True, "reason": " "}])
def test_lifting_a_guard_needs_a_reason(request_: dict[str, object]) -> None:
    found = reading(**request_)
    assert [refused.code for refused in found.rejected] == ["override_no_reason"]
    assert not found.upkeep


@pytest.mark.parametrize("request_", [{"reset": [WEB_01], "reason": "x"}, {"resume": True, "reason": "x"}])
def test_a_timer_cannot_lift_a_guard(request_: dict[str, object]) -> None:
    found = timer(**request_)
    assert [refused.code for refused in found.rejected] == ["override_not_allowed"]
    assert not found.upkeep


def test_the_sweeps_timer_asks_to_verify() -> None:
    (upkeep,) = timer(verify=True).upkeep
    assert (upkeep.verb, upkeep.trigger, upkeep.region_id) == ("verify", "timer", "cn-hangzhou")


def test_every_mistake_in_a_reset_is_named() -> None:
    found = reading(reset=["i-1", WEB_01], region_id="Hangzhou!", force=True, reason="x")
    assert [(refused.code, refused.path) for refused in found.rejected] == [
        ("unknown_field", "force"),
        ("invalid_region", "region_id"),
        ("invalid_instance_id", "reset[0]"),
    ]


def test_a_change_of_state_asks_to_verify_that_instance_and_never_to_reboot() -> None:
    event = {
        "product": "ECS",
        "name": "Instance:StateChange",
        "resourceId": f"acs:ecs:cn-hangzhou:1000000000000000:instance/{WEB_01}",
        "regionId": "cn-hangzhou",
        "eventTime": "20261123T195900.000+0800",
        "content": {"resourceId": WEB_01, "resourceType": "ALIYUN::ECS::Instance", "state": "Running"},
    }
    found = read(json.dumps(event).encode(), RULES, NOW)
    assert [(command.verb, command.instance_ids) for command in found.upkeep] == [("verify", (WEB_01,))]
    assert [ignored.code for ignored in found.ignored] == ["echo"]
    assert not found.requests


@pytest.mark.parametrize(
    ("fields", "rolling"),
    [
        ({"limit": 5, "older_than": "30d"}, Rolling(limit=5, older_than_seconds=30 * 86_400)),
        (
            {"limit": 1, "since": "2026-11-01T00:00Z"},
            Rolling(limit=1, since=datetime(2026, 11, 1, tzinfo=timezone.utc)),
        ),
    ],
)
def test_a_rolling_reboot_says_how_many_and_which(fields: dict[str, object], rolling: Rolling) -> None:
    (request,) = timer(tags={"app": "web"}, **fields).requests
    assert request.rolling == rolling
    assert request.selector is not None
    assert not request.by_hand


@pytest.mark.parametrize(
    "fields",
    [
        {"tags": {"app": "web"}, "limit": 5},
        {"tags": {"app": "web"}, "older_than": "30d"},
        {"tags": {"app": "web"}, "limit": 5, "older_than": "30d", "since": "2026-11-01T00:00Z"},
        {"tags": {"app": "web"}, "limit": 0, "older_than": "30d"},
        {"tags": {"app": "web"}, "limit": True, "older_than": "30d"},
        {"tags": {"app": "web"}, "limit": 5, "older_than": "soon"},
        {"tags": {"app": "web"}, "limit": 5, "since": "yesterday"},
        {"instance_ids": [WEB_01], "limit": 5, "older_than": "30d"},
    ],
)
def test_a_rolling_reboot_that_is_not_whole_is_refused(fields: dict[str, object]) -> None:
    found = reading(**fields)
    assert found.rejected
    assert not found.requests
