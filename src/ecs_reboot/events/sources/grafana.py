"""Grafana's legacy alerting webhook: one state for all ``evalMatches``, and no time at all.

Only ``alerting`` fires; ``no_data``, ``paused`` and ``pending`` do not.
"""

from datetime import datetime

from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding
from ecs_reboot.events.parsing import mapping, text
from ecs_reboot.events.quoting import plain
from ecs_reboot.events.sources.sls import places
from ecs_reboot.events.state_words import GRAFANA_LEGACY, state


def find(document: Document, rules: EventSettings, _now: datetime) -> list[Finding]:
    """Find the one alert; its matches may name several instances."""
    body, at = document.body, document.path
    matches = body.get("evalMatches")
    rows = [
        Field(f"{at}evalMatches[{number}].tags", mapping(one).get("tags"))
        for number, one in enumerate(matches if isinstance(matches, list) else ())
    ]
    named = tuple(places([Field(at + "tags", body.get("tags"))], rows, rules))
    rule = text(body.get("ruleId"))
    instances = ",".join(sorted({plain(one.value) for place in named for one in place.ids}))
    return [
        Finding(
            kind="grafana_legacy",
            evidence=f"Grafana alert '{plain(text(body.get('ruleName')))}' is {plain(body.get('state'))}",
            states=tuple(state(at + "state", body.get("state"), GRAFANA_LEGACY)),
            places=named,
            fault_key=plain(f"grafana:{rule}:{instances}") if rule else "",
            subject=plain(f"grafana:{rule}"),
        )
    ]
