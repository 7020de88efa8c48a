"""Timer expressions against a second implementation, and against asking every minute of the days of a time change."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from cloud_languages import cron

UTC = timezone.utc
#: Zones without daylight saving in these years: there all implementations must agree.
STEADY = ["UTC", "Asia/Shanghai", "Asia/Kolkata"]
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago", "Asia/Beirut"]


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.sets(number, min_size=2, max_size=2).map(sorted).map(lambda ends: f"{ends[0]}-{ends[1]}")
    stepped = st.tuples(span, st.integers(1, 20)).map(lambda both: f"{both[0]}/{both[1]}")
    return st.just("*") | st.lists(number.map(str) | span | stepped, min_size=1, max_size=3).map(",".join)


# A step on a star of the two day fields is left out: implementations differ on whether it counts as a restriction.
EXPRESSIONS = st.tuples(field(0, 59), field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)).map(" ".join)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)


@given(EXPRESSIONS, MOMENTS, st.sampled_from(STEADY))
def test_the_next_times_are_those_of_another_implementation(expression: str, moment: datetime, zone: str) -> None:
    ours, theirs = moment, CronSim(expression, moment.astimezone(ZoneInfo(zone)))
    for _ in range(3):
        found = cron.parse(f"CRON_TZ={zone} {expression}").next_after(ours)
        expected = next(theirs, None)
        if expected is None or found is None or expected - moment > timedelta(days=365 * 7):
            return  # such as the 30th of February: each gives up in its own time
        assert found == expected.astimezone(UTC)
        ours = found


def changes(zone: str) -> list[datetime]:
    """The moments of a year at which the zone's offset changes, in UTC."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    hours = [start + timedelta(minutes=30 * step) for step in range(365 * 48)]
    offsets = [moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in hours]
    return [hours[place] for place in range(1, len(hours)) if offsets[place] != offsets[place - 1]]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "expression", ["0 30 2 * * *", "0 */15 * * * *", "0 0 0 * * *", "0 45 1-3 * * *", "0 0,30 0,2 * * 0"]
)
def test_around_a_time_change_every_minute_that_the_wall_clock_shows_counts_once(zone: str, expression: str) -> None:
    schedule = cron.parse(f"CRON_TZ={zone} {expression}")
    assert len(changes(zone)) == 2
    for change in changes(zone):
        minutes = [change + timedelta(minutes=minute) for minute in range(-36 * 60, 36 * 60)]
        local = [minute.astimezone(ZoneInfo(zone)) for minute in minutes]
        expected = [
            minute
            for minute, at in zip(minutes, local, strict=True)
            if at.hour in schedule.fields[2]
            and at.minute in schedule.fields[1]
            and at.isoweekday() % 7 in schedule.fields[5]
        ]
        found = []
        moment = minutes[0] - timedelta(seconds=1)
        while (following := schedule.next_after(moment)) and following <= minutes[-1]:
            found.append(following)
            moment = following
        assert found == expected


def test_an_hour_that_the_clocks_skip_has_no_tick_and_one_they_repeat_has_two() -> None:
    schedule = cron.parse("CRON_TZ=Europe/Berlin 0 30 2 * * *")
    spring = schedule.next_after(datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert spring == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    autumn = schedule.next_after(datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert autumn == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert schedule.next_after(autumn) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_day_that_never_comes_has_no_next_time() -> None:
    assert cron.parse("0 0 0 30 2 *").next_after(datetime(2026, 1, 1, tzinfo=UTC)) is None
