"""The row of one region and stack: who has a place in the window, who was asked for, what came of it. Pure.

Times are milliseconds of the service's clock.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Literal

from ecs_reboot.ledger.entry import OPEN, Entry, State, Unreadable, instance_digest
from ecs_reboot.ledger.memory import RegionMemory, down_in_a_row
from ecs_reboot.named_tuple import NamedTuple

#: Digests of instances asked for that are kept at most; ends of reboots that are kept at most.
MOST_ASKED, MOST_ENDED = 5_000, 100

SlotState = Literal["open", "down", "hung", "ended"]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Slot(NamedTuple):
    """A place in the window, and the digest of the instance's group ('0' for none).

    `open`: nobody knows yet what came of it; `down`, `hung`: not resolved yet.
    """

    instance_id: str
    claim: str
    run: str
    at: int
    group: str = "0"
    state: SlotState = "open"


class Ended(NamedTuple):
    """How a reboot ended: `back`, `down`, `hung`, or `seen` by a person."""

    at: int
    state: str
    instance_id: str


class Window(NamedTuple):
    """The row. ``asked_for``: digest and time; ``storm_at``, ``counted_at``: 0 for never.

    ``storm_untold_at``: when a storm was seen of which nobody is known to have been told, 0 for none. It outlives the
    storm, and has no column while it is 0: a row of before says the same.
    """

    slots: tuple[Slot, ...] = ()
    asked_for: Mapping[str, int] = {}
    storm_at: int = 0
    ended: tuple[Ended, ...] = ()
    opted_in: int = 0
    counted_at: int = 0
    storm_untold_at: int = 0

    def held(self, instance_id: str) -> Slot | None:
        """Return the instance's latest place."""
        return next((slot for slot in reversed(self.slots) if slot.instance_id == instance_id), None)

    def with_slots(self, added: Iterable[Slot], seconds: float, now: datetime) -> "Window":
        """Give places, and forget what no longer counts. Earlier places of an instance stay until they are ended."""
        added = tuple(added)
        claims = {slot.instance_id: slot.claim for slot in added}
        since = millis(now) - int(seconds * 1000)
        others = (slot for slot in self.slots if claims.get(slot.instance_id) != slot.claim)
        kept = (slot for slot in others if slot.state != "ended" or slot.at > since)
        asked = {digest: at for digest, at in self.asked_for.items() if at > since}
        return self._replace(
            slots=(*kept, *added),
            asked_for=asked,
            storm_at=self.storm_at if self.storm_at > since else 0,
        )

    def without(self, claims: Iterable[tuple[str, str]]) -> "Window":
        """Take places away, by instance and claim."""
        gone = set(claims)
        return self._replace(slots=tuple(slot for slot in self.slots if (slot.instance_id, slot.claim) not in gone))

    def with_passed(self, passed: Iterable[Slot]) -> "Window":
        """End places whose instance has been claimed again since, or cleared by a person."""
        gone = {(slot.instance_id, slot.claim, slot.at) for slot in passed}
        return self._replace(
            slots=tuple(
                slot._replace(state="ended") if (slot.instance_id, slot.claim, slot.at) in gone else slot
                for slot in self.slots
            )
        )

    def with_asked(self, instance_ids: Iterable[str], now: datetime, *, storm: bool) -> "Window":
        """Take note that instances were asked for, and of a storm: one that is new is marked as untold."""
        asked = {**self.asked_for, **{instance_digest(instance_id): millis(now) for instance_id in instance_ids}}
        asked = dict(sorted(asked.items(), key=lambda item: item[1])[-MOST_ASKED:])
        if storm and not self.storm_at:
            return self._replace(asked_for=asked, storm_at=millis(now), storm_untold_at=millis(now))
        return self._replace(asked_for=asked)

    def with_storm_told(self) -> "Window":
        """Take note that a person was told of the storm; it goes on."""
        return self._replace(storm_untold_at=0)

    def with_end(self, instance_id: str, entry: Entry) -> "Window":
        """Take note of how a reboot ended; a place whose claim led to none (`void`) is free again."""
        state = entry.state
        slot = next(
            (slot for slot in self.slots if slot.instance_id == instance_id and same_claim(entry, slot.claim, slot.at)),
            None,
        )
        if slot is None:
            return self
        if state == "void":
            return self.without([(instance_id, slot.claim)])
        slots = tuple(other._replace(state=place_of(state)) if other is slot else other for other in self.slots)
        if state not in ("back", "down", "hung", "seen"):
            return self._replace(slots=slots)
        others = [reboot for reboot in self.ended if (reboot.instance_id, reboot.at) != (instance_id, slot.at)]
        ended = sorted([*others, Ended(slot.at, state, instance_id)])[-MOST_ENDED:]
        return self._replace(slots=slots, ended=tuple(ended))

    def held_again(self, instance_id: str, entry: Entry, run: str) -> "Window":
        """Give its place back to a reboot that ended badly and is not resolved."""
        at, held = millis(entry.at), "hung" if entry.state == "hung" else "down"
        others = [slot for slot in self.slots if (slot.instance_id, slot.claim) != (instance_id, entry.claim)]
        slot = Slot(instance_id, entry.claim, run, at, entry.group, held)  # type: ignore[arg-type]  # one of two
        return self._replace(slots=(*others, slot))

    def memory(self, seconds: float, now: datetime, *, ours: frozenset[tuple[str, str]]) -> RegionMemory:
        """Return what counts in the window; ``ours``: instances and claims of this request, which it judges itself."""
        since = millis(now) - int(seconds * 1000)
        others = [slot for slot in self.slots if (slot.instance_id, slot.claim) not in ours and slot.at > since]
        asked = {digest for digest, at in self.asked_for.items() if at > since}
        return RegionMemory(
            rebooted=frozenset(slot.instance_id for slot in others),
            asked_for=frozenset(asked | {instance_digest(slot.instance_id) for slot in others}),
            storm_at=moment(self.storm_at) if self.storm_at > since else None,
            down_in_a_row=down_in_a_row((moment(reboot.at), reboot.state) for reboot in self.ended),
            opted_in=self.opted_in,
        )

    def columns(self) -> dict[str, int | str]:
        """Return the row's columns."""
        return {
            "slots": _text(self.slots),
            "wanted": _text(self.asked_for),
            "storm_at": self.storm_at,
            "ended": _text(self.ended),
            "opted_in": self.opted_in,
            "counted_at": self.counted_at,
            **({"storm_untold_at": self.storm_untold_at} if self.storm_untold_at else {}),
        }


def read(columns: Mapping[str, object]) -> Window:
    """Read the row; none is an empty window. Raises Unreadable."""
    if not columns:
        return Window()
    try:
        return Window(
            slots=tuple(_slot(row) for row in json.loads(_str(columns, "slots"))),
            asked_for={str(digest): int(at) for digest, at in json.loads(_str(columns, "wanted")).items()},
            storm_at=_int(columns, "storm_at"),
            ended=tuple(
                Ended(int(at), str(state), str(instance_id))
                for at, state, instance_id in json.loads(_str(columns, "ended"))
            ),
            opted_in=_int(columns, "opted_in"),
            counted_at=_int(columns, "counted_at"),
            storm_untold_at=_int(columns, "storm_untold_at") if "storm_untold_at" in columns else 0,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(f"it is not one of this version: {error!r}") from None


def place_of(state: State) -> SlotState:
    """Return the state of the place whose entry is in ``state``."""
    if state in OPEN:
        return "open"
    return "down" if state == "down" else "hung" if state == "hung" else "ended"


def same_claim(entry: Entry, claim: str, at: int) -> bool:
    """Return whether something that was written with a claim belongs to the entry: a later run may claim alike."""
    return entry.claim == claim and millis(entry.at) // 1000 == at // 1000


def millis(at: datetime) -> int:
    """Return a time as it is kept."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def moment(at: int) -> datetime:
    """Return the time that is kept. Raises Unreadable where it is in no calendar."""
    try:
        return _EPOCH + timedelta(milliseconds=at)
    except OverflowError:
        raise Unreadable(f"{at} ms is in no calendar") from None


def _slot(row: list[object]) -> Slot:
    instance_id, claim, run, at, group, state = row
    if state not in ("open", "down", "hung", "ended") or not isinstance(at, int):
        raise ValueError(f"slot {row!r}")
    moment(at)
    return Slot(str(instance_id), str(claim), str(run), at, str(group), state)


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _str(columns: Mapping[str, object], name: str) -> str:
    value = columns[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value!r}")
    return value


def _int(columns: Mapping[str, object], name: str) -> int:
    value = columns[name]
    if not isinstance(value, int):
        raise TypeError(f"{name} is {value!r}")
    return value
