"""What one invocation came to, and the error JSON for what the function could not say itself."""

import json
from dataclasses import dataclass

# Every failure that the function did not report by itself carries this X-Fc-Error-Type.
UNHANDLED = "UnhandledInvocationError"


@dataclass(frozen=True)
class Invocation:
    """One finished invocation.

    ``payload`` is the response body: the function's answer, or the error JSON where ``error`` (the value of the
    ``X-Fc-Error-Type`` header) is not empty. ``logs`` is all that was written while it ran, the lines of the runtime
    among it. ``duration`` is seconds without the initializer's; ``max_memory_mb`` the highest resident size seen,
    ``processor_seconds`` what it computed.
    """

    request_id: str
    payload: bytes
    error: str
    logs: bytes
    duration: float
    timed_out: bool
    max_memory_mb: float
    processor_seconds: float = 0.0


class Stopped(Exception):
    """The instance ended before it answered; the text is the ``errorMessage`` of the service."""

    timed_out = False


class TimedOut(Stopped):
    """The function was still running at its timeout, in seconds."""

    timed_out = True

    def __init__(self, seconds: int, max_memory_mb: float) -> None:
        super().__init__(f"Function timed out after {seconds} seconds (maxMemoryUsage: {max_memory_mb:.2f}MB)")


class Exited(Stopped):
    """The process ended by itself, or was ended for taking more than its memory."""

    def __init__(self, seconds: float, max_memory_mb: float) -> None:
        super().__init__(
            "Process exited unexpectedly before completing request "
            f"(duration: {seconds * 1000:.0f}ms, maxMemoryUsage: {max_memory_mb:.2f}MB)"
        )


def error_payload(stopped: Stopped) -> bytes:
    """Write the error JSON of an instance that could not answer: only an ``errorMessage``, no type and no stack."""
    return json.dumps({"errorMessage": str(stopped)}).encode()
