"""Records from a file: the function's own JSON lines, or what the log service exports.

The log service keeps every value as text; ``facts`` then is JSON inside a text. Its console and GetLogs give an array
(or an object whose ``data`` is one) of such lines with ``__time__`` and the like beside; Function Compute's own log has
the whole line in ``message``. All of them are read here; what is no record is passed over, and what is one and can't be
read is named.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from pydantic import ValidationError

from ecs_reboot.records.result import SCHEMA, Result

#: Fields whose value is text already; of the others the log service keeps the JSON.
_TEXTS = frozenset(name for name, field in Result.model_fields.items() if field.annotation is str) | {"action"}

#: What shows that a line that is no JSON was a record, or was cut off before it could say so.
_MARKS = ('"schema":', '"record":', '"record_id":')
_BEGINNING = '{"'


class Record(NamedTuple):
    """One record. ``kind``: `intent`, `accepted` or `result`."""

    kind: str
    time: datetime
    request_id: str
    record_id: str
    result: Result


class Export(NamedTuple):
    """What a file holds: records in the order of their time, each once; and complaints about what can't be read."""

    records: tuple[Record, ...]
    repeated: int
    complaints: tuple[str, ...]

    def results(self) -> tuple[Record, ...]:
        """Return what came of each instance and element in the end."""
        return tuple(record for record in self.records if record.kind == "result")


def read(text: str) -> Export:
    """Read an export. Total: what can't be read becomes a complaint that names its place."""
    records: dict[str, Record] = {}
    complaints: list[str] = []
    repeated = 0
    for place, element in _elements(text):
        if isinstance(element, str):
            complaints.append(f"{place}: {element}")
            continue
        try:
            record = _record(element)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            complaints.append(f"{place}: field {where}: {first['msg']}; was it written by another version?")
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            complaints.append(f"{place}: {type(error).__name__}: {error}")
        else:
            key = record.record_id or place
            repeated += key in records
            records.setdefault(key, record)
    ordered = sorted(records.values(), key=lambda record: record.time)
    return Export(tuple(ordered), repeated, tuple(complaints))


def _elements(text: str) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    """Yield the place of each record and its fields, or the complaint about it."""
    try:
        whole = _json(text)
    except ValueError:
        yield from _lines(text)
        return
    rows = whole.get("data", [whole]) if isinstance(whole, dict) else whole
    for number, row in enumerate(rows if isinstance(rows, list) else [], 1):
        yield from _unwrapped(f"element {number}", row)


def _lines(text: str) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    for number, line in enumerate(text.splitlines(), 1):
        yield from _line(f"line {number}", line)


def _line(place: str, line: str) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    start = line.find("{")
    if start < 0:
        return
    try:
        row = _json(line[start:])
    except ValueError:
        if line.startswith(_BEGINNING) or any(mark in line for mark in _MARKS):
            yield place, "it looks like a record and is no JSON: was it cut off?"
        return
    yield from _unwrapped(place, row)


def _unwrapped(place: str, row: object) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    if not isinstance(row, dict):
        return
    if "schema" in row and "record" in row:
        yield place, row
    elif isinstance(row.get("message"), str):
        for line in row["message"].splitlines():
            yield from _line(place, line)


def _record(row: Mapping[str, Any]) -> Record:
    if int(row["schema"]) != SCHEMA:
        raise ValueError(f"schema {row['schema']}: this version reads {SCHEMA}")
    given = {name: _value(name, row[name]) for name in Result.model_fields if name in row}
    time = datetime.strptime(row["time"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return Record(
        kind=row["record"],
        time=time,
        request_id=row.get("request_id", ""),
        record_id=row.get("record_id", ""),
        result=Result.model_validate(given),
    )


def _json(text: str) -> Any:
    """Read JSON. Raises ValueError for what is none, or is nested too deep to be read."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _value(name: str, value: object) -> object:
    if name in _TEXTS or not isinstance(value, str):
        return value
    try:
        return _json(value)
    except ValueError:
        return value  # a time, which records hold as text


def format_complaints(complaints: Iterable[str], most: int = 5) -> list[str]:
    """Return the first complaints as lines, and how many more there are; nothing where there are none."""
    listed = list(complaints)
    more = [f"... and {len(listed) - most} more"] if len(listed) > most else []
    return listed[:most] + more
