"""Roles of an account that Alibaba Cloud's services use: which there are, who takes them, what they may do.

A service-linked role is asked for by its service's name; an ordinary service role is made with a trust policy and a
system policy. The policies are those of RAM's pages, cut to what is acted on here.
"""

from collections.abc import Mapping
from typing import Any


def _allow(*actions: str) -> Mapping[str, Any]:
    return {"Version": "1", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": ["*"]}]}


#: System policies by name.
SYSTEM_POLICIES: Mapping[str, Mapping[str, Any]] = {
    "AliyunCloudMonitorRolePolicy": _allow("mns:SendMessage", "mns:PublishMessage"),
}

#: The name under which a service-linked role is asked for -> its name, and what it may do.
SERVICE_LINKED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "cloudmonitor.aliyuncs.com": ("AliyunServiceRoleForCloudMonitor", _allow("ecs:RunCommand")),
    "fc.aliyuncs.com": ("AliyunServiceRoleForFC", _allow("log:PostLogStoreLogs", "mns:SendMessage")),
    "sendevent-fc.eventbridge.aliyuncs.com": (
        "AliyunServiceRoleForEventBridgeSendToFC",
        _allow("fc:InvokeFunction"),
    ),
}

CLOUD_MONITOR, CLOUD_MONITOR_SERVICE = "AliyunCloudMonitorDefaultRole", "cloudmonitor.aliyuncs.com"
EVENT_BRIDGE, EVENT_BRIDGE_SERVICE = "AliyunServiceRoleForEventBridgeSendToFC", "sendevent-fc.eventbridge.aliyuncs.com"
#: Function Compute makes this one with the first trigger that needs it.
TRIGGERS = "AliyunServiceRoleForFCTriggerEventBridge"


def trust(service: str) -> dict[str, Any]:
    """Return the trust policy that lets a service take a role."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": [service]}}
    return {"Version": "1", "Statement": [statement]}
