"""Entries in tags that no longer matter are removed by the sweep, and no claim is ever lost by that."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from scripted_ecs import (
    FORBIDDEN,
    NOW,
    ONE,
    REGION,
    THREE,
    TWO,
    JumpingClock,
    ScriptedEcs,
    deadline,
    entry,
    instance,
    policy,
)  # fmt: skip

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.entry import History
from ecs_reboot.ledger.memory import LONGEST_WINDOW, RegionMemory, past
from ecs_reboot.ledger.store import Judged, Obtained, Wanted
from ecs_reboot.ledger.tag_ledger import TagLedger, TagSettings
from ecs_reboot.ledger.tag_maintenance import MOST_FORGOTTEN, TagMaintenance
from ecs_reboot.model import LedgerCommand
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.ledger_commands import LedgerCommands
from ecs_reboot.settings.variable_table import VARIABLES

HOUR, DAY = 3_600, 86_400
OLD = entry("back", ago=8 * DAY)


def tagged(instance_id: str, text: str) -> ScriptedEcs:
    return ScriptedEcs(instance(instance_id, tags={"ecs-reboot": "enabled", ledger.KEY: text}))


def sweep(ecs: ScriptedEcs, *ids: str, clock: JumpingClock | None = None) -> list[Result]:
    request = LedgerCommand.model_validate(
        {"verb": "verify", "trigger": "timer", "region_id": REGION, "instance_ids": ids}
    )
    until = deadline(50, clock)
    upkeep = TagMaintenance(ecs, until, 2.0)
    return LedgerCommands(ecs, upkeep, until, policy(), holds=timedelta(seconds=330)).run(request)


def claim(ecs: ScriptedEcs, clock: JumpingClock) -> Obtained:
    """Claim ONE, which no judge refuses."""

    def judge(histories: Mapping[str, History], _: RegionMemory, now: datetime) -> Judged:
        ours = ledger.claim_digest("ours")
        entry = ledger.following((), at=now, state="claimed", force=False, claim=ours, group="0")
        return Judged(dict.fromkeys(histories, entry))

    store = TagLedger(ecs, deadline(50, clock), TagSettings("ours", 3600, 2.0))
    return store.obtain(REGION, [Wanted(ecs.instances[ONE], "0")], judge, count=None)


def test_no_window_reaches_back_to_what_is_removed() -> None:
    (window,) = (variable for variable in VARIABLES if variable.name == "MAX_REBOOTS_WINDOW_SECONDS")
    with pytest.raises(ValueError, match="86400"):
        window.parse(str(int(LONGEST_WINDOW.total_seconds()) + 1))


@pytest.mark.parametrize(
    ("state", "ago", "earlier", "expected"),
    [
        ("back", 7 * DAY + HOUR, (), True),
        ("back", 7 * DAY - HOUR, (), False),
        ("back", 7 * DAY, (), False),
        ("seen", 8 * DAY, (600, 1200), True),
        ("unproven", 8 * DAY, (), True),
        ("refused", DAY + HOUR, (), True),
        ("refused", DAY - HOUR, (), False),
        ("refused", 2 * DAY, (4 * DAY,), False),
        ("refused", 2 * DAY, (6 * DAY,), True),
        ("void", 2 * DAY, (), True),
        ("storm", 2 * DAY, (), True),
        ("storm", HOUR, (), False),
        ("reset", 2 * DAY, (), True),
        ("reset", DAY, (), False),
        *((state, 90 * DAY, (), False) for state in (*ledger.OPEN, *ledger.UNRESOLVED)),
    ],
)
def test_an_entry_is_past_once_nothing_counts_it(
    state: str, ago: float, earlier: tuple[int, ...], *, expected: bool
) -> None:
    read = ledger.parse(entry(state, ago=ago, earlier=earlier), NOW)
    assert (past({ONE: read}, NOW) == {ONE}) is expected


@pytest.mark.parametrize(("down_ago", "expected"), [(20 * DAY, {THREE}), (7 * DAY, {TWO, THREE}), (None, {TWO, THREE})])
def test_who_came_back_after_one_that_is_still_down_stays_and_ends_the_row(
    down_ago: float | None, expected: set[str]
) -> None:
    texts = {TWO: entry("back", ago=8 * DAY), THREE: entry("back", ago=30 * DAY)}
    if down_ago:
        texts[ONE] = entry("down", ago=down_ago)
    assert past({instance_id: ledger.parse(text, NOW) for instance_id, text in texts.items()}, NOW) == expected


def test_a_sweep_removes_what_no_longer_matters_and_says_so() -> None:
    ecs = ScriptedEcs(
        instance(ONE, tags={"ecs-reboot": "enabled", ledger.KEY: OLD}),
        instance(TWO, tags={"app": "web", ledger.KEY: entry("refused", ago=2 * DAY)}),
        instance(THREE, tags={"ecs-reboot": "enabled", ledger.KEY: entry("back", ago=DAY)}),
    )
    (result,) = sweep(ecs)
    assert (result.code, result.retriable) == ("forgotten", False)
    assert f"2 entries that no longer matter removed: {ONE}, {TWO}" in result.reason
    assert sorted(ecs.removed) == sorted([ONE, TWO])
    assert dict(ecs.instances[TWO].tags) == {"app": "web"}
    assert [result.code for result in sweep(ecs)] == ["nothing_to_do"]


@pytest.mark.parametrize("text", ["v9 from another time", "v1 2031-01-01T00:00:00Z graceful back 0badcafe g=0"])
def test_what_can_not_be_read_or_has_not_come_stays_for_a_person(text: str) -> None:
    ecs = tagged(ONE, text)
    sweep(ecs)
    assert ecs.entry(ONE) == text


def test_a_sweep_of_named_instances_and_one_without_a_settle_time_remove_nothing() -> None:
    ecs = tagged(ONE, OLD)
    sweep(ecs, ONE)
    upkeep = TagMaintenance(ecs, deadline(), 0.0)
    upkeep.open_reboots(REGION, ())
    assert upkeep.forget(REGION) == frozenset()
    assert ecs.entry(ONE) == OLD


def test_of_very_many_the_oldest_go_first_fifty_a_call() -> None:
    names = [f"i-bp1n{number:010d}" for number in range(MOST_FORGOTTEN + 60)]
    ages = {name: 8 * DAY + 60 * number for number, name in enumerate(names)}
    ecs = ScriptedEcs(
        *(instance(instance_id, tags={ledger.KEY: entry("back", ago=ages[instance_id])}) for instance_id in names)
    )
    upkeep = TagMaintenance(ecs, deadline(200), 2.0)
    upkeep.open_reboots(REGION, ())
    assert upkeep.forget(REGION) == set(names[60:])
    assert ecs.calls.count("forget") == MOST_FORGOTTEN // ledger.MOST_RESOURCES


def test_that_nothing_can_be_removed_is_told_and_stops_nothing() -> None:
    ecs = tagged(ONE, OLD)
    ecs.before["forget"] = [FORBIDDEN]
    (result,) = sweep(ecs)
    assert (result.code, result.retriable) == ("forgotten", False)
    assert "UntagResources" in result.reason or "Forbidden" in result.reason
    assert ecs.entry(ONE) == OLD


def test_an_entry_that_is_claimed_before_it_is_read_again_stays() -> None:
    ecs, claim = tagged(ONE, OLD), entry("claimed")
    ecs.before["describe"] = [lambda: ecs.tag(ONE, claim)]
    sweep(ecs)
    assert ecs.removed == []
    assert ecs.entry(ONE) == claim


def test_a_removal_that_would_come_too_late_after_reading_is_not_sent() -> None:
    ecs, clock = tagged(ONE, OLD), JumpingClock()
    ecs.after["describe"] = [lambda: clock.sleep(1.01)]
    sweep(ecs, clock=clock)
    assert ecs.removed == []


def test_whose_claim_is_removed_with_the_old_entry_sees_it_and_does_not_ask_ecs() -> None:
    """The sweep read the old entry again, then the claim came, then the removal: the claim had not counted yet."""
    ecs, clock = tagged(ONE, OLD), JumpingClock()
    ecs.after["remember"] = [lambda: ecs.change(ONE, tags=(("ecs-reboot", "enabled"),))]
    obtained = claim(ecs, clock)
    assert obtained.mine == frozenset()
    assert obtained.lost[ONE].code == "claimed_elsewhere", "which is tried again"
    assert claim(ecs, clock).mine == {ONE}


def test_a_whole_sweep_in_the_middle_of_a_claim_leaves_the_claim() -> None:
    ecs, clock = tagged(ONE, OLD), JumpingClock()
    ecs.after["remember"] = [lambda: sweep(ecs, clock=clock) and None]
    assert claim(ecs, clock).mine == {ONE}
    assert ecs.removed == []
