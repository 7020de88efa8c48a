"""Earlier reboots that a fleet file declares of an instance, in the form in which a ledger keeps them.

The ledger is the function's (docs/operate/records.md); this is its format as a stand-in has to know it: a tag on the
instance, and rows in each table with the ledger's key: one for the instance, and its place in the row of the region and
stack. The function reads that of the store it uses.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict

TAG = "ecs-reboot.ledger"
#: The key of a table that holds a ledger.
KEY: dict[str, Literal["INTEGER", "STRING", "BINARY"]] = {"region": "STRING", "row": "STRING"}
MOST_ATTEMPTS = 8
OLDEST_SECONDS = 999_999
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

#: The names of the stacks in whose rows of a table the places stand: of a bare function, and of one as deployed.
STACKS = ("default", "ecs-reboot")
#: No window reaches further back. A row keeps this many ends of reboots.
LONGEST_WINDOW, MOST_ENDED = timedelta(days=1), 100

#: What became of a reboot.
State = Literal["claimed", "accepted", "start_due", "back", "down", "hung", "unproven", "refused", "seen"]
#: Nobody knows yet what came of these.
_OPEN = ("claimed", "accepted", "start_due")


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


class _Remembered(NamedTuple):
    """What a ledger says of one instance: its newest attempt, when that was, and the ages of those before it."""

    newest: Attempt
    at: datetime
    claim: str
    ages: tuple[int, ...]


def _remembered(instance_id: str, attempts: Sequence[Attempt], now: datetime) -> _Remembered:
    newest, *earlier = sorted(attempts, key=lambda attempt: attempt.ago)
    at = (now - newest.ago).replace(microsecond=0)
    ages = (int((attempt.ago - newest.ago).total_seconds()) for attempt in earlier)
    claim = sha256(f"{instance_id} {at.isoformat()}".encode()).hexdigest()[:8]
    return _Remembered(newest, at, claim, tuple(age for age in ages if age <= OLDEST_SECONDS)[: MOST_ATTEMPTS - 1])


def tag(instance_id: str, attempts: Sequence[Attempt], now: datetime) -> str:
    """Return the tag's value for the newest attempt with the ages of those before it; '' for no attempts."""
    if not attempts:
        return ""
    known = _remembered(instance_id, attempts, now)
    kind = "forced" if known.newest.force else "graceful"
    text = f"v1 {known.at:%Y-%m-%dT%H:%M:%SZ} {kind} {known.newest.state} {known.claim} g=0"
    return f"{text} {','.join(f'-{age}s' for age in known.ages)}" if known.ages else text


def row(instance_id: str, attempts: Sequence[Attempt], now: datetime) -> tuple[str, dict[str, int | str]]:
    """Return the name of the instance's row in a table of Tablestore, and its columns: the tag's content."""
    known = _remembered(instance_id, attempts, now)
    return f"i#{instance_id}", {
        "state": known.newest.state,
        "at": int(known.at.timestamp()) * 1000,
        "force": int(known.newest.force),
        "claim": known.claim,
        "run": "",
        "ask_by": 0,
        "stack": "",
        "group": "0",
        "earlier": ",".join(map(str, known.ages)),
        "v": 1,
        "by": "",
    }


def window(declared: Iterable[tuple[str, Sequence[Attempt]]], now: datetime) -> dict[str, int | str]:
    """Return the columns of a region's row in a table, for its instances with their attempts: each one's place.

    A place that is over counts for as long as the longest window reaches back.
    """
    slots, ended = [], []
    for instance_id, attempts in declared:
        known = _remembered(instance_id, attempts, now)
        state, at = known.newest.state, int(known.at.timestamp()) * 1000
        if state == "refused":
            continue
        place = "open" if state in _OPEN else state if state in ("down", "hung") else "ended"
        if place != "ended" or known.newest.ago < LONGEST_WINDOW:
            slots.append((instance_id, known.claim, "", at, "0", place))
        if state in ("back", "down", "hung", "seen"):
            ended.append((at, state, instance_id))
    written = {"slots": slots, "wanted": {}, "ended": sorted(ended)[-MOST_ENDED:]}
    texts = {name: json.dumps(value, separators=(",", ":")) for name, value in written.items()}
    return {**texts, "storm_at": 0, "opted_in": 0, "counted_at": 0, "v": 1, "by": ""}
