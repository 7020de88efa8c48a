"""DescribeMetricLast: the newest value of a metric that a fleet file declares."""

import json
from datetime import timedelta

from localcloud.account.instances import EcsInstance
from localcloud.ecs.call import ActionRow, Body, EcsCall, Outcome
from localcloud.ecs.parameters import Parameter
from localcloud.openapi.errors import ApiError

VERSION = "2019-01-01"
_NAMESPACE = "acs_ecs_dashboard"
_MOST = 50
#: Minute data goes back two hours from the end of the range.
_RANGE = timedelta(hours=2)


def describe_metric_last(call: EcsCall) -> Outcome:
    """Answer with one point for each instance that has the metric; the verdict stands in the body as well."""
    if not call.allowed("cms:QueryMetricLast", f"acs:cms:*:{call.cloud.account}:*"):
        raise ApiError("Forbidden.RAM", "cms:QueryMetricLast")
    if call.arguments.text("Namespace") != _NAMESPACE:
        raise ApiError("ResourceNotFound", f"the local cloud has {_NAMESPACE}")
    wanted = _dimensions(call.arguments.text("Dimensions"))
    name, now = call.arguments.text("MetricName"), call.cloud.clock.now()
    points = []
    for instance in call.cloud.fleet:
        spec = instance.spec.metrics.get(name)
        if spec is None or not instance.spec.visible or (wanted and instance.spec.instance_id not in wanted):
            continue
        at = spec.at or now - timedelta(seconds=now.second + 60, microseconds=now.microsecond)
        if instance.status == "Running" and now - at < _RANGE:
            points.append(_point(instance, int(at.timestamp() * 1000), _value(instance, name), call.cloud.account))
    period = call.arguments.text("Period")
    body: Body = {"Code": "200", "Success": True, "Message": "", "Period": period, "NextToken": ""}
    return Outcome({**body, "Datapoints": json.dumps(points)})


def _value(instance: EcsInstance, name: str) -> float:
    spec = instance.spec.metrics[name]
    return spec.after_reboot if instance.started_again and spec.after_reboot is not None else spec.value


def _point(instance: EcsInstance, timestamp: int, value: float, account: str) -> Body:
    named = {"timestamp": timestamp, "userId": account, "instanceId": instance.spec.instance_id}
    return {**named, "Average": value, "Minimum": value, "Maximum": value}


def _dimensions(text: str) -> frozenset[str]:
    try:
        rows = json.loads(text or "[]")
        ids = frozenset(row["instanceId"] for row in rows)
    except (ValueError, TypeError, KeyError):
        raise ApiError(
            "ParameterInvalid", f"Dimensions is {text[:200]!r}: a JSON list of objects with instanceId"
        ) from None
    if len(ids) > _MOST:
        raise ApiError("ParameterInvalid", f"Dimensions names {len(ids)} instances: at most {_MOST}")
    return ids


ACTIONS = {
    "DescribeMetricLast": ActionRow(
        (
            Parameter("Namespace", required=True, missing_code="ParameterInvalid"),
            Parameter("MetricName", required=True, missing_code="ParameterInvalid"),
            Parameter("Dimensions"),
            Parameter("Period", allowed=("15", "60", "900", "3600"), default="60", invalid_code="ParameterInvalid"),
            Parameter("Length", "integer", default=1000, maximum=1440),
            Parameter("StartTime", "refused"),
            Parameter("EndTime", "refused"),
            Parameter("NextToken", "refused"),
            Parameter("Express", "refused"),
        ),
        describe_metric_last,
    ),
}
