"""A graceful reboot that never leaves Stopping: the sweep finishes it, or says that somebody has to, over real HTTP."""

import json
from datetime import datetime, timezone
from typing import Any

from staging import Stage, Staged, instances

from ecs_reboot.ledger.entry import group_digest

ONE, TWO = "i-bp1test0000000000000", "i-bp1test0000000000001"
SWEEP = {"verify": True, "region_id": "cn-hangzhou"}
ESCALATE = {"FORCE_REBOOT": "escalate", "VERIFY_SECONDS": "20", "CLAIM_SETTLE_SECONDS": "0"}


def hanging(state: str = "accepted", ago: str = "25m", *, force: bool = False, **fields: Any) -> list[dict[str, Any]]:
    """Declare an instance that hangs in Stopping since our reboot of it."""
    attempts = [{"ago": ago, "state": state, "force": force}]
    return instances(1, status="Stopping", hangs=True, reboot_seconds=0.5, attempts=attempts, **fields)


def codes(answer: dict[str, Any]) -> list[str]:
    return [result["code"] for result in answer["results"]]


def asked(here: Stage) -> list[str]:
    """Return the calls that are meant to have an effect on power, a dry run in brackets, and `(refused)` where so."""
    calls = []
    for call in here.cloud.audit.calls():
        if call["action"] not in ("RebootInstances", "StopInstances", "StartInstances"):
            continue
        dry = str(call["parameters"].get("DryRun", "")).lower() == "true"
        calls.append(f"[{call['action']}]" if dry else call["action"])
    return calls


def up_again(here: Stage, instance_id: str) -> None:
    """Let an instance be Running again, by itself or because somebody saw to it."""
    with here.cloud.lock:
        here.cloud.fleet.begin(here.cloud.fleet[instance_id], ((0.0, "Running"),))


def entry(here: Stage) -> str:
    return str(here.cloud.fleet[ONE].state.tags["ecs-reboot.ledger"])


def test_where_ecs_takes_a_forced_reboot_the_sweep_finishes_what_hangs_by_one(stage: Staged) -> None:
    here = stage(hanging(), deviations=["reboot_in_between"], **ESCALATE)
    answer = here.send(SWEEP)
    assert codes(answer) == ["hung", "recovered"]
    assert answer["results"][1]["force"] is True
    assert asked(here) == ["[RebootInstances]", "RebootInstances"]
    assert here.cloud.fleet[ONE].status == "Running"
    assert " forced back " in entry(here)
    # One attempt of its own, beside the graceful one, and no second one.
    assert len(entry(here).split(" ")[6].split(",")) == 1
    assert codes(here.send(SWEEP)) == ["nothing_to_do"]


def test_where_ecs_refuses_a_forced_reboot_it_is_stopped_and_started(stage: Staged) -> None:
    here = stage(hanging(), **ESCALATE)
    answer = here.send(SWEEP)
    assert codes(answer) == ["hung", "recovered"]
    assert asked(here) == ["[RebootInstances]", "StopInstances", "StartInstances"]
    (stop,) = here.cloud.audit.calls("StopInstances")
    assert stop["parameters"]["StoppedMode"] == "KeepCharging"
    assert here.cloud.fleet[ONE].status == "Running"
    assert " forced back " in entry(here)


def test_where_ecs_takes_neither_a_person_is_called_and_it_is_not_tried_again(stage: Staged) -> None:
    here = stage(hanging(), deviations=["no_stop_in_between"], **ESCALATE)
    answer = here.send(SWEEP)
    assert codes(answer) == ["hung", "hung"]
    assert "neither" in answer["results"][1]["reason"]
    assert " forced hung " in entry(here)
    assert codes(here.send(SWEEP)) == ["nothing_to_do"]
    assert asked(here) == ["[RebootInstances]", "StopInstances"]


def test_it_is_left_alone_where_policy_never_forces_and_a_person_is_called(stage: Staged) -> None:
    here = stage(hanging(), **{**ESCALATE, "FORCE_REBOOT": "never"})
    assert codes(here.send(SWEEP)) == ["hung"]
    assert codes(here.send(SWEEP)) == ["nothing_to_do"]
    assert asked(here) == []
    assert here.cloud.fleet[ONE].status == "Stopping"


def test_what_no_log_took_is_told_by_the_next_sweep_and_then_no_more(stage: Staged) -> None:
    fault = {"service": "sls", "action": "PutLogs", "kind": "error", "code": "Unauthorized", "status": 401, "times": 1}
    here = stage(hanging(), faults=[fault], **{**ESCALATE, "FORCE_REBOOT": "never"})
    unheard = here.send(SWEEP)
    assert (codes(unheard), unheard["log_store"]["status"]) == (["hung"], "failed")
    assert " hung! " in entry(here)
    late = here.send(SWEEP)
    assert (codes(late), late["log_store"]["status"]) == (["hung"], "written")
    assert "the run that saw it ended before it said so" in late["results"][0]["reason"]
    assert " hung " in entry(here)
    assert codes(here.send(SWEEP)) == ["nothing_to_do"]


def test_a_person_may_insist_with_force_and_a_reason(stage: Staged) -> None:
    ask = {"instance_ids": [ONE], "region_id": "cn-hangzhou", "reason": "seen on VNC"}
    here = stage(hanging(state="hung"), **{**ESCALATE, "FORCE_REBOOT": "always"})
    assert codes(here.send(ask)) == ["not_running"]
    assert codes(here.send({**ask, "force": True})) == ["recovered"]
    assert here.cloud.fleet[ONE].status == "Running"


def test_another_alarm_finishes_what_hangs_and_nothing_that_may_still_end(stage: Staged) -> None:
    ask = {"instance_ids": [ONE], "region_id": "cn-hangzhou"}
    here = stage(hanging(ago="15m"), **ESCALATE)
    assert codes(here.send(ask)) == ["not_running"]
    assert codes(here.send(SWEEP)) == ["nothing_to_do"]
    assert asked(here) == []
    here = stage(hanging(), **ESCALATE)
    assert codes(here.send(ask)) == ["recovered"]


def test_a_machine_that_takes_longer_to_boot_says_so_by_tag(stage: Staged) -> None:
    slow = {"ecs-reboot": "enabled", "ecs-reboot.hung-after-seconds": "3600"}
    here = stage([*hanging(tags=slow), {**hanging()[0], "instance_id": TWO}], **ESCALATE, MAX_REBOOTS="off")
    answer = here.send(SWEEP)
    assert [(result["instance_id"], result["code"]) for result in answer["results"]] == [
        (TWO, "hung"), (TWO, "recovered"),
    ]  # fmt: skip
    assert here.cloud.fleet[ONE].status == "Stopping"


def test_a_forced_reboot_that_hangs_is_not_forced_again(stage: Staged) -> None:
    here = stage(hanging(state="accepted", force=True), **ESCALATE)
    assert codes(here.send(SWEEP)) == ["hung"]
    assert codes(here.send(SWEEP)) == ["nothing_to_do"]
    assert asked(here) == []


def test_what_comes_up_by_itself_meanwhile_is_not_powered_off(stage: Staged) -> None:
    here = stage(hanging(), **ESCALATE)
    here.cloud.audit.subscribe(lambda call: up_again(here, ONE) if call.get("action") == "RebootInstances" else None)
    assert codes(here.send(SWEEP)) == ["hung", "recently_started"]
    assert asked(here) == ["[RebootInstances]"]
    assert here.cloud.fleet[ONE].status == "Running"


def test_what_hangs_holds_its_group_and_its_campaign_until_it_is_back(stage: Staged) -> None:
    web = {"ecs-reboot": "enabled", "app": "web"}
    fleet = [*hanging(ago="3h", tags=web), instances(2, tags=web, reboot_seconds=0.5)[1]]
    here = stage(fleet, **{**ESCALATE, "FORCE_REBOOT": "never"}, GROUP_TAG="app", MAX_REBOOTS="off")
    group = {"ecs-reboot.ledger": entry(here).replace(" g=0", f" g={group_digest('web')}")}
    here.cloud.fleet.tag(here.cloud.fleet[ONE], group)
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    campaign = {"tags": {"app": "web"}, "region_id": "cn-hangzhou", "limit": 1, "older_than": "1d"}
    tick = {"triggerTime": now, "triggerName": "nightly", "payload": json.dumps(campaign)}
    other = {"instance_ids": [TWO], "region_id": "cn-hangzhou"}
    assert codes(here.send(SWEEP)) == ["hung"]
    (refused,) = here.send(other)["results"]
    assert refused["code"] == "blast_radius"
    assert ONE in refused["reason"]
    (waits,) = here.send(tick)["results"]
    assert waits["reason"].startswith(f"stopped: {ONE} stayed down or hangs")
    assert here.rebooted() == []
    up_again(here, ONE)
    assert codes(here.send(SWEEP)) == ["recovered"]
    assert codes(here.send(tick)) == ["rolling_progress", "recovered"]
    assert here.rebooted() == [TWO]


def test_reboots_that_hang_suspend_the_region(stage: Staged) -> None:
    fleet = [{**hanging()[0], "instance_id": instance_id} for instance_id in (ONE, TWO)]
    fleet.append(instances(3)[2])
    third = {"instance_ids": [fleet[2]["instance_id"]], "region_id": "cn-hangzhou"}
    policy = {**ESCALATE, "FORCE_REBOOT": "never", "VERIFY_SECONDS": "0", "MAX_REBOOTS": "off"}
    here = stage(fleet, **policy, SUSPEND_AFTER="2")
    assert codes(here.send(SWEEP)) == ["hung", "hung"]
    assert codes(here.send(third)) == ["suspended"]
    up_again(here, TWO)
    assert codes(here.send(SWEEP)) == ["recovered"]
    assert codes(here.send(third)) == ["accepted"]


def test_finishing_is_one_of_the_attempts(stage: Staged) -> None:
    here = stage(hanging(), **ESCALATE, MAX_ATTEMPTS="1")
    assert codes(here.send(SWEEP)) == ["hung", "attempts_exhausted"]
    assert asked(here) == []


def test_grace_and_watching_may_be_an_instance_s_own(stage: Staged) -> None:
    own = {"ecs-reboot": "enabled", "ecs-reboot.grace-seconds": "900", "ecs-reboot.verify-seconds": "20"}
    usual, slow = instances(2, start_time="10m ago", reboot_seconds=0.5)
    here = stage([usual, {**slow, "tags": own}], GRACE_SECONDS="300", VERIFY_SECONDS="0", MAX_REBOOTS="off")
    both = {"instance_ids": [ONE, TWO], "region_id": "cn-hangzhou"}
    assert codes(here.send(both)) == ["accepted", "recently_started"]
    insists = {"instance_ids": [TWO], "region_id": "cn-hangzhou", "override": ["recently_started"], "reason": "seen"}
    assert codes(here.send(insists)) == ["recovered"]
