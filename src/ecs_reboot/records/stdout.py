"""Records as JSON lines on standard output; Function Compute ships them to its own logstore."""

import sys


def write(line: str) -> None:
    """Write one line and flush: the instance may freeze as soon as the handler returns.

    What UTF-8 can't hold (half a surrogate pair from somebody's JSON) is escaped: a record must not fail on it.
    """
    sys.stdout.write(line.encode("utf-8", "backslashreplace").decode() + "\n")
    sys.stdout.flush()
