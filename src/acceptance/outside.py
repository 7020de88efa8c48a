"""What must come from outside for a trigger to go off: by itself on an account, on request in the local cloud."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple, Protocol

_SECONDS = 30.0


class Outside(Protocol):
    """How the three triggers that nobody can call are made to go off. Each says what it waits for."""

    def alarm(self, rule_id: str, instance_id: str) -> str:
        """Have CloudMonitor's threshold rule fire."""

    def system_event(self, event: Mapping[str, Any]) -> str:
        """Have the event of an instance arrive on the bus ``default``."""

    def timer(self) -> str:
        """Have the timers go off that are due within some minutes."""


class LiveAccount:
    """A real account: the rule fires when its metric is over the threshold, events and timers come by themselves."""

    def alarm(self, rule_id: str, instance_id: str) -> str:
        """Wait: the rule fires after five minutes of load."""
        return f"keep a processor of {instance_id} busy for six minutes (`yes >/dev/null`), so that {rule_id} fires"

    def system_event(self, event: Mapping[str, Any]) -> str:
        """Wait: ECS publishes what it simulates; a silent agent takes 15 minutes."""
        return f"an event {event['type']} should come by itself"

    def timer(self) -> str:
        """Wait: a minute."""
        return "the timer goes off within a minute"


class LocalCloud:
    """The local cloud at ``endpoint``: what happens there is posted."""

    def __init__(self, endpoint: str, account: str, region: str) -> None:
        self._endpoint, self._account, self._region = endpoint, account, region

    def alarm(self, rule_id: str, instance_id: str) -> str:
        """Let the rule fire."""
        now = datetime.now(timezone.utc)
        message = {
            "ruleId": rule_id,
            "alertName": rule_id,
            "alertState": "ALERT",
            "curLevel": "CRITICAL",
            "namespace": "acs_ecs_dashboard",
            "metricName": "CPUUtilization",
            "regionId": self._region,
            "dimensions": f"{{instanceId={instance_id}, userId={self._account}}}",
            "timestamp": int(now.timestamp() * 1000),
        }
        self._post(f"alarms/{rule_id}", json.dumps(message))
        return f"the rule {rule_id} fired"

    def system_event(self, event: Mapping[str, Any]) -> str:
        """Put the event on the bus."""
        self._post("events", json.dumps([event]))
        return f"an event {event['type']} was put on the bus"

    def timer(self) -> str:
        """Let time pass."""
        self._post("time", "5m")
        return "five minutes were let pass"

    def _post(self, path: str, body: str) -> None:
        request = urllib.request.Request(f"{self._endpoint}/_world/{path}", body.encode(), method="POST")  # noqa: S310 - the given endpoint
        with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
            pass


class HttpAnswer(NamedTuple):
    """Status and body of an answer over HTTP."""

    status: int
    body: bytes


def post(url: str, body: bytes) -> HttpAnswer:
    """Post JSON to an HTTP trigger, as an alert sender would. Raises OSError where nothing answers."""
    request = urllib.request.Request(  # noqa: S310 - an output of the stack
        url, body, {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return HttpAnswer(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return HttpAnswer(error.code, error.read())
