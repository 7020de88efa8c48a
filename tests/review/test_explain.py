"""explain: every guard has its row, and the table says what the policy did."""

import json
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from recorded_night import ROOT, Night

from cli.program import main
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.model import Instance, RebootRequest, Target
from ecs_reboot.policy.blast_radius import RegionState
from ecs_reboot.policy.facts import Facts
from ecs_reboot.policy.guards import GUARDS
from ecs_reboot.settings.settings import load
from review.guard_facts import FACTS
from review.guard_table import GuardRow, guard_table

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=timezone.utc)


def facts(
    settings: dict[str, str] | None = None, /, *, request: dict[str, Any] | None = None, **instance: Any
) -> Facts:
    shown = {
        "instance_id": "i-bp1", "region_id": "cn-hangzhou", "status": "Running", "tags": (("ecs-reboot", "enabled"),),
        "start_time": NOW - timedelta(days=3), "read_at": NOW, **instance,
    }  # fmt: skip
    return Facts(
        request=RebootRequest.model_validate({"trigger": "timer", "evidence": "", **(request or {})}),
        target=Target(instance_id="i-bp1", region_id="cn-hangzhou"),
        instance=Instance.model_validate(shown),
        policy=load(settings or {}).policy,
        now=NOW,
        region_state=RegionState(limit=2, rebooted=1, asked_for=3),
    )


def row(code: str, of: Facts) -> GuardRow:
    return next(row for row in guard_table(of) if row.code == code)


def test_every_guard_of_the_policy_has_a_row_and_no_row_is_left_over() -> None:
    assert list(FACTS) == [guard.code for guard in GUARDS]


def test_a_row_s_text_names_the_settings_that_its_guard_reads() -> None:
    shown = Instance(instance_id="i-bp1", region_id="cn-hangzhou", status="Running", read_at=NOW)
    window = {"MAINTENANCE_WINDOWS": "daily 00:00-24:00", "FREEZES": "2026-12-24 eve", "GROUP_TAG": "app"}
    for guard in GUARDS:
        text = FACTS[guard.code](facts(window), shown)
        # TIME_ZONE shows as the zone itself, MAX_REBOOTS_WINDOW_SECONDS as the seconds counted over.
        # Of one that is Running neither force nor patience matters.
        silent = (
            {"TIME_ZONE", "MAX_REBOOTS_WINDOW_SECONDS"}
            | ({"FORCE_REBOOT", "HUNG_AFTER_SECONDS"} if guard.code == "not_running" else set())
            | ({"MAX_REBOOTS"} if guard.code == "storm" else set())
        )
        for setting in set(re.findall(r"[A-Z]{2,}(?:_[A-Z]+)+", guard.reads)) - silent:
            assert setting in text, guard.code


@pytest.mark.parametrize(
    ("code", "settings", "instance", "text"),
    [
        ("paused", {"PAUSED": "disk swap; by=ana"}, {}, "PAUSED: disk swap, by ana"),
        ("paused", {"PAUSED": "x; until=2026-11-01T00:00Z"}, {}, "which has passed"),
        ("locked", {}, {"operation_locks": ("security", "financial")}, "OperationLocks: security, financial"),
        ("not_running", {}, {"status": "Stopped"}, "Status: Stopped"),
        ("unavailable", {}, {"expired_time": NOW}, "ExpiredTime 2026-11-23T18:00Z"),
        ("not_opted_in", {}, {"tags": (("ecs-reboot", "no"),)}, "tag ecs-reboot=no, OPT_IN_TAG ecs-reboot=enabled"),
        (
            "outside_window",
            {"TIME_ZONE": "Asia/Shanghai", "FREEZES": "2026-11-24 fair"},
            {},
            "Tue 2026-11-24 02:00 Asia",
        ),
        (
            "recently_started",
            {},
            {"start_time": NOW - timedelta(seconds=23)},
            "StartTime 2026-11-23T17:59:37Z (23 s ago), GRACE_SECONDS 600",
        ),
        ("tags_full", {}, {"tags": tuple((str(n), "") for n in range(20))}, "20 tags of at most 20"),
        ("ledger_unavailable", {}, {"tags": ((ledger.KEY, "junk"),)}, "='junk'"),
        ("storm", {}, {}, "3 others asked for within 3600 s, limit 2 times STORM_FACTOR 10"),
        ("blast_radius", {}, {}, "1 other rebooted within 3600 s, limit 2 (MAX_REBOOTS 5%)"),
    ],
)
def test_a_row_says_the_fact(code: str, settings: dict[str, str], instance: dict[str, Any], text: str) -> None:
    shown = facts(settings, **instance).instance
    assert shown is not None
    assert text in FACTS[code](facts(settings), shown)


def test_after_the_guard_that_objects_none_is_reached() -> None:
    table = guard_table(facts(status="Stopping"))
    outcomes = [row.outcome for row in table]
    assert outcomes == ["passed"] * 3 + ["failed"] + ["not reached"] * (len(GUARDS) - 4)
    assert not any(row.fact for row in table[4:])


def test_an_overridden_guard_is_shown_as_that_and_the_next_are_reached() -> None:
    request = {"by_hand": True, "reason": "agreed", "override": ("recently_started",), "trigger": "manual"}
    started = facts(request=request, start_time=NOW - timedelta(seconds=60))
    assert row("recently_started", started).outcome == "overridden"
    assert "60 s ago" in row("recently_started", started).objection
    assert row("blast_radius", started).outcome == "passed"


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *arguments]) == 0
    return capsys.readouterr().out


def test_an_event_is_explained_without_a_reboot(capsys: pytest.CaptureFixture[str]) -> None:
    out = explained(capsys, "--event", str(ROOT / "events/manual-by-id.json"))
    assert "decision  reboot: graceful, by FORCE_REBOOT=never" in out
    assert "DRYRUN.SUCCESS" in out
    assert len(re.findall(r"^ +\d+  \w+ +passed", out, re.MULTILINE)) == len(GUARDS)


def test_a_locked_instance_fails_at_its_lock(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"instance_ids": ["i-bp1dbdbdbdbdbdbdbdb1"], "region_id": "cn-hangzhou"}))
    out = explained(capsys, "--event", str(event))
    assert re.search(r"3  locked +FAILED +OperationLocks: security", out)
    assert "decision  skip locked: the instance has the operation lock security" in out
    assert re.search(r"17  blast_radius +not reached", out)


def test_text_of_others_moves_no_cursor(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\u202e"
    event, fleet = tmp_path / "event.json", tmp_path / "fleet.json"
    event.write_text(json.dumps({"instance_ids": ["i-bp1a2b3c4d5e6f7g8h9i"], "region_id": "cn-hangzhou"}))
    tags = {"ecs-reboot": f"paused; by={evil}"}
    named = {"instance_id": "i-bp1a2b3c4d5e6f7g8h9i", "instance_name": evil, "tags": tags}
    fleet.write_text(json.dumps({"instances": [named]}))
    out = explained(capsys, "--event", str(event), "--fleet", str(fleet))
    assert all(line.isprintable() for line in out.splitlines())
    assert "owned" in out


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ("alarm-firing.form.txt", "no guard was asked  stale"),
        ("alarm-recovered.form.txt", "no guard was asked  alarm_over"),
        ("manual-misspelt.json", "no guard was asked  unknown_field"),
    ],
)
def test_what_asks_for_nothing_is_said_to(capsys: pytest.CaptureFixture[str], event: str, text: str) -> None:
    settings = "" if "stale" in text else "MAX_EVENT_AGE_SECONDS=0"
    assert text in explained(capsys, "--event", str(ROOT / "events" / event), "--set", settings)


def test_records_are_explained_as_they_were_decided(
    recorded: Night, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "export.json"
    file.write_text(json.dumps(recorded.stored))
    out = explained(capsys, "--records", str(file))
    assert "outcome   recovered: it went down and was Running again" in out
    assert "OVERRIDDEN" in out
    assert "decides otherwise" not in out
    alone = explained(capsys, "--records", str(file), "--instance", "i-bp1z9y8x7w6v5u4t3s2r")
    assert "web-02" in alone
    assert "web-01" not in alone
    assert main(["explain", "--records", str(file), "--instance", "i-nope"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"no result of the records file {file} is about INSTANCE='i-nope'; there are i-" in said.err
    assert "i-bp1z9y8x7w6v5u4t3s2r (web-02)" in said.err


def test_a_wrong_call_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 2
    assert "EVENT=path" in capsys.readouterr().err
    assert main(["explain", "--event", "nowhere.json"]) == 2
    assert "can't be read" in capsys.readouterr().err
    assert main(["explain", "--records", "x", "--set", "A=b"]) == 2
    assert "replay" in capsys.readouterr().err
    assert main(["foretell"]) == 2


def test_wrong_settings_end_in_their_record_and_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    event = str(ROOT / "events/manual-by-id.json")
    assert main(["explain", "--event", event, "--set", "GRACE_SECONDS=soon"]) == 1
    assert "wrong_settings" in capsys.readouterr().out


def test_a_reader_that_stops_reading_is_no_error(recorded: Night, tmp_path: Path) -> None:
    file = tmp_path / "night.log"
    file.write_text(recorded.logs * 2)
    explain = subprocess.Popen(
        [sys.executable, "-m", "cli", "explain", "--records", str(file)],
        env={"PYTHONPATH": str(ROOT / "src")}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert explain.stdout
    assert explain.stderr
    explain.stdout.close()
    with explain.stderr as said:
        assert said.read() == b""
    assert explain.wait() == 0
