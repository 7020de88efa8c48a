"""A server on loopback that gives the answers that a test wrote down, in their order, and keeps what it was sent."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Answer(NamedTuple):
    status: int
    body: bytes
    seconds: float = 0.0


class Sent(NamedTuple):
    target: str
    headers: dict[str, str]
    body: bytes


class AnsweringServer:
    """``answers``: what comes next; after the last one an empty object."""

    def __init__(self, port: int, answers: list[Answer], sent: list[Sent]) -> None:
        self.url, self.answers, self.sent = f"http://127.0.0.1:{port}", answers, sent

    def says(self, body: object, status: int = 200, *, seconds: float = 0.0) -> None:
        """Answer the next request with JSON, or with bytes as they are, after ``seconds``."""
        self.answers.append(Answer(status, body if isinstance(body, bytes) else json.dumps(body).encode(), seconds))


@contextmanager
def answering() -> Iterator[AnsweringServer]:
    answers: list[Answer] = []
    sent: list[Sent] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            sent.append(Sent(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            answer = answers.pop(0) if answers else Answer(200, b"{}")
            time.sleep(answer.seconds)
            with suppress(ConnectionError):  # nobody waits for it any more
                self.send_response(answer.status)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

        def do_PUT(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield AnsweringServer(server.server_port, answers, sent)
        finally:
            server.shutdown()
