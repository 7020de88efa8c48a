"""The ledger's tags of one region: their true state, and what they were a moment ago."""


class TagHistory:
    """Values by instance ID, and the changes of the last while."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self._changes: list[tuple[float, str, str | None]] = []

    def write(self, now: float, instance_id: str, value: str) -> None:
        """Put a value in the place of the one before."""
        self._changes.append((now, instance_id, self.values.get(instance_id)))
        self.values[instance_id] = value
        if len(self._changes) > 400:  # noqa: PLR2004 - more than any staleness reaches back over
            del self._changes[:200]

    def lose(self, now: float, instance_id: str) -> None:
        """Have somebody take the tag away."""
        self._changes.append((now, instance_id, self.values.pop(instance_id, None)))

    def at(self, moment: float) -> dict[str, str]:
        """Return all values as they were at ``moment``."""
        values = dict(self.values)
        for changed, instance_id, before in reversed(self._changes):
            if changed <= moment:
                break
            if before is None:
                values.pop(instance_id, None)
            else:
                values[instance_id] = before
        return values
