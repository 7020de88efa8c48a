"""What is promised of every event, whatever its bytes: checked by the fuzzer and, on its corpus, by the tests."""

import json
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from urllib.parse import unquote_plus

from ecs_reboot.events import EventSettings
from ecs_reboot.events.instance_id import is_well_formed
from ecs_reboot.events.region import is_well_formed as is_region
from ecs_reboot.events.system_event_catalog import switchable
from ecs_reboot.model import ParsedEvent

NOW = datetime(2024, 6, 1, 3, 40, tzinfo=timezone.utc)
RULES = EventSettings(
    default_region="cn-hangzhou", webhook_token="t", max_event_age_seconds=0, actionable_events=switchable()
)
#: Of processor time, under the fuzzer's instrumentation, which slows what it watches many times over.
MOST_SECONDS = 2.0
FIRING = (
    "alert", "alarm", "critical", "warn", "info", "executing", "scheduled", "inquiring", "willexecute", "failed",
    "stopped", "firing", "alerting", "triggered", "active", "endsat", "is_recovered",
)  # fmt: skip
REQUESTS = ("manual", "timer")
MOST_TEXTS = 500

Read = Callable[[bytes, EventSettings, datetime], ParsedEvent]


class Broken(AssertionError):
    """A promise does not hold for an input."""


def check_time(event: bytes, read: Read) -> None:
    """Read an event and raise Broken if it takes too long: for the fuzzer, which is alone on its processor."""
    began = time.process_time()
    read(event, RULES, NOW)
    took = time.process_time() - began
    if took > MOST_SECONDS:
        raise Broken(f"took {took:.2f} s for {len(event)} bytes")


def check(event: bytes, read: Read) -> None:
    """Read an event and raise Broken if a promise does not hold."""
    reading = read(event, RULES, NOW)
    if ParsedEvent.model_validate_json(reading.model_dump_json()) != reading:
        raise Broken("what was read can't be written down and read again")
    if not reading.requests:
        return
    words = " ".join(everything(event)).casefold()
    for request in reading.requests:
        for target in request.targets:
            if not (is_well_formed(target.instance_id) and is_region(target.region_id)):
                raise Broken(f"{target} is not well formed")
            if target.instance_id not in words:
                raise Broken(f"{target.instance_id} is not in the event")
        if request.trigger.rpartition(">")[2] not in REQUESTS and not any(word in words for word in FIRING):
            raise Broken(f"nothing fires, and {request} was read")


def everything(event: bytes) -> Iterator[str]:
    """Give every text of an event, from inside all of its envelopes."""
    waiting: list[object] = [event.decode(errors="replace").removeprefix("\ufeff")]
    for _ in range(MOST_TEXTS):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            yield value
            waiting += _inside(value)


def _inside(text: str) -> Iterator[object]:
    try:
        value = json.loads(text)
        if not isinstance(value, str) or value != text:
            yield value
    except (ValueError, RecursionError):
        plain = unquote_plus(text)
        if plain != text:
            yield plain
        yield from (part.partition("=")[2] for part in plain.split("&") if "{" in part and part != text)
    try:
        yield b64decode("".join(text.split()), validate=True).decode().removeprefix("\ufeff")
    except ValueError:
        return
