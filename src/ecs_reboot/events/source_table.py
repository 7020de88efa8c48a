"""Which source an object is from, told by its keys alone: the first shape that fits wins.

The module of a source is loaded only when its shape is seen. Shapes that are known and not supported are in the same
table, with what to send instead.
"""

from collections.abc import Mapping

from ecs_reboot.named_tuple import NamedTuple


class Shape(NamedTuple):
    """A kind of object: all keys of ``every``, one of ``some``. ``module`` reads it, or ``advice`` refuses it."""

    kind: str
    every: frozenset[str]
    some: frozenset[str] = frozenset()
    module: str = ""
    advice: str = ""


def _keys(words: str) -> frozenset[str]:
    return frozenset(words.split())


GATEWAY_ADVICE = "API gateway is not supported; use the function's HTTP trigger"
REQUEST_EXAMPLE = (
    '{"instance_ids": ["i-..."], "region_id": "cn-hangzhou", "reason": "why", "force": false, "dry_run": false}'
)
SHAPES = (
    Shape("eventbridge", _keys("specversion source type"), module="eventbridge"),
    Shape("timer", _keys("triggerTime triggerName payload"), module="timer"),
    Shape("cms_threshold_mns", _keys("curLevel"), _keys("metricData resources"), "cms_threshold"),
    Shape("cms_threshold", _keys("alertState"), _keys("dimensions metricName alertName"), "cms_threshold"),
    Shape("actiontrail", _keys("eventName serviceName"), _keys("eventRW userIdentity"), "actiontrail"),
    Shape("cms_subscription", _keys("alert"), _keys("subscription strategyName batchId"), "cms_subscription"),
    Shape("nightingale", _keys("is_recovered"), _keys("rule_name rule_id tags_map"), "nightingale"),
    Shape("sls", _keys("status"), _keys("alert_instance_id fire_time"), "sls"),
    Shape("alertmanager", _keys("alerts"), _keys("status commonLabels groupLabels"), "alertmanager"),
    Shape("alertmanager", _keys("labels startsAt"), module="alertmanager"),
    Shape("grafana_legacy", _keys("state"), _keys("evalMatches ruleName"), "grafana"),
    Shape("cms_event", _keys("name"), _keys("content product resourceId"), "cms_event"),
    Shape("unsupported", _keys("events"), advice="an OSS event asks for no reboot; remove the OSS trigger"),
    Shape(
        "unsupported",
        _keys("source taskId"),
        _keys("jobName cursorTime"),
        advice="an SLS ETL job hands over cursors, not alerts; let an SLS alert call the function",
    ),
    Shape(
        "unsupported",
        _keys("httpMethod"),
        _keys("path pathParameters"),
        advice=GATEWAY_ADVICE,
    ),
    Shape(
        "unsupported",
        _keys("SystemEvents"),
        advice="this is the answer of DescribeSystemEventAttribute, not an event; let EventBridge deliver events",
    ),
    Shape(
        "unsupported",
        _keys("labels annotations"),
        advice="this is an alert on its way to ARMS or Alertmanager; let them notify the function by a webhook",
    ),
)
MANUAL = Shape("manual", frozenset(), module="manual")
UNKNOWN = Shape(
    "unsupported",
    frozenset(),
    advice=f"this is no event of a known source; any tool can send a request instead: {REQUEST_EXAMPLE}",
)
_FORMS = ("cms_threshold", "cms_subscription")
_GATEWAY_TEMPLATE = ('"httpMethod"', '"pathParameters"', '"isBase64Encoded"')


def recognise(body: Mapping[str, object], *, is_form: bool) -> Shape:
    """Return the shape of an object; a form can only be one of CloudMonitor's callbacks."""
    keys = body.keys()
    for shape in SHAPES:
        if shape.every <= keys and (not shape.some or shape.some & keys):
            return UNKNOWN if is_form and shape.kind not in _FORMS else shape
    if is_form:
        return UNKNOWN
    from ecs_reboot.events.sources.manual import is_request  # noqa: PLC0415 - an alarm needs nothing of it

    return MANUAL if is_request(body) else UNKNOWN


def asks(body: Mapping[str, object]) -> bool:
    """Return whether an object inside another's envelope is an alarm, a group of alerts or a request that is read here.

    More careful than ``recognise``: a stranger's object may have a ``name`` and ``tags``, but hardly our ``region_id``.
    """
    shape = recognise(body, is_form=False)
    if shape.kind != "manual":
        return bool(shape.module) and shape.kind != "timer"
    return "instance_ids" in body or "region_id" in body


def is_gateway_template(text: str) -> bool:
    """Return whether text that is no JSON is the console's template of an API gateway event."""
    return all(mark in text for mark in _GATEWAY_TEMPLATE)
