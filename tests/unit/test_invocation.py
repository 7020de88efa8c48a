"""One invocation from bytes to answer, over a scripted ECS."""

import json
import time
from typing import Any

import pytest
from answering_server import AnsweringServer
from scripted_ecs import NOW, ONE, REGION, JumpingClock, ScriptedEcs, deadline, entry, instance, settings

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.credentials import Credentials, NoCredentials
from ecs_reboot.invocation import Answered, Invocation
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.connections import Connections
from ecs_reboot.records.logstore_delivery import RecordDelivery
from ecs_reboot.records.notices.composition import Frame
from ecs_reboot.records.notices.delivery import NoticeDelivery
from ecs_reboot.records.notices.memory import OwnMemory
from ecs_reboot.records.notices.notice import Channel
from ecs_reboot.records.record_log import RecordLog


def no_credentials(_: Deadline) -> Connections:
    raise NoCredentials


@pytest.mark.parametrize(
    "event",
    [
        {"instance_ids": [ONE, "i-bp1two00000002"]},
        {"reset": [ONE], "reason": "seen"},
        {"resume": True, "reason": "seen"},
    ],
)
def test_without_credentials_every_request_has_a_record_and_the_function_raises(event: dict[str, object]) -> None:
    clock, lines, chosen = JumpingClock(), list[str](), settings(DEFAULT_REGION=REGION)
    invocation = Invocation(
        "r-1",
        chosen,
        deadline(clock=clock),
        connect=no_credentials,
        record_log=RecordLog("r-1", clock, lines.append),
        delivery=RecordDelivery(chosen, NoCredentials(), REGION, clock),
    )
    answered = invocation.answer(json.dumps(event).encode())
    assert answered.retry_reason
    named = event.get("instance_ids") or event.get("reset") or [""]
    written = [(json.loads(line)["code"], json.loads(line)["instance_id"]) for line in lines]
    assert written == [("no_credentials", instance_id) for instance_id in named]  # type: ignore[attr-defined]


def test_what_ecs_accepted_is_on_record_before_it_is_watched() -> None:
    clock, lines, ecs = JumpingClock(), list[str](), ScriptedEcs(instance())
    chosen = settings(DEFAULT_REGION=REGION, VERIFY_SECONDS="20")
    told: list[list[str]] = []
    ecs.after["reboot"] = [lambda: ecs.after.update(describe=[None, lambda: told.append([*lines])])]
    invocation = Invocation(
        "r-1",
        chosen,
        deadline(clock=clock),
        connect=lambda _: Connections(ecs),
        record_log=RecordLog("r-1", clock, lines.append),
        delivery=RecordDelivery(chosen, NoCredentials(), REGION, clock),
    )
    answered = invocation.answer(json.dumps({"instance_ids": [ONE]}).encode())
    assert [json.loads(line)["record"] for line in lines] == ["intent", "accepted", "result"]
    assert [json.loads(line)["record"] for line in told[0]] == ["intent", "accepted"]
    assert answered.body["results"][0]["code"] == "still_rebooting"
    assert clock.now() > NOW


class Bounded(RecordDelivery):
    """Notes how long each delivery may take."""

    def __init__(self, clock: JumpingClock) -> None:
        super().__init__(settings(), NoCredentials(), REGION, clock)
        self.bounds: list[float] = []

    def send(self, records: list[dict[str, Any]], seconds: float) -> None:
        self.bounds.append(seconds)
        super().send(records, seconds)


@pytest.mark.parametrize(("seconds", "bound"), [(1, 10.0), (57, 1.0), (59, 0.2)])
def test_the_records_take_no_longer_than_is_left_of_the_run(seconds: float, bound: float) -> None:
    clock, ecs = JumpingClock(), ScriptedEcs(instance(status="Stopped"))
    ecs.before["describe"] = [lambda: clock.sleep(seconds)]
    delivery, lines = Bounded(clock), list[str]()
    invocation = Invocation(
        "r-1",
        settings(DEFAULT_REGION=REGION, DEADLINE_MARGIN_SECONDS="10"),
        deadline(50, clock=clock),
        connect=lambda _: Connections(ecs),
        record_log=RecordLog("r-1", clock, lines.append),
        delivery=delivery,
    )
    invocation.answer(json.dumps({"instance_ids": [ONE]}).encode())
    assert delivery.bounds == [pytest.approx(bound)]
    assert [json.loads(line)["record"] for line in lines] == ["result"]


@pytest.mark.parametrize(("seconds", "code"), [(-5, "cooldown"), (5, "accepted")])
def test_a_dead_claim_holds_others_off_for_the_function_s_timeout_and_30_s(seconds: float, code: str) -> None:
    clock, chosen, timeout = JumpingClock(), settings(DEFAULT_REGION=REGION, DEADLINE_MARGIN_SECONDS="10"), 60
    claimed = {"ecs-reboot": "enabled", "ecs-reboot.ledger": entry("claimed", ago=timeout + 30 + seconds)}
    ecs = ScriptedEcs(instance(tags=claimed))
    invocation = Invocation(
        "r-1",
        chosen,
        deadline(timeout - 10, clock=clock),
        connect=lambda _: Connections(ecs),
        record_log=RecordLog("r-1", clock, list[str]().append),
        delivery=RecordDelivery(chosen, NoCredentials(), REGION, clock),
    )
    answered = invocation.answer(json.dumps({"instance_ids": [ONE]}).encode())
    assert [result["code"] for result in answered.body["results"]] == [code]
    assert bool(answered.retry_reason) is (code == "cooldown")


KEYS = Credentials(access_key_id="id", access_key_secret="secret", security_token="")


class Told:
    """Runs of a function that tells a chat service what it does, over one ECS and one memory of notices."""

    def __init__(self, ecs: ScriptedEcs, url: str) -> None:
        self.ecs, self.channel, self.memory, self.clock = ecs, Channel("webhook", url), OwnMemory(), JumpingClock()
        self.lines: list[str] = []

    def run(self, event: dict[str, object], **environment: str) -> Answered:
        chosen = settings(DEFAULT_REGION=REGION, **environment)
        frame = Frame("en", "", "", f"/ecs-reboot/{REGION}", "r-1")
        return Invocation(
            "r-1",
            chosen,
            deadline(clock=self.clock),
            connect=lambda _: Connections(self.ecs),
            record_log=RecordLog("r-1", self.clock, self.lines.append),
            delivery=RecordDelivery(chosen, KEYS, REGION, self.clock),
            notices=NoticeDelivery([self.channel], frame, self.clock, self.memory),
        ).answer(json.dumps(event).encode())

    def notices(self) -> list[str]:
        return [record["code"] for line in self.lines if (record := json.loads(line))["record"] == "notice"]


def test_what_was_told_stands_in_the_answer_and_is_a_record(server: AnsweringServer) -> None:
    told = Told(ScriptedEcs(instance()), server.url)
    answered = told.run({"instance_ids": [ONE]})
    assert answered.body["notices"] == {"status": "told", "told": 1}
    assert told.notices() == ["notice_told"]
    assert json.loads(server.sent[0].body)["data"]["title"] == f"{ONE} is being rebooted"
    # A refusal that needs nobody is sent to nobody, and is no record of a notice.
    assert told.run({"instance_ids": ["i-bp1nobody000001"]}).body["notices"] == {"status": "told", "told": 0}
    assert told.notices() == ["notice_told"]


def test_what_was_told_is_on_record_when_it_was_told_not_when_the_watching_ends(server: AnsweringServer) -> None:
    told = Told(ScriptedEcs(instance()), server.url)

    def until_told() -> None:
        """Hold the first look at the instance until the message's answer is on record."""
        for _ in range(3000):
            if told.notices():
                return
            time.sleep(0.01)

    told.ecs.after["reboot"] = [lambda: told.ecs.after.update(describe=[until_told])]
    logstore = {"LOG_PROJECT": "project", "LOGSTORE": "records", "SLS_ENDPOINT": server.url}
    answered = told.run({"instance_ids": [ONE]}, VERIFY_SECONDS="20", **logstore)
    records = [json.loads(line) for line in told.lines]
    assert [record["record"] for record in records] == ["intent", "accepted", "notice", "result", "notice"]
    assert records[1]["time"] <= records[2]["time"] < records[3]["time"]
    assert len({record["record_id"] for record in records}) == len(records)
    assert answered.body["log_store"]["written"] == len(records) - 1, "all but the intent are in the logstore"


def test_what_could_not_be_told_is_told_late_by_a_sweep_and_by_nothing_else(server: AnsweringServer) -> None:
    told = Told(ScriptedEcs(instance()), server.url)
    server.says({"error": "later"}, 503)
    assert told.run({"instance_ids": [ONE]}).body["notices"]["status"] == "failed"
    told.clock.sleep(400)
    told.run({"instance_ids": ["i-bp1nobody000001"]})
    assert told.notices() == ["notice_failed"]
    told.run(timer(verify=True))
    assert told.notices() == ["notice_failed", "notice_told"]


def test_what_a_sweep_finds_down_is_told_though_nothing_is_rebooted(server: AnsweringServer) -> None:
    tags = {"ecs-reboot": "enabled", ledger.KEY: entry("accepted", ago=1300)}
    told = Told(ScriptedEcs(instance(status="Stopped", tags=tags)), server.url)
    assert told.run(timer(verify=True)).body["notices"]["told"] == 1
    assert json.loads(server.sent[0].body)["data"]["title"] == f"{ONE} did not come back"


def timer(**payload: object) -> dict[str, object]:
    at = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
    return {"triggerTime": at, "triggerName": "t", "payload": json.dumps(payload)}


COUNTED = {"meta": {"progress": "Complete"}, "data": [{"code": "accepted", "results": "7"}]}
NOT_COUNTED = {"meta": {"progress": "Complete"}, "data": [{"code": "accepted"}]}


@pytest.mark.parametrize(
    ("logstore", "credentials", "answer", "code", "retried"),
    [
        ("", KEYS, None, "nothing_to_do", False),
        ("records", KEYS, COUNTED, "digest", False),
        ("records", KEYS, {"meta": {"progress": "Incomplete"}}, "no_answer", True),
        ("records", KEYS, NOT_COUNTED, "no_answer", True),
        ("records", NoCredentials(), None, "no_answer", True),
    ],
    ids=["no logstore", "counted", "not whole", "not counted", "no credentials"],
)
def test_a_digest_asks_the_log_service_and_nobody_else(
    server: AnsweringServer, logstore: str, credentials: Any, answer: Any, code: str, *, retried: bool
) -> None:
    if answer:
        server.says(answer)
    clock, lines = JumpingClock(), list[str]()
    environment = {"LOG_PROJECT": "project", "LOGSTORE": logstore, "SLS_ENDPOINT": server.url}
    chosen = settings(DEFAULT_REGION=REGION, **(environment if logstore else {}))
    answered = Invocation(
        "r-1",
        chosen,
        deadline(clock=clock),
        connect=no_credentials,
        record_log=RecordLog("r-1", clock, lines.append),
        delivery=RecordDelivery(chosen, credentials, REGION, clock),
    ).answer(json.dumps(timer(digest=True)).encode())
    assert [result["code"] for result in answered.body["results"]] == [code]
    assert bool(answered.retry_reason) is retried
    assert [sent.target for sent in server.sent][:1] == (["/logstores/records/logs"] if answer else [])
