"""What happens in the world, posted under ``/_world`` without a signature, and HTTP triggers under ``/_http``.

CloudEvents (a JSON list) go to ``/_world/events``, a message to ``/_world/topics/NAME``, the alarm of a CloudMonitor
rule to ``/_world/alarms/RULE``, the time up to which timers go off to ``/_world/time``: a moment, or minutes (``5m``)
from now or from where the last ended.
"""

import asyncio
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from localcloud.mns.errors import MessageError
from localcloud.ros.account import Account, Denied, HttpRequest


async def happens(account: Account, request: Request) -> Response:
    """Let something happen around an account; the answer says how many deliveries came of it."""
    _, _, kind, *rest = request.url.path.split("/")
    happen = _KINDS.get(kind)
    if happen is None:
        return JSONResponse({"error": f"nothing at {request.url.path}: {', '.join(_KINDS)}"}, 404)
    if request.method != "POST":
        return JSONResponse({"error": "use POST"}, 405, {"allow": "POST"})
    body = (await request.body()).decode()
    try:
        count = happen(account, "/".join(rest), body)
    except (ValueError, TypeError, KeyError, MessageError, Denied) as error:
        return JSONResponse({"error": str(error)}, 400)
    return JSONResponse({"deliveries": count})


async def http_trigger(account: Account, request: Request) -> Response:
    """Call a function through its HTTP trigger, ``/_http/FUNCTION/...``, and answer what it answers."""
    _, _, function, *rest = request.url.path.split("/")
    if function not in account.http_triggers:
        return JSONResponse({"Code": "TriggerNotFound", "Message": f"no HTTP trigger at {request.url.path}"}, 404)
    path, query = f"/{'/'.join(rest)}", request.url.query
    called = HttpRequest(request.method, path, query, dict(request.headers), await request.body())
    # The function calls back into this very server while it runs.
    status, headers, body = await asyncio.to_thread(account.call_http, function, called)
    return Response(body, status, dict(headers))


def _time(account: Account, _name: str, body: str) -> int:
    if minutes := _MINUTES.fullmatch(body.strip()):
        return account.timers.let_pass(timedelta(minutes=int(minutes[1])), datetime.now(timezone.utc))
    return account.timers.tick(datetime.fromisoformat(body.strip().replace("Z", "+00:00")))


_MINUTES = re.compile(r"([0-9]{1,5})m")
_KINDS: dict[str, Callable[[Account, str, str], int]] = {
    "events": lambda account, _name, body: account.bus.put_events(json.loads(body)),
    "topics": lambda account, name, body: account.messages.publish(name, body),
    "alarms": lambda account, name, body: account.alarm(name, body),
    "time": _time,
}
