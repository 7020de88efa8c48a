"""CloudMonitor threshold alarms: the callback (form or the older JSON) and the form written to MNS.

Callback: ``alertState`` must be ALERT (or ALARM, the API's word) and no ``triggerLevel`` may say otherwise.
MNS: ``curLevel`` is the state; ``eventName`` is one only where it says ``AlertOk``. The instance is in ``dimensions``
(the text of a Java map, JSON, or JSON in a string), in MNS in ``resources`` and ``metricData``.
"""

from collections.abc import Mapping
from datetime import datetime

from ecs_reboot.events import monitor
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding, Place
from ecs_reboot.events.parsing import embedded, mapping, stated, text
from ecs_reboot.events.quoting import plain
from ecs_reboot.events.sources import dimensions, fired_metric
from ecs_reboot.events.state_words import ALARM_LEVELS, ALARM_STATES, StateWord, state

_NAMESPACES = ("namespace", "metricProject")
_STATES = (("alertState", ALARM_STATES), ("triggerLevel", ALARM_LEVELS), ("curLevel", ALARM_LEVELS))


def find(document: Document, _rules: EventSettings, _now: datetime) -> list[Finding]:
    """Find the one alarm of a callback or MNS message. Raises Unreadable where ``dimensions`` can't be taken apart."""
    return [_callback(document) if "alertState" in document.body else _mns(document)]


def _callback(document: Document) -> Finding:
    body, at = document.body, document.path
    value = body.get("curValue", body.get("Curvalue"))
    own = Field(at + "timestamp", body.get("timestamp"))
    return _finding(document, "cms_threshold", [], _states(document, "alertState"), value=value, own=own)


def _mns(document: Document) -> Finding:
    body, at = document.body, document.path
    data = mapping(body.get("metricData"))
    resources = embedded(body.get("resources"), at + "resources")
    measured = {key: data[key] for key in data if key.casefold() in dimensions.INSTANCE | dimensions.REGION}
    groups = [Field(at + "metricData", measured), Field(at + "resources", resources)]
    own = Field(at + "time", body.get("time"))
    if not stated(own.value):
        own = Field(at + "metricData.timestamp", data.get("timestamp"))
    return _finding(document, "cms_threshold_mns", groups, _states(document, "curLevel"), value=None, own=own)


def _states(document: Document, needed: str) -> list[StateWord]:
    """Collect the states of either form; without the one its form must have nothing fires."""
    body, at = document.body, document.path
    states = [word for key, firing in _STATES for word in state(at + key, body.get(key), firing)]
    if not stated(body.get(needed)):
        states.append(StateWord(at + needed, "", "neither"))
    # Any other eventName is the name of an event, not a state.
    named = state(at + "eventName", body.get("eventName"), frozenset())
    return states + [word for word in named if word.meaning == "recovery"]


def _finding(
    document: Document, kind: str, groups: list[Field], states: list[StateWord], *, value: object, own: Field
) -> Finding:
    body, at = document.body, document.path
    groups = [*groups, Field(at + "dimensions", dimensions.read(body.get("dimensions"), at + "dimensions"))]
    named = [field for group in groups for field in dimensions.named(group.value, group.path)]
    named.append(Field(at + "regionId", body.get("regionId")))
    place = Place(
        ids=tuple(field for field in named if _key(field) in dimensions.INSTANCE and stated(field.value)),
        regions=tuple(field for field in named if _key(field) in dimensions.REGION and stated(field.value)),
    )
    rule = text(body.get("ruleId")) or text(body.get("alertName"))
    instance = next((plain(field.value) for field in place.ids), "")
    moment = text(body.get("batchId")) or text(own.value)
    name = plain(text(body.get("alertName")) or text(body.get("ruleName")))
    measured = f" (value {plain(value).strip()})" if stated(value) else ""
    said = "/".join(word.word for word in states if word.word)
    metric = plain(text(body.get("rawMetricName")) or text(body.get("metricName")))
    about = next((same for group in reversed(groups) if (same := dimensions.same(group.value))), "")
    return Finding(
        kind=kind,
        evidence=f"CloudMonitor alarm '{name}' on {metric} is {said}{measured}",
        states=tuple(states),
        places=(place,),
        fault_key=plain(f"alarm:{moment}:{instance}:{rule}"),
        identity=f"alarm:{rule or metric}:{about}" if rule or metric or about else "",
        time=own if stated(own.value) else None,
        notice=monitor.by_name(name),
        foreign=_foreign(body, at),
        metric=fired_metric.read(body, instance),
    )


def _key(field: Field) -> str:
    return field.path.rpartition(".")[2].casefold()


def _foreign(body: Mapping[str, object], at: str) -> Field | None:
    """Return the namespace that is not ECS's: all that are stated must be, and one must be stated."""
    fields = [Field(at + key, body.get(key)) for key in _NAMESPACES]
    spoken = [field for field in fields if stated(field.value)]
    strange = [field for field in spoken if not is_ecs_namespace(field.value)]
    if strange or not spoken:
        return strange[0] if strange else fields[0]
    return None


def is_ecs_namespace(value: object) -> bool:
    """Return whether a CloudMonitor namespace is one of ECS: ``acs_ecs`` or ``acs_ecs_…``."""
    return isinstance(value, str) and (value == "acs_ecs" or value.startswith("acs_ecs_"))
