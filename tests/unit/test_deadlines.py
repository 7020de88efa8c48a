"""Slow calls and many pages, at the shortest and the longest timeout that the template takes.

Every run leaves a record before Function Compute kills it, and no page is asked for once the deadline has passed.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from answering_server import answering
from scripted_ecs import NOW, ONE, REGION, JumpingClock, ScriptedEcs, Step, entry, instance, settings
from scripted_table import ScriptedTable

from cloud_languages.template.document import read
from ecs_reboot.clock import Deadline, SystemClock
from ecs_reboot.cloud import ecs as ecs_module
from ecs_reboot.cloud.credentials import Credentials, NoCredentials
from ecs_reboot.cloud.ecs import LEAST_SECONDS, Ecs
from ecs_reboot.cloud.ecs_api import Question
from ecs_reboot.cloud.errors import CloudError, NoAnswer
from ecs_reboot.cloud.tablestore import client as table_client
from ecs_reboot.invocation import Invocation
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.connections import Connections
from ecs_reboot.records.logstore_delivery import RecordDelivery
from ecs_reboot.records.record_log import RecordLog

TIMEOUT = read((Path(__file__).parents[2] / "template.yml").read_text("utf-8"))["Parameters"]["Timeout"]
SHORTEST, LONGEST = int(TIMEOUT["MinValue"]), int(TIMEOUT["MaxValue"])
TOKEN = "a-token-of-the-tests"
#: Entries, each on a page of its own: 60 pages to read, and 60 to read again.
ENTRIES, PAGE = 60, 1


class Slow:
    """How long each call takes, and as long as the client waits for one: within the deadline, but always a moment."""

    def __init__(self, clock: JumpingClock, deadline: Deadline, seconds: float) -> None:
        self.clock, self.deadline, self.seconds = clock, deadline, seconds

    def call(self, name: str) -> None:
        patience = min(10.0, max(LEAST_SECONDS, self.deadline.left()))
        self.clock.sleep(min(self.seconds, patience))
        if self.seconds > patience:
            raise NoAnswer(name, "timed out")


class SlowEcs(ScriptedEcs):
    """An account whose calls are slow. ``pages`` holds when each page of entries was asked for."""

    def __init__(self, slow: Slow, entries: int) -> None:
        tags = {ledger.KEY: entry("back", ago=7200)}
        others = (instance(f"i-bp1n{number:010d}", tags=tags) for number in range(entries))
        super().__init__(instance(ONE), *others)
        self.page, self.slow, self.pages = PAGE, slow, list[float]()

    def _step(self, name: str, steps: dict[str, list[Step]]) -> None:
        if steps is self.before:
            if name == "entries":
                self.pages.append(self.slow.clock.seconds)
            self.slow.call(name)
        super()._step(name, steps)

    def ask(self, questions: Sequence[Question], seconds: float) -> list[Mapping[str, Any] | CloudError]:
        """All go out together."""
        self.slow.clock.sleep(min(self.slow.seconds, seconds))
        return super().ask(questions, seconds)


class SlowTable(ScriptedTable):
    """The same of a table."""

    def __init__(self, slow: Slow) -> None:
        super().__init__(slow.clock)
        self.slow = slow

    def _step(self, name: str, steps: dict[str, list[Step]]) -> None:
        if steps is self.before:
            self.slow.call(name)
        super()._step(name, steps)


def over_http(event: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "v1", "rawPath": "/", "body": json.dumps(event), "isBase64Encoded": False,
        "headers": {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}, "queryParameters": {},
        "requestContext": {"http": {"method": "POST", "path": "/"}},
    }  # fmt: skip


ASKED = {"instance_ids": [ONE]}
EVENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "a request": lambda: ASKED,
    "a request for many": lambda: {"instance_ids": [ONE, *(f"i-bp1n{number:010d}" for number in range(150))]},
    "a sweep": lambda: {"verify": True},
    "a rolling reboot": lambda: {
        "triggerTime": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
        "triggerName": "rolling",
        "payload": json.dumps({"tags": {"ecs-reboot": "enabled"}, "limit": 2, "older_than": "2h"}),
    },
    "over HTTP": lambda: over_http(ASKED),
}


@pytest.mark.parametrize("seconds", [0.0, 0.6, 9.9, 60.0])
@pytest.mark.parametrize("store", ["tags", "tablestore"])
@pytest.mark.parametrize("named", EVENTS)
@pytest.mark.parametrize("timeout", [SHORTEST, LONGEST])
def test_a_run_leaves_its_records_in_time_and_reads_no_page_past_its_deadline(
    timeout: int, named: str, store: str, seconds: float
) -> None:
    clock, lines = JumpingClock(), list[str]()
    chosen = settings(
        DEFAULT_REGION=REGION, LEDGER=store, TABLESTORE_INSTANCE="table", WEBHOOK_TOKEN=TOKEN, VERIFY_SECONDS="600"
    )
    within = timeout - chosen.deadline_margin_seconds
    seen: list[SlowEcs] = []

    def connect(deadline: Deadline) -> Connections:
        slow = Slow(clock, deadline, seconds)
        seen.append(SlowEcs(slow, ENTRIES))
        return Connections(seen[0], lambda: SlowTable(slow))

    invocation = Invocation(
        "r-1",
        chosen,
        Deadline(clock, within),
        connect=connect,
        record_log=RecordLog("r-1", clock, lines.append),
        delivery=RecordDelivery(chosen, NoCredentials(), REGION, clock),
    )
    event = EVENTS[named]()
    answered = invocation.answer(json.dumps(event).encode())
    assert clock.seconds < (7 if answered.over_http else timeout), "the run is over before it is killed"
    said = [json.loads(line) for line in lines]
    results = [line for line in said if line["record"] == "result"]
    assert results
    asked = event.get("instance_ids", [])
    assert {line["instance_id"] for line in results} >= set(asked) or all(line["retriable"] for line in results)
    assert all(at < within for at in seen[0].pages)
    if named == "a request" and store == "tags":
        fits = seconds < 10 and (ENTRIES + 1) * 2 * seconds < within  # a client's patience
        codes = {line["code"] for line in results}
        assert codes <= ({"accepted", "recovered", "still_rebooting"} if fits else {"ledger_unavailable", "no_answer"})
        assert all(line["retriable"] for line in results) is not fits


KEYS = Credentials(access_key_id="id", access_key_secret="secret", security_token="")


@pytest.mark.parametrize("service", ["ecs", "tablestore"])
@pytest.mark.parametrize("left", [0.0, 30.0])
def test_no_call_waits_for_its_answer_past_the_deadline(service: str, left: float) -> None:
    """The answer is no answer of either service: whoever waits for it says that it has come."""
    until = Deadline(SystemClock(), left)
    with answering() as server:
        ecs = Ecs(KEYS, until, endpoint=server.url, network="public", answer_seconds=20)
        table = table_client.Tablestore("name", KEYS, until, endpoint=server.url, answer_seconds=20)
        ask: dict[str, Callable[[], object]] = {
            "ecs": lambda: ecs.describe(REGION, (ONE,)),
            "tablestore": lambda: table.describe_table("ledger"),
        }
        server.says({"Code": "Surprise", "Message": "late"}, 400, seconds=1.0)
        with pytest.raises(CloudError) as raised:
            ask[service]()
    ecs_module._connections.close()
    table_client._connections.close()
    came = "Surprise" in str(raised.value) or "no error of Tablestore" in str(raised.value)
    assert came is bool(left), raised.value
