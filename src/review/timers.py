"""The timers of a forecast: a YAML list of name, cron expression and payload, as Function Compute has them."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import heapify, heapreplace
from typing import Any, NamedTuple

import yaml

from cloud_languages import cron
from terminal.key_values import UsageError

FIELDS = ("name", "cron", "payload")


class Timer(NamedTuple):
    """One timer; ``payload`` is the request it sends, as JSON text."""

    name: str
    expression: str
    schedule: cron.Schedule
    payload: str

    def event(self, due: datetime) -> bytes:
        """Return the event of the tick that is due then, as Function Compute sends it."""
        event = {
            "triggerTime": due.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "triggerName": self.name,
            "payload": self.payload,
        }
        return json.dumps(event, ensure_ascii=False).encode()


def parse(text: str, name: str) -> tuple[Timer, ...]:
    """Read the timers; ``name`` stands for the file in messages. Raises UsageError with all that is wrong."""
    try:
        rows = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{name}: this is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(rows, list) or not rows:
        raise UsageError(f"{name}: write a list of timers, each with {', '.join(FIELDS)}")
    timers, mistakes = [], []
    for number, row in enumerate(rows, 1):
        place = f"{name}: timer {number}"
        try:
            timers.append(_timer(row))
        except (TypeError, ValueError) as error:
            mistakes.append(f"{place}: {error}")
    names = [timer.name for timer in timers]
    mistakes += [
        f"{name}: two timers are named {timer_name!r}"
        for timer_name in sorted(set(names))
        if names.count(timer_name) > 1
    ]
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return tuple(timers)


def ticks(timers: tuple[Timer, ...], start: datetime, end: datetime) -> Iterator[tuple[datetime, Timer]]:
    """Yield every tick from ``start`` up to but not including ``end``, those of one moment in the order of the file.

    ``@every`` counts from the start, as Function Compute counts from when the timer was made.
    """
    due: list[tuple[datetime, int]] = []
    for place, timer in enumerate(timers):
        # A tick at the start itself belongs to the forecast, except for @every: its first is one interval later.
        first = timer.schedule.next_after(start if timer.schedule.every else start - timedelta(seconds=1))
        if first is not None:
            due.append((first, place))
    heapify(due)
    while due and due[0][0] < end:
        moment, place = due[0]
        yield moment, timers[place]
        heapreplace(due, (timers[place].schedule.next_after(moment) or end, place))


def _timer(row: Any) -> Timer:
    if not isinstance(row, dict) or set(row) != set(FIELDS):
        given = ", ".join(map(str, row)) if isinstance(row, dict) else repr(row)
        raise ValueError(f"it has {given}; a timer has {', '.join(FIELDS)}")
    payload = row["payload"]
    if not isinstance(row["name"], str) or not isinstance(row["cron"], str):
        raise TypeError("name and cron are texts: put them into quotes")
    try:
        schedule = cron.parse(row["cron"])
    except ValueError as error:
        raise ValueError(f"cron {row['cron']!r}: {error}") from None
    return Timer(
        name=row["name"],
        expression=row["cron"],
        schedule=schedule,
        payload=payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False, default=str),
    )
