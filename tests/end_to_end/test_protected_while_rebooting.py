"""MANAGED=protect: a member of an Auto Scaling group is protected while it restarts, and never for good."""

import time
from typing import Any

from staging import Stage, Staged, instances

from localcloud.account.faults import Fault

ONE = "i-bp1test0000000000000"
GROUP = {"scaling_group_id": "asg-1", "instance_ids": [ONE], "patience_seconds": 0.05}
TABLE = {"LEDGER": "tablestore", "TABLESTORE_INSTANCE": "ecs-rb", "TABLESTORE_TABLE": "ledger"}
PROTECT = {**TABLE, "MANAGED": "protect", "GRACE_SECONDS": "0"}
REQUEST = {"instance_ids": [ONE], "region_id": "cn-hangzhou", "reason": "a test asks"}


def changed_to(state: str) -> dict[str, Any]:
    return {
        "id": "5e2f1c9a-0000-4000-8000-000000000103",
        "source": "acs.ecs",
        "specversion": "1.0",
        "type": "ecs:Instance:StateChange",
        "subject": f"acs:ecs:cn-hangzhou:1000000000000000:instance/{ONE}",
        "time": "2026-06-01T11:39:00+08:00",
        "aliyunregionid": "cn-hangzhou",
        "data": {"resourceId": ONE, "resourceType": "ALIYUN::ECS::Instance", "state": state},
    }


def member(here: Stage) -> str:
    found = here.cloud.scaling.get(ONE)
    return found.lifecycle_state if found else "gone"


def protections(here: Stage) -> list[str]:
    calls = here.cloud.audit.calls("SetInstancesProtection", service="ess")
    return [call["parameters"]["ProtectedFromScaleIn"] for call in calls if call["code"] == ""]


def running(here: Stage, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and here.cloud.fleet[ONE].status != "Running":
        here.cloud.advance()
        time.sleep(0.02)


def test_it_is_protected_before_the_reboot_and_free_when_it_is_back(stage: Staged) -> None:
    here = stage(instances(1, reboot_seconds=2), scaling_groups=[GROUP], VERIFY_SECONDS="20", **PROTECT)
    assert [result["code"] for result in here.send(REQUEST)["results"]] == ["recovered"]
    changes = ("SetInstancesProtection", "RebootInstances")
    assert [entry["action"] for entry in here.cloud.audit.entries() if entry.get("action") in changes] == [
        "SetInstancesProtection", "RebootInstances", "SetInstancesProtection",
    ]  # fmt: skip
    assert protections(here) == ["true", "false"]
    assert here.cloud.fleet.get(ONE) is not None
    assert member(here) == "InService"


def test_whoever_crashed_the_sweep_takes_the_protection_back_as_often_as_it_takes(stage: Staged) -> None:
    down = Fault(service="ess", action="SetInstancesProtection", kind="error", code="Forbidden.RAM", status=403)
    here = stage(instances(1, reboot_seconds=1), scaling_groups=[GROUP], **PROTECT)
    # Nobody watches: what follows is what follows a run that died after ECS accepted.
    assert [result["code"] for result in here.send(REQUEST)["results"]] == ["accepted"]
    running(here)
    assert member(here) == "Protected"
    here.cloud.faults.add([down])
    failed = here.send(changed_to("Running"))
    assert failed["raised"]["errorType"] == "RetryableFailure"
    assert member(here) == "Protected"
    here.cloud.faults.remove()
    assert [result["code"] for result in here.send(changed_to("Running"))["results"]] == ["echo", "recovered"]
    assert member(here) == "InService"
    assert here.cloud.fleet.get(ONE) is not None


def test_what_can_not_be_protected_is_not_rebooted(stage: Staged) -> None:
    refused = {"service": "ess", "action": "SetInstancesProtection", "kind": "error", "code": "Forbidden.Unauthorized"}
    here = stage(instances(1), scaling_groups=[GROUP], faults=[{**refused, "status": 403, "times": 1}], **PROTECT)
    answer = here.send(REQUEST)
    assert answer["raised"]["errorType"] == "RetryableFailure"
    assert [record["code"] for record in answer["records"] if record["record"] == "result"] == ["managed"]
    assert here.rebooted() == []
    assert member(here) == "InService"


def test_a_reboot_that_ecs_refuses_leaves_no_protection_behind(stage: Staged) -> None:
    refused = {"action": "RebootInstances", "kind": "error", "code": "InstanceLockedForSecurity", "status": 403}
    here = stage(instances(1), scaling_groups=[GROUP], faults=[refused], **PROTECT)
    assert [result["code"] for result in here.send(REQUEST)["results"]] == ["InstanceLockedForSecurity"]
    assert protections(here) == ["true", "false"]
    assert member(here) == "InService"
