"""What a sender puts on the wire: CloudMonitor's alarms, and the envelope of the HTTP trigger around a webhook."""

import base64
import json
from datetime import datetime, timezone
from itertools import cycle, islice
from urllib.parse import urlencode

from localcloud.account.instances import Instances

#: How many alarms a storm may have.
MOST = 500


def storm(fleet: Instances, count: int, now: datetime) -> list[str]:
    """Return ``count`` alarms at once in the region with the most instances; each instance once before any twice."""
    regions: dict[str, list[str]] = {}
    for instance in fleet:
        if instance.spec.visible:
            regions.setdefault(instance.spec.region_id, []).append(instance.spec.instance_id)
    if not regions:
        return []
    region = max(regions, key=lambda region: len(regions[region]))
    return [alarm(instance_id, region, now) for instance_id in islice(cycle(regions[region]), count)]


def alarm(instance_id: str, region_id: str, now: datetime) -> str:
    """Write one firing alarm on CPU use as the form of CloudMonitor's callback."""
    return urlencode(
        {
            "userId": "1234567890123456",
            "alertName": "cpu-high",
            "ruleId": "console-cpu-high",
            "timestamp": str(int(now.timestamp() * 1000)),
            "alertState": "ALERT",
            "triggerLevel": "CRITICAL",
            "preTriggerLevel": "OK",
            "dimensions": f"{{userId=1234567890123456, instanceId={instance_id}}}",
            "expression": "$Average>=95",
            "curValue": "98.6",
            "unit": "%",
            "metricName": "(ECS)CPUUtilization",
            "rawMetricName": "CPUUtilization",
            "metricProject": "acs_ecs_dashboard",
            "namespace": "acs_ecs_dashboard",
            "regionId": region_id,
            "regionName": region_id,
            "lastTime": "3 minutes",
        }
    )


def through_http_trigger(body: str, token: str, now: datetime) -> str:
    """Wrap a webhook's body as the HTTP trigger hands it to the function."""
    kind = "application/json" if body.lstrip()[:1] in ("{", "[") else "application/x-www-form-urlencoded"
    return json.dumps(
        {
            "version": "v1",
            "rawPath": "/",
            "body": base64.b64encode(body.encode("utf-8", "surrogatepass")).decode(),
            "isBase64Encoded": True,
            "headers": {"Content-Type": f"{kind}; charset=UTF-8"},
            "queryParameters": {"token": token} if token else {},
            "requestContext": {
                "http": {"method": "POST", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
                "time": now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "timeEpoch": str(int(now.timestamp() * 1000)),
            },
        }
    )
