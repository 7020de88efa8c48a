"""What happens in the world, posted under ``/_world`` without a signature, and HTTP triggers under ``/_http``.

CloudEvents (a JSON list) go to ``/_world/events``, a message to ``/_world/topics/NAME``, the alarm of a CloudMonitor
rule to ``/_world/alarms/RULE``, the time up to which timers go off to ``/_world/time``: a moment, or minutes (``5m``)
from now or from where the last ended. The cloud's clock does not move.
"""

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from localcloud.mns.errors import MessageError
from localcloud.ros.account import Denied, HttpRequest, RosAccount


async def happens(account: RosAccount, request: Request) -> Response:
    """Let something happen around an account; the answer says how many deliveries came of it."""
    _, _, kind, *rest = request.url.path.split("/")
    happen = _KINDS.get(kind)
    if happen is None:
        return JSONResponse(
            {"error": f"nothing at {request.url.path}: there are /_world/{', /_world/'.join(_KINDS)}"}, 404
        )
    if request.method != "POST":
        return JSONResponse({"error": "use POST"}, 405, {"allow": "POST"})
    try:
        body = (await request.body()).decode()
        count = happen(account, "/".join(rest), body)
    except UnicodeDecodeError as error:
        return JSONResponse({"error": f"the body is not UTF-8 at byte {error.start}: send text"}, 400)
    except (ValueError, MessageError, Denied) as error:
        return JSONResponse({"error": str(error)}, 400)
    return JSONResponse({"deliveries": count})


async def http_trigger(account: RosAccount, request: Request) -> Response:
    """Call a function through its HTTP trigger, ``/_http/FUNCTION/...``, and answer what it answers."""
    _, _, function, *rest = request.url.path.split("/")
    if function not in account.http_triggers:
        return JSONResponse({"Code": "TriggerNotFound", "Message": f"no HTTP trigger at {request.url.path}"}, 404)
    path, query = f"/{'/'.join(rest)}", request.url.query
    called = HttpRequest(request.method, path, query, dict(request.headers), await request.body())
    # The function calls back into this very server while it runs.
    status, headers, body = await asyncio.to_thread(account.call_http, function, called)
    return Response(body, status, dict(headers))


def _events(account: RosAccount, _name: str, body: str) -> int:
    try:
        events = json.loads(body)
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}; send a list of CloudEvents") from None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise ValueError("the body is no list of CloudEvents: put the event into [ ]")
    return account.bus.put_events(events)


def _topic(account: RosAccount, name: str, body: str) -> int:
    if name not in account.messages.topics:
        raise ValueError(_nothing_named("topic", name, account.messages.topics))
    if not body:
        raise ValueError(f"topic {name!r}: the message is empty: send it as the body")
    return account.messages.publish(name, body)


def _alarm(account: RosAccount, name: str, body: str) -> int:
    if name not in account.alarm_rules:
        raise ValueError(_nothing_named("alarm rule", name, account.alarm_rules))
    return account.alarm(name, body)


def _nothing_named(what: str, name: str, known: Iterable[str]) -> str:
    there = ", ".join(sorted(known))
    return f"no {what} {name!r}: " + (
        f"there is {there}" if there else "there is none; a stack makes them: make deploy"
    )


def _time(account: RosAccount, _name: str, body: str) -> int:
    text = body.strip()
    if minutes := _MINUTES.fullmatch(text):
        return account.timers.let_pass(timedelta(minutes=int(minutes[1])), datetime.now(timezone.utc))
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(
            f"{text[:100]!r} is no time: send a moment with its zone, 2030-01-01T04:00:00Z, or minutes, 5m"
        )
    return account.timers.tick(moment)


_MINUTES = re.compile(r"([0-9]{1,5})m")
# Not Starlette's routes: what follows the kind is a name with any slashes, and errors are JSON that lists the kinds.
_KINDS: dict[str, Callable[[RosAccount, str, str], int]] = {
    "events": _events,
    "topics": _topic,
    "alarms": _alarm,
    "time": _time,
}
