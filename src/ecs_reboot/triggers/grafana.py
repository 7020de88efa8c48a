"""Grafana's legacy alerting webhook: one state for all ``evalMatches``, and no time at all.

Only ``alerting`` fires; ``no_data``, ``paused`` and ``pending`` do not.
"""

from datetime import datetime

from .document import mapping, text
from .finding import Field, Finding, Piece
from .quoting import plain
from .rules import Rules
from .sls import places
from .state_words import GRAFANA_LEGACY, state


def find(piece: Piece, rules: Rules, _now: datetime) -> list[Finding]:
    """Find the one alert; its matches may name several instances."""
    body, at = piece.body, piece.path
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
