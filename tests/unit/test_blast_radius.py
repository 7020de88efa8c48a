"""Counting a region's entries."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from scripted_ecs import NOW, ONE, THREE, TWO, entry

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.memory import of_entries
from ecs_reboot.policy.blast_radius import Limit, RegionActivity, RegionState, parse_limit

HOUR = timedelta(hours=1)


def activity(asked: tuple[str, ...] = (ONE,), window: timedelta = HOUR, **entries: str) -> RegionActivity:
    names = {"one": ONE, "two": TWO, "three": THREE}
    read = {names[name]: ledger.parse(text, NOW) for name, text in entries.items()}
    return RegionActivity(of_entries(read, window, NOW), asked, NOW)


def excluding(counted: RegionActivity, group: str = "0", limit: int | None = 1) -> RegionState:
    return counted.excluding(ONE, group, limit)


def test_limits_are_a_number_a_share_or_none() -> None:
    assert parse_limit("3") == Limit(number=3, share=False)
    assert parse_limit(" 5% ") == Limit(number=5, share=True)
    assert parse_limit("OFF") is None


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "5%%", "5 %", "-1", "1.5", "ten", "10001", "٣"])
def test_other_limits_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="give a number from 1"):
        parse_limit(text)


@given(some.integers(1, 100), some.integers(0, 100_000))
def test_a_share_is_rounded_down_and_at_least_one(percent: int, opted_in: int) -> None:
    limit = Limit(number=percent, share=True).of(opted_in)
    assert limit == max(1, opted_in * percent // 100)


@pytest.mark.parametrize("state", ["claimed", "back", "down", "unproven", "seen", "reset"])
def test_whatever_became_of_a_reboot_it_counts_for_its_window(state: str) -> None:
    assert excluding(activity(two=entry(state, ago=3599))).rebooted == 1
    assert excluding(activity(two=entry(state, ago=3600))).rebooted == 0


@pytest.mark.parametrize("state", ["refused", "storm"])
def test_what_was_only_asked_for_is_not_rebooted(state: str) -> None:
    counted = excluding(activity(two=entry(state, ago=10)))
    assert counted.rebooted == 0
    assert counted.asked_for == 1


def test_an_instance_does_not_stand_in_its_own_way() -> None:
    counted = excluding(activity(one=entry(ago=10), two=entry(ago=10)))
    assert counted.rebooted == counted.asked_for == 1


def test_those_allowed_in_the_same_run_count_for_those_that_follow() -> None:
    counted = activity(asked=(ONE, TWO))
    counted.allow(TWO, "web")
    assert excluding(counted, "web").rebooted == 1
    assert excluding(counted, "web").group_member == TWO
    assert excluding(counted, "web").group_since == NOW


def test_a_group_is_held_by_a_claim_for_an_hour_and_by_one_that_stayed_down_until_seen() -> None:
    group = ledger.group_digest("web")
    assert (
        excluding(activity(two=entry(ago=3599, group=group), window=timedelta(minutes=15)), group).group_member == TWO
    )
    assert excluding(activity(two=entry(ago=3601, group=group), window=timedelta(minutes=15)), group).group_member == ""
    assert excluding(activity(two=entry("down", ago=90_000, group=group)), group).group_member == TWO
    for state in ("back", "seen", "reset", "refused", "unproven"):
        assert excluding(activity(two=entry(state, ago=10, group=group)), group).group_member == ""
    assert excluding(activity(two=entry(ago=10, group=group)), ledger.group_digest("db")).group_member == ""
    assert excluding(activity(two=entry(ago=10)), "0").group_member == ""


def test_a_storm_lasts_a_window_for_everybody() -> None:
    assert excluding(activity(one=entry("storm", ago=3599))).storm_at == NOW - timedelta(seconds=3599)
    assert excluding(activity(two=entry("storm", ago=3600))).storm_at is None


def test_reboots_that_left_instances_down_are_counted_from_the_latest_back() -> None:
    def row(**states: str) -> int:
        entries: dict[str, Any] = {
            name: entry(state, ago=1000 - 100 * place) for place, (name, state) in enumerate(states.items())
        }
        return excluding(activity(window=timedelta(minutes=1), **entries)).down_in_a_row

    assert row(one="down", two="down", three="down") == 3
    assert row(one="down", two="back", three="down") == 1
    assert row(one="down", two="down", three="back") == 0
    assert row(one="down", two="down", three="seen") == 0
    assert row(one="down", two="down", three="claimed") == 2


@pytest.mark.parametrize("states", [("down", "back", "down"), ("back", "down", "down"), ("down", "down", "back")])
def test_of_reboots_claimed_together_those_down_count_first_in_whatever_order_they_are_read(
    states: tuple[str, ...],
) -> None:
    entries: dict[str, Any] = {
        name: entry(state, ago=10) for name, state in zip(("one", "two", "three"), states, strict=True)
    }
    assert excluding(activity(**entries)).down_in_a_row == 2


def test_only_a_first_reboot_needs_no_share() -> None:
    assert not activity().crowded()
    assert activity(asked=(ONE, TWO)).crowded()
    assert activity(two=entry(ago=10)).crowded()


def test_an_earlier_attempt_counts_for_its_window_whatever_came_of_the_claim_after_it() -> None:
    for state in ("void", "claimed", "refused"):
        assert excluding(activity(two=entry(state, ago=60, earlier=(3500,)))).rebooted == 1
    assert excluding(activity(two=entry("void", ago=60, earlier=(3550,)))).rebooted == 0


def test_one_that_hangs_holds_its_group_and_counts_for_the_suspension() -> None:
    group = ledger.group_digest("web")
    counted = excluding(activity(two=entry("hung", ago=90_000, group=group)), group)
    assert (counted.group_member, counted.down_in_a_row) == (TWO, 1)
