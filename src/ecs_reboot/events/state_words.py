"""Is it happening now? One rule for every source.

All current state words of an element are collected, never those of the past (``preTriggerLevel``), of a group, or its
severity. Any word of recovery wins, because published samples contradict themselves and a reboot not made can be
made later. Otherwise every word must be one of firing: a word that is neither makes the element no alarm.
"""

from collections.abc import Iterable

from ecs_reboot.events.parsing import stated
from ecs_reboot.events.quoting import plain
from ecs_reboot.named_tuple import NamedTuple

RECOVERY = frozenset(
    [
        "ok",
        "alertok",
        "resolved",
        "recovered",
        "executed",
        "avoided",
        "canceled",
        "cancelled",
        "running",
        "accomplished",
    ],
)
ALARM_STATES = frozenset({"alert", "alarm"})
ALARM_LEVELS = frozenset({"critical", "warn", "info"})
LIFECYCLE = frozenset(["executing", "scheduled", "inquiring", "willexecute", "failed", "stopped"])
ALERT_STATUS = frozenset({"firing"})
ALERT_API = frozenset({"active"})
SUBSCRIPTION = frozenset({"triggered"})
GRAFANA_LEGACY = frozenset({"alerting"})


class StateWord(NamedTuple):
    """One current state word, where it stands, and what it means: ``firing``, ``recovery`` or ``neither``."""

    path: str
    word: str
    meaning: str


def state(path: str, value: object, firing: frozenset[str]) -> list[StateWord]:
    """Read one state field; a field that says nothing gives no state. Letters' case does not matter."""
    if not stated(value):
        return []
    word = plain(value)
    if isinstance(value, str) and value.strip().casefold() in RECOVERY:
        return [StateWord(path, word, "recovery")]
    known = isinstance(value, str) and value.casefold() in firing
    return [StateWord(path, word, "firing" if known else "neither")]


def deciding(states: Iterable[StateWord]) -> StateWord:
    """Return the state that decides: a recovery before one that is neither before one of firing."""
    ranked = sorted(states, key=lambda word: _RANK[word.meaning])
    return ranked[0] if ranked else StateWord("", "", "neither")


_RANK = {"recovery": 0, "neither": 1, "firing": 2}
