"""Evidence from before a reboot: in the bucket, named in the record, and never in the reboot's way."""

import hashlib
import json
from typing import Any

import pytest
from staging import Stage, Staged, instances, records

from localcloud.account.faults import Fault
from localcloud.account.fleet import EVIDENCE_BUCKET

ONE = "i-bp1test0000000000000"
PANIC = "[86312.77] Kernel panic - not syncing: password=hunter2"
ASK = {"instance_ids": [ONE], "region_id": "cn-hangzhou"}


def staged(stage: Staged, level: str, **settings: str) -> Stage:
    return stage(instances(1, console=PANIC, reboot_seconds=1), GRACE_SECONDS="0", EVIDENCE=level, **settings)


def objects(here: Stage) -> dict[str, bytes]:
    stored = here.server.services.oss.buckets[EVIDENCE_BUCKET].objects
    return {name: found.body for name, found in stored.items()}


def result(answer: dict[str, Any]) -> dict[str, Any]:
    only: dict[str, Any]
    (only,) = answer["results"]
    return only


def test_text_picture_and_state_lie_in_the_bucket_and_the_record_names_them(stage: Staged) -> None:
    here = staged(stage, "full", VERIFY_SECONDS="10")
    told = result(here.send(ASK))
    assert told["code"] == "recovered"
    exhibits = {exhibit["name"]: exhibit for exhibit in told["exhibits"]}
    assert list(exhibits) == ["console", "screen", "state"]
    for exhibit in exhibits.values():
        body = objects(here)[exhibit["key"]]
        assert (exhibit["sha256"], exhibit["size"], exhibit["error"]) == (
            hashlib.sha256(body).hexdigest(),
            len(body),
            "",
        )
        assert exhibit["key"].startswith(f"cn-hangzhou/{ONE}/")
    assert objects(here)[exhibits["console"]["key"]].decode() == PANIC
    assert exhibits["screen"]["key"].endswith("/screen.png")
    assert json.loads(objects(here)[exhibits["state"]["key"]])["open_events"] == []
    calls = here.calls()
    assert calls.index("GetInstanceScreenshot") < calls.index("RebootInstances"), "after it there is nothing to see"
    (asked,) = [entry for entry in here.cloud.audit.calls() if entry["action"] == "GetInstanceScreenshot"]
    assert asked["parameters"].get("WakeUp", "false").lower() == "false", "nothing is woken up"


def test_the_content_stays_out_of_the_records(stage: Staged) -> None:
    here = staged(stage, "console")
    invocation = here.instance.invoke(json.dumps(ASK).encode())
    assert "hunter2" not in invocation.logs.decode() + invocation.payload.decode()
    (written,) = [record for record in records(invocation.logs) if record["record"] == "result"]
    assert [exhibit["name"] for exhibit in written["exhibits"]] == ["console"]
    assert "GetInstanceScreenshot" not in here.calls()


def test_off_asks_for_nothing(stage: Staged) -> None:
    here = staged(stage, "off")
    assert result(here.send(ASK))["exhibits"] == []
    assert not {"GetInstanceScreenshot", "GetInstanceConsoleOutput"} & set(here.calls())


@pytest.mark.parametrize(
    ("fault", "settings", "error"),
    [
        (
            {"action": "GetInstanceConsoleOutput", "kind": "error", "status": 403, "code": "Forbidden.RAM"},
            {},
            "Forbidden",
        ),
        ({"action": "GetInstanceConsoleOutput", "kind": "delay", "seconds": 4}, {}, "ECS did not answer in time"),
        ({"action": "GetInstanceConsoleOutput", "kind": "drop_before"}, {}, "GetInstanceConsoleOutput"),
        ({}, {"EVIDENCE_BUCKET": "not-there"}, "NoSuchBucket"),
        ({}, {"OSS_ENDPOINT": "http://127.0.0.1:9"}, "PutObject"),
    ],
    ids=["refused", "slow", "no answer", "no bucket", "no OSS"],
)
def test_what_goes_wrong_stands_in_the_record_and_the_machine_is_rebooted(
    stage: Staged, fault: dict[str, Any], settings: dict[str, str], error: str
) -> None:
    here = staged(stage, "console", **settings)
    if fault:
        here.cloud.faults.add([Fault(**fault)])
    told = result(here.send(ASK))
    assert told["code"] == "accepted"
    (exhibit,) = told["exhibits"]
    assert error in exhibit["error"]
    assert not exhibit["key"]
    assert here.rebooted() == [ONE]


def test_a_dry_run_and_an_observing_function_take_none(stage: Staged) -> None:
    here = staged(stage, "full")
    assert result(here.send({**ASK, "dry_run": True}))["exhibits"] == []
    observing = staged(stage, "full", MODE="observe")
    assert result(observing.send(ASK))["exhibits"] == []
    assert "GetInstanceScreenshot" not in here.calls() + observing.calls()
