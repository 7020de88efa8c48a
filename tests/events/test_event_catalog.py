"""Every documented system event: what may follow from it, in both forms in which it comes."""

import csv
import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from ecs_reboot.events import EventSettings, read
from ecs_reboot.events.system_event_catalog import CatalogEntry, entries, look_up, qualified, switchable
from ecs_reboot.model import ParsedEvent

ROOT = Path(__file__).parent.parent.parent
ID = "i-bp1a2b3c4d5e6f7g8h9i"
ARN = f"acs:ecs:cn-hangzhou:1000000000000000:instance/{ID}"
NOW = datetime(2024, 6, 1, 3, 40, tzinfo=timezone.utc)

with (ROOT / "tests/samples/system-event-names.tsv").open(encoding="utf-8", newline="") as table:
    NAMES = [(row["name"], row["status"]) for row in csv.DictReader(table, delimiter="\t")]


def by_cloudmonitor(name: str, status: str) -> dict[str, object]:
    return {
        "product": "CloudMonitor" if name.startswith("Agent") else "ECS",
        "id": "A",
        "resourceId": ARN,
        "level": "CRITICAL",
        "status": status,
        "name": name,
        "eventTime": "20240601T113909.922+0800",
        "regionId": "cn-hangzhou",
        "content": {"eventId": "e-1", "instanceId": ID},
    }


def by_eventbridge(name: str, status: str) -> dict[str, object]:
    base = name.rpartition(":")[0] if name.count(":") == 2 else name
    return {
        "id": "B",
        "source": "acs.ecs",
        "specversion": "1.0",
        "type": f"ecs:{base}",
        "subject": ARN,
        "time": "2024-06-01T11:39:09+08:00",
        "data": {"eventId": "e-1", "eventStatus": status, "instanceId": ID},
    }


def reading(event: object, *switched_on: str) -> ParsedEvent:
    return read(json.dumps(event).encode(), EventSettings(actionable_events=switched_on), NOW)


@pytest.mark.parametrize("form", [by_cloudmonitor, by_eventbridge])
@pytest.mark.parametrize(("name", "status"), NAMES)
def test_no_documented_event_reboots_by_default_and_only_switchable_ones_when_asked(
    form: Callable[[str, str], object], name: str, status: str
) -> None:
    event = form(name, status)
    assert not reading(event).requests
    asked = reading(event, *switchable(), name, qualified(name, status))
    assert bool(asked.requests) == (qualified(name, status) in switchable())


@pytest.mark.parametrize(("name", "status"), NAMES)
def test_every_documented_event_is_in_the_catalogue(name: str, status: str) -> None:
    assert [entry for entry in entries() if entry.name == name and entry.status == status]


def test_switching_one_event_on_switches_on_no_other() -> None:
    chosen = "Instance:SystemMaintenance.Reboot:Scheduled"
    acted = [name for name, status in NAMES if reading(by_cloudmonitor(name, status), chosen).requests]
    assert acted == [chosen]


def test_what_may_be_switched_on() -> None:
    assert set(switchable()) == {
        "Agent_Status_Stopped:stopped",
        "Disk:DiskIOHang:WillExecute",
        "Disk:Stalled:Executing",
        "Instance:SystemFailure.Reboot:Failed",
        "Instance:SystemMaintenance.Reboot:Scheduled",
    }


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("Instance:StateChange", "Normal", "echo"),
        ("Instance:PreemptibleInstanceInterruption", "Normal", "information"),
        ("Instance:SystemFailure.Reboot:Executing", "Executing", "not_actionable"),
        ("Instance:SystemFailure.Reboot:Executed", "Executed", "alarm_over"),
        ("Instance:NeverHeardOf.Thing:Executing", "Executing", "not_actionable"),
        ("Instance:NeverHeardOf", "Normal", "information"),
    ],
)
def test_the_code_says_why_nothing_follows(name: str, status: str, code: str) -> None:
    assert [ignored.code for ignored in reading(by_cloudmonitor(name, status)).ignored] == [code]


@pytest.mark.parametrize("state", ["Created", "Starting", "Running", "Stopping", "Stopped", "Deleted", "Executing"])
def test_a_change_of_state_is_an_echo_whatever_the_state(state: str) -> None:
    event = by_eventbridge("Instance:StateChange", "")
    event["data"] = {"resourceId": ID, "resourceType": "ALIYUN::ECS::Instance", "state": state}
    asked = reading(event, *switchable(), "Instance:StateChange:Stopped", "Instance:StateChange")
    assert [ignored.code for ignored in asked.ignored] == ["echo"]


def test_looking_up_takes_letters_of_any_case() -> None:
    assert look_up("agent_status_stopped", "Stopped") == look_up("Agent_Status_Stopped", "stopped")


def test_the_documents_table_is_the_catalogue() -> None:
    lines = (ROOT / "docs/understand/events.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| `") and line.count("|") == 5]
    assert rows == [_row(entry) for entry in entries()]


def _row(entry: CatalogEntry) -> str:
    return f"| `{entry.name}` | {entry.status} | {entry.verdict} | {entry.why} |"
