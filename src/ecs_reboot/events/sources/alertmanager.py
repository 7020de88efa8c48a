"""Alerts in Alertmanager's form: ARMS, Prometheus, Grafana's unified alerting, and the lists of Alertmanager's API.

Each alert of a group is judged by its own status, never by the group's. A group is sent again as long as an alert
lasts, so an alert is as old as the delivery that tells of it, and as its ``startsAt`` only where nothing else says when
it was sent. API v1 lists alerts without a status: they fire only while ``endsAt`` is ahead. API v2 gives the status as
an object. In a group ``endsAt`` of a firing alert means other things (ARMS sets it) and is not looked at.
"""

from collections.abc import Mapping
from datetime import datetime

from ecs_reboot.events import event_time, monitor
from ecs_reboot.events.assessment import Verdict
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding, Refusal
from ecs_reboot.events.labels import identity, place
from ecs_reboot.events.parsing import UnreadableText, mapping, stated, text
from ecs_reboot.events.quoting import plain
from ecs_reboot.events.state_words import ALERT_API, ALERT_STATUS, StateWord, deciding, state
from ecs_reboot.model import Ignored

_MAX_ALERTS = 1000
_SILENCERS = ("silencedBy", "inhibitedBy", "mutedBy")


def find(document: Document, rules: EventSettings, now: datetime) -> list[Finding | Verdict]:
    """Find the alerts of a group, or the one alert of an element of a list. Raises Unreadable for no list."""
    at = document.path
    if "alerts" not in document.body:
        return [_alert(document, document.body, at, rules, now)]
    alerts = document.body["alerts"]
    if not isinstance(alerts, list) or not alerts:
        raise UnreadableText("malformed", "alerts is not a list of alerts", at + "alerts", alerts)
    if len(alerts) > _MAX_ALERTS:
        raise UnreadableText("too_large", f"the group has more than {_MAX_ALERTS} alerts", at + "alerts")
    found: list[Finding | Verdict] = [
        _alert(document, mapping(alert), f"{at}alerts[{number}].", rules, now) for number, alert in enumerate(alerts)
    ]
    return found + _left_out(document)


def _left_out(document: Document) -> list[Verdict]:
    count = document.body.get("truncatedAlerts")
    if not isinstance(count, int) or count <= 0:
        return []
    reason = (
        f"the sender left {count} more alert{'' if count == 1 else 's'} of this group out (max_alerts of its webhook): "
        "they are not judged here"
    )
    return [Ignored(code="truncated_alerts", reason=reason)]


def _alert(document: Document, body: Mapping[str, object], at: str, rules: EventSettings, now: datetime) -> Finding:
    labels, annotations = mapping(body.get("labels")), mapping(body.get("annotations"))
    name = plain(text(labels.get("alertname")))
    states = _states(body, at, now)
    key = text(body.get("fingerprint")) or identity(labels)
    starts = Field(at + "startsAt", body.get("startsAt"))
    word = states[0].word if states and states[0].path != at + "endsAt" else "listed without a status"
    return Finding(
        kind="alertmanager",
        evidence=f"alert '{name}' is {word}",
        states=tuple(states),
        places=(place([Field(at + "labels", labels)], rules),),
        fault_key=plain(f"alert:{plain(starts.value)}:{key}"),
        identity=f"alert:{key}" if key else "",
        time=_reported_at(document, body, at, starts),
        said=_said(body, at, states, starts),
        notice=_silenced(body, at)
        or monitor.by_name(text(labels.get("alertname")))
        or monitor.by_labels(at + "labels", labels)
        or monitor.by_labels(at + "annotations", annotations),
    )


def _states(body: Mapping[str, object], at: str, now: datetime) -> list[StateWord]:
    status = body.get("status")
    if isinstance(status, dict):
        states = state(at + "status.state", status.get("state"), ALERT_API)
        return states + [word for word in _by_end(body, at, now) if word.meaning == "recovery"]
    states = state(at + "status", status, ALERT_STATUS) + state(at + "state", body.get("state"), ALERT_STATUS)
    return states if "status" in body else states + _by_end(body, at, now)


def _by_end(body: Mapping[str, object], at: str, now: datetime) -> list[StateWord]:
    ends = event_time.parse(body.get("endsAt"))
    if ends is None or not event_time.ended(body.get("endsAt")):
        return [StateWord(at + "endsAt", plain(body.get("endsAt")), "neither")]
    return [StateWord(at + "endsAt", plain(body.get("endsAt")), "firing" if ends > now else "recovery")]


def _silenced(body: Mapping[str, object], at: str) -> Refusal | None:
    status = mapping(body.get("status"))
    for key in _SILENCERS:
        if status.get(key):
            reason = f"{at}status.{key} is not empty: somebody silenced it, or another alert inhibits it"
            return Refusal("monitor_fault", reason)
    return None


def _reported_at(document: Document, body: Mapping[str, object], at: str, starts: Field) -> Field | None:
    """Return when the alert was reported, None where that is the time of the delivery."""
    if document.delivered:
        return None
    updated = Field(at + "updatedAt", body.get("updatedAt"))
    if stated(updated.value):
        return updated
    return starts if stated(starts.value) else None


def _said(body: Mapping[str, object], at: str, states: list[StateWord], starts: Field) -> Field:
    ends = body.get("endsAt")
    over = deciding(states).meaning == "recovery" and event_time.ended(ends)
    return Field(at + "endsAt", ends) if over else starts
