"""The nonces of signed requests: each is good once."""

from datetime import datetime, timedelta

from localcloud.openapi.signature import CLOCK_TOLERANCE_SECONDS


class Nonces:
    """The signature nonces seen while their request's timestamp can still be good."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], datetime] = {}

    def used(self, access_key_id: str, nonce: str, now: datetime) -> bool:
        """Return whether a key used a nonce before; if not, it now has."""
        # A timestamp may lie as far ahead as behind, so a request can be replayed for twice the tolerance.
        limit = now - timedelta(seconds=2 * CLOCK_TOLERANCE_SECONDS)
        while self._seen and (oldest := next(iter(self._seen))) and self._seen[oldest] < limit:
            del self._seen[oldest]
        if (access_key_id, nonce) in self._seen:
            return True
        self._seen[access_key_id, nonce] = now
        return False
