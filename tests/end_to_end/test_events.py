"""Every sample and every event file, through the function, against the cloud's own word on what was rebooted."""

import csv
import json
from pathlib import Path

import pytest
from staging import Stage, Staged

from ecs_reboot.events.system_event_catalog import switchable

TESTS = Path(__file__).parent.parent
SAMPLES = TESTS / "samples"
EVENTS = TESTS.parent / "events"
TOKEN = "demo-token"
WEB_01, WEB_02 = "i-bp1a2b3c4d5e6f7g8h9i", "i-bp1z9y8x7w6v5u4t3s2r"
OPEN = {"MAX_EVENT_AGE_SECONDS": "0", "WEBHOOK_TOKEN": TOKEN, "MAX_REBOOTS": "off"}

#: Firing only until the time in its `endsAt`, which has passed.
ENDED = "twin-35-prometheus-alert-list-v1.json"

with (SAMPLES / "expected.tsv").open(encoding="utf-8", newline="") as table:
    ROWS = list(csv.DictReader(table, delimiter="\t"))


def with_token(event: bytes) -> bytes:
    if b'"requestContext"' not in event:
        return event
    return json.dumps({**json.loads(event), "queryParameters": {"token": TOKEN}}).encode()


@pytest.mark.parametrize("switched_on", ["-", "on"])
def test_every_sample_reboots_exactly_what_its_row_says(stage: Staged, switched_on: str) -> None:
    actionable = ",".join(switchable()) if switched_on == "on" else ""
    here = stage(None, **OPEN, ACTIONABLE_EVENTS=actionable, MAINTENANCE_WINDOWS="00:00-24:00")
    visible = {f"{spec.instance_id}@{spec.region_id}" for spec in here.cloud.declared.instances}
    for row in (row for row in ROWS if row["switched_on"] == switched_on):
        here.cloud.reset()
        answer = here.send(with_token((SAMPLES / row["file"]).read_bytes()))
        body = json.loads(answer["body"]) if "statusCode" in answer else answer
        asked = (
            set()
            if row["file"] == ENDED
            else {target for target in row["requests"].replace("|", " ").split() if target != "-"}
        )
        assert sorted(here.rebooted()) == sorted(target.partition("@")[0] for target in asked & visible), row["file"]
        assert body["trigger"] == row["trigger"], row["file"]
        if not asked:
            assert body["status"] in {"ignored", "rejected"}, row["file"]
            assert "RebootInstances" not in here.calls(), row["file"]
        assert here.cloud.audit.calls("PutLogs", service="sls"), f"{row['file']} left no record"


FILES = {
    "alarm-firing.form.txt": ("completed", [WEB_01]),
    "alarm-recovered.form.txt": ("ignored", []),
    "alertmanager-mixed.json": ("completed", [WEB_01]),
    "manual-by-id.json": ("completed", [WEB_01]),
    "manual-dry-run.json": ("completed", []),
    "manual-misspelt.json": ("rejected", []),
    "timer-by-tag.json": ("completed", [WEB_01, WEB_02]),
    "sls-firing.json": ("completed", [WEB_01]),
    "mns-queue-alarm.json": ("completed", [WEB_01]),
}


@pytest.mark.parametrize("name", FILES)
def test_an_event_file_does_what_its_name_says(stage: Staged, name: str) -> None:
    here = stage(None, **OPEN)
    answer = here.send((EVENTS / name).read_bytes())
    status, rebooted = FILES[name]
    assert answer["status"] == status
    assert sorted(here.rebooted()) == sorted(rebooted)


def test_an_old_event_is_ignored_and_says_how_old(stage: Staged) -> None:
    here = stage(None)
    answer = here.send((EVENTS / "alarm-firing.form.txt").read_bytes())
    assert (answer["status"], answer["results"][0]["code"]) == ("ignored", "stale")
    assert here.calls() == []


def over_http(here: Stage, **changes: object) -> dict[str, object]:
    return here.send({**json.loads((EVENTS / "http-alarm-firing.json").read_bytes()), **changes})


def test_http_answers_as_http_and_only_with_the_token(stage: Staged) -> None:
    here = stage(None, **OPEN)
    wrong = over_http(here, queryParameters={"token": "guess"})
    assert (wrong["statusCode"], here.calls()) == (401, [])
    here.send({"instance_ids": [WEB_02], "dry_run": True})  # HTTP has seconds only: what must be loaded is loaded
    bearer = over_http(here, queryParameters={}, headers={"authorization": f"Bearer {TOKEN}"})
    assert bearer["statusCode"] == 200
    assert set(bearer) == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert json.loads(str(bearer["body"]))["results"][0]["code"] == "accepted"
    assert here.rebooted() == [WEB_01]
    assert TOKEN not in str(here.cloud.audit.entries())


def test_http_is_refused_where_no_token_is_set(stage: Staged) -> None:
    here = stage(None, MAX_EVENT_AGE_SECONDS="0")
    assert over_http(here)["statusCode"] == 403
    assert here.calls() == []


def test_http_answers_within_cloudmonitors_five_seconds_even_when_ecs_does_not(stage: Staged) -> None:
    faults = [{"action": "DescribeInstances", "kind": "error", "code": "ServiceUnavailable"}]
    here = stage([], faults=faults, **OPEN)
    invocation = here.instance.invoke(with_token((EVENTS / "http-alarm-firing.json").read_bytes()))
    answer = json.loads(invocation.payload)
    assert answer["statusCode"] == 503
    assert invocation.duration < 5
    assert json.loads(answer["body"])["results"][0]["retriable"]
