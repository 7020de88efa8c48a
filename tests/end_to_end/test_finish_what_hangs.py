"""A graceful reboot that never leaves Stopping: the sweep finishes it, or says that somebody has to, over real HTTP."""

from typing import Any

from staging import Stage, Staged, instances

ONE, TWO = "i-bp1test0000000000000", "i-bp1test0000000000001"
SWEEP = {"verify": True, "region_id": "cn-hangzhou"}
ESCALATE = {"FORCE_REBOOT": "escalate", "VERIFY_SECONDS": "20", "CLAIM_SETTLE_SECONDS": "0"}


def hanging(state: str = "accepted", ago: str = "25m", **fields: Any) -> list[dict[str, Any]]:
    """Declare an instance that hangs in Stopping since our graceful reboot of it."""
    return instances(
        1, status="Stopping", hangs=True, reboot_seconds=0.5, attempts=[{"ago": ago, "state": state}], **fields
    )


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


def test_a_person_may_insist_with_force_and_a_reason(stage: Staged) -> None:
    ask = {"instance_ids": [ONE], "region_id": "cn-hangzhou", "reason": "seen on VNC"}
    here = stage(hanging(state="hung"), **{**ESCALATE, "FORCE_REBOOT": "always"})
    assert codes(here.send(ask)) == ["not_running"]
    assert codes(here.send({**ask, "force": True})) == ["recovered"]
    assert here.cloud.fleet[ONE].status == "Running"
