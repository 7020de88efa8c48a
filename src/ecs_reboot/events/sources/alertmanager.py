"""Alerts in Alertmanager's form: ARMS, Prometheus, Grafana's unified alerting, and Prometheus v1's bare list.

Each alert of a group is judged by its own status, never by the group's. A v1 alert has no status: it fires only while
``endsAt`` is ahead. Elsewhere ``endsAt`` means other things (ARMS sets it while the alert fires) and is not looked at.
"""

from collections.abc import Mapping
from datetime import datetime

from ecs_reboot.events import event_time
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding, Place, labelled
from ecs_reboot.events.parsing import Unreadable, mapping, stated, text
from ecs_reboot.events.quoting import plain
from ecs_reboot.events.state_words import ALERT_STATUS, State, state

_MAX_ALERTS = 1000


def find(document: Document, rules: EventSettings, now: datetime) -> list[Finding]:
    """Find the alerts of a group, or the one alert of an element of a v1 list. Raises Unreadable for no list."""
    at = document.path
    if "alerts" not in document.body:
        return [_alert(document.body, at, rules, now)]
    alerts = document.body["alerts"]
    if not isinstance(alerts, list) or not alerts:
        raise Unreadable("malformed", "alerts is not a list of alerts", at + "alerts", alerts)
    if len(alerts) > _MAX_ALERTS:
        raise Unreadable("too_large", f"the group has more than {_MAX_ALERTS} alerts", at + "alerts")
    return [_alert(mapping(one), f"{at}alerts[{number}].", rules, now) for number, one in enumerate(alerts)]


def _alert(body: Mapping[str, object], at: str, rules: EventSettings, now: datetime) -> Finding:
    labels = mapping(body.get("labels"))
    name = plain(text(labels.get("alertname")))
    states = state(at + "status", body.get("status"), ALERT_STATUS) + state(
        at + "state", body.get("state"), ALERT_STATUS
    )
    if "status" not in body:
        states += _by_end(body, at, now)
    place = Place(
        labelled(labels, rules.instance_labels, at + "labels"), labelled(labels, rules.region_labels, at + "labels")
    )
    key = text(body.get("fingerprint")) or ",".join(f"{one}={plain(labels[one])}" for one in sorted(labels))
    starts = body.get("startsAt")
    word = states[0].word if "status" in body and states else "listed without a status"
    return Finding(
        kind="alertmanager",
        evidence=f"alert '{name}' is {word}",
        states=tuple(states),
        places=(place,),
        fault_key=plain(f"alert:{plain(starts)}:{key}"),
        subject=f"alert:{name}",
        time=Field(at + "startsAt", starts) if stated(starts) else None,
    )


def _by_end(body: Mapping[str, object], at: str, now: datetime) -> list[State]:
    ends = event_time.parse(body.get("endsAt"))
    if ends is None or not event_time.ended(body.get("endsAt")):
        return [State(at + "endsAt", plain(body.get("endsAt")), "neither")]
    return [State(at + "endsAt", plain(body.get("endsAt")), "firing" if ends > now else "recovery")]
