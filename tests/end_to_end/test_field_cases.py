"""Events as people really send them: each case of the table does on the default fleet what its row says."""

import csv
import json
import shlex
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from staging import Staged, records

WEB_01, WEB_02 = "i-bp1a2b3c4d5e6f7g8h9i", "i-bp1z9y8x7w6v5u4t3s2r"
FIELD = Path(__file__).parent.parent / "samples" / "field"

with (FIELD / "cases.tsv").open(encoding="utf-8", newline="") as table:
    CASES = list(csv.DictReader(table, delimiter="\t"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_a_case_from_the_field_does_what_its_row_says(stage: Staged, case: dict[str, str]) -> None:
    settings = dict(word.split("=", 1) for word in shlex.split(case["settings"]))
    here = stage(None, **settings)
    if "WEBHOOK_TOKEN" in settings:
        here.send({"instance_ids": [WEB_02], "dry_run": True})  # HTTP has seconds only: what must be loaded is loaded
    answer = here.send((FIELD / case["file"]).read_bytes())
    body = json.loads(answer["body"]) if "statusCode" in answer else answer
    assert body["status"] == case["status"]
    assert sorted(here.rebooted()) == [word for word in case["reboots"].split() if word != "-"]


def group(began: datetime) -> str:
    labels = {"alertname": "HostDown", "instance_id": WEB_01, "region_id": "cn-hangzhou"}
    alert = {"status": "firing", "labels": labels, "startsAt": f"{began:%Y-%m-%dT%H:%M:%SZ}", "fingerprint": "f1"}
    return json.dumps({"status": "firing", "groupLabels": {}, "alerts": [alert]})


def test_a_group_that_arrives_now_is_told_now_however_long_ago_its_alert_began(stage: Staged) -> None:
    here = stage(None, WEBHOOK_TOKEN="t0ken")
    here.send({"instance_ids": [WEB_02], "dry_run": True})
    now = datetime.now(timezone.utc)
    request = {
        "rawPath": "/",
        "headers": {"Authorization": "Bearer t0ken"},
        "body": group(now - timedelta(hours=2)),
        "requestContext": {"timeEpoch": str(int(now.timestamp() * 1000))},
    }
    late = {**request, "requestContext": {"timeEpoch": str(int((now - timedelta(hours=2)).timestamp() * 1000))}}
    assert json.loads(here.send(late)["body"])["results"][0]["code"] == "stale"
    assert here.rebooted() == []
    assert json.loads(here.send(request)["body"])["status"] == "completed"
    assert here.rebooted() == [WEB_01]


def test_left_out_alerts_are_said_in_the_answer_and_the_record(stage: Staged) -> None:
    here = stage(None, MAX_EVENT_AGE_SECONDS="0")
    body = {**json.loads(group(datetime.now(timezone.utc))), "truncatedAlerts": 3}
    invocation = here.instance.invoke(json.dumps(body).encode())
    answer = json.loads(invocation.payload)
    assert answer["status"] == "completed"
    assert "truncated_alerts" in [result["code"] for result in answer["results"]]
    assert "truncated_alerts" in [record["code"] for record in records(invocation.logs)]
    assert here.rebooted() == [WEB_01]


def test_a_strangers_alert_gets_one_record_with_a_request_that_works(stage: Staged) -> None:
    here = stage(None)
    answer = here.send((FIELD / "16d-flat-aliyun-sub.json").read_bytes())
    (result,) = answer["results"]
    assert result["code"] == "unsupported"
    assert "did you mean" not in result["reason"]
    request = json.loads(result["reason"][result["reason"].index("{") : result["reason"].rindex("}") + 1])
    assert len(request) == 5
    assert here.send({**request, "instance_ids": [WEB_01]})["status"] == "completed"
    assert here.rebooted() == [WEB_01]


def test_every_case_is_in_the_table() -> None:
    assert {path.name for path in FIELD.iterdir()} - {"cases.tsv"} == {case["file"] for case in CASES}
