"""The template, deployed by the deploy tool itself, carries an event from each declared trigger to a reboot and a
record, under the role that it declares.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from local_deployment import (
    NOT_OPTED_IN,
    OPTED_IN,
    by_eventbridge,
    by_http,
    by_timer,
    by_topic,
    deploy,
    idle,
    logged,
    records,
    system_event,
)

from localcloud.ros.account import RosAccount
from localcloud.server.server import Running

TRIGGERS: dict[str, Callable[[RosAccount, str], str]] = {
    "SystemEventTrigger": by_eventbridge,
    "AlarmTrigger": by_topic,
    "HttpTrigger": by_http,
    "ScheduleTrigger": by_timer,
}


def test_each_trigger_leads_to_a_reboot_and_a_record(
    whole: Running, whole_package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # MaxEventAgeSeconds is off: the timer is made to go off at a time that has not come.
    assert deploy(whole, whole_package, MaxEventAgeSeconds="0") == 0
    outputs = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    cloud = whole.cloud
    for trigger, fire in TRIGGERS.items():
        instance_id = fire(whole.account, outputs["WebhookUrl"].partition("?")[0])
        idle(whole)
        reboots = [
            call for call in cloud.audit.calls("RebootInstances") if call["parameters"]["InstanceId.1"] == instance_id
        ]
        assert [call["http_status"] for call in reboots] == [200], trigger
        assert reboots[0]["identity"] == "role:ecs-reboot-cn-hangzhou"
        told = [
            record for record in records(whole) if record["instance_id"] == instance_id and record["record"] == "result"
        ]
        assert [(record["action"], record["code"]) for record in told] == [("reboot", "accepted")], trigger
    before = len(cloud.audit.calls("RebootInstances"))
    state = {**system_event("Instance:StateChange"), "data": {"resourceId": OPTED_IN[0], "state": "Running"}}
    assert whole.account.bus.put_events([state]) == 1, "StateEventTrigger"
    assert whole.account.bus.put_events([{**state, "type": "ecs:Instance:PerformanceModeChange"}]) == 0
    idle(whole)
    assert len(cloud.audit.calls("RebootInstances")) == before, "a state change never causes a reboot"
    assert records(whole)[-1]["instance_id"] == OPTED_IN[0]
    assert whole.account.messages.waiting("ecs-reboot-failures") == ()
    assert any("FC Invoke End" in line for line in logged(whole))


def test_the_role_does_not_reach_what_did_not_opt_in(whole: Running, package: Path) -> None:
    assert deploy(whole, package, Evidence="full") == 0
    by_hand = {"instance_ids": [NOT_OPTED_IN], "override": ["not_opted_in"], "reason": "somebody insists"}
    answer = whole.account.functions.invoke("ecs-reboot", json.dumps(by_hand).encode()).invocation
    assert whole.cloud.audit.changes(NOT_OPTED_IN) == ()
    assert "Forbidden.RAM" in answer.payload.decode()
    looks = [
        (call["action"], call["http_status"])
        for call in whole.cloud.audit.calls()
        if call["action"] in ("GetInstanceConsoleOutput", "GetInstanceScreenshot")
    ]
    assert sorted(looks) == [("GetInstanceConsoleOutput", 403), ("GetInstanceScreenshot", 403)], "nor looks at it"


def test_a_wrong_token_reaches_nothing(whole: Running, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy(whole, package) == 0
    outputs = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    request = urllib.request.Request(outputs["WebhookUrl"] + "wrong", data=b"{}", method="POST")  # noqa: S310
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)  # noqa: S310
    assert refused.value.code == 401
    refused.value.close()
    assert whole.cloud.audit.calls() == ()


def test_evidence_goes_into_a_bucket_of_the_stack_under_its_role(whole: Running, package: Path) -> None:
    assert deploy(whole, package, Evidence="full") == 0
    by_topic(whole.account, "")
    idle(whole)
    (told,) = [json.loads(record["exhibits"]) for record in records(whole) if record["record"] == "result"]
    assert [(exhibit["name"], exhibit["error"]) for exhibit in told] == [("console", ""), ("screen", ""), ("state", "")]
    bucket = whole.services.oss.buckets["ecs-reboot-1234567890123456-cn-hangzhou"]
    assert {exhibit["key"] for exhibit in told} == bucket.objects.keys()
