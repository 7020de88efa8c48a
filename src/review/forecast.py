"""``forecast``: what the timers and windows would do in the next days, tick by tick.

The function itself decides at each tick, over the fleet in memory, under a clock that steps from tick to tick. Alarms,
people and faults are not foreseen (docs/operate/review.md).
"""

import sys
import time
from datetime import datetime, timedelta, timezone

from ecs_reboot.settings.settings import Settings, SettingsError, load
from localcloud.account.declaration_errors import DeclarationError
from localcloud.account.fleet import Fleet
from localcloud.account.fleets import chosen
from localcloud.commands.project_function import REGION
from review.fleet_in_memory import FleetInMemory
from review.forecast_text import ForecastPlan, format_forecast
from review.inputs import text_of, time_of
from review.stepped_clock import SteppedClock
from review.text import utc
from review.timeline import play
from review.timers import parse
from sample_events import FOLDER
from terminal.key_values import UsageError, key_values
from terminal.printable import write_line

TIMERS = FOLDER / "timers.yaml"
MOST_DAYS = 400
#: In which a forecast may begin.
YEARS = range(1971, 9000)
#: A long forecast says how far it is, so often.
PATIENCE_SECONDS = 10.0


def main(days: str = "1", start: str = "", fleet: str = "", timers: str = "", settings: str = "") -> int:
    """Play the timers of the next days. Raises UsageError."""
    length = _days(days)
    now = datetime.now(timezone.utc).replace(second=0, microsecond=0)
    begin = _begin(start) if start else now
    loaded = _settings(settings)
    declared = _fleet(fleet, begin)
    path = timers or str(TIMERS)
    timed = parse(text_of(path, "timers file"), path)
    clock = SteppedClock(begin)
    end = begin + timedelta(days=length)
    began = time.monotonic()
    ticks = []
    said = began
    for tick in play(timed, FleetInMemory(declared, clock), clock, loaded, end):
        ticks.append(tick)
        if time.monotonic() - said > PATIENCE_SECONDS:
            said = time.monotonic()
            sys.stderr.write(f"... {len(ticks):,} ticks, up to {utc(tick.due)} of {utc(end)}\n")
    for line in format_forecast(ticks, ForecastPlan(timed, declared, loaded.policy, begin, end)):
        write_line(line)
    sys.stdout.flush()
    sys.stderr.write(f"worked out in {time.monotonic() - began:.1f} s\n")
    return 0


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0
    if not 0 < days <= MOST_DAYS:
        raise UsageError(f"DAYS={text!r}: give a number above 0 and up to {MOST_DAYS}")
    return days


def _begin(text: str) -> datetime:
    begin = time_of("START", text)
    if begin.year not in YEARS:  # beyond, what is reckoned from it would leave the calendar
        raise UsageError(f"START={text!r}: give a time in the years {YEARS[0]} to {YEARS[-1]}")
    return begin


def _settings(text: str) -> Settings:
    given = key_values("SET", text)
    given.pop("LOGSTORE", None)  # nothing is shipped
    try:
        return load({"FC_REGION": REGION, **given})
    except SettingsError as error:
        raise UsageError("\n".join(map(str, error.mistakes))) from error


def _fleet(path: str, start: datetime) -> Fleet:
    """Read the fleet file; relative times in it count from the start of the forecast."""
    try:
        return chosen(path, start)
    except DeclarationError as error:
        raise UsageError(str(error)) from error
