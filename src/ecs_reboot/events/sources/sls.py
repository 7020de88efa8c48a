"""Alerts of Simple Log Service's webhook: an object or a list of them.

Which key holds an instance ID is the user's choice, so only the configured labels are looked at: in ``labels`` and
``annotations``, which speak for the whole alert, and in the rows of ``fire_results`` and ``results[].fire_result``,
each of which may name an instance of its own. ``region`` is that of the log project, not of the instance.
"""

from datetime import datetime

from ecs_reboot.events import monitor
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding, Refusal
from ecs_reboot.events.labels import identity, places
from ecs_reboot.events.parsing import mapping, stated, text
from ecs_reboot.events.quoting import plain
from ecs_reboot.events.state_words import ALERT_STATUS, StateWord, deciding, state

_TIMES = ("alert_time", "fire_time")
_END_TIMES = ("alert_time", "resolve_time", "fire_time")


def find(document: Document, rules: EventSettings, _now: datetime) -> list[Finding]:
    """Find the one alert."""
    body, at = document.body, document.path
    name = text(body.get("alert_name")) or text(body.get("alert_id"))
    states = tuple(state(at + "status", body.get("status"), ALERT_STATUS) + _resolved(document))
    key = text(body.get("fingerprint")) or text(body.get("alert_instance_id"))
    rule, labels = text(body.get("alert_id")) or name, identity(mapping(body.get("labels")))
    same = text(body.get("fingerprint")) or (f"{rule}:{labels}" if rule or labels else "")
    over = deciding(states).meaning == "recovery"
    return [
        Finding(
            kind="sls",
            evidence=f"SLS alert '{plain(name)}' is {plain(body.get('status'))}",
            states=states,
            places=tuple(places(_common(document), _rows(document), rules)),
            fault_key=plain(f"sls:{key}:{text(body.get('fire_time'))}") if key else "",
            identity=f"sls:{same}" if same else "",
            time=_first(document, _TIMES),
            said=_first(document, _END_TIMES) if over else None,
            notice=_monitor(document),
        )
    ]


def _first(document: Document, keys: tuple[str, ...]) -> Field | None:
    body = document.body
    stated_keys = (key for key in keys if stated(body.get(key)) and body[key] not in (0, "0"))
    return next((Field(document.path + key, body[key]) for key in stated_keys), None)


def _monitor(document: Document) -> Refusal | None:
    """Return why the alert reports no fault: a test, or a query that found nothing to look at."""
    body = document.body
    named = monitor.by_name(text(body.get("alert_name")), text(body.get("alert_type")))
    if named:
        return named
    for group in _common(document):
        labels = mapping(group.value)
        found = monitor.by_labels(group.path, labels) or monitor.by_name(text(labels.get("alertname")))
        if found:
            return found
    results = body.get("results")
    if isinstance(results, list) and results and not body.get("fire_results") and all(map(_found_nothing, results)):
        why = "no query of the alert found anything: it reports that there is no data, not what a machine does"
        return Refusal("monitor_fault", f"{document.path}results: {why}")
    return None


def _found_nothing(result: object) -> bool:
    found = mapping(result)
    return found.get("raw_result_count") in (0, "0") and not found.get("raw_results") and not found.get("fire_result")


def _common(document: Document) -> list[Field]:
    return [Field(document.path + key, document.body.get(key)) for key in ("labels", "annotations")]


def _rows(document: Document) -> list[Field]:
    rows = []
    fired, results = document.body.get("fire_results"), document.body.get("results")
    for number, row in enumerate(fired if isinstance(fired, list) else ()):
        rows.append(Field(f"{document.path}fire_results[{number}]", row))
    for number, row in enumerate(results if isinstance(results, list) else ()):
        rows.append(Field(f"{document.path}results[{number}].fire_result", mapping(row).get("fire_result")))
    return rows


def _resolved(document: Document) -> list[StateWord]:
    """Read resolve_time: 0 while the alert fires, later the time of its end."""
    value = document.body.get("resolve_time")
    if not stated(value) or value in (0, "0"):
        return []
    is_time = isinstance(value, (int, float, str)) and not isinstance(value, bool)
    return [StateWord(document.path + "resolve_time", plain(value), "recovery" if is_time else "neither")]
