"""One firing element of each source that reports faults: what every source must be able to show.

A new source adds its row here; ``test_sources`` says what else is missing. ``over``, ``at_odds`` and ``monitor`` are
changes to ``firing``: its recovery, a second state that contradicts the first, and what the monitor says of itself.
"""

from typing import Any, NamedTuple

ID, TWO = "i-bp1a2b3c4d5e6f7g8h9i", "i-bp1z9y8x7w6v5u4t3s2r"
ARN = f"acs:ecs:cn-hangzhou:1000000000000000:instance/{ID}"
Fields = dict[str, Any]


class Sample(NamedTuple):
    """A source's firing element, bare, and changes to it."""

    trigger: str
    firing: Fields
    over: tuple[Fields, ...]
    at_odds: tuple[Fields, ...]
    monitor: tuple[Fields, ...] = ()
    is_system_event: bool = False


_SYSTEM = "Instance:SystemMaintenance.Reboot"
_ALERT: Fields = {
    "labels": {"alertname": "HostDown", "instance_id": ID},
    "startsAt": "2024-06-01T03:39:00Z",
    "fingerprint": "f1",
}


def _group(**changes: Any) -> Fields:
    return {"status": "firing", "groupLabels": {}, "alerts": [{"status": "firing", **_ALERT, **changes}]}


def _labelled(**labels: str) -> Fields:
    return _group(labels={**_ALERT["labels"], **labels})


def _subscription(status: str, word: str) -> Fields:
    meta = {"name": f"{_SYSTEM}:{word}", "product": "ECS", "regionId": "cn-hangzhou", "resourceId": ARN, "status": word}
    alert = {
        "alertStatus": status,
        "eventContentMap": {"eventId": "e-1", "eventStatus": word},
        "meta": {"sysEventMeta": {**meta, "eventTime": "20240601T113900.000+0800"}},
    }
    return {"alert": alert}


def _metric(**changes: Any) -> Fields:
    meta = {
        "dimensions": f"{{instanceId={ID}, userId=1}}",
        "metricName": "CPUUtilization",
        "namespace": "acs_ecs_dashboard",
        "regionId": "cn-hangzhou",
        "ruleId": "r1",
        "ruleName": "cpu",
    }
    alert = {"alertStatus": "TRIGGERED", "source": "METRIC", "product": "ECS", "timestamp": 1717213140000}
    return {"alert": {**alert, "meta": {"metricEventMeta": {**meta, **changes}}}}


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "cms_threshold",
        {
            "alertName": "cpu", "alertState": "ALERT", "triggerLevel": "CRITICAL", "namespace": "acs_ecs_dashboard",
            "ruleId": "r1", "timestamp": "1717213140000", "dimensions": f"{{instanceId={ID}, userId=1}}",
        },
        over=({"alertState": "OK"}, {"triggerLevel": "OK"}),
        at_odds=({"curLevel": "OK"}, {"triggerLevel": "NEW"}),
        monitor=({"alertState": "INSUFFICIENT_DATA"}, {"alertName": "Test notification"}),
    ),
    Sample(
        "cms_threshold_mns",
        {
            "ruleId": "r1", "ruleName": "cpu", "curLevel": "CRITICAL", "namespace": "acs_ecs_dashboard",
            "metricData": {"instanceId": ID}, "resources": f'{{"instanceId": "{ID}"}}', "time": 1717213140000,
        },
        over=({"curLevel": "OK"}, {"eventName": "AlertOk"}),
        at_odds=({"alertState": "OK"}, {"triggerLevel": "OK"}),
        monitor=({"curLevel": "INSUFFICIENT_DATA"}, {"ruleName": "Watchdog"}),
    ),
    Sample(
        "cms_event",
        {
            "product": "ECS", "name": f"{_SYSTEM}:Scheduled", "status": "Scheduled", "resourceId": ARN,
            "eventTime": "20240601T113900.000+0800", "content": {"eventId": "e-1", "eventStatus": "Scheduled"},
        },
        over=({"status": "Avoided"}, {"content": {"eventId": "e-1", "eventStatus": "Canceled"}}),
        at_odds=({"status": "Executing"}, {"name": f"{_SYSTEM}:Canceled"}),
        is_system_event=True,
    ),
    Sample(
        "cms_subscription>cms_event",
        {"subscription": {}, "batchId": "b", **_subscription("TRIGGERED", "Scheduled")},
        over=(_subscription("RESOLVED", "Canceled"), _subscription("RESOLVED", "Scheduled")),
        at_odds=(_subscription("TRIGGERED", "Canceled"), _subscription("UNHEARD", "Scheduled")),
        is_system_event=True,
    ),
    Sample(
        "cms_subscription>cms_threshold",
        {"subscription": {}, "batchId": "b", **_metric()},
        over=({"alert": {**_metric()["alert"], "alertStatus": "RESOLVED"}}, _metric(alertState="OK")),
        at_odds=(_metric(triggerLevel="OK"), _metric(alertState="NEW")),
        monitor=(_metric(alertState="INSUFFICIENT_DATA"), _metric(ruleName="Test notification")),
    ),
    Sample(
        "eventbridge",
        {
            "specversion": "1.0", "id": "1", "source": "acs.ecs", "type": f"ecs:{_SYSTEM}", "subject": ARN,
            "time": "2024-06-01T03:39:00Z", "data": {"eventId": "e-1", "eventStatus": "Scheduled", "instanceId": ID},
        },
        over=({"data": {"eventId": "e-1", "eventStatus": "Canceled"}},),
        at_odds=({"type": f"ecs:{_SYSTEM}:Executing"}, {"data": {"eventStatus": "Scheduled", "state": "Running"}}),
        is_system_event=True,
    ),
    Sample(
        "sls",
        {
            "alert_id": "hang", "alert_name": "hang", "alert_instance_id": "a", "status": "firing", "resolve_time": 0,
            "alert_time": 1717213140, "fire_time": 1717213080, "labels": {"instance_id": ID}, "annotations": {},
            "fire_results": [{"n": "1"}], "fingerprint": "f1",
        },
        over=({"status": "resolved"}, {"resolve_time": 1717213150}),
        at_odds=({"resolve_time": 1717213150}, {"resolve_time": [0]}),
        monitor=(
            {"status": "no_data"},
            {"alert_name": "TestAlert"},
            {"annotations": {"nodata": "true"}},
            {"labels": {"instance_id": ID, "alertname": "DatasourceNoData"}},
            {"fire_results": [], "results": [{"raw_result_count": 0, "raw_results": []}]},
        ),
    ),
    Sample(
        "alertmanager",
        _group(),
        over=(_group(status="resolved"),),
        at_odds=(_group(state="resolved"), _group(state="pending")),
        monitor=(
            _labelled(alertname="DatasourceNoData"),
            _labelled(alertname="DatasourceError"),
            _labelled(alertname="Watchdog"),
            _labelled(alertname="DeadMansSwitch"),
            _labelled(alertname="TestAlert"),
            _labelled(grafana_state_reason="Error"),
            _group(annotations={"grafana_state_reason": "NoData, KeepLast"}),
            _group(status={"state": "suppressed"}),
            _group(status={"state": "active", "inhibitedBy": ["x"]}, endsAt="2099-01-01T00:00:00Z"),
        ),
    ),
    Sample(
        "grafana_legacy",
        {
            "ruleId": 1, "ruleName": "web-01 down", "state": "alerting", "title": "[Alerting] web-01 down",
            "tags": {"instance_id": ID}, "evalMatches": [{"value": 97, "metric": "cpu", "tags": None}],
        },
        over=({"state": "ok"}, {"state": "OK"}),
        at_odds=({"state": "pending"}, {"state": "paused"}),
        monitor=(
            {"state": "no_data"},
            {"evalMatches": []},
            {"evalMatches": None},
            {"evalMatches": [{"value": None, "metric": "cpu", "tags": {"instance_id": ID}}]},
            {"evalMatches": [{"value": 0, "metric": "NoData", "tags": None}]},
            {"ruleName": "Test notification"},
        ),
    ),
    Sample(
        "nightingale",
        {
            "is_recovered": False, "rule_id": 5, "rule_name": "host down", "hash": "h", "trigger_time": 1717213140,
            "trigger_value": "0", "tags_map": {"instance_id": ID},
        },
        over=({"is_recovered": True},),
        at_odds=({"is_recovered": None}, {"is_recovered": "false"}),
        monitor=({"trigger_value": "nodata"}, {"trigger_type": "nodata"}, {"rule_name": "测试通知"}),
    ),
)  # fmt: skip
