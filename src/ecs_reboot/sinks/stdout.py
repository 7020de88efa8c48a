"""Records as JSON lines on standard output; Function Compute ships them to its own logstore."""

import sys


def write(line: str) -> None:
    """Write one line and flush: the instance may freeze as soon as the handler returns."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
