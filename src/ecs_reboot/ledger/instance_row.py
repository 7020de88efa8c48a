"""The row of one instance in the table: its entry, and which run may ask ECS until when. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import cast, get_args

from ecs_reboot.ledger.entry import FIRST_YEAR, SKEW, Entry, History, State, ended
from ecs_reboot.ledger.window_row import millis, moment
from ecs_reboot.named_tuple import NamedTuple

_STATES = get_args(State)
#: For so long nobody claims an instance whose protection is taken back: longer than that is tried, and than a call
#: takes to show its effect, so that nobody reboots upon a protection that has just gone, or is about to go. Seconds.
LIFT_SECONDS = 30.0


class InstanceRow(NamedTuple):
    """``run`` may ask ECS until ``ask_by`` (milliseconds), and nobody else.

    Until ``lift_by`` nobody claims the instance: its protection is being taken back. ``untold_at``: when a verdict was
    written that nobody is known to have been told of, 0 where there is none.
    """

    history: History
    run: str = ""
    ask_by: int = 0
    lift_by: int = 0
    untold_at: int = 0


def read(instance_id: str, columns: Mapping[str, object], now: datetime) -> InstanceRow:
    """Read an instance's row. One that can't be read is named in its history."""
    if not columns:
        return InstanceRow(History())
    try:
        at = moment(_int(columns, "at"))
        earlier = str(columns["earlier"])
        state = columns["state"]
        if state not in _STATES:
            raise ValueError(f"state {state!r}")  # noqa: TRY301 - told below with the rest
        if at.year < FIRST_YEAR or at > now + SKEW:
            raise ValueError(f"it is dated {at:%Y-%m-%dT%H:%M:%SZ}, and now is {now:%Y-%m-%dT%H:%M:%SZ}")  # noqa: TRY301
        entry = Entry(
            at=at,
            state=cast("State", state),
            force=bool(columns["force"]),
            claim=str(columns["claim"]),
            group=str(columns["group"]),
            earlier=tuple(int(seconds) for seconds in earlier.split(",") if seconds),
            protects=str(columns.get("protects", "")),
            untold=bool(columns.get("untold_at", 0)),
            cleared=_int(columns, "cleared") if "cleared" in columns else None,
        )
        lift_by, untold_at = (_int(columns, name) if name in columns else 0 for name in ("lift_by", "untold_at"))
        if untold_at:
            moment(untold_at)
        return InstanceRow(History(entry=entry), str(columns["run"]), _int(columns, "ask_by"), lift_by, untold_at)
    except (KeyError, TypeError, ValueError) as error:
        reason = f"row i#{instance_id} of the ledger can't be read ({error}); reset it (docs/operate/runbook.md)"
        return InstanceRow(History(unreadable=reason))


def columns(entry: Entry, *, run: str, ask_by: int, stack: str) -> dict[str, int | str]:
    """Return the columns of an instance's row."""
    return {
        "state": entry.state,
        "at": millis(entry.at),
        "force": int(entry.force),
        "claim": entry.claim,
        "run": run,
        "ask_by": ask_by,
        "stack": stack,
        "group": entry.group,
        "earlier": ",".join(map(str, entry.earlier)),
        "protects": entry.protects,
        **({} if entry.cleared is None else {"cleared": entry.cleared}),
    }


def with_state(row: Mapping[str, int | str], state: State, *, untold_at: int = 0) -> dict[str, int | str]:
    """Return the columns of a row in which a state is written over the one before, told of or not."""
    kept = {name: value for name, value in row.items() if name != "untold_at"}
    changed = {name: str(value) for name, value in ended(state).items() if name != "untold"}
    return {**kept, **changed, **({"untold_at": untold_at} if untold_at else {})}


def _int(columns: Mapping[str, object], name: str) -> int:
    value = columns[name]
    if not isinstance(value, int):
        raise TypeError(f"{name} is {value!r}")
    return value
