"""One ASGI application for all of the local cloud: the door, the way to the service, and how long the way takes.

A call is recognised by its headers (OSS, SLS, Tablestore, MNS), by its path (Function Compute) or by its version (at
``/``: ECS, ROS, STS, RAM and CloudMonitor). What is no call is a page: ``/``, ``/_local``, ``/_world``, ``/_http``
and those of other packages.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from localcloud.account.cloud import Cloud
from localcloud.ecs.actions import VERSION as ECS_VERSION
from localcloud.openapi import signature
from localcloud.pipeline import admission
from localcloud.pipeline.connection import Dropped, close
from localcloud.pipeline.pipeline import WrittenAnswer
from localcloud.server import admin, front_page, pages
from localcloud.server.pages import Pages
from localcloud.server.services import Services

CONSOLE = "/console"
MAX_BODY = 16 * 1024 * 1024  # above PutLogs' 10 MB raw limit, so that SLS itself can refuse
MAX_PARAMETERS = 2_000
_ECS = ECS_VERSION.encode()
_TOLD_BY_PATH = (
    *(("fc", f"/{version}/") for version in ("2023-03-30", "2021-04-06", "2016-08-15")),
    ("chat", "/_chat/"),
)
#: Service, the beginning of a header's name, beginnings of its value.
_TOLD_BY_HEADER = (
    ("oss", b"authorization", (b"OSS4-", b"OSS ", b"OSS2 ")),
    ("sls", b"authorization", (b"LOG ", b"SLS4-")),
    ("sls", b"x-log-", (b"",)),
    ("ots", b"x-ots-", (b"",)),
    ("mns", b"authorization", (b"MNS ",)),
    ("mns", b"x-mns-", (b"",)),
)
_FORM = "application/x-www-form-urlencoded"
_LOG = logging.getLogger("localcloud")

Handle = Callable[[Request], Awaitable[WrittenAnswer | Response]]


class Application:
    """Sends each request to its service or page."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._cloud: Cloud = services.cloud
        self._admin = admin.Admin(services.cloud, services.functions, lambda: services.chats.chat)
        self._pages: dict[str, Pages] = {}
        self._calls: dict[str, Callable[[], Handle]] = {
            "sls": lambda: services.sls.handle,
            "ots": lambda: services.ots.handle,
            "oss": lambda: services.oss.handle,
            "mns": lambda: services.mns.handle,
            "fc": lambda: services.fc.handle,
            "chat": lambda: services.chats.handle,
        }
        self._router = self._routed()

    def close(self) -> None:
        """End what runs beside the server."""
        self._services.close()
        for shown in self._pages.values():
            shown.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"the local cloud speaks HTTP, not {scope['type']}")
        service = service_of(scope)
        try:
            if why := admission.refusal(scope["headers"], is_call=bool(service)):
                await JSONResponse({"error": why}, 403)(scope, receive, send)
                return
            if service and self._cloud.declared.latency_seconds:
                await asyncio.sleep(self._cloud.declared.latency_seconds)
            if service == "rpc":
                await self._answer_rpc(scope, receive, send)
            elif service:
                response = await self._calls[service]()(Request(scope, receive))
                await response(scope, receive, send)
            else:
                await self._router(scope, receive, send)
        except asyncio.CancelledError:
            close(scope)  # the server stops: an answer that is still held back never comes
            raise
        except Exception:
            _LOG.exception("%s %s failed: a mistake in the local cloud", scope["method"], scope["path"])
            raise

    async def _answer_rpc(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await _signature_request(scope, receive)
        if isinstance(request, str):
            await JSONResponse({"Code": "InvalidParameter", "Message": request}, 400)(scope, receive, send)
            return
        version, action = _stated(request, "x-acs-version", "Version"), _stated(request, "x-acs-action", "Action")
        if not self._services.ecs.has(version, action) and version in self._services.account_apis.versions:
            await (await self._services.account_apis.handle(request))(scope, receive, send)
            return
        answer = await self._services.ecs.answer(request) or Dropped()
        await answer(scope, receive, send)

    def _routed(self) -> Router:
        routes: list[Route | Mount] = [
            Route("/", self._front_page),
            Mount(admin.PREFIX, _app(self._admin.handle)),
            Mount("/_world", _app(self._world)),
            Mount("/_http", _app(self._http_trigger)),
            Mount("/", _app(self._page)),
        ]
        return Router(routes, redirect_slashes=False)

    async def _front_page(self, _request: Request) -> Response:
        return front_page.answer(self._cloud, pages.installed())

    async def _world(self, request: Request) -> Response:
        from localcloud.server.world import happens  # noqa: PLC0415 - loads what stacks are made in

        return await happens(self._services.account, request)

    async def _http_trigger(self, request: Request) -> Response:
        from localcloud.server.world import http_trigger  # noqa: PLC0415 - loads what stacks are made in

        return await http_trigger(self._services.account, request)

    async def _page(self, request: Request) -> Response:
        name = request.url.path.split("/")[1]
        try:
            if name not in self._pages:
                factory = pages.load(name)
                host, port = request.scope["server"]
                self._pages[name] = factory(self._cloud, self._services, f"http://{host}:{port}")
        except LookupError:
            known = f"calls of services, the admin pages under {admin.PREFIX}/, the console at {CONSOLE}/"
            return JSONResponse({"error": f"nothing at {request.url.path}: there are {known}"}, 404)
        return await self._pages[name].handle(request)


def service_of(scope: Scope) -> str:
    """Return the service that a request calls: ECS and those of its style are ``rpc``; empty for a page."""
    path, signed, other = scope["path"], False, False
    for name, value in scope["headers"]:
        if name == b"x-acs-version":
            other = value != _ECS
        elif name == b"authorization":
            signed = True
        for service, header, beginnings in _TOLD_BY_HEADER:
            if name.startswith(header) and value.startswith(beginnings):
                return service
    for service, beginning in _TOLD_BY_PATH:
        if path.startswith(beginning):
            return service
    is_page = scope["method"] in ("GET", "HEAD") and not scope["query_string"] and not signed
    # Some of the others have paths, as the account's side of Tablestore.
    return "rpc" if other or (path in ("/", "") and not is_page) else ""


def _app(handle: Handle) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await (await handle(Request(scope, receive)))(scope, receive, send)

    return answer


def _stated(request: signature.OpenApiRequest, header: str, parameter: str) -> str:
    stated = request.headers.get(header, "")
    if stated:
        return stated
    return next((value for name, value in (*request.query, *request.form) if name == parameter), "")


async def _signature_request(scope: Scope, receive: Receive) -> signature.OpenApiRequest | str:
    """Read a request for a service of RPC style, or say what is wrong with its form."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return f"the body is longer than {MAX_BODY} bytes"
        if not message.get("more_body", False):
            break
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    form = headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM
    try:
        query = _pairs(scope["query_string"])
        form_pairs = _pairs(bytes(body)) if form else []
    except ValueError as error:
        return f"the parameters can't be read: {error}"
    return signature.OpenApiRequest(
        method=scope["method"],
        path=scope["path"] or "/",
        query=query,
        headers=headers,
        body=bytes(body),
        form=form_pairs,
    )


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    """Read form-encoded parameters in their order; ValueError where there are too many."""
    if not encoded:
        return []
    return parse_qsl(encoded.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
