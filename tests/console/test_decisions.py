from typing import Any

import pytest

from console.decisions import decisions, tally, verdict


def record(instance_id: str, action: str, code: str, *, kind: str = "result", dry_run: bool = False) -> dict[str, Any]:
    return {"record": kind, "instance_id": instance_id, "action": action, "code": code, "dry_run": dry_run}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (record("i-1", "reboot", "recovered"), "rebooted"),
        (record("i-1", "reboot", "DRYRUN.SUCCESS", dry_run=True), "dry_run"),
        (record("i-1", "reboot", "stayed_down"), "troubled"),
        (record("i-1", "reboot", "Throttling.User", dry_run=True), "troubled"),
        (record("i-1", "reboot", "a code of another version"), "troubled"),
        (record("i-1", "skip", "locked"), "skip"),
    ],
)
def test_each_record_has_one_verdict(written: dict[str, Any], expected: str) -> None:
    assert verdict(written) == expected


def test_an_instance_counts_once_and_elements_without_one_each_for_themselves() -> None:
    decided = decisions(
        [
            record("i-1", "reboot", "accepted", kind="accepted"),
            record("i-1", "reboot", "accepted"),
            record("i-1", "reboot", "recovered"),
            record("i-2", "skip", "locked"),
            record("", "skip", "alarm_over"),
            record("", "skip", "alarm_over"),
        ]
    )
    assert [(decision["instance_id"], decision["code"]) for decision in decided] == [
        ("i-1", "recovered"), ("i-2", "locked"), ("", "alarm_over"), ("", "alarm_over")]  # fmt: skip
    assert tally(decided) == {"rebooted": 1, "skip": 3}
