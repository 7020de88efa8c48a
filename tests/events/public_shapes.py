"""A hundred more payloads with the shapes of public code and documents, and what an engineer on call would expect.

Shapes, field names and states are as published; every value is ours. ``expected`` is `reboot`, or the code of the
record; several elements are joined by a blank, in the order of the codes' names.
"""

from typing import Any, NamedTuple

ID = "i-bp1a2b3c4d5e6f7g8h9i"
TWO = "i-bp1z9y8x7w6v5u4t3s2r"
ARN = f"acs:ecs:cn-hangzhou:1000000000000007:instance/{ID}"
AT, ENDED, NEVER = "2024-06-01T03:39:00.612Z", "2024-06-01T03:39:30Z", "0001-01-01T00:00:00Z"
UNIX = 1717213140
Fields = dict[str, Any]


class Payload(NamedTuple):
    """One payload: the shape's origin, the event, what is expected."""

    origin: str
    event: object
    expected: str


def alert(name: str, status: object = "firing", *, id_label: str = "instance_id", **more: Any) -> Fields:
    labels = {"alertname": name, "job": "node", "severity": "critical", **({id_label: ID} if id_label else {})}
    labels.update(more.pop("labels", {}))
    state = {} if status is None else {"status": status}
    ends = ENDED if status == "resolved" else NEVER
    return {**state, "labels": labels, "annotations": {"summary": "x"}, "startsAt": AT, "endsAt": ends, **more}


def group(*alerts: Fields, **more: Any) -> Fields:
    head = {"version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "fc"}
    rest = {"groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://am:9093"}
    return {**head, **rest, "alerts": list(alerts), **more}


def grafana(*alerts: Fields, **more: Any) -> Fields:
    return group(*alerts, version="1", orgId=1, title="[FIRING:1]", state="alerting", message="m", **more)


def values(**more: Any) -> Fields:
    return {"values": {"A": 97.1}, "valueString": "[ var='A' value=97.1 ]", "silenceURL": "http://g/silence", **more}


def legacy(**more: Any) -> Fields:
    match = {"value": 1, "metric": "Count", "tags": {"instance_id": ID}}
    base = {"dashboardId": 1, "evalMatches": [match], "message": "m", "orgId": 1, "panelId": 2, "ruleId": 1}
    return {**base, "ruleName": "Panel alert", "ruleUrl": "u", "state": "alerting", "title": "[Alerting] x", **more}


def alarm(**more: Any) -> Fields:
    base = {"alertName": "cpu", "alertState": "ALERT", "curValue": "97.39", "expression": "$Average>=95", "unit": "%"}
    about = {"dimensions": f"{{userId=1, instanceId={ID}}}", "metricName": "cpu_total", "metricProject": "acs_ecs"}
    rest = {"namespace": "acs_ecs_dashboard", "preTriggerLevel": "WARN", "ruleId": "r", "timestamp": str(UNIX)}
    return {**base, **about, **rest, "triggerLevel": "WARN", "userId": "1", **more}


def n9e(**more: Any) -> Fields:
    base = {"id": 1, "hash": "h", "rule_id": 7, "rule_name": "disk", "severity": 1, "target_ident": "host01"}
    tags = {"tags": ["__name__=disk_free", "device=vda1", f"instance_id={ID}"], "trigger_value": "22"}
    return {**base, **tags, "trigger_time": UNIX, "is_recovered": False, "last_eval_time": UNIX, **more}


def sls(**more: Any) -> Fields:
    base = {"aliuid": "1", "alert_id": "alert-1", "alert_instance_id": "a-1", "alert_name": "err", "project": "p"}
    time = {"alert_time": UNIX, "fire_time": UNIX - 300, "resolve_time": 0, "region": "cn-chengdu", "severity": 8}
    rows = {"fire_results": [{"cnt": "49", "instance_id": ID}], "fire_results_count": 1, "results": []}
    return {**base, **time, **rows, "status": "firing", "labels": {}, "annotations": {}, **more}


def cloud(source: str, kind: str, data: object, **more: Any) -> Fields:
    head = {"id": "1", "source": source, "specversion": "1.0", "type": kind, "subject": ARN}
    return {**head, "time": "2024-06-01T11:39:00+08:00", "datacontenttype": "application/json", "data": data, **more}


def subscribed(name: str, status: str, alert_status: str = "TRIGGERED", **content: Any) -> Fields:
    meta = {"name": name, "status": status, "product": "ECS", "regionId": "cn-hangzhou", "resourceId": ARN}
    meta |= {"level": "INFO", "eventTime": "20240601T113900.108+0800", "id": "1e94", "instanceName": "web-01"}
    alert = {
        "alertStatus": alert_status,
        "eventContentMap": content,
        "eventName": name,
        "arn": ARN,
        "source": "SYS_EVENT",
    }
    more = {"relatedAlertIds": ["1e94"], "retriggerTime": 0, "escalationLevel": 0, "autoResolveTime": 0}
    return {
        "severity": "INFO",
        "batchId": "b",
        "strategyName": "s",
        "alert": {**alert, "meta": {"sysEventMeta": meta}},
        **more,
    }


def event(name: str, status: str, **more: Any) -> Fields:
    content = {"eventId": "e-1", "instanceId": ID, **more.pop("content", {})}
    head = {"product": "ECS", "level": "CRITICAL", "instanceName": "web-01", "regionId": "cn-hangzhou", "ver": "1.0"}
    return {**head, "name": name, "status": status, "resourceId": ARN, "eventTime": "20240601T113900.922+0800",
            "content": content, **more}  # fmt: skip


NO_ID = {"id_label": ""}
