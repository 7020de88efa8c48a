"""replay: the recorded settings change nothing; others change what they should, and what can't be told is said."""

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from recorded_night import Night

from cli.program import main
from ecs_reboot.model import Instance, RebootRequest, Target
from ecs_reboot.policy.blast_radius import RegionState
from ecs_reboot.policy.decide import decide
from ecs_reboot.policy.facts import Facts
from ecs_reboot.records import result as records
from ecs_reboot.settings.settings import load
from review.exported import read
from review.other_settings import parsed
from review.replay import Again, replayed
from terminal.key_values import UsageError

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=timezone.utc)
AROUND = RegionState(limit=1, rebooted=1, asked_for=1)


def record(
    settings: dict[str, str] | None = None, around: RegionState | None = AROUND, trigger: str = "manual", **more: Any
) -> dict[str, Any]:
    """What the function would write about one instance."""
    instance = {
        "instance_id": "i-bp1", "region_id": "cn-hangzhou", "status": "Running", "start_time": NOW - timedelta(days=3),
        "tags": (("ecs-reboot", "enabled"), ("app", "web")), "read_at": NOW, **more,
    }  # fmt: skip
    facts = Facts(
        request=RebootRequest(trigger=trigger, evidence="a test"),
        target=Target(instance_id="i-bp1", region_id="cn-hangzhou"),
        instance=Instance.model_validate(instance),
        policy=load(settings or {}).policy,
        now=NOW,
        region_state=around,
    )
    decision = decide(facts)
    code = "accepted" if decision.action == "reboot" else decision.code
    result = records.of_decision(facts, decision.action, code, decision.reason, force=decision.force)
    return records.flat(result, "r-1", "result", NOW)


def again(row: dict[str, Any], **settings: str) -> Again:
    found = replayed(read(json.dumps([row])), parsed(settings))
    assert not found.left_out
    return found.again[0]


def move(row: dict[str, Any], **settings: str) -> tuple[str, str]:
    found = again(row, **settings)
    return found.before.code, found.after.code


def test_a_night_replayed_as_recorded_changes_nothing(recorded: Night) -> None:
    for export in (read(recorded.logs), read(json.dumps(recorded.stored))):
        found = replayed(export, {})
        assert len(found.again) > 3
        assert not any(changed.changed for changed in found.again)
        assert {reason.partition(":")[0] for _, reason in found.left_out} == {"alarm_over", "unknown_field"}


@pytest.mark.parametrize(
    ("row", "settings", "moved"),
    [
        (record(start_time=NOW - timedelta(seconds=60)), {"GRACE_SECONDS": "30"}, ("recently_started", "blast_radius")),
        (record(), {"MAX_REBOOTS": "2"}, ("blast_radius", "allowed")),
        (record(), {"MAX_REBOOTS": "off"}, ("blast_radius", "allowed")),
        (record(), {"PAUSED": "audit"}, ("blast_radius", "paused")),
        (record(), {"OPT_IN_TAG": "app=db"}, ("blast_radius", "not_opted_in")),
        (
            record(around=AROUND.model_copy(update={"rebooted": 0}), trigger="timer"),
            {"MAINTENANCE_WINDOWS": "Sat 01:00-02:00"},
            ("allowed", "outside_window"),
        ),
        (
            record({"GROUP_TAG": "app"}, AROUND.model_copy(update={"rebooted": 0, "group_member": "i-bp2"})),
            {"GROUP_TAG": ""},
            ("blast_radius", "allowed"),
        ),
    ],
)
def test_other_settings_move_a_decision(row: dict[str, Any], settings: dict[str, str], moved: tuple[str, str]) -> None:
    assert move(row, **settings) == moved
    assert again(row, **settings).changed


def test_what_is_not_given_stays_as_recorded_and_not_at_its_default() -> None:
    row = record(
        {"GRACE_SECONDS": "60"}, AROUND.model_copy(update={"rebooted": 0}), start_time=NOW - timedelta(seconds=90)
    )
    assert again(row, FORCE_REBOOT="never").after.action == "reboot"


def test_force_alone_is_a_change() -> None:
    row = record(around=None, settings={"MAX_REBOOTS": "off"})
    assert again(row, FORCE_REBOOT="always").changed


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"MAX_REBOOTS": "90%"}, "MAX_REBOOTS: a percentage"),
        ({"MAX_REBOOTS_WINDOW_SECONDS": "60"}, "MAX_REBOOTS_WINDOW_SECONDS"),
        ({"GROUP_TAG": "app"}, "GROUP_TAG"),
    ],
)
def test_what_the_facts_can_t_answer_stays_as_recorded_and_is_said(settings: dict[str, str], name: str) -> None:
    found = again(record(), **settings)
    assert not found.changed
    assert name in found.kept[0]


def test_a_percentage_as_recorded_is_nothing_to_complain_of() -> None:
    assert again(record(), MAX_REBOOTS="5%").kept == ()


def test_a_reboot_for_which_the_region_was_never_read_is_said_to_be_open() -> None:
    row = record(around=None, start_time=NOW - timedelta(seconds=60))
    found = again(row, GRACE_SECONDS="0")
    assert found.after.action == "reboot"
    of_others = ("managed", "platform_repairing", "platform_event")
    assert found.unasked == ("suspended", "storm", "blast_radius", *of_others)
    without = {"GRACE_SECONDS": "0", "MAX_REBOOTS": "off"}
    assert again(row, **without).unasked == ("suspended", *of_others)
    assert again(row, **without, SUSPEND_AFTER="0").unasked == of_others
    without |= {"SUSPEND_AFTER": "0", "MANAGED": "allow", "PLATFORM_EVENTS": "ignore"}
    assert again(row, **without).unasked == ()


def test_a_limit_where_there_was_none_counts_what_the_region_s_ledger_held() -> None:
    none = AROUND.model_copy(update={"limit": None})
    assert move(record({"MAX_REBOOTS": "off"}, none), MAX_REBOOTS="1") == ("allowed", "blast_radius")
    assert move(record({"MAX_REBOOTS": "off"}, none), MAX_REBOOTS="2") == ("allowed", "allowed")


def test_a_result_that_was_not_the_policy_s_is_left_out() -> None:
    allowed = record(around=AROUND.model_copy(update={"rebooted": 0}))
    lost = {**allowed, "action": "skip", "code": "claimed_elsewhere"}
    twice = {**allowed, "action": "skip", "code": "repeated", "facts": {**allowed["facts"], "instance": None}}
    found = replayed(read(json.dumps([lost, twice])), {})
    assert not found.again
    assert {reason for _, reason in found.left_out} == {
        "claimed_elsewhere was found after all guards had passed",
        "repeated was found before the guards were asked",
    }


@pytest.mark.parametrize("name", ["DRY_RUN", "GRACE", "MAX_EVENT_AGE_SECONDS"])
def test_a_setting_that_no_decision_reads_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        parsed({name: "1"})


def test_the_report_is_the_same_each_time_and_counts_right(
    recorded: Night, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "night.log"
    file.write_text(recorded.logs)
    said = []
    for _ in range(2):
        assert main(["replay", "--records", str(file), "--set", "GRACE_SECONDS=0 COOLDOWN_SECONDS=0"]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert "skip recently_started -> reboot" in said[0]
    assert "unless the region's ledger had objected" in said[0]
