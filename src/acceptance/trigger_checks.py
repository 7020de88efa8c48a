"""One event through each trigger of the stack, and whether its record arrives.

The stack of a run opts in the tag value `acceptance`, which the instance does not carry: the records say so, and no
event of these checks reboots anything.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from acceptance.check import CheckFinding, differs, holds, unknown
from acceptance.outside import post
from acceptance.stage import Before, Stage

_HANDED_OVER = 202
#: What the function says of an event in which it finds no instance.
_NO_INSTANCE = ("not_ecs", "no_instance_id")
#: How far ahead a simulated event is: it is cancelled long before.
_AHEAD = timedelta(hours=2)


def alarm(stage: Stage) -> CheckFinding:
    """Follow an alarm of a threshold rule through the topic."""
    if not stage.contact_group:
        return unknown("no rule was made: give CONTACT_GROUP=, the name of a contact group of CloudMonitor")
    before = stage.before()
    stage.say(stage.outside.alarm(f"{stage.name}-example", stage.instance))
    return _arrived(stage, before, _of("cms_threshold", stage.instance), "the alarm", stage.patience.alarm)


def system_event(stage: Stage) -> CheckFinding:
    """Follow a simulated system event through the bus."""
    now, kind = datetime.now(timezone.utc), "SystemMaintenance.Reboot"
    due = (now + _AHEAD).strftime("%Y-%m-%dT%H:%M:%SZ")
    before = stage.before()
    made = stage.ecs(
        "CreateSimulatedSystemEvents", {"InstanceId.1": stage.instance, "EventType": kind, "NotBefore": due}
    )
    event_id = made["EventIdSet"]["EventId"][0]
    event = {
        **_cloud_event(stage, "acs.ecs", f"ecs:Instance:{kind}"),
        "data": {"eventId": event_id, "eventStatus": "Scheduled", "instanceId": stage.instance},
    }
    try:
        stage.say(stage.outside.system_event(event))
        return _arrived(stage, before, _of("eventbridge", stage.instance), "the system event", stage.patience.event)
    finally:
        stage.ecs("CancelSimulatedSystemEvents", {"EventId.1": event_id})


def agent_event(stage: Stage) -> CheckFinding:
    """Follow the event of a silent agent through the bus."""
    before = stage.before()
    event = {
        **_cloud_event(stage, "acs.cms", "cms:CloudMonitor:AgentStatusStopped"),
        "data": {"state": "stopped"},
    }
    stage.say(stage.outside.system_event(event))

    def about_an_agent(record: Mapping[str, Any]) -> bool:
        told = record.get("code") in _NO_INSTANCE or "Agent_Status" in record.get("reason", "")
        return "eventbridge" in record.get("trigger", "") and told

    found = stage.await_record(before, about_an_agent, stage.patience.alarm)
    if found is None:
        return unknown("no event of an agent came: stop the agent on the instance a quarter of an hour before")
    if found.get("instance_id") == stage.instance:
        return holds(f"the record names the instance, code {found.get('code')}")
    return differs(f"the record does not name the instance: code {found.get('code')}: {found.get('reason')}")


def http_callback(stage: Stage) -> CheckFinding:
    """Post to the HTTP trigger, and follow what it hands over to an asynchronous run."""
    url, mark, before = str(stage.deployed.outputs["WebhookUrl"]), f"acceptance {uuid.uuid4()}", stage.before()
    asked = {"instance_ids": [stage.instance], "region_id": stage.region, "reason": mark}
    answer = post(f"{url}{stage.token}", json.dumps(asked).encode())
    if answer.status != _HANDED_OVER:
        return differs(f"a callback with the token was answered {answer.status}: {_text(answer.body)}")
    refused = post(f"{url}{'x' * len(stage.token)}", json.dumps(asked).encode())
    if refused.status < 400:  # noqa: PLR2004 - errors of HTTP
        return differs(f"a callback with a wrong token was answered {refused.status}")

    def ours(record: Mapping[str, Any]) -> bool:
        return record.get("requested_reason") == mark and record.get("instance_id") == stage.instance

    return _arrived(stage, before, ours, "answered 202; the asynchronous run", stage.patience.event)


def timer(stage: Stage) -> CheckFinding:
    """Wait for the schedule to go off."""
    before = stage.before()
    stage.say(stage.outside.timer())
    return _arrived(stage, before, _of("timer", stage.instance), "the timer", stage.patience.event)


def kept_secret(stage: Stage) -> CheckFinding:
    """Update the stack without giving the token again; callers must still get in with it."""
    stage.update({"GraceSeconds": "1"})
    asked = json.dumps({"instance_ids": [stage.instance], "region_id": stage.region, "reason": "acceptance"})
    try:
        answer = post(f"{stage.deployed.outputs['WebhookUrl']}{stage.token}", asked.encode())
    except OSError as error:
        return differs(f"after an update without the token the HTTP trigger does not answer: {error}")
    saw = f"after an update without the token a caller with it is answered {answer.status}"
    return holds(saw) if answer.status == _HANDED_OVER else differs(saw)


def _of(trigger: str, instance_id: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda record: trigger in record.get("trigger", "") and record.get("instance_id") == instance_id


def _arrived(
    stage: Stage, before: Before, wanted: Callable[[Mapping[str, Any]], bool], what: str, seconds: float
) -> CheckFinding:
    found = stage.await_record(before, wanted, seconds)
    if found is None:
        return differs(f"{what} left no record within {seconds:.0f} s")
    return holds(f"{what} left a record: code {found.get('code')}")


def _cloud_event(stage: Stage, source: str, kind: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "source": source,
        "specversion": "1.0",
        "type": kind,
        "subject": f"acs:ecs:{stage.region}:{stage.account}:instance/{stage.instance}",
        "time": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _text(body: bytes) -> str:
    return body[:200].decode(errors="replace")
