"""The whole path: event bytes, the function in its own process, the real SDK over real HTTP, the cloud's own audit."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from inline_function import InlineInstance

from localcloud.account.cloud import Cloud
from localcloud.functioncompute.instance import FunctionInstance
from localcloud.server.server import Running


class Stage(NamedTuple):
    """A local cloud with the function in it."""

    cloud: Cloud
    server: Running
    instance: FunctionInstance | InlineInstance

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
    """Declare ``count`` opted-in instances."""
    tags = {"ecs-reboot": "enabled"}
    return [{"instance_id": f"i-bp1test{number:013d}", "tags": tags, **fields} for number in range(count)]
