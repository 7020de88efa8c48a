"""From the bytes of an event to what they say: peel, recognise, find, judge. Total: any bytes give a Reading."""

from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from typing import Protocol

from ecs_reboot.model import Ignored, Reading, RebootRequest, Rejected, Upkeep

from . import judgement, shapes
from .document import Unreadable, decode
from .envelope import Failure, peel
from .finding import Finding, Piece
from .judgement import Verdict
from .quoting import plain, quoted
from .rules import Rules

MAX_VERDICTS = 10_000


class _Source(Protocol):
    def __call__(self, piece: Piece, rules: Rules, now: datetime, /) -> Sequence[Finding | Verdict]: ...


def read(event: bytes, rules: Rules, now: datetime) -> Reading:
    """Give what an event asks for, element by element; ``now`` is aware. Never raises, whatever the bytes are.

    What is positively recognised as firing now, for this ECS instance, in this region, becomes a request; all else is
    Ignored or Rejected with the reason (docs/events.md).
    """
    try:
        text = decode(event)
    except Unreadable as error:
        return Reading(trigger="malformed", rejected=(_rejected(error),))
    pieces, failures = peel(text, rules)
    kinds: dict[str, None] = {}
    found: list[tuple[Finding | Verdict, Piece]] = []
    for piece in pieces:
        kind, items = _found(piece, rules, now)
        kinds[_trigger(piece.trail, kind)] = None
        found.extend((item, piece) for item in items)
        if len(found) > MAX_VERDICTS:
            reason = f"the event holds more than {MAX_VERDICTS} alerts"
            found = [(_rejected(Unreadable("too_large", reason)), piece)]
            break
    for failure in () if pieces else failures:
        kinds[_trigger(failure.trail, _kind(failure, text))] = None
    verdicts = _judged(found, rules, now)
    verdicts.extend(_rejected(_error(failure, text)) for failure in failures)
    ignored = tuple(one for one in verdicts if isinstance(one, Ignored))
    trigger = "+".join(kinds)
    return Reading(
        trigger=trigger,
        requests=tuple(one for one in verdicts if isinstance(one, RebootRequest)),
        upkeep=(*(one for one in verdicts if isinstance(one, Upkeep)), *_echoes(ignored, trigger)),
        ignored=ignored,
        rejected=tuple(one for one in verdicts if isinstance(one, Rejected)),
        over_http=any(one.trail[:1] == ("http",) for one in pieces)
        or any(one.trail[:1] == ("http",) for one in failures),
    )


def _echoes(ignored: tuple[Ignored, ...], trigger: str) -> list[Upkeep]:
    """Ask what became of a reboot of ours: a change of state is no reason for one, but may complete its record."""
    return [
        Upkeep(
            verb="verify",
            trigger=trigger,
            region_id=one.region_id,
            instance_ids=(one.instance_id,),
            event_time=one.event_time,
        )
        for one in ignored
        if one.code == "echo" and one.instance_id and one.region_id
    ]


def _kind(failure: Failure, event: str) -> str:
    return "unsupported" if shapes.is_gateway_template(event) else failure.kind


def _error(failure: Failure, event: str) -> Unreadable:
    return Unreadable("unsupported", shapes.GATEWAY_ADVICE) if shapes.is_gateway_template(event) else failure.error


def _found(piece: Piece, rules: Rules, now: datetime) -> tuple[str, Sequence[Finding | Verdict]]:
    """Let the source's module look at one object; its kind may be narrower than the shape."""
    shape = shapes.recognise(piece.body, is_form=piece.is_form)
    if shape.kind == "timer" and (piece.trail or piece.path):
        shape = shapes.UNKNOWN  # only the platform's own timer is one, and it comes bare
    if not shape.module:
        keys = ", ".join(plain(key) for key in list(piece.body)[:5])
        return shape.kind, [Rejected(code="unsupported", reason=shape.advice, path=piece.path.rstrip("."), value=keys)]
    source: _Source = import_module(f"{__package__}.{shape.module}").find
    try:
        items = source(piece, rules, now)
    except Unreadable as error:
        return "malformed", [_rejected(error)]
    narrower = {item.kind: None for item in items if isinstance(item, Finding)}
    return "+".join(narrower) or shape.kind, items


def _judged(found: list[tuple[Finding | Verdict, Piece]], rules: Rules, now: datetime) -> list[Verdict]:
    findings = [(item, piece) for item, piece in found if isinstance(item, Finding)]
    verdicts: list[Verdict] = [item for item, _ in found if not isinstance(item, Finding)]
    over = judgement.outweighed([item for item, _ in findings])
    for position, (finding, piece) in enumerate(findings):
        if position in over:
            verdicts.append(judgement.recovered_here(finding, over[position]))
        else:
            verdicts.extend(judgement.judge(finding, piece, rules, now))
    return verdicts


def _trigger(trail: tuple[str, ...], kind: str) -> str:
    """Name the way an object came; inside an envelope a kind that is none adds nothing."""
    return ">".join(trail) if trail and kind in _NO_KIND else ">".join((*trail, kind))


_NO_KIND = ("malformed", "text", "unsupported")


def _rejected(error: Unreadable) -> Rejected:
    path = plain(error.path.rstrip("."))
    said = [path] * bool(path) + [quoted(error.value)] * (error.value != "")
    at = f" ({': '.join(said)})" if said else ""
    return Rejected(code=error.code, reason=error.reason + at, path=path, value=plain(error.value))
