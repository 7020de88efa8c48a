"""One local cloud with the function as deployed, and what became of the alarms that were sent to it."""

import json
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.error import HTTPError

from bench.as_deployed.call_rounds import Noted, noted
from localcloud.account import fleet
from localcloud.account.faults import ACTIONS
from localcloud.commands.deployed import Deployment, cloud_of, register
from localcloud.commands.project_function import NAME, project_function
from localcloud.commands.rendered_template import deployment
from localcloud.functioncompute.api.errors import Throttled
from localcloud.functioncompute.api.functions import Functions
from localcloud.functioncompute.function import Function
from localcloud.functioncompute.invocation import Invocation
from localcloud.server.server import running

REGION, ACCOUNT, TOKEN = "cn-hangzhou", "1000000000000007", "bench-token-of-twenty-four"
LONGEST_SECONDS = 600.0


class Scene(NamedTuple):
    """What a case needs.

    ``entries`` of the ``instances`` were rebooted thirty days ago; each has ``tags`` tags beside those of ours.
    ``latency``: seconds that every call takes. ``parameters``: the template's; ``settings`` go before what it renders.
    """

    instances: int = 1
    entries: int = 0
    tags: int = 1
    latency: float = 0.0
    parameters: Mapping[str, str] = {}
    settings: Mapping[str, str] = {}
    faults: tuple[Mapping[str, Any], ...] = ()
    reboot_seconds: float = 2.0


class Stage:
    """A running scene."""

    def __init__(self, cloud: Any, functions: Functions, function: Function, deployed: Deployment) -> None:
        self.cloud, self.functions = cloud, functions
        self._function, self._deployed = function, deployed
        self._lock = threading.Lock()
        self.calls: list[Noted] = []
        self.runs: list[Invocation] = []
        self.crashes = 0
        cloud.audit.subscribe(self._note)
        self.start_anew()

    def crash_at_calls(self, chance: float) -> None:
        """From now on let a machine fail at each call with this chance, at the same calls each time."""
        draw = Random("crashes")  # noqa: S311 - repeatable on purpose

        def see(entry: Mapping[str, Any]) -> None:
            if entry["kind"] == "api" and draw.random() < chance and self.functions.crash(NAME):
                self.crashes += 1

        self.cloud.audit.subscribe(see)

    def start_anew(self) -> None:
        """Forget what was noted, and let the next alarm meet a fresh process."""
        with self._lock:
            self.calls, self.runs = [], []
        register(self.functions, self._function, self._deployed, self._ran)

    def send(self, instance_id: str) -> float:
        """Send an alarm as the topic does, asynchronously; returns when."""
        began = time.monotonic()
        self.functions.enqueue(NAME, json.dumps(alarm(instance_id)).encode())
        return began

    def post(self, instance_id: str) -> tuple[int, float]:
        """Send an alarm over HTTP; returns the status and the seconds it took.

        The platform itself answers 502 where the function failed and 429 where all its instances are busy.
        """
        began = time.monotonic()
        try:
            invocation = self.functions.invoke(NAME, json.dumps(over_http(alarm(instance_id))).encode()).invocation
        except Throttled:
            return 429, time.monotonic() - began
        self._ran(invocation)
        status = 502 if invocation.error else int(json.loads(invocation.payload)["statusCode"])
        return status, time.monotonic() - began

    def wait(self, seconds: float = LONGEST_SECONDS) -> None:
        """Wait until nothing is left to do. Raises SystemExit where that takes too long."""
        if not self.functions.wait_until_idle(seconds):
            raise SystemExit(f"after {seconds:.0f} s the function still has something to do")

    def accepted_at(self) -> list[float]:
        """Return when ECS accepted each reboot."""
        with self._lock:
            return [call.at for call in self.calls if call.action == "RebootInstances" and call.status == 200]  # noqa: PLR2004

    def until_reboot(self) -> list[Noted]:
        """Return the calls up to the first reboot, that one included."""
        with self._lock:
            calls = list(self.calls)
        names = [call.action for call in calls]
        return calls[: names.index("RebootInstances") + 1] if "RebootInstances" in names else calls

    def records(self) -> list[dict[str, Any]]:
        """Return all records of kind `result` that were printed."""
        with self._lock:
            lines = [line for run in self.runs for line in run.logs.decode(errors="replace").splitlines()]
        found = [json.loads(line) for line in lines if line.startswith('{"schema"')]
        return [record for record in found if record["record"] == "result"]

    def rebooted(self) -> list[str]:
        """Return the instances that really went down, as often as they did."""
        return [change["instance_id"] for change in self.cloud.audit.changes() if change["from"] == "Running"]

    def _ran(self, invocation: Invocation) -> None:
        with self._lock:
            self.runs.append(invocation)

    def _note(self, entry: Mapping[str, Any]) -> None:
        if entry["kind"] == "api":
            with self._lock:
                self.calls.append(noted(entry, time.monotonic()))


@contextmanager
def staged(scene: Scene, code: Path) -> Iterator[Stage]:
    """Set a scene up for the length of a ``with`` block; ``code`` is the built package."""
    deployed = deployment(ACCOUNT, {"WebhookToken": TOKEN, **scene.parameters})
    cloud = cloud_of(_fleet(scene), deployed)
    with running(cloud) as server:
        _fill_table(server.url)
        function = project_function(cloud, server.url, scene.settings, code=code, deployed=deployed)
        yield Stage(cloud, server.functions, function, deployed)


def _fill_table(url: str) -> None:
    """Have the local cloud write the declared history, as it does at the first call: no alarm waits for that."""
    call = urllib.request.Request(f"{url}/GetRow", data=b"", headers={"x-ots-instancename": "none"})  # noqa: S310
    with suppress(HTTPError), urllib.request.urlopen(call, timeout=LONGEST_SECONDS):  # noqa: S310 - our own server
        pass


def instance_id(number: int) -> str:
    """Return the ID of an instance of the scene."""
    return f"i-bp1bench{number:012d}"


def alarm(instance: str) -> dict[str, Any]:
    """Return a threshold alarm of this moment, as CloudMonitor publishes it to a topic."""
    return {
        "ruleId": "rule-1",
        "alertName": "cpu-high",
        "alertState": "ALERT",
        "curLevel": "CRITICAL",
        "namespace": "acs_ecs_dashboard",
        "metricName": "CPUUtilization",
        "regionId": REGION,
        "dimensions": f"{{instanceId={instance}, userId={ACCOUNT}}}",
        # With its condition, as every threshold alarm has one: so the second opinion is asked, as by default.
        "expression": "$Average>=95",
        "timestamp": int(time.time() * 1000),
    }


def over_http(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event that an HTTP trigger makes of a request with this body."""
    return {
        "version": "v1",
        "rawPath": "/alarm",
        "body": json.dumps(body),
        "isBase64Encoded": False,
        "headers": {"Content-Type": "application/json"},
        "queryParameters": {"token": TOKEN},
        "requestContext": {"timeEpoch": str(int(time.time() * 1000)), "http": {"method": "POST"}},
    }


def _fleet(scene: Scene) -> fleet.Fleet:
    history = {"attempts": [{"ago": "30d", "state": "back"}]} if "attempts" in fleet.InstanceSpec.model_fields else {}
    when = (datetime.now(timezone.utc) - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    # Without a history in the fleet file: the tag that the function itself would have left.
    entry = {} if history else {"ecs-reboot.ledger": f"v1 {when} graceful back 0badcafe g=0"}
    own = {f"own-{number}": "x" for number in range(scene.tags - 1)}
    instances = [
        {
            "instance_id": instance_id(number),
            "region_id": REGION,
            "tags": {"ecs-reboot": "enabled", **own, **(entry if number < scene.entries else {})},
            "reboot_seconds": scene.reboot_seconds,
            **(history if number < scene.entries else {}),
        }
        for number in range(scene.instances)
    ]
    delays = [
        {"service": service, "action": "*", "kind": "delay", "seconds": scene.latency, "before": True}
        for service in ACTIONS
        if scene.latency
    ]
    document = {"account": ACCOUNT, "instances": instances, "faults": [*scene.faults, *delays]}
    return fleet.parse(document, name="bench", now=datetime.now(timezone.utc))
