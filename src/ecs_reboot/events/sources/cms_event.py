"""CloudMonitor system events as CloudMonitor sends them: to a function, to MNS, to a callback, through OOS."""

from datetime import datetime

from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding
from ecs_reboot.events.instance_id import parse_arn
from ecs_reboot.events.parsing import UnreadableText, embedded, stated, text
from ecs_reboot.events.sources.system_event import Notice, finding

_TIMES = ("eventTime", "time")


def find(document: Document, rules: EventSettings, _now: datetime) -> list[Finding]:
    """Find the one event. Raises Unreadable where ``content`` is text that is not JSON."""
    body, at = document.body, document.path
    content = embedded(body.get("content"), at + "content")
    if stated(content) and not isinstance(content, dict):
        raise UnreadableText("malformed", "content is not an object", at + "content", content)
    time = next((Field(at + key, body[key]) for key in _TIMES if stated(body.get(key))), Field(at + _TIMES[0], None))
    product = Field(at + "product", body.get("product"))
    arn = parse_arn(body.get("resourceId"))
    known = text(product.value).casefold()
    # CloudMonitor's own events are about hosts of any kind: the resource name must say that this one is of ECS.
    of_ecs = known == "ecs" or (known == "cloudmonitor" and arn is not None and arn.product == "ecs")
    notice = Notice(
        kind="cms_event",
        name=Field(at + "name", body.get("name")),
        content=content if isinstance(content, dict) else {},
        content_path=at + "content",
        resource=Field(at + "resourceId", body.get("resourceId")),
        time=time,
        own_id=text(body.get("id")),
        status=Field(at + "status", body.get("status")),
        regions=(Field(at + "regionId", body.get("regionId")),),
        foreign=None if of_ecs else product,
    )
    return [finding(notice, rules)]
