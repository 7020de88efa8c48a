"""When something happened, in every spelling the sources use.

Numbers (or texts of digits) are Unix seconds with 10 digits and milliseconds with 13. Texts are ISO 8601, basic or
extended, to the minute, second or up to nine decimals, with ``Z``, an offset, or ``PRC`` (UTC+8) behind them. A time
without a zone is no time: which one it means cannot be known. Year 1 stands for "not yet" (``0001-01-01T00:00:00Z``).
"""

import re
from datetime import datetime, timedelta, timezone

_SECONDS = range(10**9, 10**10)
_MILLISECONDS = range(10**12, 10**13)
_TEXT = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})T([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r"(?:(Z)|(PRC)|([+-])([0-9]{2}):?([0-9]{2}))"
)
_PRC = timedelta(hours=8)


def parse(value: object) -> datetime | None:
    """Return the time in UTC, or None if the value is no time in any known spelling."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return _unix(int(value))
    if not isinstance(value, str):
        return None
    if value.isascii() and value.isdigit():
        return _unix(int(value)) if len(value) in (10, 13) else None
    return _iso(value)


def ended(value: object) -> bool:
    """Return whether an end time says that something is over: anything stated but the year 1 and zero."""
    return value not in (None, "", "null", 0, "0", False) and not (
        isinstance(value, str) and value.startswith("0001-01-01")
    )


def _unix(number: int) -> datetime | None:
    if number in _SECONDS:
        return datetime.fromtimestamp(number, timezone.utc)
    if number in _MILLISECONDS:
        return datetime.fromtimestamp(number // 1000, timezone.utc) + timedelta(milliseconds=number % 1000)
    return None


def _iso(value: str) -> datetime | None:
    match = _TEXT.fullmatch(value)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, _utc, prc, sign, hours, minutes = match.groups()
    offset = _PRC if prc else timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            int(second or 0),
            int((fraction or "").ljust(6, "0")[:6]),
            timezone.utc,
        )
        return moment + offset if sign == "-" else moment - offset
    except (ValueError, OverflowError):
        return None
