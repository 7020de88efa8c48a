"""CloudMonitor's event subscription: the callback that it recommends for system events, and sends for metrics as well.

What happened stands in ``alert``: ``alertStatus`` (TRIGGERED, RESOLVED), ``eventContentMap`` and, under ``meta``, a
description: ``sysEventMeta`` for a system event, a key that starts with ``metric`` for a metric. No metric's callback
is published, so its fields are looked for in every part, under the names of the threshold alarm's callback.
"""

from collections.abc import Mapping
from datetime import datetime

from ecs_reboot.events import monitor
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding, Place
from ecs_reboot.events.instance_id import parse_arn
from ecs_reboot.events.parsing import UnreadableText, embedded, mapping, stated, text
from ecs_reboot.events.quoting import plain
from ecs_reboot.events.sources import dimensions
from ecs_reboot.events.state_words import ALARM_LEVELS, ALARM_STATES, SUBSCRIPTION, StateWord, state

_KIND = "cms_subscription"
_METRIC_STATES = (("alertState", ALARM_STATES), ("triggerLevel", ALARM_LEVELS), ("curLevel", ALARM_LEVELS))


def find(document: Document, rules: EventSettings, _now: datetime) -> list[Finding]:
    """Find the one alert. Raises Unreadable where a part is text that is not JSON, or is no object."""
    at = document.path + "alert"
    alert = _object(document.body.get("alert"), at)
    meta = _object(alert.get("meta"), at + ".meta")
    content_key = "eventContentMap" if stated(alert.get("eventContentMap")) else "eventRawContent"
    content = Field(f"{at}.{content_key}", _object(alert.get(content_key), f"{at}.{content_key}"))
    metric = next((key for key in meta if key.casefold().startswith("metric")), None)
    if metric and "sysEventMeta" not in meta:
        part = f"{at}.meta.{plain(metric)}"
        return [_metric(Field(at, alert), Field(part, _object(meta[metric], part)), content)]
    path = f"{at}.meta.sysEventMeta"
    return [_system_event(Field(at, alert), Field(path, _object(meta.get("sysEventMeta"), path)), content, rules)]


def _object(value: object, path: str) -> Mapping[str, object]:
    value = embedded(value, path)
    if stated(value) and not isinstance(value, dict):
        raise UnreadableText("malformed", "it is not an object", path, value)
    return mapping(value)


def _first(key: str, *parts: Field) -> Field:
    """Return the first field of this name that says anything."""
    fields = [Field(f"{part.path}.{key}", mapping(part.value).get(key)) for part in parts]
    return next((field for field in fields if stated(field.value)), fields[0])


def _status(alert: Field) -> list[StateWord]:
    """Read alertStatus; without it nothing fires."""
    field = _first("alertStatus", alert)
    return state(field.path, field.value, SUBSCRIPTION) or [StateWord(field.path, "", "neither")]


def _system_event(alert: Field, meta: Field, content: Field, rules: EventSettings) -> Finding:
    from ecs_reboot.events.sources.system_event import Notice, finding  # noqa: PLC0415 - a metric needs nothing of it

    product, arn = _first("product", meta, alert), _first("arn", alert)
    name, resource = _first("name", meta), _first("resourceId", meta)
    described = parse_arn(resource.value if stated(resource.value) else arn.value)
    known = text(product.value).casefold()
    of_ecs = known == "ecs" or (known == "cloudmonitor" and described is not None and described.product == "ecs")
    notice = Notice(
        kind=f"{_KIND}>cms_event",
        name=name if stated(name.value) else _first("eventName", alert),
        content=mapping(content.value),
        content_path=content.path,
        resource=resource if stated(resource.value) else arn,
        time=_first("eventTime", meta) if stated(_first("eventTime", meta).value) else _first("timestamp", alert),
        own_id=text(_first("id", meta).value) or text(_first("traceId", alert).value),
        status=_first("status", meta),
        regions=(_first("regionId", meta),),
        foreign=None if of_ecs else product,
    )
    found = finding(notice, rules)
    return _with_callback_fields(found, alert, resource, arn)


def _with_callback_fields(found: Finding, alert: Field, resource: Field, arn: Field) -> Finding:
    """Add what the callback says beside the event: its status, and the resource once more."""
    status = _status(alert)
    places = found.places
    second = parse_arn(arn.value) if stated(resource.value) else None
    if second and second.instance_id is not None:
        place = places[0]
        ids = (*place.ids, Field(arn.path, second.instance_id))
        regions = (*place.regions, Field(arn.path, second.region)) if stated(second.region) else place.regions
        places = (place._replace(ids=ids, regions=regions),)
    return found._replace(states=(*found.states, *status), places=places)


def _metric(alert: Field, meta: Field, content: Field) -> Finding:
    parts = (meta, content, alert)
    states = _status(alert)
    states += [word for part in parts for key, firing in _METRIC_STATES for word in _word(part, key, firing)]
    found = _first("dimensions", *parts)
    about = dimensions.read(found.value, found.path)
    named = [*dimensions.named(about, found.path)]
    named += [field for part in parts for field in dimensions.named(part.value, part.path)]
    arns = [
        (field, arn)
        for field in (_first("resourceId", meta), _first("arn", alert))
        if (arn := parse_arn(field.value)) and arn.product == "ecs"
    ]
    ids = [field for field in named if _key(field) in dimensions.INSTANCE and stated(field.value)]
    ids += [Field(field.path, arn.instance_id) for field, arn in arns if arn.instance_id is not None]
    regions = [field for field in named if _key(field) in dimensions.REGION and stated(field.value)]
    regions += [Field(field.path, arn.region) for field, arn in arns if stated(arn.region)]
    name = plain(text(_first("alertName", *parts).value) or text(_first("ruleName", *parts).value))
    rule = text(_first("ruleId", *parts).value) or name or text(_first("dedupId", alert).value)
    metric = plain(text(_first("metricName", *parts).value))
    time = _first("timestamp", alert, meta)
    same = dimensions.same(about) or ",".join(sorted({plain(field.value) for field in ids}))
    return Finding(
        kind=f"{_KIND}>cms_threshold",
        evidence=f"CloudMonitor alarm '{name}' on {metric} is {'/'.join(word.word for word in states if word.word)}",
        states=tuple(states),
        places=(Place(tuple(ids), tuple(regions)),),
        fault_key=plain(f"alarm:{plain(time.value)}:{plain(ids[0].value) if ids else ''}:{rule}"),
        identity=f"alarm:{rule or metric}:{same}" if rule or metric or same else "",
        time=time if stated(time.value) else None,
        notice=monitor.by_name(name),
        foreign=_foreign(parts),
    )


def _word(part: Field, key: str, firing: frozenset[str]) -> list[StateWord]:
    return state(f"{part.path}.{key}", mapping(part.value).get(key), firing)


def _key(field: Field) -> str:
    return field.path.rpartition(".")[2].casefold()


def _foreign(parts: tuple[Field, ...]) -> Field | None:
    from ecs_reboot.events.sources.cms_threshold import is_ecs_namespace  # noqa: PLC0415 - only metrics need it

    spaces = [field for field in (_first("namespace", *parts), _first("metricProject", *parts)) if stated(field.value)]
    if spaces:
        return next((field for field in spaces if not is_ecs_namespace(field.value)), None)
    product = _first("product", *parts)
    return None if text(product.value).casefold() == "ecs" else product
