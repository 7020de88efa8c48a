"""EventBridge: CloudEvents of ECS, block storage and CloudMonitor's agent; ActionTrail's records in this envelope.

A CloudEvent whose data is itself an alarm or a request is an envelope and never comes here (``envelope``). ``type``
names the event without its status; ``data`` is what CloudMonitor calls content. ``aliyunregionid`` is the region of the
bus: it stands in only where the subject names none.
"""

from datetime import datetime

from ecs_reboot.events.assessment import Verdict
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding
from ecs_reboot.events.instance_id import parse_arn
from ecs_reboot.events.parsing import UnreadableText, embedded, mapping, text
from ecs_reboot.events.quoting import quoted
from ecs_reboot.events.sources.actiontrail import is_record
from ecs_reboot.events.sources.actiontrail import record as actiontrail_record
from ecs_reboot.events.sources.system_event import Notice, finding
from ecs_reboot.model import Ignored

_SOURCES = ("acs.ecs", "acs.ebs")
_MONITORS = ("acs.cms", "acs.cloudmonitor")
#: Events of the monitoring agent as EventBridge names them, and as CloudMonitor's list does.
_AGENT = {"AgentStatusRunning": "Agent_Status_Running", "AgentStatusStopped": "Agent_Status_Stopped"}


def find(document: Document, rules: EventSettings, _now: datetime) -> list[Finding | Verdict]:
    """Find the one event. Raises Unreadable where the ``data`` of an event of ours is text that is not JSON."""
    body, at = document.body, document.path
    source, kind = text(body.get("source")).replace("acs:", "acs."), text(body.get("type"))
    try:
        data = mapping(embedded(body.get("data"), at + "data"))
    except UnreadableText:
        if source in _SOURCES:
            raise
        data = {}
    if is_record(data) or ":ActionTrail:" in kind:
        return [actiontrail_record(data, at + "data.")]
    name = kind.partition(":")[2]
    if source in _MONITORS:
        name = name.removeprefix("CloudMonitor:").removeprefix("Host:")
        name = _AGENT.get(name, name)
    if source not in _SOURCES and not (source in _MONITORS and name in _AGENT.values()):
        said = f"an event of source {quoted(body.get('source'))} and type {quoted(body.get('type'))}"
        return [Ignored(code="information", reason=f"{said} that asks for nothing")]
    subject = Field(at + "subject", body.get("subject"))
    arn = parse_arn(subject.value)
    notice = Notice(
        kind="eventbridge",
        name=Field(at + "type", name),
        content=data,
        content_path=at + "data",
        resource=subject,
        time=Field(at + "time", body.get("time")),
        own_id=f"{source}:{text(body.get('id'))}",
        regions=(Field(at + "data.regionId", data.get("regionId")),),
        fallback_region=Field(at + "aliyunregionid", body.get("aliyunregionid")),
        # CloudMonitor's own events are about hosts of any kind: the resource name must say that this one is of ECS.
        foreign=None if source in _SOURCES or (arn and arn.product == "ecs") else subject,
    )
    return [finding(notice, rules)]
