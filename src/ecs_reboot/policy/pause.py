"""A pause: somebody's word, with a reason, that nothing is to be rebooted; perhaps until some time."""

from datetime import datetime

from ecs_reboot import utc_time
from ecs_reboot.model import Value


class Pause(Value):
    """Why, by whom ('' if not said) and until when (None: until it is taken away)."""

    reason: str
    by: str = ""
    until: datetime | None = None

    def in_force(self, now: datetime) -> bool:
        """Return whether the pause still counts at ``now``."""
        return self.until is None or now < self.until

    def sentence(self) -> str:
        """Say it for a record: reason, who, until when."""
        return (
            self.reason
            + (f", by {self.by}" if self.by else "")
            + (f", until {self.until:%Y-%m-%dT%H:%MZ}" if self.until else ", until it is taken away")
        )


def parse_pause(text: str) -> Pause | None:
    """Read ``REASON[; by=NAME][; until=2026-12-01T06:00Z]``; '' is no pause. ValueError where ``until`` is no time."""
    reason, *rest = (part.strip() for part in text.split(";"))
    said = {"reason": reason}
    for part in rest:
        key, separator, value = part.partition("=")
        if separator and key.strip() in ("by", "until"):
            said[key.strip()] = value.strip()
        elif part:
            said["reason"] += "; " + part
    if not any(said.values()):
        return None
    until = None
    if "until" in said:
        until = utc_time.parse(said["until"])
        if until is None:
            raise ValueError(f"until={said['until']!r} is no UTC time; write it like 2026-12-01T06:00Z")
    return Pause(reason=said["reason"] or "no reason given", by=said.get("by", ""), until=until)
