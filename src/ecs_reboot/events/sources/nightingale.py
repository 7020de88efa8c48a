"""Nightingale's webhook, and WatchAlert's, which is like it: one alert, over where ``is_recovered`` is true.

``trigger_time`` is that of the evaluation that sends it, ``first_trigger_time`` that of the first. ``hash`` names the
rule and the labels, so it is the same at the beginning and the end.
"""

from collections.abc import Mapping
from datetime import datetime

from ecs_reboot.events import monitor
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding, Refusal
from ecs_reboot.events.labels import identity, place
from ecs_reboot.events.parsing import mapping, stated, text
from ecs_reboot.events.quoting import plain
from ecs_reboot.events.state_words import StateWord

_TIMES = ("trigger_time", "first_trigger_time")
_NO_DATA = ("trigger_type", "trigger_value", "trigger_values")


def find(document: Document, rules: EventSettings, _now: datetime) -> list[Finding]:
    """Find the one alert."""
    body, at = document.body, document.path
    labels = _labels(body)
    states = (_state(body, at),)
    rule, name = text(body.get("rule_id")), plain(text(body.get("rule_name")))
    key = (
        text(body.get("hash"))
        or text(body.get("fingerprint"))
        or (f"{rule or name}:{identity(labels)}" if labels else "")
    )
    first = text(body.get("first_trigger_time")) or text(body.get("trigger_time"))
    stated_time = next(
        (Field(at + name, body[name]) for name in _TIMES if stated(body.get(name))), Field(at + _TIMES[0], None)
    )
    ended = Field(at + "last_eval_time", body.get("last_eval_time"))
    recovered = states[0].meaning == "recovery"
    return [
        Finding(
            kind="nightingale",
            evidence=f"Nightingale alert '{name}' is {'recovered' if recovered else 'firing'}",
            states=states,
            places=(
                place([Field(at + "tags_map", labels), Field(at + "annotations", body.get("annotations"))], rules),
            ),
            fault_key=plain(f"nightingale:{first}:{key}") if key else "",
            identity=f"nightingale:{key}" if key else "",
            time=stated_time if stated(stated_time.value) else None,
            said=ended if recovered and ended.value not in (None, "", 0) else None,
            notice=monitor.by_name(name) or _no_data(body, at) or monitor.by_labels(at + "tags_map", labels),
        )
    ]


def _labels(body: Mapping[str, object]) -> dict[str, object]:
    """Return the tags: an object, or where that is missing a list of ``key=value``."""
    for key in ("tags_map", "labels"):
        if body.get(key):
            return dict(mapping(body[key]))
    listed = body.get("tags")
    pairs = (tag.partition("=") for tag in (listed if isinstance(listed, list) else ()) if isinstance(tag, str))
    return {key: value for key, equals, value in pairs if equals}


def _state(body: Mapping[str, object], at: str) -> StateWord:
    value = body.get("is_recovered")
    meaning = {True: "recovery", False: "firing"}.get(value, "neither") if isinstance(value, bool) else "neither"
    return StateWord(at + "is_recovered", plain(value), meaning)


def _no_data(body: Mapping[str, object], at: str) -> Refusal | None:
    return next((found for key in _NO_DATA if (found := monitor.by_state(at + key, text(body.get(key))))), None)
