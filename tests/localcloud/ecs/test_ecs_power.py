"""Reboot, stop and start: which instances are taken, which states they go through, and when."""

from datetime import timedelta
from typing import Any

import pytest
from ecs_requests import BROKE, DB, HIDDEN, HZ, NORTH, NOW, OFF, WEB, code, many, reboot
from signed_requests import Api

from localcloud.account import faults
from localcloud.account.cloud import Cloud
from localcloud.account.fleet import Fleet, InstanceSpec


class TestRebootInstances:
    def test_success_first_answers_for_each(self, api: Api) -> None:
        status, body = reboot(api, WEB, DB, OFF, NORTH, HIDDEN, BROKE, "i-TestID", BatchOptimization="SuccessFirst")
        rows = [
            (row["InstanceId"], row["Code"], row["PreviousStatus"], row["CurrentStatus"])
            for row in body["InstanceResponses"]["InstanceResponse"]
        ]
        assert status == 200
        assert rows == [
            (WEB, "200", "Running", "Stopping"),
            (DB, "InstanceLockedForSecurity", "Running", "Running"),
            (OFF, "IncorrectInstanceStatus", "Stopped", "Stopped"),
            (NORTH, "InvalidInstanceId.NotFound", "", ""),
            (HIDDEN, "InvalidInstanceId.NotFound", "", ""),
            (BROKE, "InstanceExpiredOrInArrears", "Running", "Running"),
            ("i-TestID", "InvalidInstanceId.NotFound", "", ""),
        ]
        assert {change["instance_id"] for change in api.cloud.audit.changes()} == {WEB}

    def test_success_says_success(self, api: Api) -> None:
        _, body = reboot(api, WEB)
        assert body["InstanceResponses"]["InstanceResponse"][0]["Message"] == "success"

    @pytest.mark.parametrize(
        ("bad", "expected"),
        [
            (DB, (403, "InstanceLockedForSecurity")),
            (OFF, (403, "IncorrectInstanceStatus")),
            (BROKE, (403, "InstanceExpiredOrInArrears")),
            (HIDDEN, (404, "InvalidInstanceId.NotFound")),
            (NORTH, (404, "InvalidInstanceId.NotFound")),
            ("i-none", (404, "InvalidInstanceId.NotFound")),
        ],
    )
    def test_all_together_is_refused_for_one_bad_instance(self, api: Api, bad: str, expected: tuple[int, str]) -> None:
        result = reboot(api, WEB, bad)
        assert code(result) == expected
        assert bad in result[1]["Message"]
        assert api.cloud.audit.changes() == ()
        assert api.cloud.audit.calls()[-1]["effect"] is False

    @pytest.mark.parametrize("said", ["true", "True", "TRUE"])
    def test_a_dry_run_checks_and_does_nothing(self, api: Api, said: str) -> None:
        assert code(reboot(api, WEB, DryRun=said)) == (400, "DRYRUN.SUCCESS")
        assert code(reboot(api, WEB, OFF, DryRun=said)) == (403, "IncorrectInstanceStatus")
        assert api.cloud.audit.changes() == ()

    def test_a_dry_run_under_success_first_only_knows_success(self, api: Api) -> None:
        assert code(reboot(api, OFF, "i-none", DryRun="true", BatchOptimization="SuccessFirst")) == (
            400,
            "DRYRUN.SUCCESS",
        )

    def test_100_instances_are_taken_and_101_are_not(self) -> None:
        api = many(101)
        assert reboot(api, *(f"i-{n}" for n in range(100)))[0] == 200
        assert code(reboot(api, *(f"i-{n}" for n in range(101)))) == (403, "InvalidParameter.TooManyInstanceIds")

    @pytest.mark.parametrize(
        ("parameters", "expected"),
        [
            ({"RegionId": HZ}, (403, "InvalidInstanceId.NotFound")),
            ({"InstanceId.1": WEB}, (400, "MissingParameter")),
            ({"InstanceId.0": WEB, "RegionId": HZ}, (400, "InvalidParameter")),
            ({"InstanceId.x": WEB, "RegionId": HZ}, (400, "InvalidParameter")),
            ({"InstanceId.1": "", "RegionId": HZ}, (400, "InvalidParameter")),
            ({"InstanceId.1": WEB, "RegionId": "nowhere"}, (404, "InvalidRegionId.NotFound")),
            ({"InstanceId.1": WEB, "RegionId": HZ, "DryRun": "yes"}, (400, "InvalidParameter")),
            ({"InstanceId.1": WEB, "RegionId": HZ, "BatchOptimization": "successfirst"}, (400, "InvalidParameter")),
        ],
    )
    def test_wrong_parameters_get_their_code(
        self, api: Api, parameters: dict[str, str], expected: tuple[int, str]
    ) -> None:
        assert code(api.call("RebootInstances", parameters)) == expected
        assert api.cloud.audit.changes() == ()

    def test_an_id_named_twice_is_rebooted_once(self, api: Api) -> None:
        _, body = reboot(api, WEB, WEB, BatchOptimization="SuccessFirst")
        assert [row["Code"] for row in body["InstanceResponses"]["InstanceResponse"]] == ["200"]

    def test_a_second_reboot_is_refused_while_the_first_lasts(self, api: Api) -> None:
        reboot(api, WEB)
        for _ in range(2):
            assert code(reboot(api, WEB)) == (403, "IncorrectInstanceStatus")
            api.cloud.clock.step(14)
        api.cloud.clock.step(14)
        assert reboot(api, WEB)[0] == 200

    def test_unknown_parameters_are_ignored_and_audited(self, api: Api) -> None:
        assert reboot(api, WEB, ForceStop="true")[0] == 200
        assert api.cloud.audit.calls()[-1]["ignored_parameters"] == ["ForceStop"]

    def test_the_audit_has_the_parameters_as_sent(self, api: Api) -> None:
        reboot(api, WEB, ForceReboot="True")
        (call,) = api.cloud.audit.calls("RebootInstances")
        assert call["parameters"] == {"InstanceId.1": WEB, "RegionId": HZ, "ForceReboot": "True"}
        assert (call["http_status"], call["code"], call["effect"]) == (200, "", True)

    @pytest.mark.parametrize(
        ("declared", "status"),
        [
            ("InternalError", 500),
            ("InsufficientBalance", 403),
            ("InstanceNotReady", 403),
            ("IncorrectInstanceStatus", 403),
        ],
    )
    def test_documented_errors_can_be_declared_for_one_instance(self, api: Api, declared: Any, status: int) -> None:
        api.cloud.faults.add(faults.parse({"kind": "error", "code": declared, "instance_id": WEB}))
        assert code(reboot(api, WEB)) == (status, declared)
        _, body = reboot(api, WEB, DB, BatchOptimization="SuccessFirst")
        assert [row["Code"] for row in body["InstanceResponses"]["InstanceResponse"]] == [
            declared,
            "InstanceLockedForSecurity",
        ]
        assert api.cloud.audit.changes() == ()


class TestStateMachine:
    def history(self, cloud: Cloud) -> list[tuple[str, str, str]]:
        cloud.advance()
        return [(change["from"], change["to"], change["time"][14:23]) for change in cloud.audit.changes()]

    def rebooted(self, spec: InstanceSpec, parameters: dict[str, str] | None = None) -> Api:
        cloud = Cloud.from_fleet(Fleet(instances=(spec,)))
        cloud.clock.hold(NOW)
        cloud.reset()
        api = Api(cloud)
        assert reboot(api, spec.instance_id, **(parameters or {}))[0] == 200
        return api

    def test_a_reboot_walks_through_its_states_and_moves_the_start_time(self) -> None:
        api = self.rebooted(InstanceSpec(instance_id=WEB, reboot_seconds=100))
        api.cloud.clock.step(3600)
        assert self.history(api.cloud) == [
            ("Running", "Stopping", "00:30.000"),
            ("Stopping", "Starting", "01:10.000"),
            ("Starting", "Running", "02:10.000"),
        ]
        _, body = api.call("DescribeInstances", RegionId=HZ)
        assert body["Instances"]["Instance"][0]["StartTime"] == "2026-11-23T12:02Z"

    def test_each_state_is_seen_in_its_time(self) -> None:
        api = self.rebooted(InstanceSpec(instance_id=WEB, reboot_seconds=100))
        seen = []
        for seconds in (39, 1, 59, 1):
            api.cloud.clock.step(seconds)
            _, body = api.call("DescribeInstances", RegionId=HZ)
            seen.append(
                (body["Instances"]["Instance"][0]["Status"], body["Instances"]["Instance"][0]["StartTime"][:10])
            )
        assert seen == [
            ("Stopping", "2026-10-24"),
            ("Starting", "2026-10-24"),
            ("Starting", "2026-10-24"),
            ("Running", "2026-11-23"),
        ]

    def test_force_shortens_stopping(self) -> None:
        api = self.rebooted(InstanceSpec(instance_id=WEB, reboot_seconds=100), {"ForceReboot": "true"})
        api.cloud.clock.step(3600)
        assert [time for _, _, time in self.history(api.cloud)] == ["00:30.000", "00:35.000", "01:35.000"]

    def test_an_instance_may_stay_down(self) -> None:
        api = self.rebooted(InstanceSpec(instance_id=WEB, stays_down=True))
        api.cloud.clock.step(3600)
        assert [state for _, state, _ in self.history(api.cloud)] == ["Stopping", "Stopped"]

    @pytest.mark.parametrize(
        ("force", "states"), [("false", ["Stopping"]), ("true", ["Stopping", "Starting", "Running"])]
    )
    def test_an_instance_may_hang_until_its_power_is_cut(self, force: str, states: list[str]) -> None:
        api = self.rebooted(InstanceSpec(instance_id=WEB, hangs=True), {"ForceReboot": force})
        api.cloud.clock.step(86_400)
        assert [state for _, state, _ in self.history(api.cloud)] == states

    def test_time_scale_shortens_the_reboot_and_nothing_else(self) -> None:
        cloud = Cloud.from_fleet(Fleet(instances=(InstanceSpec(instance_id=WEB, reboot_seconds=100),)), time_scale=50)
        cloud.clock.hold(NOW)
        cloud.reset()
        reboot(Api(cloud), WEB)
        cloud.clock.step(2)
        assert [time for _, _, time in self.history(cloud)] == ["00:30.000", "00:30.800", "00:32.000"]
        assert cloud.clock.now() == NOW + timedelta(seconds=2)

    def test_changes_of_several_instances_are_audited_in_the_order_of_time(self) -> None:
        specs = tuple(InstanceSpec(instance_id=f"i-{n}", reboot_seconds=n * 10) for n in (3, 1, 2))
        cloud = Cloud.from_fleet(Fleet(instances=specs))
        cloud.clock.hold(NOW)
        cloud.reset()
        reboot(Api(cloud), "i-3", "i-1", "i-2")
        cloud.clock.step(60)
        times = [time for _, _, time in self.history(cloud)]
        assert len(times) == 9
        assert times == sorted(times)

    def test_the_clock_refuses_to_be_stepped_while_it_runs(self) -> None:
        with pytest.raises(ValueError, match="hold"):
            Cloud.from_fleet(Fleet()).clock.step(1)


def test_reboot_instance_in_whichever_region(api: Api) -> None:
    assert api.call("RebootInstance", InstanceId=NORTH) == (
        200,
        {"RequestId": api.cloud.audit.calls()[-1]["request_id"]},
    )
    assert code(api.call("RebootInstance", InstanceId=NORTH)) == (403, "IncorrectInstanceStatus")
    assert code(api.call("RebootInstance", InstanceId=WEB, DryRun="true")) == (400, "DryRunOperation")
    assert code(api.call("RebootInstance")) == (400, "MissingParameter")
    assert {change["instance_id"] for change in api.cloud.audit.changes()} == {NORTH}


def test_stop_and_start(api: Api) -> None:
    def act(action: str, instance_id: str) -> Any:
        return api.call(action, {"RegionId": HZ, "InstanceId.1": instance_id})

    assert code(act("StartInstances", WEB)) == (403, "IncorrectInstanceStatus")
    assert act("StopInstances", DB)[0] == 200, "a security lock leaves stopping possible"
    assert act("StartInstances", OFF)[0] == 200
    api.cloud.clock.step(60)
    api.cloud.advance()
    assert (api.cloud.fleet[DB].status, api.cloud.fleet[OFF].status) == ("Stopped", "Running")
    assert code(act("StartInstances", DB)) == (403, "InstanceLockedForSecurity")


def test_a_single_instance_is_started_and_stopped_in_whichever_region(api: Api) -> None:
    assert api.call("StopInstance", InstanceId=NORTH)[0] == 200
    assert api.call("StartInstance", InstanceId=OFF)[0] == 200
    assert (api.cloud.fleet[NORTH].status, api.cloud.fleet[OFF].status) == ("Stopping", "Starting")
    assert code(api.call("StartInstance", InstanceId=WEB)) == (403, "IncorrectInstanceStatus")
    assert code(api.call("StopInstance", InstanceId=WEB, DryRun="true")) == (400, "DryRunOperation")
    assert code(api.call("StopInstance", InstanceId="i-none")) == (404, "InvalidInstanceId.NotFound")
