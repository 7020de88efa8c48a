"""A cloud with one small function that does what its event says, and tells of each run in a file."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from localcloud.account.cloud import Cloud
from localcloud.account.fleet import Fleet
from localcloud.functioncompute.api.functions import Functions
from localcloud.functioncompute.function import Function, RoleCredentials

NAME = "worker"
# One line for each run: instance, request, event. Appending a short line is one write, so lines stay whole.
CODE = """
import json, os, time
def handle(event, context):
    with open(os.environ["RUNS"], "a") as runs:
        runs.write(json.dumps([os.environ["FC_INSTANCE_ID"], context.request_id, event.decode()]) + "\\n")
    asked = json.loads(event) if event.startswith(b"{") else {}
    print("x" * asked.get("print", 0))
    time.sleep(asked.get("sleep", 0))
    while asked.get("until") and not os.path.exists(asked["until"]):
        time.sleep(0.02)
    if "raise" in asked:
        raise ValueError(asked["raise"])
    if asked.get("exit"):
        os._exit(1)
    return event
"""


class Run(NamedTuple):
    """One run of the function, as it told."""

    instance_id: str
    request_id: str
    event: str


class Worker(NamedTuple):
    """The cloud and the file."""

    cloud: Cloud
    functions: Functions
    function: Function
    told: Path

    def runs(self) -> list[Run]:
        """Return the runs so far, in order of their beginning."""
        return [Run(*json.loads(line)) for line in self.told.read_text(encoding="utf-8").splitlines()]

    def kinds(self, kind: str) -> list[dict[str, Any]]:
        """Return the audit's entries of one kind."""
        return [entry for entry in self.cloud.audit.entries() if entry["kind"] == kind]


@contextmanager
def worker(place: Path, *, time_scale: float = 1.0, **settings: Any) -> Iterator[Worker]:
    """Register the function with a cloud of its own; ends its instances."""
    code = place / "code"
    code.mkdir()
    (code / "index.py").write_text(CODE, encoding="utf-8")
    told = place / "runs.jsonl"
    told.write_text("", encoding="utf-8")
    cloud = Cloud.from_fleet(Fleet(), time_scale=time_scale)
    role = RoleCredentials("STS.key", "secret", "token")
    function = Function(
        NAME, code, lambda: role, environment={"RUNS": str(told)}, timeout=settings.pop("timeout", 20), **settings
    )
    functions = Functions(cloud)
    functions.register(function)
    try:
        yield Worker(cloud, functions, function, told)
    finally:
        functions.stop()
