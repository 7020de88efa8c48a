"""Alerts of Simple Log Service's webhook: an object or a list of them.

Which key holds an instance ID is the user's choice, so only the configured labels are looked at: in ``labels`` and
``annotations``, which speak for the whole alert, and in the rows of ``fire_results`` and ``results[].fire_result``,
each of which may name an instance of its own. ``region`` is that of the log project, not of the instance.
"""

from collections.abc import Iterator
from datetime import datetime

from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding, Place, labelled
from ecs_reboot.events.parsing import mapping, stated, text
from ecs_reboot.events.quoting import plain
from ecs_reboot.events.state_words import ALERT_STATUS, State, state

_TIMES = ("alert_time", "fire_time")


def find(document: Document, rules: EventSettings, _now: datetime) -> list[Finding]:
    """Find the one alert."""
    body, at = document.body, document.path
    name = text(body.get("alert_name")) or text(body.get("alert_id"))
    states = state(at + "status", body.get("status"), ALERT_STATUS) + _resolved(document)
    key = text(body.get("fingerprint")) or text(body.get("alert_instance_id"))
    time = next((Field(at + one, body[one]) for one in _TIMES if stated(body.get(one))), None)
    return [
        Finding(
            kind="sls",
            evidence=f"SLS alert '{plain(name)}' is {plain(body.get('status'))}",
            states=tuple(states),
            places=tuple(places(_common(document), _rows(document), rules)),
            fault_key=plain(f"sls:{key}:{text(body.get('fire_time'))}") if key else "",
            subject=plain(f"sls:{text(body.get('alert_id')) or name}"),
            time=time,
        )
    ]


def places(common: list[Field], rows: list[Field], rules: EventSettings) -> Iterator[Place]:
    """Give the instances that groups of labels name: those of ``common`` hold for every one of ``rows``."""
    ids = [one for group in common for one in labelled(group.value, rules.instance_labels, group.path)]
    regions = [one for group in common for one in labelled(group.value, rules.region_labels, group.path)]
    named = False
    for row in rows:
        own = labelled(row.value, rules.instance_labels, row.path)
        if own:
            named = True
            yield Place((*ids, *own), (*regions, *labelled(row.value, rules.region_labels, row.path)))
    if not named:
        yield Place(tuple(ids), tuple(regions))


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


def _resolved(document: Document) -> list[State]:
    """Read resolve_time: 0 while the alert fires, later the time of its end."""
    value = document.body.get("resolve_time")
    if not stated(value) or value in (0, "0"):
        return []
    is_time = isinstance(value, (int, float, str)) and not isinstance(value, bool)
    return [State(document.path + "resolve_time", plain(value), "recovery" if is_time else "neither")]
