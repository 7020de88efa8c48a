"""The trimmed SDK sends byte for byte what the untouched one sends, for every call that the function makes."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from packaged import ROOT

from bundle import sdk

CALLS = Path(__file__).with_name("wire_calls.py")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Recorder:
    """Keeps every request as it came, head and body, and answers with an empty object."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def taken(self) -> list[bytes]:
        requests, self.requests = self.requests, []
        return requests

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                while head := self._head(stream):
                    size = sum(int(line.split(b":")[1]) for line in head if line.lower().startswith(b"content-length:"))
                    self.requests.append(b"".join(head) + stream.read(size))
                    connection.sendall(ANSWER)

    @staticmethod
    def _head(stream: BinaryIO) -> list[bytes]:
        """Read to the empty line; nothing where the connection has ended."""
        lines = []
        while (line := stream.readline()) not in (b"", b"\r\n"):
            lines.append(line)
        return lines


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.close()


def sent(recorder: Recorder, directory: Path, methods: list[str], *flags: str) -> list[bytes]:
    done = subprocess.run(
        [sys.executable, *flags, str(CALLS), str(directory), str(recorder.port), *methods],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return recorder.taken()


def test_every_call_is_the_same_byte_for_byte(package: Path, recorder: Recorder) -> None:
    methods = sdk.calls((package / "alibabacloud_ecs20140526" / "client.py").read_text())
    assert {"describe_instances_with_options", "reboot_instances_with_options"} <= set(methods)
    trimmed = sent(recorder, package, methods, "-I", "-S")
    untouched = sent(recorder, ROOT / "src", methods)
    assert len(trimmed) == 2 * len(methods)
    assert trimmed == untouched
    # The calls were really signed, and with everything in them: an empty request would compare equal too.
    for request in trimmed:
        assert b"ACS3-HMAC-SHA256 Credential=id,SignedHeaders=" in request
        assert request.startswith(b"POST /?")
        assert len(request) > 700


def test_a_kept_method_is_the_pinned_one_byte_for_byte(package: Path) -> None:
    import alibabacloud_ecs20140526

    original = Path(str(alibabacloud_ecs20140526.__file__)).with_name("client.py").read_text()
    kept = (package / "alibabacloud_ecs20140526" / "client.py").read_text()
    for method in kept.split("    def ")[1:]:
        assert f"    def {method.rstrip()}\n" in original
