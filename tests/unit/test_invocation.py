"""One invocation from bytes to answer, over a scripted ECS."""

import json

import pytest
from scripted_ecs import NOW, ONE, REGION, JumpingClock, ScriptedEcs, deadline, instance, settings

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.credentials import NoCredentials
from ecs_reboot.invocation import Invocation
from ecs_reboot.ledger.connections import Connections
from ecs_reboot.records.delivery import RecordDelivery
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
