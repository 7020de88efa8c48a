"""The local cloud as ``make serve`` starts it, a process of its own, and what a test may see and do of it: HTTP."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

WEB, WEB_2, DB, BATCH = (
    "i-bp1a2b3c4d5e6f7g8h9i",
    "i-bp1z9y8x7w6v5u4t3s2r",
    "i-bp1dbdbdbdbdbdbdbdb1",
    "i-bp1batchbatchbatch01",
)
REGION = "cn-hangzhou"


class Served(NamedTuple):
    """A running ``serve``: what its first line said."""

    url: str
    admin: str
    function: str
    key: str
    secret: str

    @property
    def host_port(self) -> str:
        """The address without its scheme."""
        return self.url.removeprefix("http://")

    def ask(self, method: str, page: str, body: Any = None) -> bytes:
        """Ask an admin page."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.admin}/{page}", data, method=method)  # noqa: S310 - our own server
        # No proxy: a test that gives one to a client sets it for the whole process.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            content: bytes = answer.read()
        return content

    def reset(self) -> None:
        """Go back to the declared fleet."""
        self.ask("POST", "reset")

    def declare(self, **fault: Any) -> None:
        """Declare a fault."""
        self.ask("POST", "faults", fault)

    def audit(self, kind: str = "api", **wanted: str) -> list[dict[str, Any]]:
        """Return the entries of a kind whose fields are those wanted."""
        entries = [json.loads(line) for line in self.ask("GET", "audit").splitlines()]
        return [e for e in entries if e["kind"] == kind and all(e[name] == value for name, value in wanted.items())]

    def status(self, instance_id: str) -> str:
        """Return an instance's present status."""
        shown = {instance["instance_id"]: instance for instance in json.loads(self.ask("GET", "instances"))}
        return str(shown[instance_id]["status"])


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[Served]:
    """Run ``ecs-reboot serve`` with the default fleet; it must end in order when told to."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("SET", "FLEET", "EVENT")}
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "serve", *arguments],
        stdout=subprocess.PIPE,
        env={**inherited, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    ) as process:
        try:
            assert process.stdout is not None
            where = json.loads(process.stdout.readline())
            assert where["fc"] == where["sls"] == where["ecs"]
            yield Served(
                where["ecs"], where["admin"], where["function"], where["access_key_id"], where["access_key_secret"]
            )
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
