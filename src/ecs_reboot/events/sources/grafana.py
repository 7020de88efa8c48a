"""Grafana's legacy alerting webhook: one state for all ``evalMatches``, and no time at all.

Only ``alerting`` with a value that was seen fires; ``no_data``, ``paused`` and ``pending`` do not. A rule may be set to
alert on missing data or on a failed query: then no match has a value, and the rule's own tags name nothing that was
seen.
"""

from datetime import datetime

from ecs_reboot.events import monitor
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding, Refusal
from ecs_reboot.events.labels import places
from ecs_reboot.events.parsing import mapping, text
from ecs_reboot.events.quoting import plain
from ecs_reboot.events.state_words import GRAFANA_LEGACY, deciding, state

_RULE_KEYS = ("ruleId", "ruleUrl", "ruleName")


def find(document: Document, rules: EventSettings, _now: datetime) -> list[Finding]:
    """Find the one alert; its matches may name several instances."""
    body, at = document.body, document.path
    matches = body.get("evalMatches")
    rows = [
        Field(f"{at}evalMatches[{number}].tags", mapping(match).get("tags"))
        for number, match in enumerate(matches if isinstance(matches, list) else ())
        if _has_value(match)
    ]
    states = tuple(state(at + "state", body.get("state"), GRAFANA_LEGACY))
    named = tuple(places([Field(at + "tags", body.get("tags"))], rows, rules))
    rule = next((text(body.get(key)) for key in _RULE_KEYS if text(body.get(key))), "")
    instances = ",".join(sorted({plain(field.value) for place in named for field in place.ids}))
    notice = monitor.by_name(text(body.get("ruleName")), text(body.get("title")).rpartition("] ")[2])
    if not notice and not rows and deciding(states).meaning == "firing":
        why = f"no match in {at}evalMatches has a value, so nothing was seen: the rule alerts on missing data or errors"
        notice = Refusal("monitor_fault", why)
    return [
        Finding(
            kind="grafana_legacy",
            evidence=f"Grafana alert '{plain(text(body.get('ruleName')))}' is {plain(body.get('state'))}",
            states=states,
            places=named,
            fault_key=plain(f"grafana:{rule}:{instances}") if rule else "",
            identity=f"grafana:{rule}" if rule else "",
            notice=notice,
        )
    ]


def _has_value(match: object) -> bool:
    value = mapping(match).get("value")
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and monitor.by_state("metric", text(mapping(match).get("metric"))) is None
