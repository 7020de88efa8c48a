"""HTTP exchanges that know whether a request left: kept connections over ``http.client``, with full TLS verification.

The SDK's own transport reports a refused connection and a lost answer alike. For a call that reboots machines the
difference is everything: what was not sent may be repeated, what was sent may have been done.
"""

import http.client
import os
import select
import socket
import time
from functools import cache

from ecs_reboot.named_tuple import NamedTuple

#: A connection idle for longer is not trusted with a request: the other side, or what is between, may have dropped it
#: while the function was frozen. Seconds.
FRESH_SECONDS = 5.0


class NothingSent(OSError):
    """No part of the request can have been acted on."""


class NameUnknown(NothingSent):
    """The host's name does not resolve: there is no such host, or the name service does not answer."""


class AnswerLost(OSError):
    """The request left, at least in part; no whole answer came back."""


class Request(NamedTuple):
    """``address`` is host or host:port, ``target`` the path with its query."""

    scheme: str
    address: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes | None = None


class Answer(NamedTuple):
    """Status, reason, headers (lower-case names) and the whole body."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes


class Connections:
    """Kept connections, as many for each address as were in use at once: each exchange has one to itself."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], list[tuple[http.client.HTTPConnection, float]]] = {}

    def exchange(self, request: Request, *, connect_seconds: float, answer_seconds: float) -> Answer:
        """Send one request and read its answer; ``answer_seconds`` bounds sending and answer together.

        Raises NothingSent or AnswerLost; an HTTP error status is an Answer.
        """
        scheme, address = request.scheme, request.address
        connection = self._connected(scheme, address, connect_seconds)
        until = time.monotonic() + answer_seconds
        try:
            _limit(connection, until)
            connection.request(request.method, request.target, request.body, request.headers)
            _limit(connection, until)
            reply = connection.getresponse()
            chunks = []
            while chunk := reply.read(65_536):
                chunks.append(chunk)
                _limit(connection, until)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise AnswerLost(f"{scheme}://{address}: {type(error).__name__}: {error}") from error
        if reply.will_close:
            connection.close()
        else:
            self._kept.setdefault((scheme, address), []).append((connection, time.time()))
        return Answer(
            reply.status, reply.reason, {name.lower(): value for name, value in reply.getheaders()}, b"".join(chunks)
        )

    def close(self) -> None:
        """Close every kept connection."""
        for of_address in self._kept.values():
            for connection, _ in of_address:
                connection.close()
        self._kept.clear()

    def _connected(self, scheme: str, address: str, seconds: float) -> http.client.HTTPConnection:
        idle = self._kept.setdefault((scheme, address), [])
        while idle:
            try:
                kept, used = idle.pop()
            except IndexError:  # another thread took the last one
                break
            if kept.sock is not None and 0 <= time.time() - used < FRESH_SECONDS and not _closed_by_peer(kept):
                return kept
            kept.close()
        try:
            connection = _connection(scheme, address, seconds)
            connection.connect()
        except socket.gaierror as error:
            raise NameUnknown(f"{scheme}://{address}: the name does not resolve: {error.strerror}") from error
        except (OSError, http.client.HTTPException) as error:
            raise NothingSent(f"{scheme}://{address}: {type(error).__name__}: {error}") from error
        return connection


def _connection(scheme: str, address: str, seconds: float) -> http.client.HTTPConnection:
    if scheme == "http":
        connection = http.client.HTTPConnection(address, timeout=seconds)
    else:
        connection = http.client.HTTPSConnection(address, timeout=seconds, context=tls_context())
    if connection.host.isascii():
        # Text would be taken through the IDNA codec, which is loaded for it; bytes are used as they are. Nothing else
        # here needs the name: every request brings its own Host.
        connection.host = connection.host.encode()  # type: ignore[assignment]
    return connection


def _closed_by_peer(connection: http.client.HTTPConnection) -> bool:
    """Return whether an idle connection has something to read: an end of stream, or bytes that nobody asked for."""
    return bool(select.select([connection.sock], [], [], 0)[0])


def _limit(connection: http.client.HTTPConnection, until: float) -> None:
    if connection.sock is not None:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        connection.sock.settimeout(left)


@cache
def tls_context() -> "ssl.SSLContext":  # type: ignore[name-defined]  # noqa: F821 - imported where it is needed
    """Return a context that verifies chain and host name.

    Where the platform keeps its authorities as a directory of hashed names they are looked up as needed; reading the
    whole bundle costs tens of milliseconds at every cold start (docs/understand/performance.md).
    """
    import ssl  # noqa: PLC0415 - not loaded where endpoints are plain HTTP

    paths = ssl.get_default_verify_paths()
    if paths.capath and any(name.endswith(".0") for name in os.listdir(paths.capath)):  # noqa: PTH208 - no pathlib at cold start
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(capath=paths.capath)
        return context
    return ssl.create_default_context()
