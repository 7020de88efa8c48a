"""What counts as firing, now, on ECS: one word out of place and nothing follows."""

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from ecs_reboot.events import EventSettings, read
from ecs_reboot.events.system_event_catalog import switchable
from ecs_reboot.model import ParsedEvent

ID = "i-bp1a2b3c4d5e6f7g8h9i"
ARN = f"acs:ecs:cn-hangzhou:1000000000000000:instance/{ID}"
NOW = datetime(2024, 6, 1, 3, 40, tzinfo=timezone.utc)
RULES = EventSettings(default_region="cn-hangzhou", actionable_events=switchable())
ALARM = {
    "alertState": "ALERT",
    "triggerLevel": "CRITICAL",
    "preTriggerLevel": "OK",
    "namespace": "acs_ecs_dashboard",
    "timestamp": "1717213140",
    "dimensions": {"instanceId": ID},
}
MNS = {
    "curLevel": "CRITICAL",
    "preLevel": "OK",
    "metricData": {"instanceId": ID},
    "namespace": "acs_ecs_dashboard",
    "time": 1717213140000,
}
SYSTEM = {
    "product": "ECS",
    "name": "Instance:SystemMaintenance.Reboot:Scheduled",
    "status": "Scheduled",
    "level": "INFO",
    "resourceId": ARN,
    "eventTime": "20240601T113900.000+0800",
    "content": {"eventStatus": "Scheduled", "instanceId": ID},
}
CLOUD_EVENT = {
    "specversion": "1.0",
    "source": "acs.ecs",
    "type": "ecs:Instance:SystemMaintenance.Reboot",
    "subject": ARN,
    "time": "2024-06-01T03:39:00Z",
    "data": {"eventStatus": "Scheduled", "instanceId": ID},
}
SLS = {
    "alert_instance_id": "a",
    "status": "firing",
    "resolve_time": 0,
    "alert_time": 1717213140,
    "labels": {"instance_id": ID},
}
LISTED = {
    "labels": {"alertname": "x", "instance_id": ID},
    "startsAt": "2024-06-01T03:39:00Z",
    "endsAt": "2024-06-01T03:45:00Z",
}
GROUP = {"status": "firing", "alerts": [{**LISTED, "status": "firing"}]}
GRAFANA = {"state": "alerting", "ruleId": 1, "evalMatches": [{"value": 9, "tags": {"instance_id": ID}}]}


def reading(event: object, **rules: Any) -> ParsedEvent:
    return read(json.dumps(event).encode(), RULES.model_copy(update=rules), NOW)


@pytest.mark.parametrize("event", [ALARM, MNS, SYSTEM, CLOUD_EVENT, SLS, [LISTED], GROUP])
def test_the_untouched_event_fires(event: object) -> None:
    (request,) = reading(event).requests
    assert [target.instance_id for target in request.targets] == [ID]
    assert request.event_time == datetime(2024, 6, 1, 3, 39, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("event", "change", "code"),
    [
        (ALARM, {"alertState": "INSUFFICIENT_DATA"}, "monitor_fault"),
        (ALARM, {"alertState": None}, "not_firing"),
        (ALARM, {"alertState": "null"}, "not_firing"),
        (ALARM, {"alertState": "NEW"}, "not_firing"),
        (ALARM, {"alertState": ["ALERT"]}, "not_firing"),
        (ALARM, {"alertState": True}, "not_firing"),
        (ALARM, {"triggerLevel": "NEW"}, "not_firing"),
        (ALARM, {"triggerLevel": "OK"}, "alarm_over"),
        (ALARM, {"curLevel": "OK"}, "alarm_over"),
        (ALARM, {"eventName": "AlertOk"}, "alarm_over"),
        (MNS, {"curLevel": "OK"}, "alarm_over"),
        (MNS, {"curLevel": None}, "not_firing"),
        (MNS, {"curLevel": "ALERT"}, "not_firing"),
        (MNS, {"alertState": "OK"}, "alarm_over"),
        (SYSTEM, {"status": "Normal"}, "information"),
        (SYSTEM, {"status": "Avoided"}, "alarm_over"),
        (SYSTEM, {"name": "Instance:SystemMaintenance.Reboot:Canceled"}, "alarm_over"),
        (SYSTEM, {"content": {"executeFinishTime": "2024-06-01T03:39:00Z", "instanceId": ID}}, "alarm_over"),
        (SYSTEM, {"content": {"state": "Running", "instanceId": ID}}, "alarm_over"),
        (CLOUD_EVENT, {"data": {"instanceId": ID}}, "information"),
        (CLOUD_EVENT, {"data": {"instanceId": ID, "eventStatus": "Unheard"}}, "information"),
        (CLOUD_EVENT, {"type": "ecs:Instance:SystemMaintenance.Reboot:Executed"}, "alarm_over"),
        (SLS, {"status": None}, "not_firing"),
        (SLS, {"status": "alerting"}, "not_firing"),
        (SLS, {"resolve_time": 1717213140}, "alarm_over"),
        (SLS, {"resolve_time": [0]}, "not_firing"),
        (GRAFANA, {"state": "ok"}, "alarm_over"),
        (GRAFANA, {"state": "no_data"}, "monitor_fault"),
        (GRAFANA, {"state": "pending"}, "not_firing"),
        (GRAFANA, {"state": "paused"}, "not_firing"),
    ],
)
def test_one_state_out_of_place_and_nothing_follows(
    event: dict[str, object], change: dict[str, object], code: str
) -> None:
    found = reading({**event, **change}, max_event_age_seconds=0)
    assert [ignored.code for ignored in found.ignored] == [code]
    assert not found.requests
    assert not found.rejected


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"endsAt": "2024-06-01T03:39:59Z"}, "alarm_over"),
        ({"endsAt": "0001-01-01T00:00:00Z"}, "not_firing"),
        ({"endsAt": "later"}, "not_firing"),
        ({"endsAt": None}, "not_firing"),
        ({"status": "resolved"}, "alarm_over"),
        ({"status": {"state": "unprocessed"}}, "not_firing"),
        ({"status": {"state": "active"}, "endsAt": "2024-06-01T03:39:59Z"}, "alarm_over"),
        ({"status": {"state": "suppressed"}}, "monitor_fault"),
        ({"status": {"state": "active", "silencedBy": ["1"]}}, "monitor_fault"),
        ({"status": {}}, "not_firing"),
    ],
)
def test_a_listed_alert_fires_only_while_its_end_is_ahead(change: dict[str, object], code: str) -> None:
    found = reading([{**LISTED, **change}])
    assert [ignored.code for ignored in found.ignored] == [code]
    assert not found.requests


def test_the_groups_status_says_nothing_about_its_alerts() -> None:
    alert = {**LISTED, "status": "resolved"}
    assert [ignored.code for ignored in reading({**GROUP, "alerts": [alert]}).ignored] == ["alarm_over"]
    assert len(reading({**GROUP, "status": "resolved"}).requests) == 1
    assert [ignored.code for ignored in reading({**GROUP, "alerts": [{**LISTED, "status": None}]}).ignored] == [
        "not_firing"
    ]


@pytest.mark.parametrize(
    "event",
    [
        {**SYSTEM, "product": "RDS"},
        {**SYSTEM, "product": None},
        {**SYSTEM, "product": "CloudMonitor", "resourceId": None},
        {**SYSTEM, "resourceId": f"acs:rds:cn-hangzhou:1:instance/{ID}"},
        {**CLOUD_EVENT, "subject": f"acs:rds:cn-hangzhou:1:instance/{ID}"},
    ],
)
def test_an_event_of_another_product_is_not_for_us(event: object) -> None:
    assert [refused.code for refused in reading(event).rejected] == ["not_ecs"]
    assert not reading(event).requests


@pytest.mark.parametrize("source", ["acs.rds", "acs:oss", "my.own", "acs.cms", 5])
@pytest.mark.parametrize("data", [CLOUD_EVENT["data"], "text", None, [1], {"name": "web", "size": 3}])
def test_an_event_of_another_source_asks_for_nothing_and_is_called_what_it_is(source: object, data: object) -> None:
    found = reading({**CLOUD_EVENT, "source": source, "data": data})
    (said,) = found.ignored
    assert said.code == "information"
    assert str(source) in said.reason
    assert str(CLOUD_EVENT["type"]) in said.reason
    assert not found.rejected
    assert not found.requests


def test_only_configured_labels_name_an_instance() -> None:
    event = {**SLS, "labels": {"host": ID, "instance": ID}}
    assert [refused.code for refused in reading(event).rejected] == ["no_instance_id"]
    assert reading(event, instance_labels=("host",)).requests


def test_the_region_of_the_log_project_is_not_the_instances() -> None:
    event = {**SLS, "region": "cn-beijing"}
    assert reading(event).requests[0].targets[0].region_id == "cn-hangzhou"
    assert [refused.code for refused in reading(event, default_region="").rejected] == ["no_region"]


def test_the_region_of_the_bus_stands_in_only_for_none() -> None:
    event = {**CLOUD_EVENT, "aliyunregionid": "cn-chengdu"}
    assert reading(event).requests[0].targets[0].region_id == "cn-hangzhou"
    event["subject"] = "somewhere"
    assert reading(event).requests[0].targets[0].region_id == "cn-chengdu"
