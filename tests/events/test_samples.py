"""Every sample gives what the table beside it says, near its own time and without an age limit."""

import csv
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ecs_reboot.events import EventSettings, read
from ecs_reboot.events.system_event_catalog import switchable

SAMPLES = Path(__file__).parent.parent / "samples"
TOKEN = "sample-token"
ANY_TIME = datetime(2026, 1, 1, tzinfo=timezone.utc)
TIMELESS = "twin-37-grafana-legacy"  # Grafana's legacy webhook says no time at all

with (SAMPLES / "expected.tsv").open(encoding="utf-8", newline="") as table:
    ROWS = list(csv.DictReader(table, delimiter="\t"))


def sample(name: str) -> bytes:
    """Read a sample; those of the HTTP trigger get the token that their sender would have added."""
    event = (SAMPLES / name).read_bytes()
    if b'"requestContext"' in event:
        request = json.loads(event)
        request["queryParameters"] = {"token": TOKEN}
        event = json.dumps(request).encode()
    return event


def rules_of(row: dict[str, str], max_age: int) -> EventSettings:
    return EventSettings(
        default_region="cn-hangzhou",
        webhook_token=TOKEN,
        max_event_age_seconds=max_age,
        actionable_events=switchable() if row["switched_on"] == "on" else (),
    )


def clock(row: dict[str, str]) -> datetime:
    if row["now"] == "-":
        return ANY_TIME
    return datetime.strptime(row["now"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("row", "max_age"),
    [
        pytest.param(row, max_age, id=f"{row['file']}-{max_age}")
        for row in ROWS
        for max_age in ([0] if row["file"].startswith(TIMELESS) else [0, 1800])
    ],
)
def test_sample_gives_what_its_row_says(row: dict[str, str], max_age: int) -> None:
    reading = read(sample(row["file"]), rules_of(row, max_age), clock(row))
    found = {
        "trigger": reading.trigger,
        "requests": " | ".join(
            " ".join(f"{target.instance_id}@{target.region_id}" for target in request.targets)
            for request in reading.requests
        ),
        "ignored": " ".join(ignored.code for ignored in reading.ignored),
        "rejected": " ".join(refused.code for refused in reading.rejected),
    }
    assert {key: value or "-" for key, value in found.items()} == {key: row[key] for key in found}
    assert reading.over_http == row["trigger"].startswith("http")
    assert all(request.evidence and request.trigger == reading.trigger for request in reading.requests)


def test_every_sample_is_in_the_table() -> None:
    files = {path.name for path in SAMPLES.iterdir() if path.name[:2].isdigit() or path.name.startswith("twin-")}
    assert files == {row["file"] for row in ROWS}
    assert sum(name[:2].isdigit() for name in files) == 83


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row["requests"] != "-" and row["now"] != "-"],
    ids=lambda row: row["file"],
)
def test_a_firing_sample_is_stale_later_and_suspicious_earlier(row: dict[str, str]) -> None:
    late = read(sample(row["file"]), rules_of(row, 1800), clock(row) + timedelta(hours=2))
    early = read(sample(row["file"]), rules_of(row, 1800), clock(row) - timedelta(hours=2))
    assert not late.requests
    # A Prometheus v1 alert says when it ends, and that is over by then.
    assert {"stale", "alarm_over"} & {ignored.code for ignored in late.ignored}
    assert not early.requests
    assert "from_the_future" in {refused.code for refused in early.rejected}


def test_a_sample_without_a_time_needs_its_delivery() -> None:
    event = (SAMPLES / f"{TIMELESS}-alerting.json").read_text(encoding="utf-8")
    rules = EventSettings(default_region="cn-hangzhou", webhook_token=TOKEN)
    bare = read(event.encode(), rules, ANY_TIME)
    assert [refused.code for refused in bare.rejected] == ["no_event_time"]
    assert "MAX_EVENT_AGE_SECONDS=0" in bare.rejected[0].reason
    request = {
        "headers": {"authorization": f"Bearer {TOKEN}"},
        "body": event,
        "requestContext": {"timeEpoch": str(int(ANY_TIME.timestamp() * 1000))},
    }
    assert len(read(json.dumps(request).encode(), rules, ANY_TIME).requests) == 1


def test_evidence_and_fault_key_of_the_live_alarm_form() -> None:
    row = next(row for row in ROWS if row["file"].startswith("09-"))
    (request,) = read(sample(row["file"]), rules_of(row, 0), clock(row)).requests
    assert request.evidence == "CloudMonitor alarm 'cpu-high' on CPUUtilization is ALERT/CRITICAL (value 97.39)"
    again = read(sample("74-fc-http-trigger-threshold-form-base64-rebuilt.json"), rules_of(row, 0), clock(row))
    assert request.fault_key == again.requests[0].fault_key
    assert not request.by_hand


def test_one_system_event_has_one_fault_key_whichever_way_it_comes() -> None:
    event = json.loads((SAMPLES / "twin-10-cms-event-systemmaintenance-reboot-scheduled.json").read_text("utf-8"))
    content = event["content"]
    cloud_event = {
        "id": "1",
        "source": "acs.ecs",
        "specversion": "1.0",
        "type": "ecs:Instance:SystemMaintenance.Reboot",
        "subject": event["resourceId"],
        "time": "2019-04-09T12:18:26+08:00",
        "data": content,
    }
    rules = EventSettings(max_event_age_seconds=0, actionable_events=switchable())
    keys = {read(json.dumps(form).encode(), rules, ANY_TIME).requests[0].fault_key for form in (event, cloud_event)}
    assert len(keys) == 1
