"""The HTTP connection of the local cloud: uvicorn's own, and a way to close it without an answer."""

from typing import cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION = "localcloud.close"


class DroppableConnection(HttpToolsProtocol):
    """Hands the application its transport's close, as an ASGI extension."""

    def on_message_begin(self) -> None:
        """Add the extension to the scope that uvicorn makes for each request."""
        super().on_message_begin()
        scope = cast("Scope", self.scope)
        scope["extensions"] = {_EXTENSION: {"close": self.transport.close}}


def close(scope: Scope) -> None:
    """Close the connection of a request."""
    scope["extensions"][_EXTENSION]["close"]()


async def drop(scope: Scope, receive: Receive) -> None:
    """Close the connection of a request without an answer, and come back when it is closed."""
    close(scope)
    while (await receive())["type"] != "http.disconnect":
        pass


class Dropped(Response):
    """In place of an answer: none."""

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Drop the connection."""
        await drop(scope, receive)
