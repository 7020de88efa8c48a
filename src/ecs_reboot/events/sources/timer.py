"""Function Compute's timer: its payload is a request in our own form, its triggerTime the time of that request."""

from datetime import datetime

from ecs_reboot.events import event_time
from ecs_reboot.events.assessment import Verdict, age
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field
from ecs_reboot.events.parsing import UnreadableText, parse_json
from ecs_reboot.events.quoting import plain
from ecs_reboot.events.sources import manual
from ecs_reboot.model import Rejected

_WANTED = 'the payload of the timer must be a request, such as {"tags": {"app": "web"}, "region_id": "cn-hangzhou"}'


def find(document: Document, rules: EventSettings, now: datetime) -> list[Verdict]:
    """Read the payload as a request; it can't override guards, since nobody looks at what a timer asks."""
    payload, name = document.body["payload"], plain(document.body["triggerName"])
    try:
        request = parse_json(payload, "payload") if isinstance(payload, str) else payload
    except UnreadableText as error:
        if error.code != "malformed":
            return [Rejected(code=error.code, reason=error.reason, path="payload", value=plain(error.value))]
        request = None
    if not isinstance(request, dict):
        return [Rejected(code="malformed", reason=_WANTED, path="payload", value=plain(payload))]
    own = Field("triggerTime", document.body["triggerTime"])
    _, verdict = age(own, None, rules, now)
    if verdict:
        return [verdict]
    inner = Document(
        body=request,
        envelopes=document.envelopes,
        path="payload.",
        delivered=event_time.parse(own.value),
        delivery=f"{name}:{plain(own.value)}",
    )
    return manual.read(inner, rules, now, kind="timer", by_hand=False)
