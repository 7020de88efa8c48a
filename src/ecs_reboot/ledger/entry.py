"""The ledger: what we did to an instance, kept as one tag on the instance itself.

No table and no server: anybody sees it in the console, and it goes with the instance. One entry looks like

    v1 2026-11-23T17:55:32Z graceful claimed 1a2b3c4d g=0 -5700s,-84000s

version, time, kind of reboot, state, the claim's own ID, a digest of the instance's group, and how long before that
time earlier attempts were made. At most 128 characters. Pure: reading and writing the tag is for ``claims``.
"""

import re
from datetime import datetime, timedelta, timezone
from typing import Literal, cast

from ecs_reboot import utc_time
from ecs_reboot.model import Instance, Value

#: The one tag this function writes. Never the opt-in key: the function must not be able to opt an instance in.
KEY = "ecs-reboot.ledger"
#: What ECS allows: characters in a tag's value, tags on an instance, resources in one TagResources call.
MOST_CHARACTERS, MOST_TAGS, MOST_RESOURCES = 128, 20, 50
#: Attempts that one entry can remember, the latest included.
MOST_ATTEMPTS = 8
#: Older attempts are forgotten: no window is as long. Seconds.
OLDEST_SECONDS = 999_999
#: An entry may be this far ahead of our clock: the clocks of two machines are never the same.
SKEW = timedelta(minutes=5)
#: A moment that no entry is dated after.
FAR = datetime(9999, 1, 1, tzinfo=timezone.utc)

#: `claimed`: a reboot was about to be asked for, and was or was not. `back`, `down`: it was, and the instance came
#: back or stayed down. `unproven`: nothing ever showed that it went down. `refused`: asked of us and not done. `storm`:
#: the same, and the first to see a storm. `seen`: a person has looked at a `down`. `reset`: a person has cleared the
#: attempts.
State = Literal["claimed", "back", "down", "unproven", "refused", "storm", "seen", "reset"]
#: States of an entry whose own time is an attempt.
ATTEMPTED = ("claimed", "back", "down", "unproven", "seen")

_ENTRY = re.compile(
    r"v1 (?P<at>\S{20}) (?P<kind>graceful|forced) (?P<state>claimed|back|down|unproven|refused|storm|seen|reset)"
    r" (?P<claim>[0-9a-f]{8}) g=(?P<group>[0-9a-f]{1,8})(?: (?P<earlier>-\d{1,6}s(?:,-\d{1,6}s)*))?"
)


class Entry(Value):
    """One instance's ledger. ``earlier``: seconds before ``at`` of each earlier attempt, newest first."""

    at: datetime
    state: State
    force: bool
    claim: str
    group: str = "0"
    earlier: tuple[int, ...] = ()

    def __str__(self) -> str:
        kind = "forced" if self.force else "graceful"
        text = f"v1 {self.at:%Y-%m-%dT%H:%M:%SZ} {kind} {self.state} {self.claim} g={self.group}"
        return text + (" " + ",".join(f"-{seconds}s" for seconds in self.earlier) if self.earlier else "")


class Unreadable(ValueError):
    """The tag holds something that this version did not write, or a time that has not come."""


def parse(text: str, now: datetime) -> Entry:
    """Read a tag's value. Raises Unreadable."""
    match = _ENTRY.fullmatch(text)
    at = utc_time.parse(match["at"]) if match else None
    if not match or at is None:
        raise Unreadable(f"tag {KEY}={text!r} is not an entry of this version; reset it (docs/runbook.md)")
    if at > now + SKEW:
        raise Unreadable(
            f"tag {KEY}={text!r} is dated after now, {now:%Y-%m-%dT%H:%M:%SZ}; check the clocks, or reset it"
        )
    earlier = tuple(int(part[1:-1]) for part in match["earlier"].split(",")) if match["earlier"] else ()
    return Entry(
        at=at,
        state=cast("State", match["state"]),
        force=match["kind"] == "forced",
        claim=match["claim"],
        group=match["group"],
        earlier=earlier,
    )


def of(instance: Instance, now: datetime) -> Entry | None:
    """Return the instance's entry, None where it has none. Raises Unreadable."""
    text = dict(instance.tags).get(KEY)
    return parse(text, now) if text is not None else None


def attempts(entry: Entry | None, *, ours: str = "") -> tuple[datetime, ...]:
    """Return the times of the attempts that an entry stands for, oldest first; not that of the claim ``ours``."""
    if entry is None or entry.state == "reset":
        return ()
    times = [entry.at - timedelta(seconds=seconds) for seconds in reversed(entry.earlier)]
    if entry.state in ATTEMPTED and entry.claim != ours:
        times.append(entry.at)
    return tuple(times)


def hidden_attempt(entry: Entry | None, start_time: datetime | None, *, ours: str = "") -> datetime | None:
    """Return when there may have been an attempt that an entry hides, None where it hides none.

    Without a settle time a `refused` entry may have been written over a claim that nobody had seen yet. Where the
    instance started anew at or after its time, that may have been our reboot, or somebody else's: too little to call
    it an attempt, enough to let the instance be.
    """
    if entry is None or entry.state not in ("refused", "storm") or entry.claim == ours:
        return None
    return max(entry.at, start_time) if start_time is not None and restarted(entry, start_time) else None


def restarted(entry: Entry, start_time: datetime | None) -> bool:
    """Tell whether the instance started anew at or after the entry's time. ECS gives start times in whole minutes."""
    return start_time is not None and start_time + timedelta(minutes=1) > entry.at


def following(
    before: tuple[datetime, ...], *, at: datetime, state: State, force: bool, claim: str, group: str
) -> Entry:
    """Make the entry that follows the attempts ``before``, as many of them as it can hold."""
    at = at.replace(microsecond=0)
    ages = [max(0, int((at - time).total_seconds())) for time in reversed(before)]
    return Entry(
        at=at, state=state, force=force, claim=claim, group=group,
        earlier=tuple(age for age in ages if age <= OLDEST_SECONDS)[: MOST_ATTEMPTS - 1],
    )  # fmt: skip


def exhausted(times: tuple[datetime, ...], most: int, window: timedelta) -> bool:
    """Tell whether ``most`` attempts fell into one window. It stays so, however long ago, until a person resets it."""
    return len(times) >= most and times[-1] - times[-most] <= window


def group_digest(value: str) -> str:
    """Return a short digest of the value of the group tag; '0' for no group."""
    if not value:
        return "0"
    from zlib import crc32  # noqa: PLC0415 - only where groups are used

    return f"{crc32(value.encode()):08x}"
