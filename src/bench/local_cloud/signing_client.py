"""A client that signs each call (ACS3-HMAC-SHA256) and keeps several connections busy from one process, one thread."""

import hashlib
import hmac
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote

EMPTY_HASH = hashlib.sha256(b"").hexdigest()
_SIGNED = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
CONNECTIONS = 8


class Key(NamedTuple):
    """Who signs."""

    identifier: str
    secret: str


class SignedCall(NamedTuple):
    """An action with its parameters."""

    action: str
    parameters: Mapping[str, str]


class ReceivedAnswer(NamedTuple):
    """What came back."""

    status: int
    body: bytes


def signed(call: SignedCall, key: Key, host: str, nonce: str) -> bytes:
    """Write one request as it goes over the wire, with a time and a signature of its own."""
    query = "&".join(f"{name}={quote(value, safe='~')}" for name, value in sorted(call.parameters.items()))
    date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    lines = (
        f"host:{host}\nx-acs-action:{call.action}\nx-acs-content-sha256:{EMPTY_HASH}\nx-acs-date:{date}\n"
        f"x-acs-signature-nonce:{nonce}\nx-acs-version:2014-05-26\n"
    )
    canonical = f"POST\n/\n{query}\n{lines}\n{_SIGNED}\n{EMPTY_HASH}"
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(key.secret.encode(), text.encode(), "sha256").hex()
    return (
        f"POST /?{query} HTTP/1.1\r\n{lines.replace(chr(10), chr(13) + chr(10))}content-length:0\r\nauthorization:"
        f"ACS3-HMAC-SHA256 Credential={key.identifier},SignedHeaders={_SIGNED},Signature={signature}\r\n\r\n"
    ).encode()


def answers(calls: Iterable[SignedCall], key: Key, host: str, series: str) -> Iterator[ReceivedAnswer]:
    """Send calls over a few connections, each with one request on its way, and give the answers in order.

    ``series`` makes the nonces differ from those of another run.
    """
    name, _, port = host.partition(":")
    connections = [socket.create_connection((name, int(port)), timeout=10) for _ in range(CONNECTIONS)]
    try:
        for connection in connections:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sent = 0
        for number, call in enumerate(calls):
            connection = connections[number % CONNECTIONS]
            if number >= CONNECTIONS:
                yield _received(connection)
            connection.sendall(signed(call, key, host, f"{series}-{number}"))
            sent += 1
        for number in range(max(0, sent - CONNECTIONS), sent):
            yield _received(connections[number % CONNECTIONS])
    finally:
        for connection in connections:
            connection.close()


def _received(connection: socket.socket) -> ReceivedAnswer:
    data = connection.recv(65_536)
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    _, _, rest = head.lower().partition(b"content-length:")
    length = int(rest.partition(b"\r\n")[0])
    while len(body) < length:
        body += _more(connection)
    return ReceivedAnswer(int(head[9:12]), body)


def _more(connection: socket.socket) -> bytes:
    if not (data := connection.recv(65_536)):
        raise ConnectionError("the local cloud closed the connection in the middle of an answer")
    return data
