"""The newest value of the metric that fired, from CloudMonitor."""

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from ecs_reboot.cloud.ecs_api import Api, Question
from ecs_reboot.cloud.errors import NoAnswer
from ecs_reboot.facts.answers import Body, Inquiry, text
from ecs_reboot.model import Metric
from ecs_reboot.policy.facts import Facts
from ecs_reboot.policy.findings import Reading

_API = Api("cms", "DescribeMetricLast")
#: No alarm says which period it rests on; every metric of ECS that alarms has this one. Seconds.
_PERIOD = "60"


def inquire(region_id: str, wanted: Sequence[Facts]) -> Inquiry:
    """Ask for at most 50 instances, once for each metric."""
    metrics: dict[tuple[str, str], list[Facts]] = {}
    for facts in wanted:
        if facts.request.metric:
            metrics.setdefault((facts.request.metric.namespace, facts.request.metric.name), []).append(facts)
    groups = list(metrics.items())
    answers = yield [
        Question(
            _API,
            region_id,
            {
                "Namespace": namespace,
                "MetricName": name,
                "Period": _PERIOD,
                "Dimensions": json.dumps(
                    [dict(facts.request.metric.dimensions) for facts in of_it if facts.request.metric]
                ),
            },
        )
        for (namespace, name), of_it in groups
    ]
    return {
        facts.target.instance_id: newest
        for (_, of_it), body in zip(groups, answers, strict=True)
        for points in [_datapoints(body)]
        for facts in of_it
        if facts.request.metric and (newest := _newest(points, facts.request.metric))
    }


def _datapoints(body: Body) -> list[Any]:
    """Take the points out of the answer, which has a verdict of its own beside the HTTP status."""
    if text(body, "Success").lower() != "true" or text(body, "Code") not in ("", "200"):
        raise NoAnswer(_API.action, f"Code {text(body, 'Code')}: {text(body, 'Message')}")
    try:
        points = json.loads(text(body, "Datapoints") or "[]")
    except ValueError:
        points = None
    if not isinstance(points, list):
        raise NoAnswer(_API.action, "Datapoints is no JSON list")
    return points


def _newest(points: list[Any], metric: Metric) -> Reading | None:
    readings = [
        Reading(at=datetime.fromtimestamp(point["timestamp"] / 1000, timezone.utc), value=point[metric.statistic])
        for point in points
        if isinstance(point, dict)
        and all(str(point.get(name)) == value for name, value in metric.dimensions)
        and isinstance(point.get(metric.statistic), (int, float))
        and isinstance(point.get("timestamp"), int)
    ]
    return max(readings, key=lambda reading: reading.at, default=None)
