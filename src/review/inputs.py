"""Files and times as a command line names them."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ecs_reboot import utc_time
from review.exported import Export, format_complaints, read
from review.text import counted
from terminal.key_values import UsageError

#: Where records of a deployed stack come from.
HOW = "`make logs RECORDS=records.jsonl` writes the records of a stack (MINUTES=10080: of a week)"
#: What an export of no records is.
_NOTHING = ("", "[]")
#: Characters shown of a line that is no record.
_MOST_SHOWN = 80


def text_of(path: str, what: str) -> str:
    """Read a file. Raises UsageError that names it."""
    try:
        return Path(path).read_text("utf-8")
    except OSError as error:
        raise UsageError(f"the {what} {path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the {what} {path} can't be read: it is not UTF-8 ({error})") from error


def records_of(path: str) -> Export:
    """Read a file of records. Raises UsageError for one that holds no record that can be read."""
    text = text_of(path, "records file")
    export = read(text)
    if export.records:
        return export
    if text.strip() in _NOTHING:
        raise UsageError(f"the records file {path} is empty. {HOW}")
    if export.complaints:
        holds = "; ".join(format_complaints(export.complaints))
    else:
        first, *more = text.strip().splitlines()
        holds = f"{counted(1 + len(more), 'line')} of something else, the first {first[:_MOST_SHOWN]!r}"
    end = "" if holds.endswith("?") else "."
    raise UsageError(f"the records file {path} holds no record that can be read: {holds}{end} {HOW}")


def unread(export: Export) -> Iterator[str]:
    """Yield what of a file of records could not be read, line by line."""
    if export.complaints:
        yield f"could not be read: {counted(len(export.complaints), 'record')}"
        yield from (f"  {line}" for line in format_complaints(export.complaints))


def time_of(name: str, text: str) -> datetime:
    """Read a UTC time. Raises UsageError."""
    moment = utc_time.parse(text)
    if moment is None:
        raise UsageError(f"{name}={text!r} is no UTC time; write it like 2026-12-01T06:00Z")
    return moment
