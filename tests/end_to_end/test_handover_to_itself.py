"""HTTP events that the function hands to itself through the local Function Compute: its queue, its retries."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from staging import Stage, Staged, records

from localcloud.account.faults import parse
from localcloud.commands.project_function import NAME
from localcloud.functioncompute.api.async_invoke import AsyncConfig
from localcloud.functioncompute.invocation import Invocation

EVENTS = Path(__file__).parent.parent.parent / "events"
TOKEN = "demo-token"
WEB_01 = "i-bp1a2b3c4d5e6f7g8h9i"
ON = {"MAX_EVENT_AGE_SECONDS": "0", "WEBHOOK_TOKEN": TOKEN, "HANDOVER": "on"}


Opened = Callable[..., tuple[Stage, list[Invocation]]]


@pytest.fixture
def opened(stage: Staged) -> Opened:
    def open_door(faults: list[dict[str, Any]] | None = None, **settings: str) -> tuple[Stage, list[Invocation]]:
        here = stage(None, **ON, **settings)
        here.cloud.faults.add(parse(faults or []))
        later: list[Invocation] = []
        config = AsyncConfig(max_async_retry_attempts=2)
        here.server.functions.register(here.instance.function, async_config=config, logged=later.append)
        return here, later

    return open_door


def send(here: Stage, name: str = "http-alarm-firing.json", **changes: object) -> dict[str, Any]:
    answer = here.send({**json.loads((EVENTS / name).read_bytes()), **changes})
    assert here.server.functions.wait_until_idle(60)
    here.cloud.advance()
    return {**answer, "body": json.loads(answer["body"])}


def handed_over(here: Stage) -> list[str]:
    return [entry["code"] for entry in here.cloud.audit.calls("InvokeFunction", service="fc")]


def test_an_alarm_is_answered_202_and_carried_out_by_one_more_run(opened: Opened) -> None:
    here, later = opened()
    answer = send(here)
    assert answer["statusCode"] == 202
    assert here.rebooted() == [WEB_01]
    (run,) = later
    assert run.request_id == answer["body"]["handed_over_to"]
    assert json.loads(run.payload)["trigger"] == answer["body"]["trigger"] == "http>cms_threshold"
    written = records(run.logs)
    assert {record["request_id"] for record in written} == {run.request_id}
    assert {record["handed_over_by"] for record in written} == {answer["body"]["request_id"]}
    assert handed_over(here) == [""]
    assert TOKEN not in str(here.cloud.audit.entries())


def test_the_first_run_makes_one_call(opened: Opened) -> None:
    here, _ = opened()
    send(here)
    services = [entry["service"] for entry in here.cloud.audit.entries() if entry["kind"] == "api"]
    assert services[0] == "fc"
    assert services.count("fc") == 1
    calls = [entry for entry in here.cloud.audit.entries() if entry["kind"] in ("api", "invocation")]
    assert [call["type"] for call in calls if call["kind"] == "invocation"] == ["Async"]


def test_what_asks_for_nothing_is_answered_at_once(opened: Opened) -> None:
    here, later = opened()
    assert send(here, queryParameters={"token": "guess"})["statusCode"] == 401
    assert send(here, body="{}", isBase64Encoded=False)["statusCode"] == 400
    dry = json.dumps({"instance_ids": [WEB_01], "region_id": "cn-hangzhou", "dry_run": True})
    assert send(here, body=dry, isBase64Encoded=False)["body"]["dry_run"]
    assert handed_over(here) == []
    assert later == []
    assert here.rebooted() == []


def test_a_run_that_meets_trouble_is_tried_again_until_the_reboot_happens(opened: Opened) -> None:
    refused = {"action": "DescribeInstances", "kind": "error", "code": "Forbidden.RAM", "status": 403, "times": 1}
    here, later = opened([refused])
    assert send(here)["statusCode"] == 202
    assert [bool(run.error) for run in later] == [True, False]
    assert len({run.request_id for run in later}) == 1
    assert here.rebooted() == [WEB_01]
    assert handed_over(here) == [""]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "error", "code": "AccessDenied"}, "AccessDenied"),
        ({"kind": "throttle"}, "ResourceExhausted"),
        ({"kind": "not_json", "before": True}, "no_answer"),
    ],
    ids=["denied", "throttled", "a proxy's page"],
)
def test_where_it_is_refused_the_run_does_it_itself_or_says_that_its_time_is_up(
    opened: Opened, fault: dict[str, Any], code: str
) -> None:
    here, later = opened([{"service": "fc", "action": "InvokeFunction", **fault}])
    event = json.loads((EVENTS / "http-alarm-firing.json").read_bytes())
    invocation = here.instance.invoke(json.dumps(event).encode())
    answer, (first, *_) = json.loads(invocation.payload), records(invocation.logs)
    assert first["record"] == "handover"
    assert code in (first["code"], first["api_code"])
    assert later == []
    # Which of the two depends on how fast this machine is.
    if answer["statusCode"] == 503:
        assert json.loads(answer["body"])["results"][0]["retriable"]
    else:
        assert answer["statusCode"] == 200
        assert here.rebooted() == [WEB_01]


def test_a_lost_answer_makes_no_second_reboot(opened: Opened) -> None:
    here, later = opened([{"service": "fc", "action": "InvokeFunction", "kind": "drop_after"}])
    answer = send(here)
    assert answer["statusCode"] in (200, 503)
    assert len(later) >= 1
    assert here.rebooted() == [WEB_01]


def test_an_envelope_that_is_posted_is_not_believed(opened: Opened) -> None:
    here, _ = opened()
    envelope = {
        "handed_over_by": "3f0a6e9e-1111-4222-8333-444455556666",
        "received_at": "2026-11-25T00:00:00.000000Z",
        "request": {"body": json.dumps({"instance_ids": [WEB_01], "region_id": "cn-hangzhou"}), "requestContext": {}},
    }
    text = json.dumps(envelope, separators=(",", ":"))
    assert here.send(text.encode())["status"] == "completed"  # by InvokeFunction, which the role's policy guards
    here.cloud.reset()
    assert send(here, body=text, isBase64Encoded=False, queryParameters={})["statusCode"] == 401
    assert send(here, body=text, isBase64Encoded=False)["statusCode"] == 400
    assert here.rebooted() == []
    assert here.server.functions.find(NAME)
