"""What the function's own output says of its newest run: whether it started, and if not, why."""

import ast
import json
import re
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from stack.logstores import LogStores

DAY_SECONDS = 86_400
#: The newest lines that are looked through: more than any one run prints.
_MOST_LINES = 1000

# Function Compute writes these two around each part of a run; the end says what went wrong.
_END = re.compile(r"FC (?P<part>Initialize|Invoke) End RequestId: (?P<request>[\w-]+)(?:, Error: (?P<error>.+))?")
#: Where the runtime logs the error that a part ended with: JSON over several lines, or a dict of Python in one.
_ERROR = re.compile(r"\[ERROR\] (?=\{)")
#: How a Python says that a file was compiled for another one: its own files, and modules in machine code.
_OTHER_PYTHON = re.compile(r"bad magic number|No module named '[\w.]+\._\w+'|undefined symbol: _?Py")
_BUILD_AGAIN = (
    "its package was built for another Python than the one that runs it: build again for that one and deploy "
    "(make deploy ENDPOINT=... builds for the local cloud, RUNTIME=python3.10 for Function Compute)"
)


class LoggedRun(NamedTuple):
    """The newest run: which part of it ended last, and why it failed ('' where it did not)."""

    part: str
    why: str

    @property
    def never_began(self) -> bool:
        """Whether the function could not even start."""
        return bool(self.why) and self.part == "Initialize"

    def sentence(self) -> str:
        """Return how it ended, and what to do where that is known."""
        if not self.why:
            return "its newest run ended well"
        remedy = f"; {_BUILD_AGAIN}" if _OTHER_PYTHON.search(self.why) else ""
        began = "it can't start, so nothing is done for any event" if self.never_began else "its newest run failed"
        return f"{began}: {self.why}{remedy}"


def newest_run(logs: LogStores, project: str, logstore: str, seconds: int = DAY_SECONDS) -> LoggedRun | None:
    """Return the newest run in the function's output of the last while; None where there is none.

    Raises LogException for what the log service refuses.
    """
    now = int(time.time())
    newest_first = logs.read(project, logstore, now - seconds, now + 60, newest_first=True)
    lines = (line for log in newest_first for line in reversed(str(log.get("message", "")).splitlines()))
    return judge(islice(lines, _MOST_LINES))


def judge(newest_first: Iterable[str]) -> LoggedRun | None:
    """Return the newest run in lines of output, the newest first."""
    lines = iter(newest_first)
    for line in lines:
        if end := _END.search(line):
            error = end["error"]
            return LoggedRun(end["part"], (_cause(lines, end["part"], end["request"]) or error) if error else "")
    return None


def _cause(lines: Iterator[str], part: str, request: str) -> str:
    """Return the error that a failed part ended with, '' if the runtime logged none."""
    newest_first: list[str] = []
    for line in lines:
        if f"FC {part} Start RequestId: {request}" in line:
            break
        newest_first.append(line)
    text = "\n".join(reversed(newest_first))
    errors = [error for found in _ERROR.finditer(text) if (error := _logged(text[found.end() :]))]
    return _sentence(errors[-1]) if errors else ""


def _logged(text: str) -> dict[str, Any]:
    """Read the error object at the start of the text; empty where there is none."""
    try:
        error, _ = json.JSONDecoder().raw_decode(text)
    except ValueError:
        try:
            error = ast.literal_eval(text.partition("\n")[0])
        except (ValueError, SyntaxError):
            return {}
    return error if isinstance(error, dict) and "errorType" in error else {}


def _sentence(error: dict[str, Any]) -> str:
    """Return what went wrong, in Python's own words if the function could not be loaded."""
    stack = error.get("stackTrace") or []
    if stack and all(isinstance(part, str) for part in stack):
        return ", ".join(stack)
    return f"{error['errorType']}: {error.get('errorMessage', '')}"
