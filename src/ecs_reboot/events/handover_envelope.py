"""The envelope in which an HTTP event is handed to the function itself, so that the caller need not wait for the work.

It carries the caller's request as it came, less everything that may hold the token: that was checked at the door and
must not lie in a queue. Only the platform says where an event came from: whatever comes over HTTP lies inside an object
that the platform writes. So an envelope is one only as the whole event; who can send that may invoke the function, and
needs no token. Anywhere else it is an object like others, and not a known one.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from ecs_reboot.events import event_time
from ecs_reboot.events.parsing import MAX_BYTES, UnreadableText, mapping, parse_json
from ecs_reboot.named_tuple import NamedTuple

#: Begins every envelope, so that other events are recognised without being parsed.
_MARK = '{"handed_over_by":'
_FIELDS = {"handed_over_by", "received_at", "request"}
_TOKEN_PARAMETER = "token"


class HandedOver(NamedTuple):
    """``request_id`` is that of the HTTP invocation, which got the ``request`` at ``received_at``."""

    request_id: str
    received_at: datetime
    request: Mapping[str, object]


def seal(event: bytes, request_id: str, received_at: datetime, token: str) -> bytes:
    """Return the envelope of an HTTP event that was let in. Raises Unreadable where it would hold the token.

    A token in the body itself, where nobody looks for one, is the only one that is not left out.
    """
    request = mapping(parse_json(event.decode()))
    sealed = {
        "handed_over_by": request_id,
        "received_at": received_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "request": {
            "body": request.get("body"),
            "isBase64Encoded": request.get("isBase64Encoded"),
            "queryParameters": {
                name: value
                for name, value in mapping(request.get("queryParameters")).items()
                if name != _TOKEN_PARAMETER
            },
            "requestContext": {"timeEpoch": mapping(request.get("requestContext")).get("timeEpoch")},
        },
    }
    text = json.dumps(sealed, ensure_ascii=False, separators=(",", ":"))
    if token and json.dumps(token, ensure_ascii=False)[1:-1] in text:
        raise UnreadableText("malformed", "the request holds WEBHOOK_TOKEN in its body too")
    return text.encode()


def opened(event: str) -> HandedOver | None:
    """Open an envelope that is the whole event; None for every other event."""
    if not event.startswith(_MARK) or len(event) > MAX_BYTES:
        return None
    try:
        sealed = mapping(parse_json(event))
    except UnreadableText:
        return None
    request_id, received_at, request = (sealed.get(name) for name in ("handed_over_by", "received_at", "request"))
    if sealed.keys() != _FIELDS or not isinstance(request_id, str) or not isinstance(request, dict):
        return None
    moment = event_time.parse(received_at)
    return HandedOver(request_id, moment, request) if moment and request_id else None
