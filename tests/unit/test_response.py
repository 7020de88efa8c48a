"""The answer stays within what Function Compute passes on, however many instances an event names."""

import json

import pytest

from ecs_reboot.records import response
from ecs_reboot.records.result import Result


def answer(count: int, reason: str = "ECS accepted the reboot: graceful, by FORCE_REBOOT=never") -> dict[str, object]:
    results = [
        Result(
            instance_id=f"i-bp1test{number:013d}", region_id="cn-hangzhou", action="reboot", code="accepted",
            reason=reason, previous_status="Running", current_status="Stopping", api_code="200", api_message="success",
            api_request_id="473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E", trigger="manual", evidence="a request by hand",
        )
        for number in range(count)
    ]  # fmt: skip
    off = {"status": "off"}
    return response.body("r-1", "manual", "completed", results, dry_run=False, log_store=off, notices=off)


@pytest.mark.parametrize("count", [0, 1, 100, 250, 1000, 5000])
@pytest.mark.parametrize("reason", ["short", "重启" * 100])
def test_the_answer_stays_under_64_kb(count: int, reason: str) -> None:
    body = answer(count, reason)
    assert len(json.dumps(body, indent=4, sort_keys=True)) <= 64_000
    results = body["results"]
    left_out = body.get("results_left_out", {})
    assert isinstance(results, list)
    assert isinstance(left_out, dict)
    assert len(results) + sum(left_out.values()) == count
    assert all({"instance_id", "action", "code"} <= result.keys() for result in results)


def test_a_short_answer_holds_every_field() -> None:
    results = answer(3)["results"]
    assert isinstance(results, list)
    assert {"evidence", "api_request_id", "downtime_seconds"} <= results[0].keys()
