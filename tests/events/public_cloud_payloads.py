"""Payloads of Alibaba Cloud itself: CloudMonitor's alarms, callbacks and subscriptions, system events, EventBridge."""

from public_shapes import ID, Payload, alarm, alert, cloud, event, group, subscribed

CLOUD_PAYLOADS = [
    Payload("cloudmonitor callback", alarm(), "reboot"),
    Payload("cloudmonitor callback, OK", alarm(alertState="OK", triggerLevel="OK"), "alarm_over"),
    Payload(
        "cloudmonitor callback, INSUFFICIENT_DATA",
        alarm(alertState="INSUFFICIENT_DATA", triggerLevel="null"),
        "monitor_fault",
    ),
    Payload(
        "cloudmonitor callback, dimensions as JSON list",
        alarm(dimensions=f'[{{"userId":"1","instanceId":"{ID}"}}]'),
        "reboot",
    ),
    Payload(
        "cloudmonitor callback, documented short ID",
        alarm(dimensions='[{"userId":"12345","instanceId":"i-12345"}]'),
        "invalid_instance_id",
    ),
    Payload(
        "cloudmonitor callback, disk usage",
        alarm(dimensions=f"{{instanceId={ID}, device=/dev/vda1, userId=1}}"),
        "reboot",
    ),
    Payload(
        "cloudmonitor callback, process",
        alarm(dimensions=f"{{instanceId={ID}, processName=nginx: worker, a=b, userId=1}}"),
        "reboot",
    ),
    Payload(
        "cloudmonitor callback, RDS",
        alarm(namespace="acs_rds_dashboard", metricProject="acs_rds", dimensions="{instanceId=rm-1, userId=1}"),
        "not_ecs",
    ),
    Payload(
        "cloudmonitor callback, SLB",
        alarm(namespace="acs_slb_dashboard", metricProject="acs_slb", dimensions="{instanceId=lb-1, port=80}"),
        "not_ecs",
    ),
    Payload(
        "cloudmonitor callback, a group rule without instance",
        alarm(dimensions="{groupId=1666, userId=1}"),
        "no_instance_id",
    ),
    Payload(
        "cloudmonitor callback, host of another cloud",
        alarm(dimensions="{instanceId=host-Ab1, userId=1}"),
        "invalid_instance_id",
    ),
    Payload(
        "event subscription, state change",
        subscribed("Instance:StateChange", "Normal", state="Stopping", resourceId=ID),
        "echo",
    ),
    Payload(
        "event subscription, first heartbeat",
        subscribed("CloudAssistant:FirstHeartbeat", "Normal", vmName=ID),
        "information",
    ),
    Payload(
        "event subscription, failure executing",
        subscribed("Instance:InstanceFailure.Reboot:Executing", "Executing"),
        "not_actionable",
    ),
    Payload(
        "event subscription, failure executed",
        subscribed("Instance:InstanceFailure.Reboot:Executed", "Executed"),
        "alarm_over",
    ),
    Payload(
        "event subscription, maintenance",
        subscribed("Instance:SystemMaintenance.Reboot:Scheduled", "Scheduled", eventId="e"),
        "reboot",
    ),
    Payload(
        "event subscription, snapshot",
        subscribed("Snapshot:CreateSnapshotCompleted", "Normal", diskId="d-1"),
        "information",
    ),
    Payload(
        "event subscription, spot",
        subscribed("Instance:PreemptibleInstanceInterruption", "Normal", action="delete"),
        "information",
    ),
    Payload(
        "system event, disk stalls", event("Disk:Stalled:Executing", "Executing", content={"diskId": "d-1"}), "reboot"
    ),
    Payload(
        "system event, redeploy", event("Instance:SystemFailure.Redeploy:Scheduled", "Scheduled"), "not_actionable"
    ),
    Payload("system event, not in the list", event("Instance:Brand.New:Executing", "Executing"), "not_actionable"),
    Payload(
        "system event, agent stopped",
        {**event("Agent_Status_Stopped", "stopped"), "product": "CloudMonitor"},
        "reboot",
    ),
    Payload(
        "system event, agent of another host",
        {**event("Agent_Status_Stopped", "stopped"), "product": "CloudMonitor", "resourceId": "host-1"},
        "not_ecs",
    ),
    Payload(
        "eventbridge, agent stopped",
        cloud("acs.cms", "cms:CloudMonitor:AgentStatusStopped", {"instanceId": ID, "state": "stopped"}),
        "reboot",
    ),
    Payload(
        "eventbridge, agent running",
        cloud("acs.cms", "cms:CloudMonitor:AgentStatusRunning", {"state": "running"}),
        "alarm_over",
    ),
    Payload("eventbridge, alert callback", cloud("acs.cms", "cms:CloudMonitor:AlertWebHook", alarm()), "reboot"),
    Payload(
        "eventbridge, group quota",
        cloud("acs.cms", "cms:CloudMonitor:GroupAddResourcesFailedQuotaReached", {}),
        "information",
    ),
    Payload(
        "eventbridge, ARMS agent start",
        cloud("acs.arms", "arms:Agent:AgentStart", {"dims": {"ip": "10.96.0.1"}}),
        "information",
    ),
    Payload(
        "eventbridge, ARMS prometheus alert",
        cloud("acs.arms", "arms:Alert:PromethusAlert", group(alert("x"))),
        "reboot",
    ),
    Payload(
        "eventbridge, meeting",
        cloud("acs:aliyuncvc", "aliyuncvc:MeetingEvent:MemberOperate", {"name": "x"}),
        "information",
    ),
    Payload(
        "eventbridge, OSS", cloud("acs.oss", "oss:ObjectCreated:PutObject", {"region": "cn-hangzhou"}), "information"
    ),
    Payload(
        "eventbridge, API call",
        cloud(
            "acs.ecs",
            "ecs:ActionTrail:ApiCall",
            {"eventName": "RebootInstance", "serviceName": "Ecs", "eventRW": "Write"},
        ),
        "echo",
    ),
    Payload(
        "eventbridge, ECS state change",
        cloud("acs.ecs", "ecs:Instance:StateChange", {"resourceId": ID, "state": "Stopped"}),
        "echo",
    ),
    Payload(
        "eventbridge, a request in a custom event", cloud("my.ops", "ops:reboot", {"instance_ids": [ID]}), "reboot"
    ),
    Payload("eventbridge, text", cloud("my.ops", "ops:note", "hello", datacontenttype="text/plain"), "information"),
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
]
