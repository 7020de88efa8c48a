"""Function Compute's timer: its payload is a request in our own form, its triggerTime the time of that request."""

from datetime import datetime

from ecs_reboot.model import Rejected

from . import event_time, manual
from .document import Unreadable, parse_json
from .finding import Field, Piece
from .judgement import Verdict, age
from .quoting import plain
from .rules import Rules

_WANTED = 'the payload of the timer must be a request, such as {"tags": {"app": "web"}, "region_id": "cn-hangzhou"}'


def find(piece: Piece, rules: Rules, now: datetime) -> list[Verdict]:
    """Read the payload as a request; it can't override guards, since nobody looks at what a timer asks."""
    payload, name = piece.body["payload"], plain(piece.body["triggerName"])
    try:
        request = parse_json(payload, "payload") if isinstance(payload, str) else payload
    except Unreadable as error:
        if error.code != "malformed":
            return [Rejected(code=error.code, reason=error.reason, path="payload", value=plain(error.value))]
        request = None
    if not isinstance(request, dict):
        return [Rejected(code="malformed", reason=_WANTED, path="payload", value=plain(payload))]
    own = Field("triggerTime", piece.body["triggerTime"])
    _, verdict = age(own, None, rules, now)
    if verdict:
        return [verdict]
    inner = Piece(
        body=request,
        trail=piece.trail,
        path="payload.",
        delivered=event_time.parse(own.value),
        delivery=f"{name}:{plain(own.value)}",
    )
    return manual.read(inner, rules, now, kind="timer", by_hand=False)
