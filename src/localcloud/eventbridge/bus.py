"""The default event bus: CloudEvents come in, those that a rule's pattern matches go to the rule's target."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cloud_languages import event_pattern

_NEEDED = ("id", "source", "specversion", "type")

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
            if missing := [field for field in _NEEDED if not event.get(field)]:
                raise InvalidEvent(f"the event has no {', '.join(missing)}")
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
