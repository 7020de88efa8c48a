"""What needs several invocations: rolling reboots, the sweep, state changes that complete a record, escalation."""

import json
import time
from datetime import datetime, timezone
from typing import Any

from staging import Stage, Staged, instances

ONE = "i-bp1test0000000000000"


def tick(here: Stage, **request: Any) -> dict[str, Any]:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return here.send({"triggerTime": now, "triggerName": "nightly", "payload": json.dumps(request)})


def progress(answer: dict[str, Any]) -> str:
    return next(str(result["reason"]) for result in answer["results"] if result["code"] == "rolling_progress")


def wait_until_up(here: Stage, timeout: float = 20) -> None:
    until = time.monotonic() + timeout
    while any(instance.status not in ("Running", "Stopped") for instance in here.cloud.fleet):
        here.cloud.advance()
        assert time.monotonic() < until
        time.sleep(0.05)
    here.cloud.advance()


ROLLING = {"tags": {"ecs-reboot": "enabled"}, "region_id": "cn-hangzhou", "limit": 2, "older_than": "1d"}


def test_a_rolling_reboot_converges_a_few_at_a_time_and_waits_for_those_under_way(stage: Staged) -> None:
    here = stage(instances(5, reboot_seconds=1), MAX_REBOOTS="off")
    seen = []
    for _ in range(3):
        seen.append(progress(tick(here, **ROLLING)))
        wait_until_up(here)
    done = progress(tick(here, **ROLLING))
    assert [text.partition("(")[2] for text in seen] == [
        "0 done, 0 under way, 0 failed, 5 left)",
        "2 done, 0 under way, 0 failed, 3 left)",
        "4 done, 0 under way, 0 failed, 1 left)",
    ]
    assert done.startswith("nothing left to do (5 done")
    assert len(here.rebooted()) == len(set(here.rebooted())) == 5


def test_a_rolling_reboot_starts_none_while_one_is_not_back(stage: Staged) -> None:
    here = stage(instances(3, reboot_seconds=60), MAX_REBOOTS="off")
    tick(here, **{**ROLLING, "limit": 1})
    answer = tick(here, **{**ROLLING, "limit": 1})
    assert progress(answer).startswith(f"waiting: {ONE} is not back yet")
    assert len(here.rebooted()) == 1


def test_a_rolling_reboot_stops_at_the_first_that_stays_down(stage: Staged) -> None:
    fleet = instances(3, reboot_seconds=1)
    fleet[0]["stays_down"] = True
    here = stage(fleet, MAX_REBOOTS="off")
    tick(here, **{**ROLLING, "limit": 1})
    wait_until_up(here)
    assert progress(tick(here, **{**ROLLING, "limit": 1})).startswith(f"stopped: {ONE} stayed down")
    assert here.rebooted() == [ONE]


def state_change(here: Stage, state: str) -> dict[str, Any]:
    now = datetime.now(timezone.utc)
    return here.send(
        {
            "id": f"{state}-1",
            "source": "acs.ecs",
            "specversion": "1.0",
            "type": "ecs:Instance:StateChange",
            "subject": f"acs:ecs:cn-hangzhou:1234567890123456:instance/{ONE}",
            "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "aliyunregionid": "cn-hangzhou",
            "data": {"resourceId": ONE, "resourceType": "ALIYUN::ECS::Instance", "state": state},
        }
    )


def test_a_state_change_completes_the_record_of_an_unwatched_reboot_and_never_reboots(stage: Staged) -> None:
    here = stage(instances(1, reboot_seconds=1))
    assert here.send({"instance_ids": [ONE], "region_id": "cn-hangzhou"})["results"][0]["code"] == "accepted"
    early = state_change(here, "Stopping")
    assert [result["code"] for result in early["results"]] == ["echo"]
    wait_until_up(here)
    late = state_change(here, "Running")
    assert [result["code"] for result in late["results"]] == ["echo", "recovered"]
    assert " back " in here.cloud.fleet[ONE].state.tags["ecs-reboot.ledger"]
    assert here.rebooted() == [ONE]
    again = state_change(here, "Running")
    assert [result["code"] for result in again["results"]] == ["echo"]


def test_escalation_is_graceful_first_and_forced_after_the_cooldown(stage: Staged) -> None:
    settings = {"FORCE_REBOOT": "escalate", "COOLDOWN_SECONDS": "1", "GRACE_SECONDS": "0"}
    here = stage(instances(1, reboot_seconds=0.2), **settings)
    for force, attempt in ((False, 1), (True, 2), (True, 3)):
        result = here.send({"instance_ids": [ONE], "region_id": "cn-hangzhou"})["results"][0]
        assert (result["code"], result["force"], result["attempt"]) == ("accepted", force, attempt), result["reason"]
        wait_until_up(here)
        time.sleep(1.1)
    assert here.send({"instance_ids": [ONE], "region_id": "cn-hangzhou"})["results"][0]["code"] == "attempts_exhausted"


def test_verification_gives_downtime_and_notices_what_stays_down(stage: Staged) -> None:
    fleet = instances(2, reboot_seconds=1)
    fleet[1]["stays_down"] = True
    here = stage(fleet, VERIFY_SECONDS="8", MAX_REBOOTS="off")
    answer = here.send({"instance_ids": [spec["instance_id"] for spec in fleet], "region_id": "cn-hangzhou"})
    back, down = answer["results"]
    assert (back["code"], down["code"]) == ("recovered", "stayed_down")
    assert 0.5 < back["downtime_seconds"] < 8
    assert answer["status"] == "partial"
    polls = len(here.cloud.audit.calls("DescribeInstances"))
    assert polls < 12, "one call looks at the whole batch, and looks get rarer"
    assert answer["log_store"]["written"] == 4, "two acceptances before the watching, two results after it"


def test_reboots_that_help_nobody_suspend_the_region_until_a_person_resumes(stage: Staged) -> None:
    fleet = instances(3, reboot_seconds=0.2)
    fleet[0]["stays_down"] = fleet[1]["stays_down"] = True
    here = stage(fleet, VERIFY_SECONDS="2", MAX_REBOOTS="off", SUSPEND_AFTER="2")
    ids = [spec["instance_id"] for spec in fleet]
    settings = {"region_id": "cn-hangzhou"}
    for number in (0, 1):
        assert here.send({"instance_ids": [ids[number]], **settings})["results"][0]["code"] == "stayed_down"
    assert here.send({"instance_ids": [ids[2]], **settings})["results"][0]["code"] == "suspended"
    assert here.send({"resume": True, "reason": "both disks replaced", **settings})["status"] == "completed"
    assert here.send({"instance_ids": [ids[2]], **settings})["results"][0]["code"] == "recovered"
