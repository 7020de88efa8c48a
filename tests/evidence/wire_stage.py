"""A local cloud, the function in real processes against it, and what an operator has afterwards."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from console import memory
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.settings.settings import load
from localcloud.account import fleet
from localcloud.account.cloud import Cloud
from localcloud.commands.project_function import SOURCE, project_function
from localcloud.functioncompute.function import ENDPOINTS
from localcloud.functioncompute.instance import FunctionInstance
from localcloud.functioncompute.invocation import Invocation
from localcloud.server.server import running

REGION = "cn-hangzhou"
#: A claim in tags settles; one in the table does not.
STORES = {
    "tags": {"LEDGER": "tags", "CLAIM_SETTLE_SECONDS": "1"},
    "tablestore": {"LEDGER": "tablestore", "TABLESTORE_INSTANCE": "ecs-rb", "TABLESTORE_TABLE": "ledger"},
}
#: Facts about the instance cost calls that claim nothing; they have tests of their own.
NO_FACTS = {"MANAGED": "allow", "PLATFORM_EVENTS": "ignore", "RESPONSIVE": "off"}
CROWD = Path(__file__).with_name("crowd.py")


def ids(count: int) -> list[str]:
    return [f"i-bp1wire{number:013d}" for number in range(count)]


def alarm(instance_id: str) -> dict[str, Any]:
    return {
        "userId": "1000000000000000",
        "alertName": "cpu-high",
        "timestamp": str(int(time.time())),
        "alertState": "ALARM",
        "dimensions": [{"userId": "1000000000000000", "instanceId": instance_id}],
        "curValue": "98.6",
        "metricName": "CPUUtilization",
        "metricProject": "acs_ecs_dashboard",
    }


class Wire:
    """One local cloud with opted-in instances and faults; settings are the function's environment.

    ``store`` is where the ledger is: `tags` or `tablestore`; ``latency`` of each call, seconds.
    """

    def __init__(
        self,
        stack: ExitStack,
        tmp_path: Path,
        *,
        count: int,
        faults: list[dict[str, Any]],
        store: str = "tags",
        **spec: Any,
    ) -> None:
        self.settings = {"DEADLINE_MARGIN_SECONDS": "1", "ECS_TIMEOUT_SECONDS": "2", **STORES[store]}
        self.settings |= {name: spec.pop(name) for name in list(spec) if name.isupper()}
        latency = spec.pop("latency", 0.0)
        declared = [
            {"instance_id": instance_id, "tags": {"ecs-reboot": "enabled"}, "reboot_seconds": 120, **spec}
            for instance_id in ids(count)
        ]
        document = {"instances": declared, "faults": faults, "latency_seconds": latency}
        self.cloud = Cloud.from_fleet(fleet.parse(document, name="test", now=datetime.now(timezone.utc)))
        self._server = stack.enter_context(running(self.cloud))
        self.url = self._server.url
        self._stack, self._tmp_path = stack, tmp_path

    def crowd(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Have as many processes handle the events at once; return their answers."""
        out = self._tmp_path / "crowd"
        out.mkdir()
        session = self.cloud.credentials.assume_role("ecs-reboot-function")
        environment = {
            **os.environ,
            **self.settings,
            "PYTHONPATH": os.environ.get("CODE", str(SOURCE)),
            **dict.fromkeys(ENDPOINTS, self.url),
            "FC_REGION": REGION,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": session.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": session.access_key_secret,
            "ALIBABA_CLOUD_SECURITY_TOKEN": session.security_token,
        }
        subprocess.run(
            [sys.executable, str(CROWD), str(out)],
            input=json.dumps(events).encode(),
            env=environment,
            check=True,
            timeout=900,  # a busy machine is no mistake
        )
        return [json.loads((out / f"{number}.json").read_text("utf-8")) for number in range(len(events))]

    def instance(self, timeout: int = 30) -> FunctionInstance:
        return self._stack.enter_context(
            FunctionInstance(project_function(self.cloud, self.url, self.settings, timeout=timeout))
        )

    def send(self, event: dict[str, Any], timeout: int = 30, *, request_id: str = "") -> Invocation:
        """Have a new process handle the event, as Function Compute would; a retry has the request ID of the first."""
        return self.instance(timeout).invoke(json.dumps(event).encode(), request_id)

    def crash(
        self, event: dict[str, Any], when: Callable[[dict[str, Any]], bool], *, request_id: str = ""
    ) -> Invocation:
        """Have a process handle the event and kill it as soon as an audit entry is such; return what is left of it."""
        instance = self.instance()
        unsubscribe = self.cloud.audit.subscribe(
            lambda entry: threading.Thread(target=instance.kill).start() if when(entry) else None
        )
        try:
            return instance.invoke(json.dumps(event).encode(), request_id)
        finally:
            unsubscribe()

    def rebooted(self) -> list[str]:
        """Return what really went down, in order."""
        self.cloud.advance()
        return [change["instance_id"] for change in self.cloud.audit.changes() if change["from"] == "Running"]

    def entry(self, instance_id: str) -> ledger.Entry | None:
        """Return what the ledger holds of the instance, as the console shows it; None for nothing."""
        written = self._memory().instances.get(instance_id)
        return written.entry if written else None

    def _memory(self) -> memory.Memory:
        settings = load(self.settings)
        with self.cloud.lock:
            instances = self._server.services.ots.instances
            found = memory.read(self.cloud.fleet, instances, settings, datetime.now(timezone.utc))
        assert found, "the table of the settings is there"
        return found


def records(invocation: Invocation, kind: str = "result") -> list[dict[str, Any]]:
    """Return the records of one kind that an invocation printed."""
    lines = [json.loads(line) for line in invocation.logs.decode().splitlines() if line.startswith('{"schema"')]
    return [line for line in lines if line["record"] == kind]


def outcomes(invocation: Invocation) -> list[str]:
    return [record["code"] for record in records(invocation)]


Wired = Callable[..., Wire]
