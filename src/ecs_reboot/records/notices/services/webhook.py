"""A webhook of the operator's own: one CloudEvent 1.0 in structured mode; any 2xx takes it.

``id`` with ``source`` names the message, so that a receiver can drop one that came twice.
"""

from datetime import datetime, timezone

from ecs_reboot.cloud.transport import Answer, Request
from ecs_reboot.records.notices.notice import Channel, Failure, Message
from ecs_reboot.records.notices.services.post import http_failure, post, retry_after

TYPE = "ecs-reboot.notice.v1"
_TOO_MANY = 429


def request(message: Message, channel: Channel, unix_time: float) -> Request:
    """Return the POST. Where there is a secret it is sent as a bearer token."""
    event = {
        "specversion": "1.0",
        "id": message.event_id,
        "source": message.source,
        "type": TYPE,
        "time": datetime.fromtimestamp(unix_time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "subject": message.instance_ids[0] if len(message.instance_ids) == 1 else "",
        "datacontenttype": "application/json",
        "data": {
            "kind": message.kind,
            "title": message.title,
            "lines": message.lines,
            "instance_ids": message.instance_ids,
            "link": message.link,
        },
    }
    if not event["subject"]:
        del event["subject"]
    made = post(channel.url, event, "application/cloudevents+json; charset=utf-8")
    if channel.secret:
        made.headers["authorization"] = f"Bearer {channel.secret}"
    return made


def failure(answer: Answer) -> Failure | None:
    """Read the answer."""
    if 200 <= answer.status < 300:  # noqa: PLR2004 - success
        return None
    return http_failure(answer, retry_after(answer) if answer.status == _TOO_MANY else 0.0)
