"""Files and times as a command line names them."""

from datetime import datetime
from pathlib import Path

from ecs_reboot import utc_time
from localcloud.commands.invoke import UsageError
from review.exported import Export, complaints_told, read
from review.text import counted

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
    """Read a file of records. Raises UsageError for one that holds something, and no record that can be read.

    A file without anything is a period without records: that is for the command to say.
    """
    text = text_of(path, "records file")
    export = read(text)
    if export.records or text.strip() in _NOTHING:
        return export
    if export.complaints:
        holds = "; ".join(complaints_told(export.complaints))
    else:
        first, *more = text.strip().splitlines()
        holds = f"{counted(1 + len(more), 'line')} of something else, the first {first[:_MOST_SHOWN]!r}"
    raise UsageError(f"the records file {path} holds no record that can be read: {holds}. {HOW}")


def time_of(name: str, text: str) -> datetime:
    """Read a UTC time. Raises UsageError."""
    moment = utc_time.parse(text)
    if moment is None:
        raise UsageError(f"{name}={text!r} is no UTC time; write it like 2026-12-01T06:00Z")
    return moment
