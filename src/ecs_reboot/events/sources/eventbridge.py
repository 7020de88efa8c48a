"""EventBridge: CloudEvents of ECS and of block storage; ActionTrail's records and alarms in the same envelope.

``type`` names the event without its status; ``data`` is what CloudMonitor calls content. ``aliyunregionid`` is the
region of the bus: it stands in only where the subject names none.
"""

from datetime import datetime

from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding
from ecs_reboot.events.parsing import embedded, mapping, stated, text
from ecs_reboot.events.sources.actiontrail import is_record
from ecs_reboot.events.sources.actiontrail import record as actiontrail_record
from ecs_reboot.events.sources.system_event import Notice, finding

_SOURCES = ("acs.ecs", "acs.ebs")
_ALARM_SOURCES = ("acs.cms", "acs.cloudmonitor")


def find(document: Document, rules: EventSettings, now: datetime) -> list[Finding]:
    """Find the one event. Raises Unreadable where ``data`` is text that is not JSON."""
    body, at = document.body, document.path
    data = mapping(embedded(body.get("data"), at + "data"))
    source = text(body.get("source"))
    if is_record(data) or ":ActionTrail:" in text(body.get("type")):
        return [actiontrail_record(data, at + "data.")]
    if source in _ALARM_SOURCES and {"alertState", "curLevel"} & data.keys():
        from ecs_reboot.events.sources.cms_threshold import find as find_alarm  # noqa: PLC0415 - only this source carries alarms

        sent = Field(at + "time", body.get("time"))
        alarms = find_alarm(document._replace(body=data, path=at + "data."), rules, now)
        return [
            one._replace(kind=f"eventbridge>{one.kind}", time=one.time or (sent if stated(sent.value) else None))
            for one in alarms
        ]
    notice = Notice(
        kind="eventbridge",
        name=Field(at + "type", text(body.get("type")).partition(":")[2]),
        content=data,
        content_path=at + "data",
        resource=Field(at + "subject", body.get("subject")),
        time=Field(at + "time", body.get("time")),
        own_id=f"{source}:{text(body.get('id'))}",
        regions=(Field(at + "data.regionId", data.get("regionId")),),
        fallback_region=Field(at + "aliyunregionid", body.get("aliyunregionid")),
        foreign=None if source in _SOURCES else Field(at + "source", body.get("source")),
    )
    return [finding(notice, rules)]
