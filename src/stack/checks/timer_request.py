"""The request that a timer sends, read as the function will read it when the timer goes off."""

import json
from collections.abc import Iterator
from datetime import datetime, timezone

from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.reader import read

#: Where a request names no region, the function takes its own: any does here.
_RULES = EventSettings(default_region="cn-hangzhou")


def mistakes(payload: str) -> Iterator[str]:
    """Yield why the function would not obey a timer with this payload; nothing where it would."""
    now = datetime.now(timezone.utc)
    event = {"triggerTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "triggerName": "timer", "payload": payload}
    said = read(json.dumps(event).encode(), _RULES, now)
    yield from (rejected.reason for rejected in said.rejected)
    yield from (ignored.reason for ignored in said.ignored)
    if not (said.requests or said.upkeep or said.rejected or said.ignored):
        yield "it asks for nothing"
