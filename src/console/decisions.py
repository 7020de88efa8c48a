"""What an event came to, in as few words as a list has room for. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from ecs_reboot.outcomes import BY_CODE, OUTCOMES

#: The most decisions of one event that a list shows; the tally counts all of them.
MOST_TOLD = 200
#: `rebooted`: a reboot came out as it was meant to. `troubled`: one was decided and did not. `dry_run`: it was tried.
#: `observed`: it would have been rebooted.
Verdict = Literal["rebooted", "troubled", "dry_run", "observed", "skip"]


def decisions(records: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return one decision for each instance or element; of several records of an instance the last one counts."""
    latest: dict[tuple[str, int], Mapping[str, Any]] = {}
    for place, record in enumerate(records):
        if record.get("record") == "result":
            instance_id = str(record.get("instance_id", ""))
            latest[instance_id, 0 if instance_id else place] = record
    return [
        {"instance_id": instance_id, "verdict": verdict(record), "code": str(record.get("code", ""))}
        for (instance_id, _), record in latest.items()
    ]


def verdict(record: Mapping[str, Any]) -> Verdict:
    """Judge one record."""
    if record.get("action") != "reboot":
        return "skip"
    outcome = BY_CODE.get(str(record.get("code")))
    if outcome is None or not outcome.done:
        return "troubled"
    if record.get("dry_run"):
        return "dry_run"
    return "observed" if outcome.denies_reboot else "rebooted"


def tally(decided: Iterable[Mapping[str, str]]) -> dict[str, int]:
    """Count the decisions of each verdict."""
    return dict(Counter(decision["verdict"] for decision in decided))


def words() -> dict[str, dict[str, Any]]:
    """Return what the page says of each code, in both languages."""
    return {
        outcome.code: {
            "en": outcome.meaning,
            "zh-CN": outcome.chinese,
            "cure": outcome.cure,
            "pages": outcome.pages,
            "severity": outcome.severity,
        }
        for outcome in OUTCOMES
    }
