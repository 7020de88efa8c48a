"""The floor of a start: the web framework that the local cloud uses, with one page and nothing else.

Run as a process, it writes its address as a line of JSON once it answers, as ``ecs-reboot serve`` does.
"""

import json
import socket
import sys

import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router


class _Server(uvicorn.Server):
    """Uvicorn, which tells where it answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then write the line."""
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()
        sys.stdout.write(json.dumps({"host": f"{host}:{port}"}) + "\n")
        sys.stdout.flush()


async def _page(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("here")


if __name__ == "__main__":
    application = Router([Route("/", _page)])
    _Server(uvicorn.Config(application, "127.0.0.1", 0, ws="none", lifespan="off", log_config=None)).run()
