"""The bus ``default``, of the events of cloud services: those that a rule's pattern matches go to the rule's target.

Refused is what EventBridge's page "Limits" refuses: sources of others, too many rules, fields that are too long.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cloud_languages import event_pattern

#: The type of event source that Function Compute's triggers name for this bus.
CLOUD_SERVICES = "Default"
MOST_RULES = 50
EVENT_BYTES = 256 * 1024
_NEEDED = ("id", "source", "specversion", "type")
#: Only cloud services publish on this bus; everybody else needs one of their own.
_SOURCE = re.compile(r"acs\.[A-Za-z0-9.-]+")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
#: Field of an event -> its most characters.
_LONGEST = {"id": 128, "source": 128, "subject": 512, "type": 64}

Deliver = Callable[[bytes], None]


class InvalidEvent(ValueError):
    """An event that PutEvents refuses; the text names the field."""


class Rule(NamedTuple):
    """One rule: events that match ``pattern`` go to ``deliver``, one object a call."""

    name: str
    pattern: Mapping[str, Any]
    deliver: Deliver


class Bus:
    """The bus ``default``. ``now`` gives the time of publication."""

    def __init__(
        self,
        account: str,
        region: str,
        now: Callable[[], datetime],
        as_published: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
    ) -> None:
        """``as_published``: an event as its source publishes it."""
        self._account, self._region, self._now = account, region, now
        self._as_published = as_published
        self._rules: dict[str, Rule] = {}

    def add(self, name: str, pattern: str, deliver: Deliver) -> None:
        """Hang a rule on the bus. Raises ValueError for a pattern that is none, or a name that is taken."""
        if name in self._rules:
            raise ValueError(f"there is a rule {name} already")
        if len(self._rules) >= MOST_RULES:
            raise ValueError(f"the bus default has {MOST_RULES} rules already, as many as there may be")
        parsed = event_pattern.parse(pattern)
        if wrong := list(event_pattern.mistakes(parsed, "pattern")):
            raise ValueError("; ".join(map(str, wrong)))
        self._rules[name] = Rule(name, parsed, deliver)

    def remove(self, name: str) -> None:
        """Take a rule away."""
        self._rules.pop(name, None)

    def put_events(self, events: Sequence[Mapping[str, Any]]) -> int:
        """Publish events; returns how many deliveries came of it. InvalidEvent before anything is delivered."""
        for event in events:
            if mistake := _mistake(event):
                raise InvalidEvent(mistake)
        delivered = 0
        for event in events:
            whole = {
                "aliyunaccountid": self._account,
                "aliyuneventbusname": "default",
                "aliyunregionid": self._region,
                "aliyunpublishtime": self._now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
                **self._as_published(event),
            }
            for rule in tuple(self._rules.values()):
                if event_pattern.matches(rule.pattern, whole):
                    rule.deliver(json.dumps(whole, ensure_ascii=False).encode())
                    delivered += 1
        return delivered


def _mistake(event: Mapping[str, Any]) -> str:
    """Return what is wrong with an event; empty if nothing is."""
    if missing := [field for field in _NEEDED if not event.get(field)]:
        return f"the event has no {', '.join(missing)}"
    if not _SOURCE.fullmatch(str(event["source"])):
        return f"source {event['source']!r}: on the bus default are events of cloud services alone, acs.SERVICE"
    if not _ID.fullmatch(str(event["id"])):
        return f"id {event['id']!r}: letters, digits and -, not starting with -"
    for field, most in _LONGEST.items():
        if len(str(event.get(field, ""))) > most:
            return f"{field} has {len(str(event[field]))} characters, {most} are allowed"
    size = len(json.dumps(event, ensure_ascii=False).encode())
    return f"the event has {size} bytes, {EVENT_BYTES} are allowed" if size > EVENT_BYTES else ""
