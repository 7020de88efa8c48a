"""Alerts of Simple Log Service's webhook: an object or a list of them.

Which key holds an instance ID is the user's choice, so only the configured labels are looked at: in ``labels`` and
``annotations``, which speak for the whole alert, and in the rows of ``fire_results`` and ``results[].fire_result``,
each of which may name an instance of its own. ``region`` is that of the log project, not of the instance.
"""

from collections.abc import Iterator
from datetime import datetime

from .document import mapping, stated, text
from .finding import Field, Finding, Piece, Place, labelled
from .quoting import plain
from .rules import Rules
from .state_words import ALERT_STATUS, State, state

_TIMES = ("alert_time", "fire_time")


def find(piece: Piece, rules: Rules, _now: datetime) -> list[Finding]:
    """Find the one alert."""
    body, at = piece.body, piece.path
    name = text(body.get("alert_name")) or text(body.get("alert_id"))
    states = state(at + "status", body.get("status"), ALERT_STATUS) + _resolved(piece)
    key = text(body.get("fingerprint")) or text(body.get("alert_instance_id"))
    time = next((Field(at + one, body[one]) for one in _TIMES if stated(body.get(one))), None)
    return [
        Finding(
            kind="sls",
            evidence=f"SLS alert '{plain(name)}' is {plain(body.get('status'))}",
            states=tuple(states),
            places=tuple(places(_common(piece), _rows(piece), rules)),
            fault_key=plain(f"sls:{key}:{text(body.get('fire_time'))}") if key else "",
            subject=plain(f"sls:{text(body.get('alert_id')) or name}"),
            time=time,
        )
    ]


def places(common: list[Field], rows: list[Field], rules: Rules) -> Iterator[Place]:
    """Give the instances that groups of labels name: those of ``common`` hold for every one of ``rows``."""
    ids = [one for group in common for one in labelled(group.value, rules.instance_labels, group.path)]
    regions = [one for group in common for one in labelled(group.value, rules.region_labels, group.path)]
    named = False
    for row in rows:
        own = labelled(row.value, rules.instance_labels, row.path)
        if own:
            named = True
            yield Place((*ids, *own), (*regions, *labelled(row.value, rules.region_labels, row.path)))
    if not named:
        yield Place(tuple(ids), tuple(regions))


def _common(piece: Piece) -> list[Field]:
    return [Field(piece.path + key, piece.body.get(key)) for key in ("labels", "annotations")]


def _rows(piece: Piece) -> list[Field]:
    rows = []
    fired, results = piece.body.get("fire_results"), piece.body.get("results")
    for number, row in enumerate(fired if isinstance(fired, list) else ()):
        rows.append(Field(f"{piece.path}fire_results[{number}]", row))
    for number, row in enumerate(results if isinstance(results, list) else ()):
        rows.append(Field(f"{piece.path}results[{number}].fire_result", mapping(row).get("fire_result")))
    return rows


def _resolved(piece: Piece) -> list[State]:
    """Read resolve_time: 0 while the alert fires, later the time of its end."""
    value = piece.body.get("resolve_time")
    if not stated(value) or value in (0, "0"):
        return []
    is_time = isinstance(value, (int, float, str)) and not isinstance(value, bool)
    return [State(piece.path + "resolve_time", plain(value), "recovery" if is_time else "neither")]
