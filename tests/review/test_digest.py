"""digest: what was done, would have been done and was refused, counted once each, with reasons."""

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

import pytest
from recorded_night import Night

from cli.program import main
from ecs_reboot.model import Instance, RebootRequest, Target
from ecs_reboot.outcomes import Code
from ecs_reboot.policy.facts import Facts
from ecs_reboot.records import result as records
from ecs_reboot.settings.settings import load
from review.digest import digest, format_digest, within
from review.exported import Export, read
from terminal.key_values import UsageError

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=timezone.utc)
POLICY = load({}).policy


def row(code: Code, number: int, *, kind: str = "result", days_ago: float = 0, **more: Any) -> dict[str, Any]:
    instance_id = f"i-bp{number}"
    facts = Facts(
        request=RebootRequest(trigger="manual", evidence="a test"),
        target=Target(instance_id=instance_id, region_id="cn-hangzhou"),
        instance=Instance(
            instance_id=instance_id, region_id="cn-hangzhou", status="Running", name=f"web-{number}", read_at=NOW
        ),
        policy=POLICY,
        now=NOW,
    )
    action: Literal["reboot", "skip"] = (
        "reboot" if code in ("recovered", "stayed_down", "DRYRUN.SUCCESS", "refused") else "skip"
    )
    result = records.of_decision(facts, action, code, "why", **more)
    flat = records.flat(result, "r-1", kind, NOW - timedelta(days=days_ago))
    return {**flat, "record_id": f"{code}-{number}-{kind}-{days_ago}"}


def export(*rows: dict[str, Any]) -> Export:
    return read(json.dumps(list(rows)))


def test_each_result_is_counted_once_by_what_came_of_it() -> None:
    found = export(
        row("DRYRUN.SUCCESS", 1, dry_run=True),
        row("DRYRUN.SUCCESS", 2, dry_run=True),
        row("accepted", 3, kind="accepted"),
        row("recovered", 3, downtime_seconds=34.0),
        row("recovered", 4, downtime_seconds=50.0),
        row("stayed_down", 5),
        row("cooldown", 6),
        row("cooldown", 6),
        row("cooldown", 7),
        row("attempts_exhausted", 8),
        row("notice_told", 3, kind="notice"),
        row("notice_failed", 3, kind="notice"),
    )
    lines = list(format_digest(found, digest(found)))
    assert lines[1] == "would have rebooted 2, rebooted 3, refused 3, needs a person 2, asked for nothing 0"
    text = "\n".join(lines)
    assert "     2  DRYRUN.SUCCESS: a dry run: ECS would reboot (web-1, web-2)" in text
    assert "     2  cooldown: our last attempt was too short a while ago (web-6, web-7)" in text
    assert "down for 42 s on average, 50 s at most" in text
    assert "stayed_down" in text.partition("needs a person\n")[2]
    assert lines[-1] == "notices: 1 told, 1 failed"


def test_only_the_last_days_count() -> None:
    found = within(export(row("cooldown", 1), row("cooldown", 2, days_ago=6.9), row("cooldown", 3, days_ago=7)), 7)
    assert len(digest(found).refused) == 2


def test_no_records_are_no_mistake() -> None:
    assert next(format_digest(export(), digest(export()))) == "0 records"


def test_a_night(recorded: Night, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "records"
    path.write_text(recorded.logs, "utf-8")
    assert main(["digest", "--records", str(path)]) == 0
    printed = capsys.readouterr().out
    rebooted = sum('"recovered"' in line and '"record":"result"' in line for line in recorded.logs.splitlines())
    assert f"would have rebooted 0, rebooted {rebooted}, refused " in printed
    assert rebooted > 0


@pytest.mark.parametrize("days", ["0", "soon", "-1"])
def test_a_wrong_number_of_days_is_named(days: str, tmp_path: Path) -> None:
    path = tmp_path / "records"
    path.write_text("", "utf-8")
    with pytest.raises(UsageError, match="no number of days"):
        __import__("review.digest").digest.main(str(path), days)
