"""Maintenance windows and freezes, in the wall-clock time of one IANA time zone.

A window is days and hours; one that ends at or before its start runs across midnight and belongs to the day it starts
on. Wall-clock time settles daylight saving: an hour that the clocks skip is never inside a window, an hour they
repeat is inside both times.
"""

import re
from datetime import date, datetime, timedelta, timezone, tzinfo

from ecs_reboot.model import Value

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MINUTES_A_DAY = 24 * 60
_LONGEST_SKIP = 25 * 60  # minutes; a country may change the side of the date line


class Window(Value):
    """Days (0 = Monday) and the minutes of the day from ``start`` up to but not including ``end``."""

    days: tuple[int, ...]
    start: int
    end: int

    def __str__(self) -> str:
        return f"{','.join(DAYS[day] for day in self.days)} {_clock(self.start)}-{_clock(self.end)}"

    def holds(self, local: datetime) -> bool:
        """Return whether the wall-clock time lies inside."""
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        return (day in self.days and minute >= self.start) or ((day - 1) % 7 in self.days and minute < self.end)


class Freeze(Value):
    """Days, both included, on which nothing is rebooted."""

    first: date
    last: date
    reason: str

    def __str__(self) -> str:
        return f"{self.first}..{self.last} {self.reason}".strip()


def parse_windows(text: str) -> tuple[Window, ...]:
    """Read ``DAYS HH:MM-HH:MM; ...``; days default to all. ValueError names the part that is wrong."""
    return tuple(_window(part.strip()) for part in text.split(";") if part.strip())


def parse_freezes(text: str) -> tuple[Freeze, ...]:
    """Read ``YYYY-MM-DD..YYYY-MM-DD REASON; ...`` (one day: ``YYYY-MM-DD REASON``)."""
    return tuple(_freeze(part.strip()) for part in text.split(";") if part.strip())


def parse_zone(text: str) -> str:
    """Check that the name is a known IANA time zone."""
    name = text.strip() or "UTC"
    try:
        zone(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("give an IANA time zone such as Asia/Shanghai") from None
    return name


def zone(name: str) -> tzinfo:
    """Look up a time zone; KeyError (ZoneInfoNotFoundError) where it is not known."""
    if name == "UTC":
        return timezone.utc
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - keeps zoneinfo, and its files, out of most cold starts

    return ZoneInfo(name)


def closed(windows: tuple[Window, ...], freezes: tuple[Freeze, ...], time_zone: str, now: datetime) -> str:
    """Return '' where reboots may happen at ``now``, else the sentence that says why not."""
    if not windows and not freezes:
        return ""
    local = now.astimezone(zone(time_zone))
    for freeze in freezes:
        if freeze.first <= local.date() <= freeze.last:
            return f"{local:%Y-%m-%d %H:%M} {time_zone} lies in the freeze {freeze}"
    if not windows or any(window.holds(local) for window in windows):
        return ""
    opening = next_opening(windows, freezes, time_zone, now)
    after = f"; the next opens {opening:%a %Y-%m-%d %H:%M}" if opening else ""
    listed = "; ".join(map(str, windows))
    return f"{local:%a %Y-%m-%d %H:%M} {time_zone} is outside the maintenance windows {listed}{after}"


def next_opening(
    windows: tuple[Window, ...], freezes: tuple[Freeze, ...], time_zone: str, now: datetime
) -> datetime | None:
    """Return the wall-clock time at which the next window opens on a day without freeze, within 400 days.

    A window that starts in an hour that the clocks skip opens when they have skipped it, if it is not over by then.
    """
    local = now.astimezone(zone(time_zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    for ahead in range(400):
        day = midnight + timedelta(days=ahead)
        if any(freeze.first <= day.date() <= freeze.last for freeze in freezes):
            continue
        starts = [_opening(window, day) for window in windows if day.weekday() in window.days]
        later = [start for start in starts if start and start > local]
        if later:
            return min(later)
    return None


def _opening(window: Window, day: datetime) -> datetime | None:
    """Return when a window of this day opens; None where all of it is skipped by the clocks."""
    start = day + timedelta(minutes=window.start)
    minutes = (window.end - window.start) % _MINUTES_A_DAY or _MINUTES_A_DAY
    walls = (start + timedelta(minutes=later) for later in range(min(minutes, _LONGEST_SKIP)))
    return next((wall for wall in walls if _exists(wall)), None)


def _exists(wall: datetime) -> bool:
    """Return whether the clocks ever show this time: one that they skip comes back from UTC as another."""
    back = wall.astimezone(timezone.utc).astimezone(wall.tzinfo)
    return back.replace(tzinfo=None) == wall.replace(tzinfo=None)


def _window(part: str) -> Window:
    match = re.fullmatch(r"(?:([A-Za-z,\- ]+?)\s+)?(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)", part)
    if not match:
        raise ValueError(f"{part!r} is no window; write it like Mon-Fri 22:00-04:00")
    days, *clock = match.groups()
    start, end = (_minute(part, int(clock[at]), int(clock[at + 1])) for at in (0, 2))
    if start == _MINUTES_A_DAY:
        raise ValueError(f"{part!r} starts at 24:00; write 00:00 of the next day")
    if start == end:
        raise ValueError(f"{part!r} is empty; for a whole day write 00:00-24:00")
    return Window(days=_days(part, days or "daily"), start=start, end=end % _MINUTES_A_DAY if end < start else end)


def _minute(part: str, hour: int, minute: int) -> int:
    total = hour * 60 + minute
    if minute > 59 or total > _MINUTES_A_DAY:  # noqa: PLR2004 - minutes of an hour
        raise ValueError(f"{part!r} has a time that does not exist; use 00:00 to 24:00")
    return total


def _days(part: str, text: str) -> tuple[int, ...]:
    if text.strip().lower() in ("daily", "every day"):
        return tuple(range(7))
    days: set[int] = set()
    for span in text.replace(" ", "").split(","):
        first, _, last = span.partition("-")
        try:
            low, high = (DAYS.index(name[:3].capitalize()) for name in (first, last or first))
        except ValueError:
            raise ValueError(f"{part!r}: {span!r} is no day; use {', '.join(DAYS)} or a span such as Mon-Fri") from None
        days.update((low + step) % 7 for step in range((high - low) % 7 + 1))
    return tuple(sorted(days))


def _freeze(part: str) -> Freeze:
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d))?(?:\s+(.*))?", part)
    if not match:
        raise ValueError(f"{part!r} is no freeze; write it like 2026-12-24..2027-01-02 year end")
    first, last, reason = match.groups()
    try:
        days = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        raise ValueError(f"{part!r} has a day that does not exist") from None
    if days[1] < days[0]:
        raise ValueError(f"{part!r} ends before it begins")
    return Freeze(first=days[0], last=days[1], reason=reason or "")


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
