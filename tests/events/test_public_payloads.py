"""A hundred payloads as public code and documents show them give what an engineer on call expects."""

import json
from datetime import datetime, timezone

import pytest
from public_alert_payloads import ALERT_PAYLOADS
from public_cloud_payloads import CLOUD_PAYLOADS
from public_shapes import ID, Payload

from ecs_reboot.events import EventSettings, read
from ecs_reboot.events.system_event_catalog import switchable

PAYLOADS = (*ALERT_PAYLOADS, *CLOUD_PAYLOADS)
NOW = datetime(2024, 6, 1, 3, 40, tzinfo=timezone.utc)
RULES = EventSettings(default_region="cn-hangzhou", webhook_token="t", actionable_events=switchable())


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.origin)
def test_a_public_payload_gives_what_is_expected(payload: Payload) -> None:
    arrived = _arrived(payload.event)
    found = read(json.dumps(arrived).encode(), RULES, NOW)
    asked = [target.instance_id for request in found.requests for target in request.targets]
    refused = [item.code for item in found.ignored] + [item.code for item in found.rejected]
    codes = ["reboot" for _ in found.requests] + refused
    assert " ".join(sorted(codes)) == payload.expected
    assert set(asked) <= {ID}


def _arrived(event: object) -> object:
    """Grafana's legacy webhook says no time: it is read as it arrives over HTTP."""
    if not isinstance(event, dict) or "evalMatches" not in event:
        return event
    context = {"timeEpoch": str(int(NOW.timestamp() * 1000))}
    return {"headers": {"authorization": "Bearer t"}, "body": json.dumps(event), "requestContext": context}


def test_there_are_a_hundred() -> None:
    assert len({payload.origin for payload in PAYLOADS}) == len(PAYLOADS) >= 100
