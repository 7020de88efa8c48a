"""Maintenance windows: edges, midnight, both changes of daylight saving, freezes."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_reboot.policy.windows import closed, next_opening, parse_freezes, parse_windows

BERLIN = "Europe/Berlin"


def is_open(windows: str, at: str, zone: str = "UTC", freezes: str = "") -> bool:
    now = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(zone)).astimezone(timezone.utc)
    return not closed(parse_windows(windows), parse_freezes(freezes), zone, now)


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ("2026-11-23T21:59:59", False),  # Monday
        ("2026-11-23T22:00:00", True),
        ("2026-11-24T03:59:59", True),
        ("2026-11-24T04:00:00", False),
        ("2026-11-28T03:59:00", True),  # Saturday morning still belongs to Friday's window
        ("2026-11-28T22:30:00", False),  # Saturday has none of its own
        ("2026-11-23T03:00:00", False),  # Sunday has none that could reach into Monday
    ],
)
def test_a_window_across_midnight_belongs_to_the_day_it_starts_on(at: str, open_: bool) -> None:  # noqa: FBT001
    assert is_open("Mon-Fri 22:00-04:00", at) is open_


def test_no_windows_means_always_and_a_freeze_closes_even_then() -> None:
    assert is_open("", "2026-12-24T12:00:00")
    assert not is_open("", "2026-12-24T12:00:00", freezes="2026-12-24..2027-01-02 year end")
    assert is_open("", "2027-01-03T00:00:00", freezes="2026-12-24..2027-01-02 year end")


def test_the_sentence_says_when_it_opens_next() -> None:
    now = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
    said = closed(parse_windows("Sat,Sun 01:00-03:00"), (), "UTC", now)
    assert "Sat,Sun 01:00-03:00" in said
    assert "Sat 2026-11-28 01:00" in said


def test_an_hour_that_the_clocks_skip_never_opens() -> None:
    # Berlin, 2026-03-29: 02:00 becomes 03:00. Every minute of that day, in UTC, is asked.
    start = datetime(2026, 3, 28, 23, 0, tzinfo=timezone.utc)
    windows = parse_windows("daily 02:00-03:00")
    assert all(closed(windows, (), BERLIN, start + timedelta(minutes=minute)) for minute in range(23 * 60))


def test_an_hour_that_the_clocks_repeat_opens_both_times() -> None:
    # Berlin, 2026-10-25: 03:00 becomes 02:00.
    windows = parse_windows("daily 02:00-03:00")
    start = datetime(2026, 10, 24, 22, 0, tzinfo=timezone.utc)
    opened = sum(not closed(windows, (), BERLIN, start + timedelta(minutes=minute)) for minute in range(25 * 60))
    assert opened == 120


@pytest.mark.parametrize(
    "text", ["always", "Mon 25:00-26:00", "Mon 10:00-10:00", "Funday 01:00-02:00", "Mon 24:00-01:00"]
)
def test_what_is_no_window_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=text.split(maxsplit=1)[0]):
        parse_windows(text)


@pytest.mark.parametrize("text", ["2026-13-01", "2026-12-24..2026-12-01", "christmas"])
def test_what_is_no_freeze_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text[:10]):
        parse_freezes(text)


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(timezone.utc))  # noqa: DTZ001
ZONES = st.sampled_from(["UTC", BERLIN, "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"])
DAY_LISTS = st.lists(st.sampled_from(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]), min_size=1, unique=True)
MINUTES = st.integers(0, 24 * 60 - 1)


@given(MOMENTS, ZONES, DAY_LISTS, MINUTES, MINUTES)
def test_a_window_and_its_complement_never_agree(
    now: datetime, zone: str, days: list[str], start: int, end: int
) -> None:
    """Any moment is inside exactly one of: the window, the rest of the week."""
    if start == end:
        return
    clock = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in (start, end)]
    inside = not closed(parse_windows(f"{','.join(days)} {clock[0]}-{clock[1]}"), (), zone, now)
    # Walk back minute by minute in wall-clock terms: inside iff the last edge at or before now is a start.
    local = now.astimezone(ZoneInfo(zone))
    minute, today = local.hour * 60 + local.minute, local.strftime("%a")
    yesterday = (local - timedelta(days=1)).strftime("%a")
    if start < end:
        expected = today in days and start <= minute < end
    else:
        expected = (today in days and minute >= start) or (yesterday in days and minute < end)
    assert inside is expected


@pytest.mark.parametrize(
    ("window", "opens"),
    [
        ("Sun 02:00-03:00", "2027-04-04 02:00"),  # the clocks skip all of it on 28 March
        ("Sun 02:15-02:45; Sun 05:00-06:00", "2027-03-28 05:00"),
        ("Sun 02:30-05:00", "2027-03-28 03:00"),  # and this one in part
        ("Sun 03:00-05:00", "2027-03-28 03:00"),
    ],
)
def test_a_window_in_the_hour_that_the_clocks_skip_opens_when_it_really_does(window: str, opens: str) -> None:
    now = datetime(2027, 3, 27, 12, tzinfo=timezone.utc)
    windows = parse_windows(window)
    opening = next_opening(windows, (), "Europe/Berlin", now)
    assert f"{opening:%Y-%m-%d %H:%M}" == opens
    assert opening is not None
    assert not closed(windows, (), "Europe/Berlin", opening.astimezone(timezone.utc))
    assert f"the next opens {opening:%a} {opens}" in closed(windows, (), "Europe/Berlin", now)


@given(MOMENTS, ZONES, DAY_LISTS, MINUTES)
def test_the_next_opening_is_open_and_later(now: datetime, zone: str, days: list[str], start: int) -> None:
    windows = parse_windows(f"{','.join(days)} {start // 60:02d}:{start % 60:02d}-24:00")
    opening = next_opening(windows, (), zone, now)
    assert opening is not None
    assert opening > now.astimezone(ZoneInfo(zone))
    assert opening - now.astimezone(ZoneInfo(zone)) <= timedelta(days=7, hours=1)


def test_a_freeze_moves_the_next_opening_and_a_long_one_leaves_none() -> None:
    now = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
    windows = parse_windows("Sat,Sun 01:00-03:00")
    over_saturday = parse_freezes("2026-11-28..2026-11-28 inventory")
    assert next_opening(windows, over_saturday, "UTC", now) == datetime(2026, 11, 29, 1, 0, tzinfo=timezone.utc)
    for_years = parse_freezes("2026-11-24..2029-01-01 the end of sales")
    assert next_opening(windows, for_years, "UTC", now) is None
    assert "the next opens" not in closed(windows, for_years, "UTC", now)
