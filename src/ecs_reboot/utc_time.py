"""UTC times as ECS writes them: `2017-12-10T04:04Z`, or with seconds."""

import re
from datetime import datetime, timezone


def parse(text: str | None) -> datetime | None:
    """Read a time; None where there is none or it does not exist."""
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d))?Z", text or "", re.ASCII)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(number or 0) for number in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None
