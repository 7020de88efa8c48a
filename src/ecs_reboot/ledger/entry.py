"""One entry of the ledger: what we did to one instance, whichever store keeps it. Pure.

As a tag, and for a person, it looks like

    v1 2026-11-23T17:55:32Z graceful claimed 1a2b3c4d g=0 -5700s,-84000s

version, time, kind of reboot, state, the claim's own ID, a digest of the instance's group, and how long before that
time earlier attempts were made. While it is `claimed`, four characters after the claim's ID (`1a2b3c4d.9e0f`) tell the
run that claimed from another run of the same request. A `!` after the state: nobody is known to have been told of it
yet. ` -5700r` in the place of earlier attempts: a person has cleared the last one since, so that only the region's
limit counts it. At most 128 characters.
"""

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal, cast, get_args

from ecs_reboot import utc_time
from ecs_reboot.model import Instance, Value
from ecs_reboot.named_tuple import NamedTuple

#: The one tag this function writes. Never the opt-in key: the function must not be able to opt an instance in.
KEY = "ecs-reboot.ledger"
#: The tag of a function that only observes: never read by one that acts.
OBSERVED_KEY = "ecs-reboot.observed"
#: What ECS allows: characters in a tag's value, tags on an instance, resources in one TagResources call.
MOST_CHARACTERS, MOST_TAGS, MOST_RESOURCES = 128, 20, 50
#: Attempts that one entry can remember, the latest included.
MOST_ATTEMPTS = 8
MOST_EARLIER = MOST_ATTEMPTS - 1
#: Characters of a run's name that fit beside a claim in a tag.
RUN_CHARACTERS = 4
#: Older attempts are forgotten: no window is as long. Seconds.
OLDEST_SECONDS = 999_999
#: An entry may be this far ahead of our clock: the clocks of two machines are never the same.
SKEW = timedelta(minutes=5)
#: No entry is from before: sums with its time stay inside the calendar.
FIRST_YEAR = 2000

#: `claimed`: a run is about to ask ECS, and has or has not. `finishing`: a run is about to end by force what hangs, and
#: has not asked ECS yet. `accepted`: ECS said yes. `in_doubt`: the answer was lost, or is not there yet.
#: `start_due`: we stop it by force, to finish a reboot that hangs, and owe it the start.
#: `back`, `down`, `hung`: it was rebooted and is Running again, is Stopped, or is between the two for too long.
#: `unproven`: nothing ever showed that it went down. `void`: ECS was never asked. `refused`: asked of us and not done.
#: `storm`: the same, and the first to see a storm. `seen`: a person has looked at it. `reset`: a person has cleared the
#: attempts.
State = Literal[
    "claimed", "finishing", "accepted", "in_doubt", "start_due", "back", "down", "hung", "unproven", "seen", "void",
    "refused", "storm", "reset",
]  # fmt: skip
START_DUE: State = "start_due"
#: States of an entry whose own time is an attempt.
ATTEMPTED: tuple[State, ...] = (
    "claimed",
    "finishing",
    "accepted",
    "in_doubt",
    "start_due",
    "back",
    "down",
    "hung",
    "unproven",
    "seen",
)
#: Of these nobody knows whether ECS ever got the request: a retry of the same event looks, and may ask again.
UNKNOWN_TO_ECS = ("claimed", "finishing", "in_doubt")
#: Of these a run is about to ask ECS, or ended before it did.
ABOUT_TO_ASK = ("claimed", "finishing")
#: Of these ECS was not asked upon the entry.
NEVER_ASKED = ("void", "refused", "storm")
#: Of these nobody knows yet how the reboot ended; these ended badly and hold until that is resolved.
OPEN: tuple[State, ...] = ("claimed", "finishing", "accepted", "in_doubt", "start_due")
UNRESOLVED: tuple[State, ...] = ("down", "hung")
#: Attempts count again from nothing when the last one is this long ago: what they were meant to mend is another fault.
FORGOTTEN = timedelta(days=7)

_ENTRY = re.compile(
    rf"v1 (?P<at>\S{{20}}) (?P<kind>graceful|forced) (?P<state>{'|'.join(get_args(State))})(?P<untold>!?)"
    r" (?P<claim>[0-9a-f]{8})(?:\.(?P<run>[0-9a-f]{4}))? g=(?P<group>[0-9a-f]{1,8})"
    r"(?: (?:(?P<earlier>-\d{1,6}s(?:,-\d{1,6}s)*)|-(?P<cleared>\d{1,6})r))?"
)


class Namespace(NamedTuple):
    """Whose memory it is: the ``key`` of its tags, and what stands before the region in its rows of the table."""

    key: str
    before_region: str


#: The memory of functions that act, and a shadow of it for those that only observe (``MODE``).
ACTING, OBSERVED = Namespace(KEY, ""), Namespace(OBSERVED_KEY, "observed/")


class Entry(Value):
    """One instance's ledger. ``earlier``: seconds before ``at`` of each earlier attempt, newest first.

    ``protects``: the Auto Scaling group in which this function protects the instance, and owes to take that back; only
    a table has room for it. ``run``: the first characters of the name of the run that is about to ask ECS; a tag has
    them while it is `claimed`, a row has the whole name in a column of its own. ``untold``: its state is a verdict, or
    a storm, of which a person is to be told, and nobody is known to have been. ``cleared``: seconds before ``at`` of
    the last attempt that a person has cleared; a tag has room for it only where no attempt followed.
    """

    at: datetime
    state: State
    force: bool
    claim: str
    group: str = "0"
    earlier: tuple[int, ...] = ()
    protects: str = ""
    run: str = ""
    untold: bool = False
    cleared: int | None = None

    def __str__(self) -> str:
        kind = "forced" if self.force else "graceful"
        claim = of_run(self.claim, self.run if self.state == "claimed" else "")
        text = f"v1 {self.at:%Y-%m-%dT%H:%M:%SZ} {kind} {self.state}{'!' * self.untold} {claim} g={self.group}"
        if self.earlier:
            return f"{text} {','.join(f'-{seconds}s' for seconds in self.earlier)}"
        return text if self.cleared is None else f"{text} -{self.cleared}r"


class History(Value):
    """What the ledger says about one instance. ``unreadable``: why its entry can't be used, '' where it can."""

    entry: Entry | None = None
    unreadable: str = ""


class Unreadable(ValueError):
    """The entry is one that this version did not write, or its time has not come or is in no calendar."""


def parse(text: str, now: datetime, key: str = KEY) -> Entry:
    """Read the value of the tag ``key``. Raises Unreadable."""
    match = _ENTRY.fullmatch(text)
    at = utc_time.parse(match["at"]) if match else None
    if not match or at is None:
        raise Unreadable(f"tag {key}={text!r} is not an entry of this version; reset it (docs/operate/runbook.md)")
    if at > now + SKEW:
        raise Unreadable(
            f"tag {key}={text!r} is dated after now, {now:%Y-%m-%dT%H:%M:%SZ}; check the clocks, or reset it"
        )
    if at.year < FIRST_YEAR:
        raise Unreadable(
            f"tag {key}={text!r} is dated before there was such a ledger; reset it (docs/operate/runbook.md)"
        )
    earlier = tuple(int(part[1:-1]) for part in match["earlier"].split(",")) if match["earlier"] else ()
    return Entry(
        at=at,
        state=cast("State", match["state"]),
        force=match["kind"] == "forced",
        claim=match["claim"],
        group=match["group"],
        earlier=earlier,
        run=match["run"] or "",
        untold=bool(match["untold"]),
        cleared=int(match["cleared"]) if match["cleared"] else None,
    )


def read(text: str | None, now: datetime, key: str = KEY) -> History:
    """Return what the value of the tag ``key`` says, None for no tag."""
    if text is None:
        return History()
    try:
        return History(entry=parse(text, now, key))
    except Unreadable as error:
        return History(unreadable=str(error))


def of(instance: Instance, now: datetime, key: str = KEY) -> History:
    """Return what the instance's own tag ``key`` says."""
    return read(dict(instance.tags).get(key), now, key)


def attempts(entry: Entry | None, now: datetime, *, ours: str = "", never_asked: bool = False) -> tuple[datetime, ...]:
    """Return the times of the attempts that an entry stands for, oldest first.

    Not that of the claim ``ours`` while it is not known to have led to a reboot, nor that of a claim whose run
    ``never_asked`` ECS. None where the last attempt is forgotten.
    """
    if entry is None or entry.state == "reset":
        return ()
    times = [entry.at - timedelta(seconds=seconds) for seconds in reversed(entry.earlier)]
    own = (entry.state in ABOUT_TO_ASK and never_asked) or (entry.state in UNKNOWN_TO_ECS and entry.claim == ours)
    if entry.state in ATTEMPTED and not own:
        times.append(entry.at)
    return tuple(times) if times and now - times[-1] < FORGOTTEN else ()


def never_asked(entry: Entry | None, instance: Instance, now: datetime, holds: timedelta) -> bool:
    """Return whether a claim led to no request to ECS: its run is over (``holds``), and nothing was restarted since."""
    if entry is None or entry.state not in ABOUT_TO_ASK or now - entry.at <= holds:
        return False
    if entry.state == "finishing":
        return True  # else it would say so: what ends a reboot that hangs is written down before ECS is asked
    return instance.status == "Running" and not restarted(entry, instance.start_time, SKEW)


def hidden_attempt(entry: Entry | None, start_time: datetime | None, *, ours: str = "") -> datetime | None:
    """Return when there may have been an attempt that an entry hides, None where it hides none.

    Without a settle time a `refused` entry may have been written over a claim that nobody had seen yet. Where the
    instance was restarted at or after its time, that may have been our reboot, or somebody else's: too little to call
    it an attempt, enough to leave the instance alone.
    """
    if entry is None or entry.state not in ("refused", "storm") or entry.claim == ours:
        return None
    return max(entry.at, start_time) if start_time is not None and restarted(entry, start_time) else None


def restarted(entry: Entry, start_time: datetime | None, skew: timedelta = timedelta()) -> bool:
    """Return whether the instance was restarted at or after the entry's time; ECS gives times in whole minutes.

    ``skew``: by how much the clock that dated the entry may be ahead, where a restart must not be overlooked.
    """
    return start_time is not None and start_time + timedelta(minutes=1) + skew > entry.at


def following(
    attempts: tuple[datetime, ...],
    *,
    before: Entry | None = None,
    at: datetime,
    state: State,
    force: bool,
    claim: str,
    group: str,
    protects: str = "",
) -> Entry:
    """Make the entry that follows ``attempts``, as many of them as it can hold, and is written over ``before``."""
    at = at.replace(microsecond=0)
    return Entry(
        at=at, state=state, force=force, claim=claim, group=group, protects=protects,
        earlier=tuple(age for time in reversed(attempts) if (age := _age(time, at)) <= OLDEST_SECONDS)[:MOST_EARLIER],
        cleared=_cleared_before(before, at),
    )  # fmt: skip


def _cleared_before(before: Entry | None, at: datetime) -> int | None:
    cleared = None if before is None else 0 if before.state == "reset" else before.cleared
    if before is None or cleared is None:
        return None
    age = cleared + _age(before.at, at)
    return age if age <= OLDEST_SECONDS else None


def _age(time: datetime, at: datetime) -> int:
    return max(0, int((at - time).total_seconds()))


def cleared(entry: Entry) -> Entry:
    """Return the entry without its attempts; one that stands for none is `void`, and takes no place in a limit.

    What is owed is not forgotten: a start, or to take a protection back.
    """
    owes = entry.state == START_DUE or entry.protects
    never = entry.state in NEVER_ASKED and not entry.earlier
    state = entry.state if owes else "void" if never else "reset"
    return entry.model_copy(update={"state": state, "earlier": (), "untold": False})


def ended(state: State, *, untold: bool = False) -> dict[str, str | bool]:
    """Return what writing a state changes in an entry: an end says too that nothing is protected any more."""
    written: dict[str, str | bool] = {"state": state, "untold": untold}
    return written if state in (*OPEN, *UNRESOLVED) else written | {"protects": ""}


def exhausted(times: tuple[datetime, ...], most: int, window: timedelta) -> bool:
    """Return whether the last ``most`` attempts fell into one window. It stays so until they are forgotten or reset."""
    return len(times) >= most and times[-1] - times[-most] <= window


def group_digest(value: str) -> str:
    """Return a short digest of the value of the group tag; '0' for no group."""
    if not value:
        return "0"
    from zlib import crc32  # noqa: PLC0415 - only where groups are used

    return f"{crc32(value.encode()):08x}"


def instance_digest(instance_id: str) -> str:
    """Return eight characters that stand for an instance where only their number matters."""
    from zlib import crc32  # noqa: PLC0415 - only where something is claimed

    return f"{crc32(instance_id.encode()):08x}"


def of_run(claim: str, run: str) -> str:
    """Return the ID of a claim and the beginning of its run's name, as they stand in a tag; '' for no name."""
    return f"{claim}.{run[:RUN_CHARACTERS]}" if run else claim


@lru_cache(maxsize=8)
def claim_digest(request_id: str) -> str:
    """Return the ID of the claim that a request makes on an instance: the same in every retry of the request."""
    from hashlib import sha256  # noqa: PLC0415 - only where something is claimed

    return sha256(request_id.encode()).hexdigest()[:8]
