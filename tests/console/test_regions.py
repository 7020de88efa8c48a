from datetime import datetime, timedelta, timezone
from typing import Any, get_args

import pytest

from console import pages
from console.memory import of_tags
from console.regions import ledger_rows, regions
from ecs_reboot.ledger.entry import KEY, State
from ecs_reboot.settings.settings import load
from localcloud.account.cloud import Cloud
from localcloud.account.fleet import Fleet, InstanceSpec

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
POLICY = load({}).policy


def entry(state: str, minutes_ago: int, more: str = "") -> str:
    return f"v1 {NOW - timedelta(minutes=minutes_ago):%Y-%m-%dT%H:%M:%SZ} graceful {state} 1a2b3c4d g=0{more}"


def standing(*entries: str, **settings: str) -> dict[str, Any]:
    instances, policy = fleet(*entries), load(settings).policy
    (region,) = regions(instances, of_tags(instances, policy, NOW), policy)
    return region


def fleet(*entries: str) -> Any:
    instances = tuple(
        InstanceSpec(instance_id=f"i-{number}", tags={"ecs-reboot": "enabled"} | ({KEY: text} if text else {}))
        for number, text in enumerate(entries)
    )
    return Cloud.from_fleet(Fleet(instances=instances)).fleet


def test_a_region_is_counted_as_the_function_counts_it() -> None:
    told = standing(entry("back", 5), entry("claimed", 59), entry("back", 61), *[""] * 57)
    assert (told["rebooted"], told["limit"]) == (2, 3)
    assert (told["storm_until"], told["suspended"]) == ("", False)
    assert standing("", MAX_REBOOTS="off")["limit"] is None


def test_a_storm_ends_with_its_window() -> None:
    assert standing(entry("storm", 10))["storm_until"] == "2026-03-01T12:50:00.000Z"
    assert standing(entry("storm", 61))["storm_until"] == ""
    assert standing(entry("storm", 10), STORM_FACTOR="0")["storm_until"] == ""


def test_a_region_is_suspended_until_somebody_has_looked() -> None:
    down = [entry("down", minutes) for minutes in (1, 2, 3)]
    assert standing(*down)["suspended"]
    assert not standing(*down[:2])["suspended"]
    assert not standing(*down, SUSPEND_AFTER="0")["suspended"]
    assert not standing(entry("seen", 1), *down[1:])["suspended"]


def test_the_ledger_says_attempts_and_the_end_of_the_cooldown() -> None:
    rows = ledger_rows(
        of_tags(fleet(entry("back", 40, " -600s,-1200s"), entry("back", 10), "nonsense", ""), POLICY, NOW), POLICY, NOW
    )
    assert [row["state"] for row in rows] == ["back", "back", "unreadable"]
    assert [len(row["attempts"]) for row in rows] == [1, 3, 0]
    assert [row["exhausted"] for row in rows] == [False, True, False]
    assert [row["cooldown_until"] for row in rows] == ["2026-03-01T12:20:00.000Z", "", ""]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_state_of_an_entry_has_a_word(language: str) -> None:
    page = pages.page(f"messages.{language}.js")
    assert page is not None
    missing = [
        state for state in (*get_args(State), "unreadable") if f"entry_{state}:" not in bytes(page.body).decode()
    ]
    assert missing == []
