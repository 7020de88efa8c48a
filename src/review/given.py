"""Files and times as a command line names them."""

from datetime import datetime
from pathlib import Path

from ecs_reboot import utc_time
from localcloud.commands.invoke import UsageError


def text_of(path: str, what: str) -> str:
    """Read a file. Raises UsageError that names it."""
    try:
        return Path(path).read_text("utf-8")
    except OSError as error:
        raise UsageError(f"the {what} {path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the {what} {path} can't be read: it is not UTF-8 ({error})") from error


def time_of(name: str, text: str) -> datetime:
    """Read a UTC time. Raises UsageError."""
    moment = utc_time.parse(text)
    if moment is None:
        raise UsageError(f"{name}={text!r} is no UTC time; write it like 2026-12-01T06:00Z")
    return moment
