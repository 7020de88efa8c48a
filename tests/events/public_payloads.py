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


def _alert(name: str, status: object = "firing", *, id_label: str = "instance_id", **more: Any) -> Fields:
    labels = {"alertname": name, "job": "node", "severity": "critical", **({id_label: ID} if id_label else {})}
    labels.update(more.pop("labels", {}))
    state = {} if status is None else {"status": status}
    ends = ENDED if status == "resolved" else NEVER
    return {**state, "labels": labels, "annotations": {"summary": "x"}, "startsAt": AT, "endsAt": ends, **more}


def _group(*alerts: Fields, **more: Any) -> Fields:
    head = {"version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "fc"}
    rest = {"groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://am:9093"}
    return {**head, **rest, "alerts": list(alerts), **more}


def _grafana(*alerts: Fields, **more: Any) -> Fields:
    return _group(*alerts, version="1", orgId=1, title="[FIRING:1]", state="alerting", message="m", **more)


def _values(**more: Any) -> Fields:
    return {"values": {"A": 97.1}, "valueString": "[ var='A' value=97.1 ]", "silenceURL": "http://g/silence", **more}


def _legacy(**more: Any) -> Fields:
    match = {"value": 1, "metric": "Count", "tags": {"instance_id": ID}}
    base = {"dashboardId": 1, "evalMatches": [match], "message": "m", "orgId": 1, "panelId": 2, "ruleId": 1}
    return {**base, "ruleName": "Panel alert", "ruleUrl": "u", "state": "alerting", "title": "[Alerting] x", **more}


def _alarm(**more: Any) -> Fields:
    base = {"alertName": "cpu", "alertState": "ALERT", "curValue": "97.39", "expression": "$Average>=95", "unit": "%"}
    about = {"dimensions": f"{{userId=1, instanceId={ID}}}", "metricName": "cpu_total", "metricProject": "acs_ecs"}
    rest = {"namespace": "acs_ecs_dashboard", "preTriggerLevel": "WARN", "ruleId": "r", "timestamp": str(UNIX)}
    return {**base, **about, **rest, "triggerLevel": "WARN", "userId": "1", **more}


def _n9e(**more: Any) -> Fields:
    base = {"id": 1, "hash": "h", "rule_id": 7, "rule_name": "disk", "severity": 1, "target_ident": "host01"}
    tags = {"tags": ["__name__=disk_free", "device=vda1", f"instance_id={ID}"], "trigger_value": "22"}
    return {**base, **tags, "trigger_time": UNIX, "is_recovered": False, "last_eval_time": UNIX, **more}


def _sls(**more: Any) -> Fields:
    base = {"aliuid": "1", "alert_id": "alert-1", "alert_instance_id": "a-1", "alert_name": "err", "project": "p"}
    time = {"alert_time": UNIX, "fire_time": UNIX - 300, "resolve_time": 0, "region": "cn-chengdu", "severity": 8}
    rows = {"fire_results": [{"cnt": "49", "instance_id": ID}], "fire_results_count": 1, "results": []}
    return {**base, **time, **rows, "status": "firing", "labels": {}, "annotations": {}, **more}


def _cloud(source: str, kind: str, data: object, **more: Any) -> Fields:
    head = {"id": "1", "source": source, "specversion": "1.0", "type": kind, "subject": ARN}
    return {**head, "time": "2024-06-01T11:39:00+08:00", "datacontenttype": "application/json", "data": data, **more}


def _subscribed(name: str, status: str, alert_status: str = "TRIGGERED", **content: Any) -> Fields:
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


def _event(name: str, status: str, **more: Any) -> Fields:
    content = {"eventId": "e-1", "instanceId": ID, **more.pop("content", {})}
    head = {"product": "ECS", "level": "CRITICAL", "instanceName": "web-01", "regionId": "cn-hangzhou", "ver": "1.0"}
    return {**head, "name": name, "status": status, "resourceId": ARN, "eventTime": "20240601T113900.922+0800",
            "content": content, **more}  # fmt: skip


_NO_ID = {"id_label": ""}
PAYLOADS = [
    *(
        Payload(f"alertmanager webhook, rule {name}", _group(_alert(name)), "reboot")
        for name in (
            "InstanceDown",
            "TargetDown",
            "NodeDown",
            "HostOutOfMemory",
            "HostHighCpuLoad",
            "KubeNodeNotReady",
            "NodeFilesystemReadonly",
            "HostUnusualDiskReadLatency",
            "NodeClockNotSynchronising",
            "KubeletDown",
        )
    ),
    *(
        Payload(
            f"alertmanager webhook, no instance ID, {name}",
            _group(_alert(name, **_NO_ID, labels=labels)),
            "no_instance_id",
        )
        for name, labels in (
            ("ICMP ping failed", {"instance": "172.29.254.30"}),
            ("instance_down", {"instance": "example1"}),
            ("ProbeFailure", {"cluster": "foo", "target": "https://x"}),
            ("DiskFull", {"service": "storage"}),
            ("High Latency", {"service": "my-service"}),
            ("DiskAlmostFull", {"instance": "server1"}),
            ("HighCPUUsage", {"instance": "prod-web-01"}),
            ("PodCrash", {"namespace": "app", "pod": "p-1"}),
        )
    ),
    Payload(
        "alertmanager webhook, resolved", _group(_alert("InstanceDown", "resolved"), status="resolved"), "alarm_over"
    ),
    Payload(
        "alertmanager webhook, group says firing, alert resolved",
        _group(_alert("InstanceDown", "resolved")),
        "alarm_over",
    ),
    Payload(
        "alertmanager webhook, firing beside the same resolved",
        _group(_alert("x", "resolved"), _alert("x")),
        "alarm_over alarm_over",
    ),
    Payload("alertmanager webhook, alerts without a status", _group(_alert("x", None)), "not_firing"),
    Payload("alertmanager webhook, no alerts", _group(), "malformed"),
    Payload("alertmanager webhook, alerts left out", _group(_alert("x"), truncatedAlerts=4), "reboot truncated_alerts"),
    Payload("alertmanager webhook, commonAnnotations null", _group(_alert("x"), commonAnnotations=None), "reboot"),
    Payload("alertmanager webhook, annotations null", _group(_alert("x", annotations=None)), "reboot"),
    Payload(
        "alertmanager webhook, startsAt with an offset",
        _group(_alert("x", startsAt="2024-06-01T11:39:00.27+08:00")),
        "reboot",
    ),
    Payload("openshift Watchdog", _group(_alert("Watchdog", labels={"severity": "none"})), "monitor_fault"),
    Payload("kube-prometheus InfoInhibitor", _group(_alert("InfoInhibitor")), "monitor_fault"),
    Payload("dead man's switch", _group(_alert("DeadMansSwitch", **_NO_ID)), "monitor_fault"),
    Payload("a hand-made TestAlert", _group(_alert("TestAlert", labels={"instance": "test-node"})), "test_alert"),
    Payload(
        "alertmanager API v1, posted without times",
        [{"labels": {"alertname": "InstanceDown"}, "annotations": {}}],
        "unsupported",
    ),
    Payload("alertmanager API v1, end ahead", [_alert("x", None, endsAt="2024-06-01T03:45:00Z")], "reboot"),
    Payload("alertmanager API v1, end passed", [_alert("x", None, endsAt=ENDED)], "alarm_over"),
    Payload(
        "alertmanager API v2, active",
        [_alert("x", {"state": "active", "silencedBy": []}, endsAt="2024-06-01T03:45:00Z")],
        "reboot",
    ),
    Payload(
        "alertmanager API v2, suppressed", [_alert("x", {"state": "suppressed", "silencedBy": ["s"]})], "monitor_fault"
    ),
    Payload("alertmanager API v2, unprocessed", [_alert("x", {"state": "unprocessed"})], "not_firing"),
    Payload(
        "prometheus /api/v1/alerts",
        {"status": "success", "data": {"alerts": [{"labels": {}, "state": "firing"}]}},
        "unsupported",
    ),
    Payload("grafana 9 webhook", _grafana(_alert("web down", **_values())), "reboot"),
    Payload("grafana 9 webhook, resolved", _grafana(_alert("web down", "resolved", **_values())), "alarm_over"),
    Payload(
        "grafana DatasourceNoData",
        _grafana(_alert("DatasourceNoData", labels={"rulename": "web down", "ref_id": "A"})),
        "monitor_fault",
    ),
    Payload(
        "grafana DatasourceError", _grafana(_alert("DatasourceError", labels={"rulename": "web down"})), "monitor_fault"
    ),
    Payload(
        "grafana NoData kept as alerting",
        _grafana(_alert("web", annotations={"grafana_state_reason": "NoData"})),
        "monitor_fault",
    ),
    Payload(
        "grafana Error kept as alerting",
        _grafana(_alert("web", annotations={"grafana_state_reason": "Error"})),
        "monitor_fault",
    ),
    Payload(
        "grafana MissingSeries, resolved",
        _grafana(_alert("web", "resolved", annotations={"grafana_state_reason": "MissingSeries"})),
        "monitor_fault",
    ),
    Payload(
        "grafana contact point's test",
        _grafana(_alert("TestAlert", **_NO_ID, labels={"instance": "Grafana"})),
        "test_alert",
    ),
    Payload("legacy grafana", _legacy(), "reboot"),
    Payload(
        "legacy grafana, tags empty",
        _legacy(evalMatches=[{"value": 1, "metric": "Count", "tags": {}}]),
        "no_instance_id",
    ),
    Payload("legacy grafana, ok", _legacy(state="ok", evalMatches=[]), "alarm_over"),
    Payload("legacy grafana, no_data", _legacy(state="no_data", evalMatches=[]), "monitor_fault"),
    Payload(
        "legacy grafana, alerting without matches", _legacy(evalMatches=[], tags={"instance_id": ID}), "monitor_fault"
    ),
    Payload(
        "legacy grafana, null value",
        _legacy(evalMatches=[{"value": None, "metric": "NoData"}], tags={"instance_id": ID}),
        "monitor_fault",
    ),
    Payload(
        "legacy grafana, test",
        _legacy(ruleId=0, ruleName="Test notification", title="[Alerting] Test notification"),
        "test_alert",
    ),
    Payload("legacy grafana, pending", _legacy(state="pending"), "not_firing"),
    Payload("legacy grafana, paused", _legacy(state="paused"), "not_firing"),
    Payload(
        "grafana-like, title and state only",
        {"title": "Latency", "state": "alerting", "evalMatches": [], "tags": {}},
        "monitor_fault",
    ),
    Payload("cloudmonitor callback", _alarm(), "reboot"),
    Payload("cloudmonitor callback, OK", _alarm(alertState="OK", triggerLevel="OK"), "alarm_over"),
    Payload(
        "cloudmonitor callback, INSUFFICIENT_DATA",
        _alarm(alertState="INSUFFICIENT_DATA", triggerLevel="null"),
        "monitor_fault",
    ),
    Payload(
        "cloudmonitor callback, dimensions as JSON list",
        _alarm(dimensions=f'[{{"userId":"1","instanceId":"{ID}"}}]'),
        "reboot",
    ),
    Payload(
        "cloudmonitor callback, documented short ID",
        _alarm(dimensions='[{"userId":"12345","instanceId":"i-12345"}]'),
        "invalid_instance_id",
    ),
    Payload(
        "cloudmonitor callback, disk usage",
        _alarm(dimensions=f"{{instanceId={ID}, device=/dev/vda1, userId=1}}"),
        "reboot",
    ),
    Payload(
        "cloudmonitor callback, process",
        _alarm(dimensions=f"{{instanceId={ID}, processName=nginx: worker, a=b, userId=1}}"),
        "reboot",
    ),
    Payload(
        "cloudmonitor callback, RDS",
        _alarm(namespace="acs_rds_dashboard", metricProject="acs_rds", dimensions="{instanceId=rm-1, userId=1}"),
        "not_ecs",
    ),
    Payload(
        "cloudmonitor callback, SLB",
        _alarm(namespace="acs_slb_dashboard", metricProject="acs_slb", dimensions="{instanceId=lb-1, port=80}"),
        "not_ecs",
    ),
    Payload(
        "cloudmonitor callback, a group rule without instance",
        _alarm(dimensions="{groupId=1666, userId=1}"),
        "no_instance_id",
    ),
    Payload(
        "cloudmonitor callback, host of another cloud",
        _alarm(dimensions="{instanceId=host-Ab1, userId=1}"),
        "invalid_instance_id",
    ),
    Payload(
        "event subscription, state change",
        _subscribed("Instance:StateChange", "Normal", state="Stopping", resourceId=ID),
        "echo",
    ),
    Payload(
        "event subscription, first heartbeat",
        _subscribed("CloudAssistant:FirstHeartbeat", "Normal", vmName=ID),
        "information",
    ),
    Payload(
        "event subscription, failure executing",
        _subscribed("Instance:InstanceFailure.Reboot:Executing", "Executing"),
        "not_actionable",
    ),
    Payload(
        "event subscription, failure executed",
        _subscribed("Instance:InstanceFailure.Reboot:Executed", "Executed"),
        "alarm_over",
    ),
    Payload(
        "event subscription, maintenance",
        _subscribed("Instance:SystemMaintenance.Reboot:Scheduled", "Scheduled", eventId="e"),
        "reboot",
    ),
    Payload(
        "event subscription, snapshot",
        _subscribed("Snapshot:CreateSnapshotCompleted", "Normal", diskId="d-1"),
        "information",
    ),
    Payload(
        "event subscription, spot",
        _subscribed("Instance:PreemptibleInstanceInterruption", "Normal", action="delete"),
        "information",
    ),
    Payload(
        "system event, disk stalls", _event("Disk:Stalled:Executing", "Executing", content={"diskId": "d-1"}), "reboot"
    ),
    Payload(
        "system event, redeploy", _event("Instance:SystemFailure.Redeploy:Scheduled", "Scheduled"), "not_actionable"
    ),
    Payload("system event, not in the list", _event("Instance:Brand.New:Executing", "Executing"), "not_actionable"),
    Payload(
        "system event, agent stopped",
        {**_event("Agent_Status_Stopped", "stopped"), "product": "CloudMonitor"},
        "reboot",
    ),
    Payload(
        "system event, agent of another host",
        {**_event("Agent_Status_Stopped", "stopped"), "product": "CloudMonitor", "resourceId": "host-1"},
        "not_ecs",
    ),
    Payload(
        "eventbridge, agent stopped",
        _cloud("acs.cms", "cms:CloudMonitor:AgentStatusStopped", {"instanceId": ID, "state": "stopped"}),
        "reboot",
    ),
    Payload(
        "eventbridge, agent running",
        _cloud("acs.cms", "cms:CloudMonitor:AgentStatusRunning", {"state": "running"}),
        "alarm_over",
    ),
    Payload("eventbridge, alert callback", _cloud("acs.cms", "cms:CloudMonitor:AlertWebHook", _alarm()), "reboot"),
    Payload(
        "eventbridge, group quota",
        _cloud("acs.cms", "cms:CloudMonitor:GroupAddResourcesFailedQuotaReached", {}),
        "information",
    ),
    Payload(
        "eventbridge, ARMS agent start",
        _cloud("acs.arms", "arms:Agent:AgentStart", {"dims": {"ip": "10.96.0.1"}}),
        "information",
    ),
    Payload(
        "eventbridge, ARMS prometheus alert",
        _cloud("acs.arms", "arms:Alert:PromethusAlert", _group(_alert("x"))),
        "reboot",
    ),
    Payload(
        "eventbridge, meeting",
        _cloud("acs:aliyuncvc", "aliyuncvc:MeetingEvent:MemberOperate", {"name": "x"}),
        "information",
    ),
    Payload(
        "eventbridge, OSS", _cloud("acs.oss", "oss:ObjectCreated:PutObject", {"region": "cn-hangzhou"}), "information"
    ),
    Payload(
        "eventbridge, API call",
        _cloud(
            "acs.ecs",
            "ecs:ActionTrail:ApiCall",
            {"eventName": "RebootInstance", "serviceName": "Ecs", "eventRW": "Write"},
        ),
        "echo",
    ),
    Payload(
        "eventbridge, ECS state change",
        _cloud("acs.ecs", "ecs:Instance:StateChange", {"resourceId": ID, "state": "Stopped"}),
        "echo",
    ),
    Payload(
        "eventbridge, a request in a custom event", _cloud("my.ops", "ops:reboot", {"instance_ids": [ID]}), "reboot"
    ),
    Payload("eventbridge, text", _cloud("my.ops", "ops:note", "hello", datacontenttype="text/plain"), "information"),
    Payload(
        "AWS EC2 state change",
        {
            "id": "7",
            "detail-type": "EC2 Instance State-change Notification",
            "source": "aws.ec2",
            "region": "us-east-1",
            "detail": {"instance-id": "i-abcd1111abcd1111", "state": "stopped"},
        },
        "unsupported",
    ),
    Payload("nightingale 5 callback", _n9e(), "reboot"),
    Payload("nightingale 5 callback, recovered", _n9e(is_recovered=True), "alarm_over"),
    Payload("nightingale 8 media, a batch", {"events": [_n9e()], "sendtos": ["x"], "tpl": {"content": "c"}}, "reboot"),
    Payload("nightingale, no ID among the tags", _n9e(tags=["__name__=cpu", "ident=host01"]), "no_instance_id"),
    Payload("nightingale, no data", _n9e(trigger_value="nodata"), "monitor_fault"),
    Payload(
        "watchalert hook",
        {
            "tenantId": "t",
            "rule_name": "up",
            "fingerprint": "f",
            "metric": {},
            "labels": {"instance_id": ID},
            "is_recovered": False,
            "first_trigger_time": UNIX,
            "recover_time": 0,
        },
        "reboot",
    ),
    Payload("SLS webhook", _sls(), "reboot"),
    Payload("SLS webhook, a list", [_sls()], "reboot"),
    Payload("SLS webhook, resolved", _sls(status="resolved", resolve_time=UNIX), "alarm_over"),
    Payload(
        "SLS webhook, rows of methods", _sls(fire_results=[{"cnt": "49", "request_method": "GET"}]), "no_instance_id"
    ),
    Payload(
        "SLS webhook, nothing found",
        _sls(fire_results=[], results=[{"raw_result_count": 0, "raw_results": []}], labels={"instance_id": ID}),
        "monitor_fault",
    ),
    Payload(
        "SLS template not rendered",
        {"alert_id": "${alert_id}", "alert_instance_id": "x", "status": "${status}"},
        "not_firing",
    ),
    Payload(
        "tencent cloud callback",
        {"sessionId": "s", "alarmStatus": 1, "alarmObjInfo": {"region": "gz"}, "alarmPolicyInfo": {}},
        "unsupported",
    ),
    Payload(
        "librenms",
        {"alert": {"state": "alert", "id": 1}, "device": {"hostname": "r"}, "event": {"timestamp": AT}},
        "unsupported",
    ),
    Payload(
        "datadog",
        {"id": "8", "event_type": "query_alert_monitor", "title": "[Triggered] x", "date": "1759343824000", "org": {}},
        "unsupported",
    ),
    Payload(
        "databricks SQL alert",
        {"event": "alert_state_change", "url_base": "u", "alert": {"title": "TRIGGERED"}},
        "unsupported",
    ),
    Payload(
        "opentelemetry-like alert",
        {"alert_name": "SlowQueries", "severity": "medium", "service_name": "db", "attributes": {}},
        "unsupported",
    ),
    Payload("runbook's custom payload", {"check_key": "k", "title": "$EVENT_TITLE"}, "unsupported"),
    Payload("minmon's text", {"text": "Triggered from check 'cpu'."}, "unsupported"),
    Payload(
        "uptime kuma",
        {"heartbeat": {"status": 0}, "monitor": {"name": "web", "hostname": "h"}, "msg": "down"},
        "unsupported",
    ),
    Payload(
        "function compute timer with a bare ID",
        {"triggerTime": "2024-06-01T03:39:00Z", "triggerName": "t", "payload": ID},
        "malformed",
    ),
]
