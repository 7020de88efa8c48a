"""Function Compute's timer expressions: ``@every 5m``, or six fields from second to weekday, perhaps with a time zone.

Fields are ``second minute hour day-of-month month day-of-week`` in UTC; ``CRON_TZ=Asia/Shanghai`` in front changes the
zone (Function Compute's page "time triggers"). Lists, ranges, steps, names and ``?`` are known; L, W and # are not.
"""

import re
from datetime import date, datetime, time, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

_EVERY = re.compile(r"@every ([1-9][0-9]{0,5})([mh])")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 6, _DAYS),
)
_SEARCH_DAYS = 366 * 8
#: Clocks are set forward and back by multiples of this, at multiples of this. Seconds.
_LEAST_SHIFT = 900


class Schedule(NamedTuple):
    """When a timer goes off: ``every`` seconds, or at the moments that all ``fields`` allow in ``zone``."""

    every: int
    fields: tuple[frozenset[int], ...]
    any_day: bool
    any_weekday: bool
    zone: str

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first moment after ``moment`` (aware), in UTC; None if there is none within eight years."""
        if self.every:
            return moment.astimezone(timezone.utc) + timedelta(seconds=self.every)
        zone = ZoneInfo(self.zone)
        seconds, minutes, hours, *_ = self.fields
        at = moment.astimezone(timezone.utc).replace(microsecond=0) + timedelta(seconds=1)
        end = at + timedelta(days=_SEARCH_DAYS)
        # Going on in UTC meets each moment once, whatever the clocks of the zone do: a wall-clock time that they skip
        # never comes, one that they repeat comes twice.
        while at < end:
            local = at.astimezone(zone)
            if not self._on(local.date()):
                at = datetime.combine(local.date() + timedelta(days=1), time(), zone).astimezone(timezone.utc)
            elif local.hour not in hours:
                at = _after(at, _LEAST_SHIFT)
            elif local.minute not in minutes:
                at = _after(at, 60)
            elif local.second not in seconds:
                at += timedelta(seconds=1)
            else:
                return at
        return None

    def _on(self, day: date) -> bool:
        in_month = day.month in self.fields[4]
        by_day = day.day in self.fields[3]
        by_weekday = day.isoweekday() % 7 in self.fields[5]
        # As in every cron: where both days are restricted, either will do.
        either = by_day or by_weekday if not self.any_day and not self.any_weekday else by_day and by_weekday
        return in_month and either


def _after(moment: datetime, seconds: int) -> datetime:
    """Return the next moment that is a multiple of ``seconds``."""
    return datetime.fromtimestamp((moment.timestamp() // seconds + 1) * seconds, timezone.utc)


def parse(text: str) -> Schedule:
    """Read a timer expression. Raises ValueError with the field and the remedy."""
    if text.startswith("@"):
        match = _EVERY.fullmatch(text)
        if not match:
            raise ValueError("write @every and a number of minutes or hours, such as @every 5m")
        return Schedule(int(match[1]) * {"m": 60, "h": 3600}[match[2]], (), any_day=True, any_weekday=True, zone="UTC")
    zone, words = "UTC", text.split()
    if words and words[0].startswith("CRON_TZ="):
        zone = words.pop(0).partition("=")[2]
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, KeyError):
            raise ValueError(f"{zone!r} is no IANA time zone; write CRON_TZ=Asia/Shanghai") from None
    if len(words) != len(_FIELDS):
        raise ValueError(f"it has {len(words)} fields; six are needed: second minute hour day month weekday")
    fields = tuple(_allowed(word, field) for word, field in zip(words, _FIELDS, strict=True))
    return Schedule(0, fields, any_day=words[3] in "*?", any_weekday=words[5] in "*?", zone=zone)


def _allowed(text: str, field: _Field) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if slash and not (step.isascii() and step.isdigit() and int(step)):
            raise ValueError(f"{field.name} {text!r}: the step {step!r} is no number above 0")
        first, dash, last = span.partition("-")
        if span in ("*", "?"):
            start, end = field.low, field.high
        else:
            start = _number(first, field, text)
            end = _number(last, field, text) if dash else (field.high if slash else start)
        if start > end:
            raise ValueError(f"{field.name} {text!r}: {start} is after {end}")
        found.update(range(start, end + 1, int(step) if slash else 1))
    return frozenset(found)


def _number(text: str, field: _Field, whole: str) -> int:
    if text.lower() in field.words:
        return field.words.index(text.lower()) + field.low
    if not (text.isascii() and text.isdigit()) or not field.low <= int(text) <= field.high:
        raise ValueError(f"{field.name} {whole!r}: {text!r} is not from {field.low} to {field.high}")
    return int(text)
