"""The whole path: event bytes, the function in its own process, the real SDK over real HTTP, the cloud's own audit."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from localcloud import fleet
from localcloud.cloud import Cloud
from localcloud.functioncompute.instance import Instance
from localcloud.project_function import project_function
from localcloud.server import Running, running


class Stage(NamedTuple):
    """A local cloud with the function in it."""

    cloud: Cloud
    server: Running
    instance: Instance

    def send(self, event: bytes | dict[str, Any]) -> dict[str, Any]:
        """Invoke the function and return its answer; a raised error is the error JSON under ``raised``."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        invocation = self.instance.invoke(body)
        payload = json.loads(invocation.payload)
        return {"raised": payload, "records": records(invocation.logs)} if invocation.error else payload

    def rebooted(self) -> list[str]:
        """Return the instances that really went down, in order, as the audit saw it."""
        return [change["instance_id"] for change in self.cloud.audit.changes() if change["from"] == "Running"]

    def calls(self) -> list[str]:
        """Return the ECS calls in order."""
        return [entry["action"] for entry in self.cloud.audit.calls()]


Staged = Callable[..., Stage]


def records(logs: bytes) -> list[dict[str, Any]]:
    """Return the records that an invocation printed."""
    return [json.loads(line) for line in logs.decode().splitlines() if line.startswith('{"schema"')]


def instances(count: int, **fields: Any) -> list[dict[str, Any]]:
    """Declare so many opted-in instances."""
    tags = {"ecs-reboot": "enabled"}
    return [{"instance_id": f"i-bp1test{number:013d}", "tags": tags, **fields} for number in range(count)]


@pytest.fixture
def stage() -> Iterator[Staged]:
    """Set up a fleet and the function's settings; everything is taken down at the end of the test."""
    with ExitStack() as stack:

        def set_up(declared: list[dict[str, Any]] | None = None, *, timeout: int = 30, **settings: str) -> Stage:
            if declared is None:
                spec = fleet.default()
            else:
                document = {"instances": declared, "faults": settings.pop("faults", [])}
                spec = fleet.parse(document, name="test", now=datetime.now(timezone.utc))
            cloud = Cloud.from_fleet(spec)
            server = stack.enter_context(running(cloud, port=0))
            # CODE=build/function runs these tests on the package that is deployed, instead of the source.
            code = Path(os.environ["CODE"]).resolve() if os.environ.get("CODE") else None
            function = project_function(cloud, server.url, settings, timeout=timeout, code=code)
            return Stage(cloud, server, stack.enter_context(Instance(function)))

        yield set_up
