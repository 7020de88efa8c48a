"""The benchmark's own parts: what its bars say, what a run costs, how calls are limited by the minute."""

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from bench.as_deployed import bars, cases, price
from bench.as_deployed.bars import BarRow
from bench.as_deployed.minute_limit import MinuteLimit
from bench.as_deployed.stage import Scene, alarm, instance_id, over_http, staged
from ecs_reboot.events import EventSettings, read
from localcloud.account import fleet
from localcloud.account.cloud import Cloud

SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (BarRow("a", 0.9, "s", 1.0), True),
        (BarRow("a", 1.1, "s", 1.0), False),
        (BarRow("a", 9, "", 10, at_least=True), False),
        (BarRow("a", 10, "", 10, at_least=True), True),
        (BarRow("a", 99, "s"), True),
    ],
)
def test_a_bar_is_met_on_its_own_side_of_the_limit(row: BarRow, *, met: bool) -> None:
    assert row.met == met
    assert ("MISSED" in bars.text([row])) != met
    assert ("(missed)" in bars.markdown([row])[-1]) != met


def test_a_run_is_paid_for_by_its_size_and_time() -> None:
    # One vCPU and 1 GB for a second: 1 + 0.15 units, and 0.0075 for the call, at 20 dollars a million.
    assert price.dollars_a_million(1.0, 1024, 1.0) == pytest.approx(23.15)
    assert price.dollars_a_million(0.5, 512, 1.0) < price.dollars_a_million(1.0, 1024, 1.0)


@pytest.mark.parametrize("parameters", [{}, cases.NO_FACTS, {**cases.ALL_FACTS, **cases.EVIDENCE}, {"Ledger": "tags"}])
def test_each_scene_of_the_benchmark_can_be_set_up(parameters: dict[str, str]) -> None:
    with staged(Scene(2, parameters=parameters), SOURCE) as stage:
        assert len(stage.cloud.fleet) == 2


def test_both_forms_of_the_alarm_ask_for_the_instance() -> None:
    rules = EventSettings(webhook_token="bench-token-of-twenty-four")
    now = datetime.now(timezone.utc)

    for event in (alarm(instance_id(7)), over_http(alarm(instance_id(7)))):
        (request,) = read(json.dumps(event).encode(), rules, now).requests
        assert [target.instance_id for target in request.targets] == [instance_id(7)]
        assert request.metric, "a threshold alarm carries its condition, so the second opinion is asked by default"


def test_an_action_is_refused_beyond_its_limit_and_no_other() -> None:
    cloud = Cloud.from_fleet(fleet.default())
    limit = MinuteLimit(cloud, "DescribeInstances", 2)
    try:
        for _ in range(2):
            assert cloud.faults.take("ecs", "DescribeInstances") == ()
            cloud.audit.api(
                service="ecs", action="DescribeInstances", parameters={}, http_status=200, code="", request_id="r",
                effect=False,
            )  # fmt: skip
        (fault,) = cloud.faults.take("ecs", "DescribeInstances")
        assert (fault.kind, fault.code) == ("throttle", "Throttling.User")
        assert cloud.faults.take("ecs", "RebootInstances") == ()
    finally:
        limit.close()
    assert cloud.faults.take("ecs", "DescribeInstances") == ()
