"""The server of the local cloud: one loopback port, in a thread of a program or until a signal ends it."""

import asyncio
import contextlib
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import TYPE_CHECKING, NamedTuple

import uvicorn

from localcloud.account.cloud import Cloud
from localcloud.functioncompute.api.functions import Functions
from localcloud.pipeline.connection import DroppableConnection
from localcloud.server.admin import PREFIX
from localcloud.server.application import CONSOLE, Application
from localcloud.server.services import Services

if TYPE_CHECKING:
    from localcloud.ros.account import RosAccount

LOOPBACK = "127.0.0.1"
_TICK_SECONDS = 0.05
#: Under the deviation `clock_behind`.
_BEHIND_SECONDS = 1200


class Running(NamedTuple):
    """A server that answers; ``url`` has no slash at its end."""

    cloud: Cloud
    host_port: str
    services: Services

    @property
    def functions(self) -> Functions:
        """The functions of Function Compute."""
        return self.services.functions

    @property
    def account(self) -> "RosAccount":
        """What stacks are made in."""
        return self.services.account

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


@contextlib.contextmanager
def running(cloud: Cloud, port: int = 0, services: Services | None = None) -> Iterator[Running]:
    """Run the server in a thread for the length of a ``with`` block; port 0 takes a free one.

    ``services`` are the cloud's own; without them new ones are made.
    """
    listener = _listen(port)
    started = threading.Event()
    where = _running_at(listener, services or Services(cloud))
    server = _Server(started.set, where.services)
    thread = threading.Thread(target=lambda: asyncio.run(server.run(listener)), name="local cloud", daemon=True)
    thread.start()
    try:
        while not started.wait(0.05):
            if not thread.is_alive():
                raise RuntimeError("the local cloud did not start: its thread has ended")
        yield where
    finally:
        server.should_exit = True
        thread.join()
        cloud.advance()


def serve(cloud: Cloud, port: int, ready: Callable[[Running], None]) -> None:
    """Run the server until SIGINT or SIGTERM; ``ready`` is called once it answers. OSError if the port is taken."""
    listener = _listen(port)
    where = _running_at(listener, Services(cloud))
    server = _Server(lambda: ready(where), where.services)

    async def until_signalled() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, server.stop)
        await server.run(listener)

    asyncio.run(until_signalled())


class _Server(uvicorn.Server):
    """Uvicorn, told when to stop by us, and with a clock that ticks when nobody asks."""

    def __init__(self, ready: Callable[[], None], services: Services) -> None:
        self._application = Application(services)
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
        self._cloud = services.cloud
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to ``serve``: uvicorn would raise them again at its end."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell that it answers."""
        await super().startup(sockets)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Do what uvicorn does at each tick; where the cloud's clock is behind, answers say so."""
        ends = await super().on_tick(counter)
        if self._cloud.deviates("clock_behind"):
            date = formatdate(time.time() - _BEHIND_SECONDS, usegmt=True).encode()
            others = [header for header in self.server_state.default_headers if header[0] != b"date"]
            self.server_state.default_headers = [(b"date", date), *others]
        return ends

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


def _running_at(listener: socket.socket, services: Services) -> Running:
    where = Running(services.cloud, f"{LOOPBACK}:{listener.getsockname()[1]}", services)
    services.url = where.url
    return where
