"""Times as a fleet file gives them: absolute, or relative to when it is read."""

import re
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_RELATIVE = re.compile(r"(?:in (?P<ahead>\d+) ?(?P<unit_ahead>[smhd])|(?P<ago>\d+) ?(?P<unit_ago>[smhd]) ago)")


def _moment(value: Any, info: ValidationInfo) -> Any:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    if isinstance(value, str):
        relative = _RELATIVE.fullmatch(value.strip())
        if relative:
            now: datetime = info.context["now"] if info.context else datetime.now(timezone.utc)
            if relative["ago"]:
                return now - timedelta(seconds=int(relative["ago"]) * _UNITS[relative["unit_ago"]])
            return now + timedelta(seconds=int(relative["ahead"]) * _UNITS[relative["unit_ahead"]])
        try:
            moment = datetime.fromisoformat(re.sub(r"(?<=[\d])Z$", "+00:00", value.strip()))
        except ValueError:
            pass
        else:
            return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    raise ValueError(f"{value!r} is not a time: write '2026-11-23T13:00:00Z', '5m ago', '2h ago' or 'in 3d'")


Moment = Annotated[datetime, BeforeValidator(_moment)]
