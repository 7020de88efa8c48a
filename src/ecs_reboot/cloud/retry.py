"""Waiting and asking again, for calls that are safe to repeat, never beyond the deadline."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.errors import CloudError, NoAnswer, Refused

#: Waits between tries: doubling from the first up to the second, each times 0.5 to 1.5. Seconds.
FIRST_WAIT, LONGEST_WAIT = 0.25, 8.0

#: How often something throttled is tried again in the same minute, and over how long the next ones are spread. Seconds.
TRIES_IN_A_MINUTE, SPREAD_SECONDS = 2, 5.0

T = TypeVar("T")


def waits(deadline: Deadline) -> Iterator[float]:
    """Yield waits without end: exponential, with jitter, so that the throttled don't come back together."""
    wait = FIRST_WAIT
    while True:
        yield wait * (0.5 + deadline.clock.jitter())
        wait = min(2 * wait, LONGEST_WAIT)


def pause_after(error: CloudError, wait: float) -> float:
    """Return how long to wait after this error: what the service asked for, at least the backoff."""
    return max(wait, error.retry_after_ms / 1000) if isinstance(error, Refused) else wait


def call_idempotent(call: Callable[[], T], deadline: Deadline) -> T:
    """Call something that has no effect until it succeeds.

    Throttling, server errors and lost requests or answers are tried again; raises the last CloudError when the deadline
    leaves no room, and at once one that trying again can't help.
    """
    for wait in waits(deadline):
        try:
            return call()
        except CloudError as error:
            if not may_pass(error) or not deadline.wait(pause_after(error, wait)):
                raise
    raise AssertionError("waits never end")


def call_by_the_minute(call: Callable[[], T], deadline: Deadline) -> T:
    """Do as ``call_idempotent`` does, and where throttling lasts, go on in the next minute.

    ECS counts the calls to an API by region, account and minute. Where the deadline is nearer than the next minute,
    raises at once: waiting would only take calls from others.
    """
    throttled = 0
    for wait in waits(deadline):
        try:
            return call()
        except CloudError as error:
            pause = pause_after(error, wait)
            if isinstance(error, Refused) and error.throttled:
                throttled += 1
                if throttled > TRIES_IN_A_MINUTE:
                    pause = max(pause, _next_minute(deadline) + SPREAD_SECONDS * deadline.clock.jitter())
            if not may_pass(error) or not deadline.wait(pause):
                raise
    raise AssertionError("waits never end")


def in_time(pages: Iterable[T], deadline: Deadline, action: str) -> Iterator[T]:
    """Yield pages as they are read. Raises NoAnswer once the deadline has passed: what is left is not read."""
    for page in pages:
        yield page
        if deadline.left() <= 0:
            raise NoAnswer(action, "the deadline came before the last page")


def _next_minute(deadline: Deadline) -> float:
    now = deadline.clock.now()
    return 60.0 - now.second - now.microsecond / 1e6


def may_pass(error: CloudError) -> bool:
    """Tell whether the error may be gone later: no answer, a server error, throttling."""
    return not isinstance(error, Refused) or error.throttled or error.unsettled
