"""forecast: it keeps to windows and freezes, lists every tick once, and what it tells is what the function would do."""

from contextlib import suppress
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st
from recorded_night import ROOT

from cli.program import main
from ecs_reboot.settings.settings import load
from localcloud.account.fleet import Fleet, InstanceSpec
from review.fleet_in_memory import FleetInMemory, Reboot
from review.forecast_text import folded
from review.stepped_clock import SteppedClock
from review.timeline import Tick, play
from review.timers import Timer, parse, ticks
from terminal.key_values import UsageError

UTC = timezone.utc
START = datetime(2026, 11, 2, tzinfo=UTC)
WEB = '{"tags": {"app": "web"}, "region_id": "cn-hangzhou", "reason": "test"}'
ROLLING = '{"tags": {"app": "web"}, "region_id": "cn-hangzhou", "limit": 2, "older_than": "7d", "reason": "test"}'


def web(number: int, **more: object) -> InstanceSpec:
    return InstanceSpec.model_validate(
        {"instance_id": f"i-bp1{number:04d}", "instance_name": f"web-{number}", "reboot_seconds": 90.0,
         "tags": {"ecs-reboot": "enabled", "app": "web"}, "start_time": datetime(2026, 1, 1, tzinfo=UTC), **more}
    )  # fmt: skip


def timer(expression: str, payload: str = WEB, name: str = "timer") -> Timer:
    (read,) = parse(f"- {{name: {name}, cron: '{expression}', payload: '{payload}'}}", "timers.yaml")
    return read


def forecast(
    timers: tuple[Timer, ...], instances: tuple[InstanceSpec, ...], given_: dict[str, str], start: datetime, days: float
) -> tuple[list[Tick], list[Reboot]]:
    clock = SteppedClock(start)
    ecs = FleetInMemory(Fleet(instances=instances), clock)
    played = list(play(timers, ecs, clock, load(given_), start + timedelta(days=days)))
    return played, ecs.reboots


# Written from the meaning of a window alone: it begins on one of its days, and lasts in wall-clock time.
WINDOWS = st.tuples(st.sets(st.integers(0, 6), min_size=1), st.integers(0, 47), st.integers(1, 47)).map(
    lambda drawn: (frozenset(drawn[0]), drawn[1] * 30, drawn[2] * 30)
)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def written(window: tuple[frozenset[int], int, int]) -> str:
    days, start, length = window
    end = (start + length) % 1440
    clock = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in (start, end)]
    return f"{','.join(DAYS[day] for day in sorted(days))} {'-'.join(clock)}"


def is_inside(window: tuple[frozenset[int], int, int], wall: datetime) -> bool:
    days, start, length = window
    begins = [
        datetime.combine(wall.date() - timedelta(days=back), datetime.min.time()) + timedelta(minutes=start)
        for back in (0, 1)
        if (wall.weekday() - back) % 7 in days
    ]
    return any(begin <= wall < begin + timedelta(minutes=length) for begin in begins)


#: Two days before a change of daylight saving, or an ordinary Monday.
STARTS = st.sampled_from(
    [datetime(2026, 3, 27, 12, tzinfo=UTC), datetime(2026, 10, 23, 12, tzinfo=UTC), START,
     datetime(2026, 3, 6, 12, tzinfo=UTC), datetime(2026, 10, 30, 12, tzinfo=UTC)]
)  # fmt: skip


@examples(20)
@given(
    WINDOWS,
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Shanghai", "UTC"]),
    STARTS,
    st.integers(0, 4),
    st.sampled_from(["0", "30"]),
)
def test_no_reboot_is_ever_shown_outside_a_window_or_inside_a_freeze_and_none_is_missed(
    window: tuple[frozenset[int], int, int], zone: str, start: datetime, freeze_after: int, settle: str
) -> None:
    frozen = (start + timedelta(days=freeze_after)).date()
    given_ = {
        "MAINTENANCE_WINDOWS": written(window), "TIME_ZONE": zone, "FREEZES": f"{frozen} test", "MAX_REBOOTS": "off",
        "COOLDOWN_SECONDS": "0", "GRACE_SECONDS": "0", "MAX_ATTEMPTS": "8", "ATTEMPT_WINDOW_SECONDS": "60",
        "CLAIM_SETTLE_SECONDS": settle,
    }  # fmt: skip
    played, reboots = forecast((timer("0 0/30 * * * *"),), (web(1),), given_, start, 4)

    def is_open(moment: datetime) -> bool:
        wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        return is_inside(window, wall) and wall.date() != frozen

    assert all(is_open(reboot.at) for reboot in reboots)
    # The other way round: nothing else holds this instance back, so each tick in an open window reboots it.
    assert [tick.due for tick in played if tick.reboots] == [tick.due for tick in played if is_open(tick.due)]
    assert len(reboots) == sum(len(tick.reboots) for tick in played)


EXPRESSIONS = st.sampled_from(
    ["@every 45m", "@every 2h", "0 0/20 * * * *", "CRON_TZ=Europe/Berlin 0 30 2 * * *",
     "CRON_TZ=Europe/Berlin 0 0 0 * * *", "0 15 3 * * MON-FRI", "CRON_TZ=America/New_York 0 */30 1-2 * * *"]
)  # fmt: skip


@examples(15)
@given(st.lists(EXPRESSIONS, min_size=1, max_size=4), STARTS, st.sampled_from([0.5, 1.0, 3.0]))
def test_every_tick_is_listed_exactly_once(expressions: list[str], start: datetime, days: float) -> None:
    timers = tuple(timer(expression, name=f"t{place}") for place, expression in enumerate(expressions))
    end = start + timedelta(days=days)
    expected = []
    for due in timers:
        moment = start if due.schedule.every else start - timedelta(seconds=1)
        while (following := due.schedule.next_after(moment)) and following < end:
            expected.append((following, due.name))
            moment = following
    listed = [(moment, tick.name) for moment, tick in ticks(timers, start, end)]
    assert sorted(listed) == sorted(expected)
    assert [moment for moment, _ in listed] == sorted(moment for moment, _ in listed)
    played, _ = forecast(timers, (web(1), web(2)), {}, start, days)
    assert [(tick.due, tick.timer) for tick in played] == listed
    entries = folded(played)
    assert sorted((tick.due, tick.timer) for entry in entries for tick in entry.ticks) == sorted(listed)
    assert all(len(entry.ticks) == 1 for entry in entries if entry.ticks[0].reboots)
    assert [entry.ticks[0].due for entry in entries] == sorted(entry.ticks[0].due for entry in entries)


def test_a_rolling_reboot_converges_and_keeps_to_its_limits() -> None:
    fleet = tuple(web(number) for number in range(7))
    given_ = {"MAX_REBOOTS": "3", "MAX_REBOOTS_WINDOW_SECONDS": "3600"}
    played, reboots = forecast((timer("0 0/30 * * * *", ROLLING),), fleet, given_, START, 1)
    assert sorted(reboot.instance_id for reboot in reboots) == [spec.instance_id for spec in fleet]
    for reboot in reboots:
        assert sum(timedelta() <= reboot.at - other.at < timedelta(hours=1) for other in reboots) <= 3
    assert max(len(tick.reboots) for tick in played) == 2
    assert played[-1].results[0].reason == "nothing left to do (7 done, 0 under way, 0 failed, 0 left)"


def test_a_rolling_reboot_stops_where_one_stays_down() -> None:
    fleet = (web(1), web(2, stays_down=True), web(3), web(4))
    given_ = {"MAX_REBOOTS": "off", "VERIFY_SECONDS": "300"}
    payload = ROLLING.replace('"limit": 2', '"limit": 1')
    played, reboots = forecast((timer("@every 1h", payload),), fleet, given_, START, 1)
    assert [reboot.instance_id for reboot in reboots] == ["i-bp10001", "i-bp10002"]
    assert "stopped: i-bp10002 stayed down" in played[-1].results[0].reason


def test_a_rolling_reboot_that_starts_nothing_says_what_holds_each_back() -> None:
    fleet = (web(1), web(2, operation_locks=("security",)), web(3, tags={"app": "web"}))
    given_ = {"MAINTENANCE_WINDOWS": "Sat 01:00-03:00"}
    played, _ = forecast((timer("@every 6h", ROLLING),), fleet, given_, START, 1)
    held = {held.code: held.instance_ids for held in played[0].held}
    assert held == {"outside_window": ("i-bp10001",), "locked": ("i-bp10002",), "not_opted_in": ("i-bp10003",)}


def test_a_tick_that_is_due_while_a_run_still_watches_waits_for_it() -> None:
    timers = (timer("0 0 * * * *", name="a"), timer("5 0 * * * *", name="b"))
    played, _ = forecast(timers, (web(1, hangs=True),), {"VERIFY_SECONDS": "60"}, START, 0.01)
    assert [tick.timer for tick in played] == ["a", "b"]
    assert played[0].began == played[0].due
    assert played[1].began > played[1].due


def test_a_forecast_is_the_same_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for _ in range(2):
        assert main(["forecast", "--timers", str(ROOT / "events/timers.yaml"), "--start", "2026-11-23T00:00Z"]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


def test_local_and_utc_times_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--timers", str(ROOT / "events/timers.yaml"), "--start", "2026-10-24T12:00Z"]
    assert main(["forecast", *arguments, "--set", "TIME_ZONE=Europe/Berlin"]) == 0
    out = capsys.readouterr().out
    assert "  to Sun 2026-10-25 02:00 CET (2026-10-25T01:00Z)" in out
    assert "never:    db-01 (locked)" in out


def test_a_timer_that_never_meets_a_window_is_pointed_out(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--timers", str(ROOT / "events/timers.yaml"), "--start", "2026-11-23T00:00Z", "--days", "7"]
    assert main(["forecast", *arguments, "--set", "MAINTENANCE_WINDOWS='daily 12:10-12:20'"]) == 0
    assert capsys.readouterr().out.count("NO tick of it falls into a window") == 1


def test_mistakes_in_the_files_are_all_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "timers.yaml"
    file.write_text(
        "- {name: a, cron: '0 0 4', payload: {}}\n- {nam: a}\n- {name: c, cron: '@every 1s', payload: {}}\n"
    )
    assert main(["forecast", "--timers", str(file)]) == 2
    said = capsys.readouterr().err
    assert all(f"timer {number}" in said for number in (1, 2, 3))
    assert main(["forecast", "--timers", "nowhere.yaml"]) == 2
    assert main(["forecast", "--days", "0"]) == 2
    assert main(["forecast", "--set", "MAX_REBOTS=3"]) == 2
    assert "MAX_REBOOTS" in capsys.readouterr().err


@given(st.text())
def test_any_text_gives_timers_or_a_sentence(text: str) -> None:
    with suppress(UsageError):
        assert parse(text, "timers.yaml")


def test_relative_start_times_count_from_the_start_of_the_forecast(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text(
        "instances:\n  - {instance_id: i-bp1x, tags: {ecs-reboot: enabled, app: web}, start_time: 5m ago}\n"
    )
    timers = tmp_path / "timers.yaml"
    timers.write_text(f"- {{name: now, cron: '0 0 * * * *', payload: '{WEB}'}}\n")
    arguments = ["--fleet", str(fleet), "--timers", str(timers), "--start", "2026-01-05T00:00Z", "--days", "0.1"]
    assert main(["forecast", *arguments]) == 0
    out = capsys.readouterr().out
    assert "i-bp1x: recently_started: it started at 2026-01-04T23:55Z, 300 s ago" in out
    assert date(2026, 1, 5).strftime("%a 2026-01-05 01:00") in out
