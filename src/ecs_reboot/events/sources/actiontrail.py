"""ActionTrail's records of API calls: never a reason to reboot, since our own calls are among them."""

from collections.abc import Mapping
from datetime import datetime

from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding, Refusal
from ecs_reboot.events.parsing import text
from ecs_reboot.events.quoting import plain

_ECHOES = frozenset(
    ["RebootInstance", "RebootInstances", "StartInstance", "StartInstances", "StopInstance", "StopInstances"]
)


def find(document: Document, _rules: EventSettings, _now: datetime) -> list[Finding]:
    """Find the one record."""
    return [record(document.body, document.path)]


def is_record(body: Mapping[str, object]) -> bool:
    """Return whether an object is a record of ActionTrail."""
    return "eventName" in body and "serviceName" in body and ("userIdentity" in body or "eventRW" in body)


def record(body: Mapping[str, object], path: str) -> Finding:
    """Put together what a record says. The instances it refers to are not even looked at."""
    call = plain(text(body.get("eventName")))
    echo = Refusal("echo", f"'{call}' is a record of an API call: acting on it would loop")
    other = Refusal("information", f"'{call}' is a record of an API call, not a fault")
    return Finding(
        kind="actiontrail",
        evidence=f"ActionTrail record of '{call}'",
        states=(),
        places=(),
        fault_key=plain(f"actiontrail:{text(body.get('eventId'))}"),
        identity="",
        time=Field(path + "eventTime", body.get("eventTime")),
        notice=echo if call in _ECHOES else other,
    )
