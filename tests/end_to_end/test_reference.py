"""RebootInstances' contract, line by line: parameters, limits, response fields, error codes, through the function."""

from typing import Any

import pytest
from staging import Staged, instances

ONE = "i-bp1test0000000000000"
TWO = "i-bp1test0000000000001"


def ask(*ids: str, **more: Any) -> dict[str, Any]:
    return {"instance_ids": list(ids), "region_id": "cn-hangzhou", "reason": "test", **more}


def codes(answer: dict[str, Any]) -> dict[str, str]:
    return {result["instance_id"]: result["code"] for result in answer["results"]}


def test_many_ids_take_batches_of_at_most_a_hundred(stage: Staged) -> None:
    fleet = instances(250)
    here = stage(fleet, MAX_REBOOTS="off")
    answer = here.send(ask(*(spec["instance_id"] for spec in fleet)))
    assert answer["status"] == "completed"
    assert set(codes(answer).values()) == {"accepted"}
    assert sorted(here.rebooted()) == [spec["instance_id"] for spec in fleet]
    described = [call for call in here.cloud.audit.calls("DescribeInstances") if "InstanceIds" in call["parameters"]]
    rebooted = here.cloud.audit.calls("RebootInstances")
    assert (len(described), len(rebooted)) == (3, 3)
    assert [sum(name.startswith("InstanceId.") for name in call["parameters"]) for call in rebooted] == [100, 100, 50]
    asked = ("DescribeInstanceHistoryEvents", "DescribeInstances")
    assert set(here.calls()) == {*asked, "TagResources", "RebootInstances"}


def test_one_bad_id_never_spoils_the_others(stage: Staged) -> None:
    here = stage(instances(2), MAX_REBOOTS="off")
    answer = here.send(ask(ONE, "i-bp1nosuchinstance0001", "not-an-id", TWO))
    assert codes(answer) == {
        "not-an-id": "invalid_instance_id",
        ONE: "accepted",
        "i-bp1nosuchinstance0001": "not_found",
        TWO: "accepted",
    }
    assert answer["status"] == "partial"


@pytest.mark.parametrize(("policy", "forced"), [("never", "False"), ("always", "True"), ("escalate", "False")])
def test_force_reboot_is_the_policys(stage: Staged, policy: str, forced: str) -> None:
    here = stage(instances(1), FORCE_REBOOT=policy)
    answer = here.send(ask(ONE))
    assert answer["results"][0]["force"] is (forced == "True")
    assert here.cloud.audit.calls("RebootInstances")[0]["parameters"]["ForceReboot"] == forced


def test_a_request_may_ask_for_force_only_where_the_policy_allows_it(stage: Staged) -> None:
    assert codes(stage(instances(1)).send(ask(ONE, force=True))) == {ONE: "force_not_allowed"}
    here = stage(instances(1), FORCE_REBOOT="escalate")
    assert here.send(ask(ONE, force=True))["results"][0]["force"] is True


@pytest.mark.parametrize("mode", ["AllTogether", "SuccessFirst"])
def test_batch_optimization_is_sent(stage: Staged, mode: str) -> None:
    here = stage(instances(1), BATCH_OPTIMIZATION=mode)
    here.send(ask(ONE))
    assert here.cloud.audit.calls("RebootInstances")[0]["parameters"]["BatchOptimization"] == mode


def test_a_dry_run_asks_ecs_to_check_and_changes_nothing(stage: Staged) -> None:
    here = stage(instances(2), DRY_RUN="true", MAX_REBOOTS="off")
    answer = here.send(ask(ONE, TWO))
    assert answer["dry_run"] is True
    assert set(codes(answer).values()) == {"DRYRUN.SUCCESS"}
    assert here.rebooted() == []
    (call,) = here.cloud.audit.calls("RebootInstances")
    assert (call["parameters"]["DryRun"], call["parameters"]["BatchOptimization"]) == ("True", "AllTogether")
    assert not here.cloud.audit.calls("TagResources")


def test_a_dry_run_tells_what_ecs_would_refuse(stage: Staged) -> None:
    fault = {"action": "RebootInstances", "kind": "error", "code": "InstanceNotReady", "instance_id": ONE}
    here = stage(instances(2), faults=[fault], MAX_REBOOTS="off")
    answer = here.send(ask(ONE, TWO, dry_run=True))
    assert codes(answer)[ONE] == "InstanceNotReady"
    assert here.rebooted() == []


def test_response_fields_are_in_the_result(stage: Staged) -> None:
    here = stage(instances(1))
    result = here.send(ask(ONE))["results"][0]
    assert (result["previous_status"], result["current_status"]) == ("Running", "Stopping")
    assert (result["api_code"], result["api_message"]) == ("200", "success")
    assert result["api_request_id"] == here.cloud.audit.calls("RebootInstances")[0]["request_id"]


@pytest.mark.parametrize("deviations", [[], ["number_codes"]])
@pytest.mark.parametrize("mode", ["AllTogether", "SuccessFirst"])
def test_the_code_of_a_row_is_a_text_or_a_number(stage: Staged, deviations: list[str], mode: str) -> None:
    here = stage(instances(2), deviations=deviations, BATCH_OPTIMIZATION=mode, MAX_REBOOTS="off")
    assert codes(here.send(ask(ONE, TWO))) == {ONE: "accepted", TWO: "accepted"}
    assert here.rebooted() == [ONE, TWO]


ERRORS = ["InvalidInstanceId.NotFound", "IncorrectInstanceStatus", "InsufficientBalance"]
TRY_AGAIN_LATER = ["InstanceNotReady", "InvalidOperation.Conflict", "InstanceExpiredOrInArrears"]


@pytest.mark.parametrize("mode", ["AllTogether", "SuccessFirst"])
@pytest.mark.parametrize("code", ERRORS)
def test_an_error_code_of_the_reference_is_that_instances_result(stage: Staged, code: str, mode: str) -> None:
    fault = {"action": "RebootInstances", "kind": "error", "code": code, "instance_id": ONE}
    here = stage(instances(1), faults=[fault], BATCH_OPTIMIZATION=mode)
    answer = here.send(ask(ONE))
    assert codes(answer) == {ONE: code}
    assert answer["status"] == "partial"
    assert answer["results"][0]["api_message"]
    assert here.rebooted() == []


@pytest.mark.parametrize("mode", ["AllTogether", "SuccessFirst"])
@pytest.mark.parametrize("code", TRY_AGAIN_LATER)
def test_what_ecs_may_accept_later_is_tried_again_by_function_compute(stage: Staged, code: str, mode: str) -> None:
    fault = {"action": "RebootInstances", "kind": "error", "code": code, "status": 403, "instance_id": ONE}
    here = stage(instances(1), faults=[fault], BATCH_OPTIMIZATION=mode)
    answer = here.send(ask(ONE))
    assert answer["raised"]["errorType"] == "RetryableFailure"
    result = answer["records"][-1]
    assert (result["code"], result["retriable"]) == (code, True)
    assert here.rebooted() == []


def test_all_together_goes_on_without_the_one_that_ecs_refuses(stage: Staged) -> None:
    """The second instance stops between the describe and the reboot: the batch is refused, and asked again without."""
    here = stage(instances(2), BATCH_OPTIMIZATION="AllTogether", MAX_REBOOTS="off")
    stop_when_claimed(here, TWO)
    answer = here.send(ask(ONE, TWO))
    assert codes(answer) == {ONE: "accepted", TWO: "not_running"}
    assert here.cloud.audit.calls("RebootInstances")[0]["code"] == "IncorrectInstanceStatus"
    assert len(here.cloud.audit.calls("RebootInstances")) == 2


def stop_when_claimed(here: Any, instance_id: str) -> None:
    """Stop an instance, as somebody else would, right after it was claimed."""
    from localcloud.account.instances import stop_course

    def watch(entry: dict[str, Any]) -> None:
        if entry.get("action") == "TagResources" and here.cloud.fleet[instance_id].status == "Running":
            instance = here.cloud.fleet[instance_id]
            here.cloud.fleet.begin(instance, stop_course(instance.spec, force=True))

    here.cloud.audit.subscribe(watch)


def test_an_internal_error_is_settled_recorded_and_raised(stage: Staged) -> None:
    fault = {"action": "RebootInstances", "kind": "error", "code": "InternalError", "times": 1}
    here = stage(instances(1), faults=[fault], timeout=60)
    answer = here.send(ask(ONE))
    assert answer["raised"]["errorType"] == "RetryableFailure"
    assert [record["code"] for record in answer["records"] if record["record"] == "result"] == ["InternalError"]
    assert len(here.cloud.audit.calls("RebootInstances")) == 1, "never asked twice"
    assert here.rebooted() == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"operation_locks": ["security"]}, "locked"),
        ({"operation_locks": ["financial"]}, "locked"),
        ({"status": "Stopped"}, "not_running"),
        ({"status": "Pending"}, "not_running"),
        ({"status": "Starting"}, "not_running"),
        ({"status": "Stopping"}, "not_running"),
        ({"tags": {}}, "not_opted_in"),
        ({"tags": {"ecs-reboot": "paused"}}, "not_opted_in"),
        ({"expired_time": "1d ago"}, "unavailable"),
        ({"start_time": "2m ago"}, "recently_started"),
        ({"visible": False}, "not_found"),
        ({"tags": {"ecs-reboot": "enabled", "ecs-reboot.ledger": "garbage"}}, "ledger_unavailable"),
        ({"tags": {"ecs-reboot": "enabled", **{f"t{n}": "x" for n in range(19)}}}, "tags_full"),
    ],
)
def test_a_guard_refuses_and_ecs_is_never_asked(stage: Staged, fields: dict[str, Any], code: str) -> None:
    here = stage(instances(1, **fields))
    answer = here.send(ask(ONE))
    assert codes(answer) == {ONE: code}
    assert answer["status"] == "completed"
    assert "RebootInstances" not in here.calls()
    assert here.rebooted() == []


def test_a_soft_guard_yields_to_a_person_who_names_it_and_says_why(stage: Staged) -> None:
    here = stage(instances(1, tags={}))
    assert codes(here.send(ask(ONE, override=["not_opted_in"]))) == {ONE: "accepted"}
    here = stage(instances(1, operation_locks=["security"]))
    assert here.send(ask(ONE, override=["locked"]))["status"] == "rejected"


def test_selectors_find_by_tag_group_and_name(stage: Staged) -> None:
    fleet = [
        *instances(1, instance_name="web-1", resource_group_id="rg-aek2web"),
        {"instance_id": TWO, "instance_name": "db-1", "tags": {"ecs-reboot": "enabled", "app": "db"}},
    ]
    for selector, found in (
        ({"tags": {"app": "db"}}, TWO),
        ({"resource_group_id": "rg-aek2web"}, ONE),
        ({"name": "web-*"}, ONE),
    ):
        here = stage(fleet)
        answer = here.send({**selector, "region_id": "cn-hangzhou"})
        assert codes(answer) == {found: "accepted"}, selector


def test_a_selector_that_finds_nothing_says_so(stage: Staged) -> None:
    answer = stage(instances(1)).send({"tags": {"app": "none"}, "region_id": "cn-hangzhou"})
    assert (answer["status"], answer["results"][0]["code"]) == ("ignored", "no_match")


def test_wrong_settings_are_told_in_the_record_and_stop_everything(stage: Staged) -> None:
    here = stage(instances(1), FORCE_REBOOT="sometimes", DRY_RUM="true")
    answer = here.send(ask(ONE))
    assert answer["raised"]["errorType"] == "SettingsError"
    assert "FORCE_REBOOT='sometimes'" in answer["raised"]["errorMessage"]
    assert "did you mean DRY_RUN" in answer["raised"]["errorMessage"]
    assert [record["code"] for record in answer["records"]] == ["wrong_settings"]
    assert here.calls() == []


def test_records_reach_the_logstore_and_its_failure_stops_nothing(stage: Staged) -> None:
    here = stage(instances(1))
    assert here.send(ask(ONE))["log_store"] == {"status": "written", "written": 1, "logstore": "ecs-reboot/records"}
    fault = {"service": "sls", "action": "PutLogs", "kind": "error", "code": "ServerBusy", "status": 503}
    here = stage(instances(1), faults=[fault])
    answer = here.send(ask(ONE))
    assert codes(answer) == {ONE: "accepted"}
    assert answer["log_store"]["status"] == "failed"
    assert "ServerBusy" in answer["log_store"]["message"]


def test_a_reset_lets_a_person_try_again(stage: Staged) -> None:
    here = stage(instances(1), GRACE_SECONDS="0", MAX_ATTEMPTS="1", COOLDOWN_SECONDS="0", ATTEMPT_WINDOW_SECONDS="600")
    fault = {"action": "RebootInstances", "kind": "error", "code": "IncorrectInstanceStatus", "times": 1}
    from localcloud.account.faults import parse

    here.cloud.faults.add(parse(fault))
    assert codes(here.send(ask(ONE))) == {ONE: "IncorrectInstanceStatus"}
    assert codes(here.send(ask(ONE))) == {ONE: "attempts_exhausted"}
    answer = here.send({"reset": [ONE], "region_id": "cn-hangzhou", "reason": "looked at it"})
    assert codes(answer) == {ONE: "reset"}
    assert codes(here.send(ask(ONE))) == {ONE: "accepted"}


def test_a_region_that_does_not_exist_is_told_and_not_tried_again(stage: Staged) -> None:
    answer = stage(instances(1)).send({"instance_ids": [ONE], "region_id": "mars-1", "reason": "test"})
    assert (answer["status"], answer["results"][0]["code"]) == ("partial", "InvalidRegionId.NotFound")
    assert answer["results"][0]["retriable"] is False
