"""The local cloud with all that a stack needs: ROS, STS, OSS and HTTP triggers beside ECS and SLS, on one port.

What happens in the world is posted, unsigned: CloudEvents (a JSON list) to ``/_world/events``, a message to
``/_world/topics/NAME``, what a threshold rule sends when it fires to ``/_world/alarms/RULE``, the time up to which
timers go off to ``/_world/time``.
"""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from localcloud.account.cloud import Cloud
from localcloud.mns.messages import MessageError
from localcloud.openapi import signature
from localcloud.oss.service import Oss, is_for_oss
from localcloud.ros.account import Account, Denied, HttpRequest
from localcloud.ros.service import VERSIONS, Ros
from localcloud.server import server
from localcloud.sls.service import Sls

HTTP_TRIGGERS = "/_http/"
_KINDS = "events, topics/NAME, alarms/RULE, time"
WORLD = "/_world/"


class Whole(NamedTuple):
    """A local cloud that answers, with the account behind it."""

    running: server.Running
    account: Account
    ros: Ros

    @property
    def url(self) -> str:
        """The one endpoint of all services."""
        return self.running.url


class Application:
    """Sends each request to its service: what is not for one here goes to ECS and SLS."""

    def __init__(self, cloud: Cloud) -> None:
        self._sls = Sls(cloud)
        self._rest = server.Application(cloud, self._sls)
        self.functions = self._rest.functions
        self._oss = Oss(cloud)
        self._url = ""
        self.account = Account(cloud, self.functions, self._sls.stores, self._oss, lambda: self._url)
        self.ros = Ros(cloud, self.account)

    def close(self) -> None:
        """End what runs beside the server."""
        self._rest.close()
        self.account.close()

    def answer_at(self, url: str) -> None:
        """Say where this application answers, once that is known."""
        self._url = url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        authorization, version = request.headers.get("authorization", ""), request.headers.get("x-acs-version", "")
        if is_for_oss(authorization):
            await (await self._oss.handle(request))(scope, receive, send)
        elif version in VERSIONS:
            await (await self._answer_ros(request))(scope, receive, send)
        elif scope["path"].startswith(WORLD):
            await (await self._happens(request))(scope, receive, send)
        elif scope["path"].startswith(HTTP_TRIGGERS):
            await (await self._http(request))(scope, receive, send)
        elif authorization.startswith(("LOG ", "SLS4-")):
            await (await self._sls.handle(request))(scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    async def _answer_ros(self, request: Request) -> Response:
        form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        body = await request.body()
        signed = signature.Request(
            request.method,
            request.url.path,
            server.pairs(request.scope["query_string"]),
            {name.lower(): value for name, value in request.headers.items()},
            body,
            server.pairs(body) if form else [],
        )
        status, answer = self.ros.answer(signed)
        return JSONResponse(answer, status)

    async def _happens(self, request: Request) -> Response:
        kind, _, name = request.url.path.removeprefix(WORLD).partition("/")
        body = (await request.body()).decode()
        try:
            if kind == "events":
                count = self.account.bus.put_events(json.loads(body))
            elif kind == "topics":
                count = self.account.messages.publish(name, body)
            elif kind == "alarms":
                count = self.account.alarm(name, body)
            elif kind == "time":
                moment = datetime.fromisoformat(body.strip().replace("Z", "+00:00"))
                count = self.account.timers.tick(moment)
            else:
                return JSONResponse({"error": f"nothing at {request.url.path}: {_KINDS}"}, 404)
        except (ValueError, TypeError, KeyError, MessageError, Denied) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"deliveries": count})

    async def _http(self, request: Request) -> Response:
        function, _, path = request.url.path.removeprefix(HTTP_TRIGGERS).partition("/")
        if function not in self.account.http_triggers:
            return JSONResponse({"Code": "TriggerNotFound", "Message": f"no HTTP trigger at {request.url.path}"}, 404)
        called = HttpRequest(request.method, f"/{path}", request.url.query, dict(request.headers), await request.body())
        # The function calls back into this very server while it runs.
        status, headers, body = await asyncio.to_thread(self.account.call_http, function, called)
        return Response(body, status, dict(headers))


@contextlib.contextmanager
def running(cloud: Cloud, port: int = 0) -> Iterator[Whole]:
    """Run the local cloud with all its services for the length of a ``with`` block."""
    application = Application(cloud)
    with server.running(cloud, port, application) as where:
        application.answer_at(where.url)
        yield Whole(where, application.account, application.ros)
