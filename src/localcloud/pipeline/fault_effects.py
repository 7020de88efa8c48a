"""What a declared fault does to a call and to its answer, for every service at once. ``account.faults`` declares it."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from localcloud.account.faults import Fault
from localcloud.pipeline.reply import Reply

#: What a proxy in between answers in place of the service.
PROXY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Met(NamedTuple):
    """The faults that a call meets. ``spoiling`` is the one of its whole answer, the others are of parts of it."""

    faults: tuple[Fault, ...] = ()
    spoiling: Fault | None = None

    @property
    def staleness(self) -> timedelta:
        """How old what a read sees is."""
        stale = self.spoiling is not None and self.spoiling.kind == "stale"
        return timedelta(seconds=(self.spoiling.seconds or 0.0) if stale and self.spoiling else 0.0)

    @property
    def lets_effect_happen(self) -> bool:
        """Whether the call is carried out at once."""
        return self.spoiling is None or self.spoiling.lets_effect_happen

    @property
    def seconds_before(self) -> float:
        """How long the call waits before it is carried out."""
        return self._delay if self.spoiling and self.spoiling.before else 0.0

    @property
    def seconds_after(self) -> float:
        """How long the answer waits after the call was carried out."""
        return 0.0 if self.spoiling and self.spoiling.before else self._delay

    @property
    def seconds_until_late(self) -> float | None:
        """How long after its client was left without an answer the call is carried out; None where that is not so."""
        return (self.spoiling.seconds or 0.0) if self.spoiling and self.spoiling.kind == "late_effect" else None

    @property
    def _delay(self) -> float:
        return (self.spoiling.seconds or 0.0) if self.spoiling and self.spoiling.kind == "delay" else 0.0


def spoilt(fault: Fault, reply: Reply, declared: Callable[[], Reply]) -> Reply | None:
    """Return the reply that a fault makes of another; None is no answer at all.

    ``declared`` puts the error that the fault declares into the service's form.
    """
    if fault.kind in ("drop_before", "drop_after", "late_effect"):
        return None
    if fault.kind == "not_json":
        return reply._replace(status=fault.status or 502)
    if fault.kind in ("error", "throttle"):
        error = declared()
        if fault.retry_after_ms:
            error = error._replace(headers={**error.headers, "x-acs-retry-after": str(fault.retry_after_ms)})
        return error
    return reply


def half(body: bytes) -> bytes:
    """Return what arrives of a truncated answer."""
    return body[: len(body) // 2]
