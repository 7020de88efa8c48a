"""Earlier reboots that a fleet file declares of an instance, in the form in which a ledger keeps them.

The ledger is the function's (docs/operate/records.md); this is its format as a stand-in has to know it. Every form
in which a history can be kept is written here: today the tag. ``rows`` of a table would be written beside ``tag``,
from the same
attempts, where ``Cloud`` sets up its state.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

TAG = "ecs-reboot.ledger"
MOST_ATTEMPTS = 8
OLDEST_SECONDS = 999_999
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

#: What became of a reboot.
State = Literal["claimed", "accepted", "start_due", "back", "down", "hung", "unproven", "refused", "seen"]


def _ago(value: object) -> object:
    """Read a length of time, as ``30d``, ``2h``, ``5m`` or ``10s``."""
    if isinstance(value, str):
        text = value.strip().removesuffix(" ago").replace(" ", "")
        if text[:-1].isascii() and text[:-1].isdigit() and text[-1:] in _UNITS:
            return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
        raise ValueError(f"{value!r} is not a length of time: write '30d', '2h', '5m' or '10s'")
    return value


class Attempt(BaseModel):
    """One earlier reboot: how long ago it was asked for, whether it was forced, and what became of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ago: Annotated[timedelta, BeforeValidator(_ago)]
    state: State = "back"
    force: bool = False


def tag(instance_id: str, attempts: Sequence[Attempt], now: datetime) -> str:
    """Return the tag's value for the newest attempt with the ages of those before it; '' for no attempts."""
    if not attempts:
        return ""
    newest, *earlier = sorted(attempts, key=lambda attempt: attempt.ago)
    at = (now - newest.ago).replace(microsecond=0)
    ages = [int((attempt.ago - newest.ago).total_seconds()) for attempt in earlier]
    kept = [f"-{age}s" for age in ages if age <= OLDEST_SECONDS][: MOST_ATTEMPTS - 1]
    claim = sha256(f"{instance_id} {at.isoformat()}".encode()).hexdigest()[:8]
    kind = "forced" if newest.force else "graceful"
    text = f"v1 {at:%Y-%m-%dT%H:%M:%SZ} {kind} {newest.state} {claim} g=0"
    return f"{text} {','.join(kept)}" if kept else text
