"""Handing an HTTP event over, and what is done where that fails, over a scripted ECS and a scripted call to itself."""

import json
from typing import Any

import pytest
from scripted_ecs import LOST, NOW, ONE, REGION, THROTTLED, TWO, JumpingClock, ScriptedEcs, deadline, instance, settings

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.credentials import NoCredentials
from ecs_reboot.cloud.errors import CloudError, Refused
from ecs_reboot.invocation import Answered, Invocation
from ecs_reboot.ledger.connections import Connections
from ecs_reboot.records import response
from ecs_reboot.records.logstore_delivery import RecordDelivery
from ecs_reboot.records.record_log import RecordLog

TOKEN = "letters-and-digits-0123456789"
DENIED = Refused("InvokeFunction", code="AccessDenied", message="no", status=403, request_id="r-403")


class Itself:
    """The function as it is called by itself: takes a while, then stores the envelope or fails."""

    def __init__(self, clock: JumpingClock, seconds: float = 0.0, failure: CloudError | None = None) -> None:
        self.clock, self.seconds, self.failure = clock, seconds, failure
        self.envelopes: list[bytes] = []

    def __call__(self, envelope: bytes, _: Deadline) -> str:
        self.clock.sleep(self.seconds)
        self.envelopes.append(envelope)
        if self.failure:
            raise self.failure
        return "later-1"


class Stage:
    def __init__(self, seconds: float = 0.0, failure: CloudError | None = None, **environment: str) -> None:
        self.clock = JumpingClock()
        self.itself = Itself(self.clock, seconds, failure)
        self.ecs = ScriptedEcs(instance())
        self.settings = settings(DEFAULT_REGION=REGION, WEBHOOK_TOKEN=TOKEN, **environment)
        self.lines: list[str] = []

    def answer(self, event: bytes, request_id: str = "door-1", **more: Any) -> Answered:
        return Invocation(
            request_id,
            self.settings,
            deadline(clock=self.clock),
            connect=lambda _: Connections(self.ecs),
            record_log=RecordLog(request_id, self.clock, self.lines.append),
            delivery=RecordDelivery(self.settings, NoCredentials(), REGION, self.clock),
            invoke_later=more.get("itself", self.itself),
        ).answer(event)

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


def http(body: object, token: str = TOKEN) -> bytes:
    epoch = str(int(NOW.timestamp() * 1000))
    event = {
        "rawPath": "/",
        "headers": {},
        "body": json.dumps(body),
        "queryParameters": {"token": token},
        "requestContext": {"timeEpoch": epoch},
    }
    return json.dumps(event).encode()


ASKS = {"instance_ids": [ONE]}


def test_the_caller_is_told_at_once_what_was_read_and_who_carries_it_out() -> None:
    stage = Stage()
    answered = stage.answer(http(ASKS))
    assert answered.over_http
    assert not answered.retry_reason
    assert response.http(answered.body)["statusCode"] == 202
    assert answered.body["request_id"] == "door-1"
    assert answered.body["handed_over_to"] == "later-1"
    assert answered.body["asked"] == [{"evidence": "a manual request asks to reboot 1 instance", "instance_ids": [ONE]}]
    assert stage.ecs.calls == []
    assert [(record["record"], record["code"]) for record in stage.records()] == [("handover", "handed_over")]
    assert TOKEN not in str(answered.body) + str(stage.itself.envelopes) + str(stage.lines)


def test_the_second_run_carries_it_out_and_never_hands_over_again() -> None:
    stage = Stage()
    stage.answer(http(ASKS))
    answered = stage.answer(stage.itself.envelopes[0], "later-1")
    assert len(stage.itself.envelopes) == 1
    assert not answered.over_http
    assert (answered.body["request_id"], answered.body["handed_over_by"]) == ("later-1", "door-1")
    assert answered.body["trigger"] == "http>manual"
    assert len(stage.ecs.asked) == 1
    written = [record for record in stage.records() if record["request_id"] == "later-1"]
    assert [record["record"] for record in written] == ["intent", "result"]
    assert {record["handed_over_by"] for record in written} == {"door-1"}


def test_the_second_run_raises_so_that_it_is_tried_again() -> None:
    stage = Stage()
    stage.answer(http(ASKS))
    stage.ecs.before["describe"] = [Refused("Any", code="Forbidden.RAM", message="", status=403, request_id="r")]
    assert stage.answer(stage.itself.envelopes[0], "later-1").retry_reason


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (http({**ASKS, "dry_run": True}), 200),
        (http({"instance_ids": ["i-*"]}), 400),
        (http({}), 400),
        (http(ASKS, "guess"), 401),
        (json.dumps(ASKS).encode(), None),
    ],
    ids=["dry run", "rejected", "empty", "no token", "not over HTTP"],
)
def test_what_can_be_answered_at_once_is(event: bytes, status: int | None) -> None:
    stage = Stage()
    answered = stage.answer(event)
    assert stage.itself.envelopes == []
    assert answered.over_http == (status is not None)
    if status:
        assert response.http(answered.body)["statusCode"] == status


def test_a_function_that_only_tries_out_answers_its_caller() -> None:
    stage = Stage(DRY_RUN="true")
    assert stage.answer(http(ASKS)).body["status"] == "completed"
    assert stage.itself.envelopes == []


@pytest.mark.parametrize("failure", [DENIED, LOST], ids=["refused", "lost"])
def test_what_could_not_be_handed_over_is_carried_out_where_the_time_is_there(failure: CloudError) -> None:
    stage = Stage(0.3, failure)
    answered = stage.answer(http(ASKS))
    assert response.http(answered.body)["statusCode"] == 200
    assert [result["code"] for result in answered.body["results"]] == ["accepted"]
    assert len(stage.ecs.asked) == 1
    first = stage.records()[0]
    assert (first["record"], first["code"]) == ("handover", failure.outcome)
    assert first["api_code"] == ("AccessDenied" if failure is DENIED else "")
    assert "carried out at once" in first["reason"]


@pytest.mark.parametrize(("seconds", "settle"), [(0.3, "2"), (0.4, "0"), (1.5, "0")])
def test_where_the_time_is_not_there_nothing_is_begun_and_the_caller_is_told_to_repeat(
    seconds: float, settle: str
) -> None:
    stage = Stage(seconds, LOST, CLAIM_SETTLE_SECONDS=settle)
    answered = stage.answer(http({"instance_ids": [ONE, TWO]}))
    assert response.http(answered.body)["statusCode"] == 503
    assert stage.ecs.calls == []
    assert [(result["code"], result["retriable"]) for result in answered.body["results"]] == [("deadline", True)] * 2
    written = [(record["record"], record["instance_id"]) for record in stage.records()]
    assert written == [("handover", ""), ("result", ONE), ("result", TWO)], "one for each instance that it names"
    assert all("could not be handed over" in record["reason"] for record in stage.records())


def test_a_token_in_the_body_too_is_carried_out_instead_of_stored() -> None:
    stage = Stage()
    answered = stage.answer(http({**ASKS, "reason": f"from {TOKEN}"}))
    assert stage.itself.envelopes == []
    assert answered.body["results"][0]["code"] == "accepted"


@pytest.mark.parametrize("handover", [None, LOST], ids=["off", "fails"])
@pytest.mark.parametrize("step", ["describe", "entries", "remember", "reboot"])
def test_a_caller_over_http_never_waits_longer_than_cloudmonitor_does(step: str, handover: CloudError | None) -> None:
    stage = Stage(0.2, handover)
    # ECS throttles for minutes: there is always one more try, if only there were time.
    stage.ecs.before[step] = [THROTTLED] * 10_000
    body = stage.answer(http(ASKS), itself=None if handover is None else stage.itself).body
    assert response.http(body)["statusCode"] == 503
    assert stage.clock.elapsed() < 5
