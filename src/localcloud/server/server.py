"""One ASGI application on one loopback port: ECS at ``/``, SLS and Tablestore by header, Function Compute by version.

The admin pages are under ``/_local``; the console, which is loaded when first looked at, is under ``/console/``.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import parse_qsl

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from localcloud.account.cloud import Cloud
from localcloud.ecs.service import Ecs
from localcloud.functioncompute.api.functions import Functions
from localcloud.openapi import signature
from localcloud.pipeline.connection import DroppableConnection, close, drop
from localcloud.server import pages
from localcloud.server.admin import PREFIX, Admin
from localcloud.server.pages import Pages

if TYPE_CHECKING:
    from localcloud.chat.service import ChatServices

LOOPBACK = "127.0.0.1"
CONSOLE = "/console"
CHAT = "/_chat"
FUNCTION_COMPUTE = "/2023-03-30/"
MAX_BODY = 16 * 1024 * 1024  # above PutLogs' 10 MB raw limit, so that SLS itself can refuse
MAX_PARAMETERS = 2_000
_TICK_SECONDS = 0.05
_FORM = "application/x-www-form-urlencoded"
_LOG = logging.getLogger("localcloud")


class Service(Protocol):
    """A service behind the server, as SLS."""

    async def handle(self, request: Request) -> Response:
        """Answer a request."""


class Running(NamedTuple):
    """A server that answers; ``url`` has no slash at its end. ``functions`` are those of Function Compute."""

    cloud: Cloud
    host_port: str
    functions: Functions

    @property
    def url(self) -> str:
        """The endpoint of ECS and, for clients that take an address, of SLS."""
        return f"http://{self.host_port}"

    @property
    def admin(self) -> str:
        """Where the admin pages are: ``<admin>/audit``."""
        return f"{self.url}{PREFIX}"

    @property
    def console(self) -> str:
        """Where the console is, for a browser."""
        return f"{self.url}{CONSOLE}/"


class CloseableApp(Protocol):
    """An ASGI application with functions, and with something to end when the server ends."""

    @property
    def functions(self) -> Functions:
        """The functions of Function Compute."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

    def close(self) -> None:
        """End what runs beside the server."""


class Application:
    """Sends each request to its service."""

    def __init__(self, cloud: Cloud, sls: Service | None = None, functions: Functions | None = None) -> None:
        self._cloud = cloud
        self.functions = functions or Functions(cloud)
        self._ecs = Ecs(cloud)
        self._admin = Admin(cloud, self.functions, lambda: self.loaded_chat().chat)
        self._sls = sls
        self._console: Pages | None = None
        self._fc: Service | None = None
        self._ots: Service | None = None
        self._chat: ChatServices | None = None

    def close(self) -> None:
        """End what runs beside the server."""
        self.functions.stop()
        if self._console:
            self._console.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"the local cloud speaks HTTP, not {scope['type']}")
        path = scope["path"]
        try:
            if path.startswith(f"{PREFIX}/"):
                await self._respond(await self._admin.handle(Request(scope, receive)), scope, receive, send)
            elif path == CONSOLE or path.startswith(f"{CONSOLE}/"):
                console = self._loaded_console(scope["server"])
                await self._respond(await console.handle(Request(scope, receive)), scope, receive, send)
            elif service := self._service_at(path):
                await self._respond(await service.handle(Request(scope, receive)), scope, receive, send)
            elif any(is_tablestore_header(name) for name, _ in scope["headers"]):
                await self._respond(await self._loaded_ots().handle(Request(scope, receive)), scope, receive, send)
            elif _is_for_sls(scope):
                await self._respond(await self._handle_sls(Request(scope, receive)), scope, receive, send)
            elif path in ("/", ""):
                await self._answer_ecs(scope, receive, send)
            else:
                told = f"nothing at {path}: ECS is at /, the admin pages under {PREFIX}/, the console at {CONSOLE}/"
                nothing = JSONResponse({"error": told}, 404)
                await self._respond(nothing, scope, receive, send)
        except asyncio.CancelledError:
            close(scope)  # the server stops: an answer that is still held back never comes
            raise
        except Exception:
            _LOG.exception("%s %s failed: a mistake in the local cloud", scope["method"], path)
            raise

    async def _answer_ecs(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await _signature_request(scope, receive)
        if isinstance(request, str):
            await self._respond(
                JSONResponse({"Code": "InvalidParameter", "Message": request}, 400), scope, receive, send
            )
            return
        answer = await self._ecs.answer(request)
        if answer is None:
            await drop(scope, receive)
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _handle_sls(self, request: Request) -> Response:
        if self._sls is None:
            self._sls = _load_sls(self._cloud)
        if self._sls is None:
            return JSONResponse({"errorCode": "NotImplemented", "errorMessage": "the local cloud has no SLS yet"}, 501)
        return await self._sls.handle(request)

    def _loaded_fc(self) -> Service:
        if self._fc is None:
            fc: Service = import_module("localcloud.functioncompute.api.service").FunctionCompute(
                self._cloud, self.functions
            )
            self._fc = fc
        return self._fc

    def _service_at(self, path: str) -> Service | None:
        """Return the service that is known by the beginning of a path, None where none is."""
        if path.startswith(f"{CHAT}/"):
            return self.loaded_chat()
        return self._loaded_fc() if path.startswith(FUNCTION_COMPUTE) else None

    def loaded_chat(self) -> "ChatServices":
        """Return the chat services, which are loaded when first used."""
        if self._chat is None:
            from localcloud.chat.service import ChatServices  # noqa: PLC0415

            self._chat = ChatServices(self._cloud)
        return self._chat

    def _loaded_ots(self) -> Service:
        if self._ots is None:
            ots: Service = import_module("localcloud.tablestore.service").Ots(self._cloud)
            self._ots = ots
        return self._ots

    def _loaded_console(self, address: tuple[str, int]) -> Pages:
        if self._console is None:
            self._sls = self._sls or _load_sls(self._cloud)
            factory = pages.load(CONSOLE.strip("/"))
            self._console = factory(self._cloud, self._sls, f"http://{address[0]}:{address[1]}")
        return self._console

    @staticmethod
    async def _respond(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        await response(scope, receive, send)


@contextlib.contextmanager
def running(cloud: Cloud, port: int = 0, application: "CloseableApp | None" = None) -> Iterator[Running]:
    """Run the server in a thread for the length of a ``with`` block; port 0 takes a free one.

    ``application`` is for a cloud with more services (``localcloud.ros.endpoint``); by default ECS and SLS answer.
    """
    listener = _listen(port)
    started = threading.Event()
    application = application or Application(cloud)
    server = _Server(cloud, started.set, application)
    thread = threading.Thread(target=lambda: asyncio.run(server.run(listener)), name="local cloud", daemon=True)
    thread.start()
    try:
        while not started.wait(0.05):
            if not thread.is_alive():
                raise RuntimeError("the local cloud did not start: its thread has ended")
        yield Running(cloud, _host_port(listener), application.functions)
    finally:
        server.should_exit = True
        thread.join()
        cloud.advance()


def serve(cloud: Cloud, port: int, ready: Callable[[Running], None]) -> None:
    """Run the server until SIGINT or SIGTERM; ``ready`` is called once it answers. OSError if the port is taken."""
    listener = _listen(port)
    application = Application(cloud)
    where = Running(cloud, _host_port(listener), application.functions)
    server = _Server(cloud, lambda: ready(where), application)

    async def until_signalled() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, server.stop)
        await server.run(listener)

    asyncio.run(until_signalled())


class _Server(uvicorn.Server):
    """Uvicorn, told when to stop by us, and with a clock that ticks when nobody asks."""

    def __init__(self, cloud: Cloud, ready: Callable[[], None], application: "CloseableApp") -> None:
        self._application = application
        super().__init__(
            uvicorn.Config(
                self._application,
                http=DroppableConnection,
                ws="none",
                lifespan="off",
                loop="asyncio",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
            )
        )
        self._cloud = cloud
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to ``serve``: uvicorn would raise them again at its end."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell that it answers."""
        await super().startup(sockets)
        self._ready()

    async def run(self, listener: socket.socket) -> None:  # type: ignore[override]  # ours runs in a given loop
        """Serve on a listening socket until stopped."""
        ticking = asyncio.create_task(self._tick())
        try:
            await self.serve([listener])
        finally:
            ticking.cancel()
            self._application.close()

    def stop(self) -> None:
        """Finish."""
        self.should_exit = True

    async def _tick(self) -> None:
        while True:
            self._cloud.advance()
            await asyncio.sleep(_TICK_SECONDS)


def _listen(port: int) -> socket.socket:
    # The protocol is named because asyncio turns off Nagle's algorithm, 40 ms an answer, only where it is.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


def _host_port(listener: socket.socket) -> str:
    return f"{LOOPBACK}:{listener.getsockname()[1]}"


def is_tablestore_header(name: bytes) -> bool:
    """Tell whether a header, in lower case, belongs to Tablestore."""
    return name.startswith(b"x-ots-")


def _is_for_sls(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name.startswith(b"x-log-") or (name == b"authorization" and value.startswith((b"LOG ", b"SLS4-"))):
            return True
    return False


def _load_sls(cloud: Cloud) -> Service | None:
    try:
        module = import_module("localcloud.sls.service")
    except ModuleNotFoundError as error:
        if error.name not in ("localcloud.sls", "localcloud.sls.service"):
            raise
        return None
    service: Service = module.Sls(cloud)
    return service


async def _signature_request(scope: Scope, receive: Receive) -> signature.Request | str:
    """Read a request for ECS, or say what is wrong with its form."""
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
        query = pairs(scope["query_string"])
        form_pairs = pairs(bytes(body)) if form else []
    except ValueError as error:
        return f"the parameters can't be read: {error}"
    return signature.Request(
        method=scope["method"], path="/", query=query, headers=headers, body=bytes(body), form=form_pairs
    )


def pairs(encoded: bytes) -> list[tuple[str, str]]:
    """Read form-encoded parameters in their order; ValueError where there are too many."""
    if not encoded:
        return []
    return parse_qsl(encoded.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
