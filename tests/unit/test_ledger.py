"""The ledger's entries: what is written is what is read, within what a tag can hold."""

from datetime import datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as some
from scripted_ecs import NOW, instance

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.memory import of_entries

MOMENTS = some.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1), timezones=some.just(timezone.utc))  # noqa: DTZ001 - hypothesis adds the zone
STATES = some.sampled_from((*get_args(ledger.State),))
CLAIMS = some.integers(0, 2**32 - 1).map(lambda number: f"{number:08x}")
ENTRIES = some.builds(
    ledger.following,
    some.lists(MOMENTS, max_size=20).map(lambda times: tuple(sorted(times))),
    at=MOMENTS,
    state=STATES,
    force=some.booleans(),
    claim=CLAIMS,
    group=some.text(max_size=20).map(ledger.group_digest),
)


@given(ENTRIES)
def test_every_entry_fits_into_a_tag_and_is_read_as_it_was_written(entry: ledger.Entry) -> None:
    text = str(entry)
    assert len(text) <= ledger.MOST_CHARACTERS
    assert ledger.parse(text, entry.at) == entry


@given(ENTRIES, some.text("0123456789abcdef", min_size=ledger.RUN_CHARACTERS, max_size=16))
def test_only_a_claim_before_ecs_is_asked_names_its_run(entry: ledger.Entry, run: str) -> None:
    text = str(entry.model_copy(update={"run": run}))
    assert len(text) <= ledger.MOST_CHARACTERS
    named = run[: ledger.RUN_CHARACTERS] if entry.state == "claimed" else ""
    assert ledger.parse(text, entry.at) == entry.model_copy(update={"run": named})


@given(ENTRIES, some.sampled_from((None, 0, 60, 7200, ledger.OLDEST_SECONDS)), some.integers(0, 86_400))
def test_what_a_person_cleared_goes_over_to_the_next_entry_which_fits_and_is_read_as_written(
    before: ledger.Entry, cleared: int | None, later: int
) -> None:
    before = before.model_copy(update={"earlier": (), "cleared": cleared})
    at = before.at + timedelta(seconds=later)
    entry = ledger.following((), before=before, at=at, state="claimed", force=False, claim="0badcafe", group="0")
    assert len(str(entry)) <= ledger.MOST_CHARACTERS
    assert ledger.parse(str(entry), at) == entry
    assert ledger.attempts(entry, at, ours="0badcafe") == ()
    age = later if before.state == "reset" else None if cleared is None else cleared + later
    assert entry.cleared == (age if age is not None and age <= ledger.OLDEST_SECONDS else None)
    counted = entry.model_copy(update={"state": "void"})
    memory = of_entries({"i-1": counted}, timedelta(hours=2), at + timedelta(seconds=1))
    assert memory.rebooted == ({"i-1"} if age is not None and age + 1 < 7200 else set())


def test_a_tag_has_room_for_what_was_cleared_only_where_no_attempt_followed() -> None:
    attempts = tuple(NOW - timedelta(seconds=ledger.OLDEST_SECONDS - age) for age in range(ledger.MOST_ATTEMPTS))
    before = following(state="reset")
    entry = ledger.following(
        attempts, before=before, at=NOW, state="finishing", force=False, claim="0badcafe", group="0badcafe"
    )
    assert entry.cleared == 0
    assert len(str(entry)) <= ledger.MOST_CHARACTERS
    assert ledger.parse(str(entry), NOW) == entry.model_copy(update={"cleared": None})


@given(some.text(max_size=130))
def test_a_foreign_value_is_unreadable_and_says_what_to_do(text: str) -> None:
    with pytest.raises(ledger.Unreadable, match="reset"):
        ledger.parse(text, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v2 2026-03-02T12:00:30Z graceful claimed 0badcafe g=0",
        "v1 2026-03-02T12:00:30Z graceful claimed 0badcafe g=0 ",
        "v1 2026-03-02T12:00:30Z graceful claimed 0badcafe.9e0 g=0",
        "v1 2026-03-02T12:00:30Z graceful claimed 0badcafe g=0 -5700",
        "v1 2026-13-02T12:00:30Z graceful claimed 0badcafe g=0",
        "v1 2026-03-02T12:00:30Z graceful claimed 0badcafe g=0\n",
    ],
)
def test_what_is_nearly_an_entry_is_none(text: str) -> None:
    with pytest.raises(ledger.Unreadable):
        ledger.parse(text, NOW)


def test_a_time_that_has_not_come_is_borne_within_the_skew_of_clocks_and_refused_beyond() -> None:
    text = str(ledger.following((), at=NOW, state="claimed", force=False, claim="0badcafe", group="0"))
    assert ledger.parse(text, NOW - ledger.SKEW).at == NOW
    with pytest.raises(ledger.Unreadable, match="dated after now"):
        ledger.parse(text, NOW - ledger.SKEW - timedelta(seconds=1))


def following(*ages: int, state: ledger.State = "claimed", claim: str = "0badcafe") -> ledger.Entry:
    times = tuple(NOW - timedelta(seconds=age) for age in ages)
    return ledger.following(times, at=NOW, state=state, force=False, claim=claim, group="0")


def test_attempts_are_the_earlier_ones_and_the_entry_itself_where_it_is_one() -> None:
    earlier = tuple(NOW - timedelta(seconds=age) for age in (7200, 3600))
    for state in ledger.ATTEMPTED:
        assert ledger.attempts(following(7200, 3600, state=state), NOW) == (*earlier, NOW)
    not_attempted: tuple[ledger.State, ...] = ("refused", "storm")
    for state in not_attempted:
        assert ledger.attempts(following(7200, 3600, state=state), NOW) == earlier
    assert ledger.attempts(following(7200, state="reset"), NOW) == ()
    assert ledger.attempts(None, NOW) == ()


def test_our_own_claim_is_no_earlier_attempt() -> None:
    assert ledger.attempts(following(3600), NOW, ours="0badcafe") == (NOW - timedelta(seconds=3600),)
    assert ledger.attempts(following(3600), NOW, ours="00000000")[-1] == NOW


def test_a_restart_after_a_refusal_may_hide_an_attempt_which_is_not_called_one() -> None:
    refused = following(state="refused")
    started = NOW.replace(second=0) + timedelta(minutes=2)
    assert ledger.hidden_attempt(refused, started) == started
    assert ledger.hidden_attempt(refused, started, ours="0badcafe") is None
    assert ledger.hidden_attempt(refused, NOW - timedelta(hours=1)) is None
    assert ledger.hidden_attempt(following(), started) is None
    assert ledger.attempts(refused, NOW) == ()


def test_a_start_in_the_minute_of_the_entry_counts_as_after_it() -> None:
    entry = following()
    assert ledger.restarted(entry, NOW.replace(second=0))
    assert not ledger.restarted(entry, NOW.replace(second=0) - timedelta(minutes=1))
    assert not ledger.restarted(entry, None)


@given(some.lists(some.integers(0, 10**6), min_size=1, max_size=12), some.integers(1, 8), some.integers(60, 10**6))
def test_exhausted_is_so_many_attempts_within_one_window_and_stays(ages: list[int], most: int, window: int) -> None:
    times = tuple(sorted(NOW - timedelta(seconds=age) for age in ages))
    found = ledger.exhausted(times, most, timedelta(seconds=window))
    assert found == (len(times) >= most and (times[-1] - times[-most]).total_seconds() <= window)


@given(some.lists(some.integers(60, 10**5), min_size=1, max_size=7))
def test_attempts_survive_being_written_again_and_again_to_the_second(gaps: list[int]) -> None:
    moment, entry, times = NOW, None, []
    for gap in gaps:
        moment += timedelta(seconds=gap)
        entry = ledger.following(
            ledger.attempts(entry, moment), at=moment, state="claimed", force=False, claim="0badcafe", group="0"
        )
        times.append(moment)
    assert ledger.attempts(entry, moment) == tuple(times)


def test_groups_have_digests_and_none_has_nought() -> None:
    assert ledger.group_digest("") == "0"
    assert ledger.group_digest("web") != ledger.group_digest("db")
    assert len(ledger.group_digest("web")) == 8


def test_attempts_count_again_from_nothing_seven_days_after_the_last_one() -> None:
    entry = following(7200, 3600, state="back")
    last = NOW + ledger.FORGOTTEN
    assert len(ledger.attempts(entry, last - timedelta(seconds=1))) == 3
    assert ledger.attempts(entry, last) == ()


def test_a_claim_never_led_to_a_request_only_when_its_run_is_over_and_nothing_was_restarted_since() -> None:
    claimed, holds = following(), timedelta(seconds=90)
    late = NOW + holds + timedelta(seconds=1)
    shown = instance()
    assert ledger.never_asked(claimed, shown, late, holds)
    assert not ledger.never_asked(claimed, shown, NOW + holds, holds)
    assert not ledger.never_asked(claimed, instance(status="Stopping"), late, holds)
    assert not ledger.never_asked(claimed, instance(start_time=NOW + timedelta(minutes=1)), late, holds)
    assert not ledger.never_asked(following(state="accepted"), shown, late, holds)
    assert ledger.attempts(claimed, late, never_asked=True) == ()


@pytest.mark.parametrize("year", ["0001", "1970", "9999"])
def test_a_time_of_another_age_is_unreadable_and_nothing_else(year: str) -> None:
    history = ledger.read(f"v1 {year}-01-01T00:00:00Z graceful claimed 0badcafe g=0 -999999s", NOW)
    assert history.entry is None
    assert "reset" in history.unreadable


def test_a_request_claims_an_instance_under_one_id_in_every_retry() -> None:
    assert ledger.claim_digest("r-1") == ledger.claim_digest("r-1")
    assert ledger.claim_digest("r-1") != ledger.claim_digest("r-2")
