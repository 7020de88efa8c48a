"""Options of the commands. Each may also come from the environment variable of its name; an empty one is absent."""

import argparse
import os
from datetime import datetime
from pathlib import Path

from ecs_reboot import utc_time
from localcloud.commands.invoke import UsageError


class Options(argparse.ArgumentParser):
    """A parser whose options fall back to environment variables: ``--records`` to ``RECORDS``."""

    def add(self, name: str, meaning: str, otherwise: str = "") -> None:
        """Take an option with a text for its value."""
        self.add_argument(f"--{name}", default=os.environ.get(name.upper()) or otherwise, help=meaning)


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
