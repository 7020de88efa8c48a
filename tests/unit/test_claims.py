"""Claim, then count: what a run writes, what it reads back, and what it takes back. Other runs are functions that
write in the middle of a call."""

from datetime import timedelta

import pytest
from scripted_ecs import (
    FORBIDDEN,
    LOST,
    NOW,
    ONE,
    REGION,
    THREE,
    TWO,
    JumpingClock,
    ScriptedEcs,
    deadline,
    entry,
    facts,
    instance,
    policy,
)

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.errors import Refused
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.tag_ledger import TagLedger, TagSettings
from ecs_reboot.policy.facts import ApprovedReboot
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.claims import Claims

OURS = ledger.claim_digest("ours")


def tag_claims(
    ecs: ScriptedEcs,
    until: Deadline,
    *,
    settle: float = 2.0,
    request_id: str = "ours",
    run: str = "",
    **environment: str,
) -> Claims:
    chosen = policy(**environment)
    store = TagLedger(ecs, until, TagSettings(request_id, chosen.max_reboots_window_seconds, settle, run=run))
    return Claims(store, ecs, ecs.describe, chosen, until, request_id=request_id)


def obtain(
    ecs: ScriptedEcs,
    *ids: str,
    settle: float = 2.0,
    seconds: float = 50.0,
    dry_run: bool = False,
    clock: JumpingClock | None = None,
    request_id: str = "ours",
    run: str = "",
    **environment: str,
) -> tuple[list[ApprovedReboot], list[Result], Claims]:
    environment = {"MAX_REBOOTS": "10", **environment}
    claims = tag_claims(ecs, deadline(seconds, clock), settle=settle, request_id=request_id, run=run, **environment)
    wanted = [
        facts(ecs.instances[instance_id], environment=environment, claim=claims.claim_id())
        for instance_id in ids or (ONE,)
    ]
    orders, results = claims.obtain(REGION, wanted, dry_run=dry_run)
    return orders, results, claims


def codes(results: list[Result]) -> list[tuple[str, str]]:
    return [(result.instance_id, result.code) for result in results]


def test_a_claim_is_written_before_the_instance_is_ours() -> None:
    ecs = ScriptedEcs(instance())
    orders, results, _ = obtain(ecs)
    assert [order.instance_id for order in orders] == [ONE]
    assert not results
    written = ledger.parse(ecs.entry(ONE), NOW)
    assert (written.state, written.claim, written.at) == ("claimed", OURS, NOW.replace(microsecond=0))
    assert ecs.calls.index("remember") < len(ecs.calls) - 1
    assert ecs.calls[-1] == "entries"


def test_a_claim_stands_for_the_settle_time_before_it_is_counted() -> None:
    ecs, clock = ScriptedEcs(instance()), JumpingClock()
    seen: list[float] = []
    ecs.before["entries"] = [None, lambda: seen.append(clock.seconds)]
    obtain(ecs, clock=clock, settle=2.0)
    assert seen == [2.0]


def test_without_time_for_the_whole_rest_nothing_is_claimed() -> None:
    ecs = ScriptedEcs(instance())
    orders, results, _ = obtain(ecs, seconds=1.5)
    assert not orders
    assert codes(results) == [(ONE, "deadline")]
    assert results[0].retriable
    assert "settle" in results[0].reason
    assert not ecs.written


@pytest.mark.parametrize(("seconds", "code"), [(28.0, "deadline"), (32.0, "")])
def test_the_time_for_the_rest_is_that_of_this_run_s_own_reading(seconds: float, code: str) -> None:
    """Ten seconds to read; ten more, and the calls that follow, are to come after the claim."""
    ecs, clock = ScriptedEcs(instance()), JumpingClock()
    ecs.before["entries"] = [lambda: clock.sleep(10)]
    orders, results, _ = obtain(ecs, seconds=seconds, settle=2.0, clock=clock)
    assert [result.code for result in results] == ([code] if code else [])
    assert bool(orders) is not bool(code)


def test_who_is_written_over_has_lost_and_leaves_the_entry_alone() -> None:
    ecs = ScriptedEcs(instance())
    ecs.after["remember"] = [lambda: ecs.tag(ONE, entry("claimed"))]
    orders, results, _ = obtain(ecs)
    assert not orders
    assert codes(results) == [(ONE, "claimed_elsewhere")]
    assert ecs.entry(ONE) == entry("claimed")


def test_two_runs_with_one_place_left_never_both_go() -> None:
    ecs = ScriptedEcs(instance(), instance(TWO))
    ecs.after["remember"] = [lambda: ecs.tag(TWO, entry("claimed"))]
    orders, results, _ = obtain(ecs, MAX_REBOOTS="1")
    assert not orders
    assert codes(results) == [(ONE, "blast_radius")]
    assert ledger.parse(ecs.entry(ONE), NOW).state == "refused"
    assert ledger.parse(ecs.entry(TWO), NOW).state == "claimed"


def test_who_withdraws_tries_again_when_the_other_has_withdrawn_too() -> None:
    ecs, clock = ScriptedEcs(instance(), instance(TWO)), JumpingClock()
    ecs.after["remember"] = [lambda: ecs.tag(TWO, entry("claimed")), lambda: ecs.tag(TWO, entry("refused"))]
    orders, _, _ = obtain(ecs, clock=clock, MAX_REBOOTS="1")
    assert [order.instance_id for order in orders] == [ONE]
    assert clock.seconds > 3  # a wait of more than a second between two claims: no two look alike


def test_an_unseen_claim_is_looked_for_and_then_given_up() -> None:
    ecs, shown = ScriptedEcs(instance()), entry("refused", ago=5000)
    ecs.tag(ONE, shown)
    ecs.after["remember"] = [lambda: ecs.tag(ONE, shown)]  # the write is not to be seen
    orders, results, _ = obtain(ecs)
    assert not orders
    assert codes(results) == [(ONE, "ledger_unavailable")]
    assert ecs.calls.count("entries") > 3


def test_a_value_before_is_restored_and_only_over_our_own_claim() -> None:
    before = entry("back", ago=90_000)
    ecs = ScriptedEcs(instance(tags={"ecs-reboot": "enabled", ledger.KEY: before}))
    orders, _, claims = obtain(ecs)
    claims.release(REGION, [order.instance_id for order in orders])
    assert ecs.entry(ONE) == before
    orders, _, claims = obtain(ecs)
    ecs.tag(ONE, entry("claimed"))
    claims.release(REGION, [order.instance_id for order in orders])
    assert ecs.entry(ONE) == entry("claimed")


def test_of_two_deliveries_at_once_only_the_one_whose_claim_stands_goes_on() -> None:
    """Their requests and so the IDs of their claims are the same, to the second: the claim names the run as well."""
    ecs, theirs = ScriptedEcs(instance()), entry("claimed", claim=OURS, run="bbbb000011112222")
    assert f" claimed {OURS}.bbbb " in theirs
    ecs.after["remember"] = [lambda: ecs.tag(ONE, theirs)]
    orders, results, _ = obtain(ecs, run="aaaa000011112222")
    assert not orders
    assert codes(results) == [(ONE, "claimed_elsewhere")]
    assert ecs.entry(ONE) == theirs
    orders, _, _ = obtain(ScriptedEcs(instance()), run="aaaa000011112222")
    assert [order.instance_id for order in orders] == [ONE]


def test_a_claim_of_the_same_request_may_be_of_a_live_run_and_is_looked_at_once_that_has_asked() -> None:
    clock = JumpingClock()
    ecs = ScriptedEcs(instance())
    ecs.tag(ONE, entry("claimed", claim=OURS))
    orders, _, claims = obtain(ecs, clock=clock, run="bbbb000011112222")
    assert [order.instance_id for order in orders] == [ONE]
    assert clock.seconds >= 3 * 2.0, "two settle times for the other run, one for its own claim"
    claims.record(REGION, {ONE: "accepted"})
    assert ecs.entry(ONE).endswith(f"accepted {OURS} g=0"), "only who is about to ask is named"


def test_a_run_that_withdrew_and_claims_again_is_not_taken_for_one_that_is_over() -> None:
    ecs = ScriptedEcs(instance())
    ecs.tag(ONE, entry("claimed", claim=OURS, run="aaaa", ago=3))
    newer = entry("claimed", claim=OURS, run="aaaa")
    ecs.after["describe"] = [lambda: ecs.tag(ONE, newer)]  # while this run looks whether ECS was asked
    orders, results, _ = obtain(ecs, run="bbbb000011112222")
    assert not orders
    assert [result.retriable for result in results] == [True]
    assert ecs.entry(ONE) == newer


def test_the_end_is_written_only_over_our_own_claim() -> None:
    ecs = ScriptedEcs(instance())
    _, _, claims = obtain(ecs)
    claims.record(REGION, {ONE: "back"})
    assert ledger.parse(ecs.entry(ONE), NOW).state == "back"
    claims.record(REGION, {ONE: "down"})
    assert ledger.parse(ecs.entry(ONE), NOW).state == "back"


@pytest.mark.parametrize("call", ["entries", "remember"])
def test_a_ledger_that_cannot_be_used_is_no_reboot(call: str) -> None:
    ecs = ScriptedEcs(instance())
    ecs.before[call] = [FORBIDDEN]
    orders, results, _ = obtain(ecs)
    assert not orders
    assert codes(results) == [(ONE, "ledger_unavailable")]
    assert results[0].retriable


def test_a_region_that_cannot_be_counted_after_claiming_takes_the_claim_back() -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["entries"] = [None, FORBIDDEN]
    orders, results, _ = obtain(ecs)
    assert not orders
    assert codes(results) == [(ONE, "ledger_unavailable")]
    assert ledger.parse(ecs.entry(ONE), NOW).state == "refused"


def test_an_instance_that_takes_no_tag_says_so() -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["remember"] = [
        Refused("TagResources", code="OperationDenied.QuotaExceed", message="20", status=403, request_id="")
    ]
    assert codes(obtain(ecs)[1]) == [(ONE, "tags_full")]


def test_a_claim_whose_answer_was_late_does_not_go_out_again() -> None:
    ecs, clock = ScriptedEcs(instance()), JumpingClock()

    def times_out() -> None:
        clock.sleep(1.5)
        raise LOST

    ecs.after["remember"] = [times_out]
    orders, results, _ = obtain(ecs, clock=clock, settle=2.0)
    assert not orders
    assert codes(results) == [(ONE, "ledger_unavailable")]
    claims_written = [text for _, text in ecs.written if " claimed " in text]
    assert len(claims_written) == 1
    assert ledger.parse(ecs.entry(ONE), NOW + timedelta(hours=1)).state == "refused"


def test_after_a_slow_reading_of_the_region_the_instances_own_entries_are_read_again() -> None:
    ecs, clock = ScriptedEcs(instance(), instance(TWO)), JumpingClock()
    ecs.before["count"] = [lambda: clock.sleep(30)]
    orders, results, _ = obtain(ecs, clock=clock, settle=2.0, MAX_REBOOTS="50%")
    assert [order.instance_id for order in orders] == [ONE]
    assert not results


def test_a_claim_whose_entry_changed_during_a_slow_reading_is_not_written() -> None:
    ecs, clock = ScriptedEcs(instance(), instance(TWO)), JumpingClock()
    theirs = entry("claimed", ago=0)

    def slow() -> None:
        clock.sleep(30)
        ecs.tag(ONE, theirs)

    ecs.before["count"] = [slow]
    orders, results, _ = obtain(ecs, ONE, TWO, clock=clock, settle=2.0, MAX_REBOOTS="100%")
    assert [order.instance_id for order in orders] == [TWO]
    assert codes(results) == [(ONE, "ledger_unavailable")]
    assert ecs.entry(ONE) == theirs


def test_a_claim_that_would_rest_on_an_old_reading_is_not_written() -> None:
    ecs, clock = ScriptedEcs(instance(), instance(TWO)), JumpingClock()
    ecs.before["count"] = [lambda: clock.sleep(30)]
    ecs.after["describe"] = [lambda: clock.sleep(1.1)]
    orders, results, _ = obtain(ecs, ONE, TWO, clock=clock, settle=2.0, MAX_REBOOTS="50%")
    assert not orders
    assert {code for _, code in codes(results)} == {"ledger_unavailable", "blast_radius"}
    assert not [text for _, text in ecs.written if " claimed " in text]


def test_a_claim_dated_after_now_counts_within_the_error_of_clocks_and_blocks_its_own_instance_alone_beyond() -> None:
    ecs = ScriptedEcs(instance(), instance(TWO))
    ecs.tag(TWO, entry(ago=-200))
    assert codes(obtain(ecs, MAX_REBOOTS="1")[1]) == [(ONE, "blast_radius")]
    for text in (entry(ago=-1200), entry("storm", ago=-5 * 31_536_000), entry(ago=2000 * 31_536_000), "garbage"):
        ecs = ScriptedEcs(instance(), instance(TWO))
        ecs.tag(TWO, text)
        orders, results, _ = obtain(ecs, ONE, TWO, MAX_REBOOTS="1")
        assert [order.instance_id for order in orders] == [ONE]
        assert codes(results) == [(TWO, "ledger_unavailable")]
        assert text in results[0].reason


def test_a_dry_run_writes_nothing() -> None:
    ecs = ScriptedEcs(instance(), instance(TWO))
    orders, results, _ = obtain(ecs, ONE, TWO, dry_run=True, MAX_REBOOTS="1")
    assert [order.instance_id for order in orders] == [ONE]
    assert codes(results) == [(TWO, "blast_radius")]
    assert not ecs.written


def test_what_was_asked_for_and_refused_leaves_a_mark_that_hides_nothing() -> None:
    ecs = ScriptedEcs(instance(), instance(TWO), instance(THREE))
    before = entry("back", ago=90_000)
    ecs.tag(THREE, before)
    obtain(ecs, ONE, TWO, THREE, MAX_REBOOTS="1")
    assert ledger.parse(ecs.entry(TWO), NOW).state == "refused"
    assert ecs.entry(THREE) == before


def test_a_storm_is_said_once_and_its_mark_is_not_written_over() -> None:
    ecs = ScriptedEcs(*(instance(f"i-bp1storm{number:06d}") for number in range(5)))
    ids = tuple(ecs.instances)
    orders, results, _ = obtain(ecs, *ids, MAX_REBOOTS="1", STORM_FACTOR="3")
    assert not orders
    assert [result.code for result in results].count("storm_began") == 1
    holder = [instance_id for instance_id in ids if " storm! " in ecs.entry(instance_id)]
    assert len(holder) == 1
    orders, results, _ = obtain(ecs, *holder, *ids[-1:], request_id="another", MAX_REBOOTS="1", STORM_FACTOR="3")
    assert not orders
    assert {result.code for result in results} == {"storm"}
    assert " storm! " in ecs.entry(holder[0])


def test_a_share_of_the_region_is_counted_where_it_matters() -> None:
    ecs = ScriptedEcs(*(instance(f"i-bp1share{number:06d}") for number in range(8)))
    orders, _, _ = obtain(ecs, *ecs.instances, MAX_REBOOTS="25%")
    assert len(orders) == 2
    alone = ScriptedEcs(instance())
    obtain(alone, MAX_REBOOTS="25%")
    assert "count" not in alone.calls


def test_two_of_one_group_are_not_rebooted_by_one_run_even_without_a_limit() -> None:
    tags = {"ecs-reboot": "enabled", "app": "web"}
    ecs = ScriptedEcs(instance(tags=tags), instance(TWO, tags=tags))
    orders, results, _ = obtain(ecs, ONE, TWO, MAX_REBOOTS="off", GROUP_TAG="app")
    assert [order.instance_id for order in orders] == [ONE]
    assert codes(results) == [(TWO, "blast_radius")]


def test_earlier_attempts_are_carried_on() -> None:
    ecs = ScriptedEcs(instance())
    ecs.tag(ONE, entry("back", ago=4000, earlier=(5000,)))
    obtain(ecs)
    assert ledger.parse(ecs.entry(ONE), NOW).earlier == (4000, 9000)


def test_an_entry_newer_than_the_description_counts() -> None:
    ecs = ScriptedEcs(instance())
    wanted = [facts(ecs.instances[ONE])]
    ecs.tag(ONE, entry("claimed", ago=60))
    claims = tag_claims(ecs, deadline(), settle=0)
    orders, results = claims.obtain(REGION, wanted, dry_run=False)
    assert not orders
    assert codes(results) == [(ONE, "cooldown")]
    assert not ecs.written
