"""Payloads of alert senders: Alertmanager, Grafana, Nightingale, SLS, and others that only sound like alarms."""

from public_shapes import AT, ENDED, ID, NO_ID, UNIX, Payload, alert, grafana, group, legacy, n9e, sls, values

ALERT_PAYLOADS = [
    *(
        Payload(f"alertmanager webhook, rule {name}", group(alert(name)), "reboot")
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
            group(alert(name, **NO_ID, labels=labels)),
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
        "alertmanager webhook, resolved", group(alert("InstanceDown", "resolved"), status="resolved"), "alarm_over"
    ),
    Payload(
        "alertmanager webhook, group says firing, alert resolved",
        group(alert("InstanceDown", "resolved")),
        "alarm_over",
    ),
    Payload(
        "alertmanager webhook, firing beside the same resolved",
        group(alert("x", "resolved"), alert("x")),
        "alarm_over alarm_over",
    ),
    Payload("alertmanager webhook, alerts without a status", group(alert("x", None)), "not_firing"),
    Payload("alertmanager webhook, no alerts", group(), "malformed"),
    Payload("alertmanager webhook, alerts left out", group(alert("x"), truncatedAlerts=4), "reboot truncated_alerts"),
    Payload("alertmanager webhook, commonAnnotations null", group(alert("x"), commonAnnotations=None), "reboot"),
    Payload("alertmanager webhook, annotations null", group(alert("x", annotations=None)), "reboot"),
    Payload(
        "alertmanager webhook, startsAt with an offset",
        group(alert("x", startsAt="2024-06-01T11:39:00.27+08:00")),
        "reboot",
    ),
    Payload("openshift Watchdog", group(alert("Watchdog", labels={"severity": "none"})), "monitor_fault"),
    Payload("kube-prometheus InfoInhibitor", group(alert("InfoInhibitor")), "monitor_fault"),
    Payload("dead man's switch", group(alert("DeadMansSwitch", **NO_ID)), "monitor_fault"),
    Payload("a hand-made TestAlert", group(alert("TestAlert", labels={"instance": "test-node"})), "test_alert"),
    Payload(
        "alertmanager API v1, posted without times",
        [{"labels": {"alertname": "InstanceDown"}, "annotations": {}}],
        "unsupported",
    ),
    Payload("alertmanager API v1, end ahead", [alert("x", None, endsAt="2024-06-01T03:45:00Z")], "reboot"),
    Payload("alertmanager API v1, end passed", [alert("x", None, endsAt=ENDED)], "alarm_over"),
    Payload(
        "alertmanager API v2, active",
        [alert("x", {"state": "active", "silencedBy": []}, endsAt="2024-06-01T03:45:00Z")],
        "reboot",
    ),
    Payload(
        "alertmanager API v2, suppressed", [alert("x", {"state": "suppressed", "silencedBy": ["s"]})], "monitor_fault"
    ),
    Payload("alertmanager API v2, unprocessed", [alert("x", {"state": "unprocessed"})], "not_firing"),
    Payload(
        "prometheus /api/v1/alerts",
        {"status": "success", "data": {"alerts": [{"labels": {}, "state": "firing"}]}},
        "unsupported",
    ),
    Payload("grafana 9 webhook", grafana(alert("web down", **values())), "reboot"),
    Payload("grafana 9 webhook, resolved", grafana(alert("web down", "resolved", **values())), "alarm_over"),
    Payload(
        "grafana DatasourceNoData",
        grafana(alert("DatasourceNoData", labels={"rulename": "web down", "ref_id": "A"})),
        "monitor_fault",
    ),
    Payload(
        "grafana DatasourceError", grafana(alert("DatasourceError", labels={"rulename": "web down"})), "monitor_fault"
    ),
    Payload(
        "grafana NoData kept as alerting",
        grafana(alert("web", annotations={"grafana_state_reason": "NoData"})),
        "monitor_fault",
    ),
    Payload(
        "grafana Error kept as alerting",
        grafana(alert("web", annotations={"grafana_state_reason": "Error"})),
        "monitor_fault",
    ),
    Payload(
        "grafana MissingSeries, resolved",
        grafana(alert("web", "resolved", annotations={"grafana_state_reason": "MissingSeries"})),
        "monitor_fault",
    ),
    Payload(
        "grafana contact point's test",
        grafana(alert("TestAlert", **NO_ID, labels={"instance": "Grafana"})),
        "test_alert",
    ),
    Payload("legacy grafana", legacy(), "reboot"),
    Payload(
        "legacy grafana, tags empty",
        legacy(evalMatches=[{"value": 1, "metric": "Count", "tags": {}}]),
        "no_instance_id",
    ),
    Payload("legacy grafana, ok", legacy(state="ok", evalMatches=[]), "alarm_over"),
    Payload("legacy grafana, no_data", legacy(state="no_data", evalMatches=[]), "monitor_fault"),
    Payload(
        "legacy grafana, alerting without matches", legacy(evalMatches=[], tags={"instance_id": ID}), "monitor_fault"
    ),
    Payload(
        "legacy grafana, null value",
        legacy(evalMatches=[{"value": None, "metric": "NoData"}], tags={"instance_id": ID}),
        "monitor_fault",
    ),
    Payload(
        "legacy grafana, test",
        legacy(ruleId=0, ruleName="Test notification", title="[Alerting] Test notification"),
        "test_alert",
    ),
    Payload("legacy grafana, pending", legacy(state="pending"), "not_firing"),
    Payload("legacy grafana, paused", legacy(state="paused"), "not_firing"),
    Payload(
        "grafana-like, title and state only",
        {"title": "Latency", "state": "alerting", "evalMatches": [], "tags": {}},
        "monitor_fault",
    ),
    Payload("nightingale 5 callback", n9e(), "reboot"),
    Payload("nightingale 5 callback, recovered", n9e(is_recovered=True), "alarm_over"),
    Payload("nightingale 8 media, a batch", {"events": [n9e()], "sendtos": ["x"], "tpl": {"content": "c"}}, "reboot"),
    Payload("nightingale, no ID among the tags", n9e(tags=["__name__=cpu", "ident=host01"]), "no_instance_id"),
    Payload("nightingale, no data", n9e(trigger_value="nodata"), "monitor_fault"),
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
    Payload("SLS webhook", sls(), "reboot"),
    Payload("SLS webhook, a list", [sls()], "reboot"),
    Payload("SLS webhook, resolved", sls(status="resolved", resolve_time=UNIX), "alarm_over"),
    Payload(
        "SLS webhook, rows of methods", sls(fire_results=[{"cnt": "49", "request_method": "GET"}]), "no_instance_id"
    ),
    Payload(
        "SLS webhook, nothing found",
        sls(fire_results=[], results=[{"raw_result_count": 0, "raw_results": []}], labels={"instance_id": ID}),
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
