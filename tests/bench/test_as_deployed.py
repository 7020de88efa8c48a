"""The benchmark's own parts: what its bars say, what a run costs, how calls are limited by the minute."""

import json
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from bench.as_deployed import bars, cases, price
from bench.as_deployed.bars import BarRow
from bench.as_deployed.call_rounds import Noted, noted, one_after_another
from bench.as_deployed.minute_limit import MinuteLimit
from bench.as_deployed.rows import LEDGER, MOST_CALLS, ten_hours_rows
from bench.as_deployed.stage import Scene, alarm, instance_id, over_http, staged
from bench.as_deployed.ten_hours import Fates, Weather, fates
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


@pytest.mark.parametrize(
    ("spans", "most"),
    [
        ((), 0),
        (((0, 1), (1, 2), (2, 3)), 3),
        (((0, 1), (1.1, 2.1), (1.2, 2.2), (1.3, 2.3), (2.3, 3.3)), 3),
        # A long one beside two short ones: these two wait for each other all the same.
        (((0, 5), (1, 2), (3, 4)), 2),
    ],
)
def test_calls_that_overlap_are_made_together(spans: tuple[tuple[float, float], ...], most: int) -> None:
    assert one_after_another(Noted(at, "ecs", "DescribeInstances", 200, began) for began, at in spans) == most


def test_a_call_began_before_it_waited_for_its_latency() -> None:
    entry = {"service": "ecs", "action": "DescribeInstances", "http_status": 200}
    latency = [{"kind": "delay", "seconds": 0.5, "before": True}, {"kind": "delay", "seconds": 2.0}]
    assert noted({**entry, "faults": latency}, 10.0).began == 9.5
    assert noted(entry, 10.0).began == 10.0


def test_the_facts_go_out_together_and_the_claim_step_by_step() -> None:
    (calls,) = cases.calls(SOURCE, LEDGER, [(2, 1)], 0.3).values()

    assert calls[-1].action == "RebootInstances"
    # On a busy machine two that go out together may not overlap: at most is the benchmark's to judge.
    assert MOST_CALLS <= one_after_another(calls) < len(calls)


@pytest.mark.parametrize("store", ["tablestore", "tags"])
def test_ten_hours_are_the_same_by_seed_and_lose_nothing(store: str) -> None:
    first, second = (fates(store, 7, 30) for _ in range(2))

    assert first == second
    assert first != fates(store, 8, 30)
    assert first.crashes
    assert first.rebooted + first.queued == first.alarms == 30
    assert all(row.met for row in ten_hours_rows(store, 30, [first]))


def test_ten_hours_lose_the_alarms_of_callers_who_do_not_repeat() -> None:
    ended = fates("tablestore", 7, 30, Weather(crash=0.2, http_tries=1))

    assert ended.lost
    assert ended.rebooted + ended.queued + ended.lost == 30
    assert not all(row.met for row in ten_hours_rows("tablestore", 30, [ended]))


@pytest.mark.parametrize(
    "wrong", [{"lost": 1}, {"doubled": 1}, {"recorded": Counter(cooldown=1)}, {"broken": "a promise"}]
)
def test_each_wrong_fate_misses_a_bar(wrong: dict[str, Any]) -> None:
    good = Fates(300, 299, 0, 1, Counter(), 0, 760, 29, "")

    assert all(row.met for row in ten_hours_rows("tags", 300, [good, good]))
    assert [row.met for row in ten_hours_rows("tags", 300, [good, good._replace(**wrong)])].count(False) == 1
