"""The last seven days in one sentence: what was done, would have been done and was refused, counted by the log service.

Counted are results, one for each instance that an event asked for.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from ecs_reboot.outcomes import BY_CODE, Outcome
from ecs_reboot.policy.guards import GUARDS

if TYPE_CHECKING:
    from ecs_reboot.records.logstore import Logstore

DAYS = 7
#: One row for each code; the log service gives at most 100 rows unless it is asked for more.
QUERY = "record: result | select code, count(1) as results group by code limit 1000"
#: Part of a digest. `idle`: nothing was asked for, or nothing of the instance was known yet.
Part = Literal["would", "rebooted", "refused", "idle"]
#: Codes beside the guards' own that mean: it was asked for, and something held it back.
HELD = frozenset(guard.code for guard in GUARDS) | {"claimed_elsewhere"}
_TITLES: Mapping[str, Mapping[Part, str]] = {
    "en": {"would": "would have rebooted {:,}", "rebooted": "rebooted {:,}", "refused": "refused {:,}"},
    "zh": {"would": "本应重启 {:,} 次", "rebooted": "重启 {:,} 次", "refused": "拒绝 {:,} 次"},
}


def part_of(outcome: Outcome) -> Part:
    """Return which part of a digest an outcome belongs to."""
    if not outcome.denies_reboot:
        return "rebooted"
    if outcome.done:
        return "would"
    return "refused" if outcome.action == "reboot" or outcome.code in HELD else "idle"


def counts(store: "Logstore", now: datetime, seconds: float) -> dict[str, int]:
    """Ask the log service how many results of each code the last days had. Raises LogStoreError."""
    from ecs_reboot.records.logstore import LogStoreError  # noqa: PLC0415 - loaded with the store that asks

    rows = store.analyse(QUERY, now - timedelta(days=DAYS), now, seconds=seconds)
    try:
        return {row["code"]: int(row["results"]) for row in rows if row.get("code") in BY_CODE}
    except (KeyError, ValueError) as error:
        raise LogStoreError(f"GetLogs: a row without a count of results: {error!r}") from error


def sentence(counted: Mapping[str, int], language: Literal["en", "zh"] = "en") -> str:
    """Return `would have rebooted 7, rebooted 0, refused 41`."""
    sums: dict[Part, int] = {"would": 0, "rebooted": 0, "refused": 0, "idle": 0}
    for code, count in counted.items():
        sums[part_of(BY_CODE[code])] += count
    comma = "，" if language == "zh" else ", "
    return comma.join(text.format(sums[part]) for part, text in _TITLES[language].items())


def reasons(counted: Mapping[str, int], language: Literal["en", "zh"] = "en") -> list[str]:
    """Return one line for each code that something was asked for with, the most frequent first."""
    asked = [(code, count) for code, count in counted.items() if part_of(BY_CODE[code]) != "idle"]
    return [
        f"{count:,} {code}: {BY_CODE[code].chinese if language == 'zh' else BY_CODE[code].meaning}"
        for code, count in sorted(asked, key=lambda item: (-item[1], item[0]))
    ]


def written(counted: Mapping[str, int]) -> str:
    """Return the counts as a record keeps them."""
    return json.dumps(dict(sorted(counted.items())), separators=(",", ":"))


def read(text: str) -> dict[str, int]:
    """Read what ``written`` wrote."""
    return {code: int(count) for code, count in json.loads(text).items()}
