"""Waiting and asking again, for calls that are safe to repeat, never beyond the deadline."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ecs_reboot.clock import Clock, Deadline
from ecs_reboot.cloud.errors import CloudError, NoAnswer, Refused, Unresolved

#: Waits between tries: doubling from the first up to the second, each times 0.5 to 1.5. Seconds.
FIRST_WAIT, LONGEST_WAIT = 0.25, 8.0
#: ECS counts the calls of each API by the minute: what is refused in minute T may be called from minute T+1 on (ECS,
#: "API throttling"). How long after the minute's beginning to call: this, plus up to as much again by chance. Seconds.
AFTER_THE_MINUTE = 1.5
_MINUTE = 60.0

#: A name that does not resolve is asked for again for this long, not until the deadline: most often the region that an
#: event names does not exist. A name service that restarts is back by then. Seconds.
UNRESOLVED_SECONDS = 3.0

#: How often something throttled is tried again in the same minute, where the service said that it may be.
TRIES_IN_A_MINUTE = 2

T = TypeVar("T")


def waits(deadline: Deadline, first: float = FIRST_WAIT, longest: float = LONGEST_WAIT) -> Iterator[float]:
    """Yield waits without end: exponential, with jitter, so that the throttled don't come back together."""
    wait = first
    while True:
        yield wait * (0.5 + deadline.clock.jitter())
        wait = min(2 * wait, longest)


def pause_after(error: CloudError, wait: float, clock: Clock, *, by_the_minute: bool = True) -> float:
    """Return how long to wait after this error: what the service asked for, at least the backoff ``wait``.

    A throttled call of a service that counts ``by_the_minute`` waits for the next minute, where nothing was asked for.
    """
    if not isinstance(error, Refused):
        return wait
    if error.throttled and by_the_minute and not error.retry_after_ms:
        return _next_minute(clock)
    return max(wait, error.retry_after_ms / 1000)


def call_idempotent(call: Callable[[], T], deadline: Deadline) -> T:
    """Call something that has no effect until it succeeds.

    Throttling, server errors and lost requests or answers are tried again; raises the last CloudError as soon as the
    deadline leaves no room for the wait, and at once one that trying again can't help.
    """
    clock, began, throttled, backoff = deadline.clock, deadline.clock.elapsed(), 0, waits(deadline)
    while True:
        try:
            return call()
        except CloudError as error:
            if not may_pass(error) or is_nowhere(error, began, clock):
                raise
            throttled += isinstance(error, Refused) and error.throttled
            pause = pause_after(error, next(backoff), clock)
            if not deadline.wait(pause if throttled <= TRIES_IN_A_MINUTE else max(pause, _next_minute(clock))):
                raise


def _next_minute(clock: Clock) -> float:
    now = clock.now()
    return _MINUTE - now.second - now.microsecond / 1e6 + AFTER_THE_MINUTE * (1 + clock.jitter())


def in_time(pages: Iterable[T], deadline: Deadline, action: str) -> Iterator[T]:
    """Yield pages as they are read. Raises NoAnswer once the deadline has passed: what is left is not read."""
    for page in pages:
        yield page
        if deadline.left() <= 0:
            raise NoAnswer(action, "the deadline came before the last page")


def is_nowhere(error: CloudError, began: float, clock: Clock) -> bool:
    """Return whether a name has not resolved for so long, since ``began`` (elapsed), that asking again is no use."""
    return isinstance(error, Unresolved) and clock.elapsed() - began >= UNRESOLVED_SECONDS


def may_pass(error: CloudError) -> bool:
    """Return whether the error may be gone later: no answer, a server error, throttling."""
    return not isinstance(error, Refused) or error.throttled or error.unsettled
