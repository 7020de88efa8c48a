"""CloudMonitor threshold alarms: the callback (form or the older JSON) and the form written to MNS.

Callback: ``alertState`` must be ALERT (or ALARM, the API's word) and no ``triggerLevel`` may say otherwise.
MNS: ``curLevel`` is the state; ``eventName`` is one only where it says ``AlertOk``. The instance is in ``dimensions``
(the text of a Java map, JSON, or JSON in a string), in MNS in ``resources`` and ``metricData``.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding, Place
from ecs_reboot.events.parsing import Unreadable, embedded, mapping, stated, text
from ecs_reboot.events.quoting import plain
from ecs_reboot.events.state_words import ALARM_LEVELS, ALARM_STATES, State, state

_NAMESPACES = ("namespace", "metricProject")
_STATES = (("alertState", ALARM_STATES), ("triggerLevel", ALARM_LEVELS), ("curLevel", ALARM_LEVELS))
_INSTANCE = frozenset({"instanceid"})
_REGION = frozenset({"regionid", "region"})


def find(document: Document, _rules: EventSettings, _now: datetime) -> list[Finding]:
    """Find the one alarm of a callback or MNS message. Raises Unreadable where ``dimensions`` can't be taken apart."""
    return [_callback(document) if "alertState" in document.body else _mns(document)]


def _callback(document: Document) -> Finding:
    body, at = document.body, document.path
    value = body.get("curValue", body.get("Curvalue"))
    own = Field(at + "timestamp", body.get("timestamp"))
    return _finding(document, "cms_threshold", (), _states(document, "alertState"), value=value, own=own)


def _mns(document: Document) -> Finding:
    body, at = document.body, document.path
    data = mapping(body.get("metricData"))
    named = (
        *_entries(embedded(body.get("resources"), at + "resources"), at + "resources"),
        *_entries(data, at + "metricData"),
    )
    own = Field(at + "time", body.get("time"))
    if not stated(own.value):
        own = Field(at + "metricData.timestamp", data.get("timestamp"))
    return _finding(document, "cms_threshold_mns", named, _states(document, "curLevel"), value=None, own=own)


def _states(document: Document, needed: str) -> list[State]:
    """Collect the states of either form; without the one its form must have nothing fires."""
    body, at = document.body, document.path
    states = [one for key, firing in _STATES for one in state(at + key, body.get(key), firing)]
    if not stated(body.get(needed)):
        states.append(State(at + needed, "", "neither"))
    # Any other eventName is the name of an event, not a state.
    states += [one for one in state(at + "eventName", body.get("eventName"), frozenset()) if one.meaning == "recovery"]
    return states


def _finding(
    document: Document, kind: str, named: tuple[Field, ...], states: list[State], *, value: object, own: Field
) -> Finding:
    body, at = document.body, document.path
    named = (
        *named,
        *_dimensions(body.get("dimensions"), at + "dimensions"),
        Field(at + "regionId", body.get("regionId")),
    )
    place = Place(
        ids=tuple(one for one in named if _key(one) in _INSTANCE and stated(one.value)),
        regions=tuple(one for one in named if _key(one) in _REGION and stated(one.value)),
    )
    rule = text(body.get("ruleId")) or text(body.get("alertName"))
    instance = next((plain(one.value) for one in place.ids), "")
    moment = text(body.get("batchId")) or text(own.value)
    name = plain(text(body.get("alertName")) or text(body.get("ruleName")))
    measured = f" (value {plain(value).strip()})" if stated(value) else ""
    said = "/".join(one.word for one in states if one.word)
    metric = plain(text(body.get("rawMetricName")) or text(body.get("metricName")))
    return Finding(
        kind=kind,
        evidence=f"CloudMonitor alarm '{name}' on {metric} is {said}{measured}",
        states=tuple(states),
        places=(place,),
        fault_key=plain(f"alarm:{moment}:{instance}:{rule}"),
        subject=plain(f"alarm:{rule}") if rule else "",
        time=own if stated(own.value) else None,
        foreign=_foreign(body, at),
    )


def _key(field: Field) -> str:
    return field.path.rpartition(".")[2].casefold()


def _foreign(body: Mapping[str, object], at: str) -> Field | None:
    """Give the namespace that is not ECS's: all that are stated must be, and one must be stated."""
    fields = [Field(at + key, body.get(key)) for key in _NAMESPACES]
    spoken = [one for one in fields if stated(one.value)]
    strange = [one for one in spoken if not is_ecs_namespace(one.value)]
    if strange or not spoken:
        return strange[0] if strange else fields[0]
    return None


def is_ecs_namespace(value: object) -> bool:
    """Tell whether a CloudMonitor namespace is one of ECS: ``acs_ecs`` or ``acs_ecs_…``."""
    return isinstance(value, str) and (value == "acs_ecs" or value.startswith("acs_ecs_"))


def _dimensions(value: object, path: str) -> Iterator[Field]:
    if isinstance(value, str) and stated(value):
        looks_json = value.startswith(("[", '{"')) or value.strip() == "{}"
        value = embedded(value, path) if looks_json else _java_map(value, path)
    if stated(value) and not isinstance(value, (dict, list)):
        raise Unreadable("malformed", "dimensions are neither a map nor a list of maps", path, value)
    yield from _entries(value, path)


def _entries(value: object, path: str) -> Iterator[Field]:
    """Pick the instance and region of an object, or of each object of a list."""
    items = enumerate(value) if isinstance(value, list) else ()
    for where, item in [(path, value), *((f"{path}[{number}]", item) for number, item in items)]:
        for key, one in mapping(item).items():
            if key.casefold() in _INSTANCE | _REGION:
                yield Field(f"{where}.{key}", one)


def _java_map(value: str, path: str) -> dict[str, str]:
    """Take ``{a=1, b=2}`` apart. A brace that is missing may mean an ID that was cut: Unreadable."""
    inner = value.strip()
    if not (inner.startswith("{") and inner.endswith("}")):
        raise Unreadable("malformed", "dimensions are not closed in braces, so they may be cut short", path, value)
    result: dict[str, str] = {}
    for part in inner[1:-1].split(","):
        key, equals, one = part.strip(" ").partition("=")
        if not equals:
            raise Unreadable("malformed", "a part of dimensions has no '='", path, value)
        if key in result:
            raise Unreadable("contradiction", "a key stands twice in dimensions", f"{path}.{plain(key)}", value)
        result[key] = one
    return result
