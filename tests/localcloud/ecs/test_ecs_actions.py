import inspect
import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from alibabacloud_ecs20140526 import models
from hypothesis import given
from hypothesis import strategies as st
from signed_requests import Api

from localcloud.account import faults
from localcloud.account.cloud import Cloud
from localcloud.account.fleet import Fleet, InstanceSpec
from localcloud.ecs.actions import ACTIONS
from localcloud.ecs.parameters import COMMON

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=timezone.utc)
WEB, DB, OFF, NORTH, HIDDEN, BROKE = "i-web", "i-db", "i-off", "i-north", "i-hidden", "i-broke"
HZ = "cn-hangzhou"


@pytest.fixture
def api() -> Api:
    cloud = Cloud.from_fleet(
        Fleet(
            instances=(
                InstanceSpec(instance_id=WEB, instance_name="web-01", tags={"app": "web"}, resource_group_id="rg-1"),
                InstanceSpec(instance_id=DB, instance_name="db-01", operation_locks=("security",), tags={"app": "db"}),
                InstanceSpec(instance_id=OFF, status="Stopped", instance_name="web-[2]"),
                InstanceSpec(instance_id=NORTH, region_id="cn-beijing"),
                InstanceSpec(instance_id=HIDDEN, visible=False, tags={"app": "web"}),
                InstanceSpec(instance_id=BROKE, operation_locks=("financial",), vpc_id=""),
            )
        )
    )
    cloud.clock.hold(NOW)
    cloud.reset()
    return Api(cloud)


def many(number: int) -> Api:
    cloud = Cloud.from_fleet(Fleet(instances=tuple(InstanceSpec(instance_id=f"i-{n}") for n in range(number))))
    return Api(cloud)


def described(api: Api, **parameters: str) -> list[str]:
    status, body = api.call("DescribeInstances", RegionId=HZ, **parameters)
    assert status == 200, body
    return [one["InstanceId"] for one in body["Instances"]["Instance"]]


def code(result: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    status, body = result
    return status, body["Code"]


def indexed(name: str, values: Iterable[str]) -> dict[str, str]:
    return {f"{name}.{n}": value for n, value in enumerate(values, start=1)}


def reboot(api: Api, *instance_ids: str, **parameters: str) -> tuple[int, Any]:
    return api.call("RebootInstances", {**indexed("InstanceId", instance_ids), "RegionId": HZ, **parameters})


def test_the_fault_table_knows_every_action() -> None:
    assert set(faults.ACTIONS["ecs"]) == set(ACTIONS)


class TestDescribeInstances:
    def test_shows_the_documented_fields(self, api: Api) -> None:
        _, body = api.call("DescribeInstances", RegionId=HZ, InstanceIds=json.dumps([DB]))
        (db,) = body["Instances"]["Instance"]
        assert db["Status"] == "Running"
        assert db["OperationLocks"] == {"LockReason": [{"LockReason": "security", "LockMsg": ""}]}
        assert db["Tags"] == {"Tag": [{"TagKey": "app", "TagValue": "db"}]}
        assert db["StartTime"] == "2026-10-24T12:00Z"
        assert (body["TotalCount"], body["PageNumber"], body["PageSize"]) == (1, 1, 10)

    @pytest.mark.parametrize(
        ("filters", "ids"),
        [
            ({}, [WEB, DB, OFF, BROKE]),
            ({"Status": "Stopped"}, [OFF]),
            ({"Tag.1.Key": "app"}, [WEB, DB]),
            ({"Tag.1.Key": "app", "Tag.1.Value": "web"}, [WEB]),
            ({"Tag.1.Key": "app", "Tag.2.Key": "other"}, []),
            ({"InstanceName": "web-*"}, [WEB, OFF]),
            ({"InstanceName": "web-[2]"}, [OFF]),
            ({"InstanceName": "web"}, []),
            ({"ResourceGroupId": "rg-1"}, [WEB]),
            ({"LockReason": "security"}, [DB]),
            ({"InstanceNetworkType": "classic"}, [BROKE]),
            ({"ZoneId": "cn-hangzhou-k"}, []),
            ({"InstanceIds": json.dumps([WEB, NORTH, HIDDEN, "i-none"])}, [WEB]),
            ({"InstanceIds": json.dumps([WEB, DB]), "Status": "Stopped"}, []),
            ({"InstanceIds": "[]"}, []),
        ],
    )
    def test_filters_are_joined_by_and(self, api: Api, filters: dict[str, str], ids: Any) -> None:
        assert described(api, **filters) == ids

    @pytest.mark.parametrize(
        ("parameters", "expected"),
        [
            ({"InstanceIds": "i-web"}, (400, "InvalidInstanceIds.Malformed")),
            ({"InstanceIds": '{"a":1}'}, (400, "InvalidInstanceIds.Malformed")),
            ({"InstanceIds": "[1]"}, (400, "InvalidInstanceIds.Malformed")),
            ({"InstanceIds": "[" * 100_000}, (400, "InvalidInstanceIds.Malformed")),
            ({"InstanceIds": json.dumps([f"i-{n}" for n in range(101)])}, (403, "InvalidParameter.TooManyInstanceIds")),
            ({"Status": "Sleeping"}, (404, "InvalidStatus.NotFound")),
            ({"LockReason": "lunch"}, (404, "InvalidLockReason.NotFound")),
            ({"InstanceNetworkType": "token-ring"}, (404, "InvalidNetworkType.NotFound")),
            ({"InstanceChargeType": "free"}, (404, "InvalidInstanceChargeType.NotFound")),
            ({f"Tag.{n}.Key": f"k{n}" for n in range(1, 22)}, (400, "InvalidTagCount")),
            ({"PageNumber": "0"}, (400, "InvalidParameter")),
            ({"PageSize": "ten"}, (400, "InvalidParameter")),
            ({"NextToken": "xyz"}, (400, "InvalidParameter")),
            ({"Tag.1.Value": "web"}, (400, "MissingParameter.TagKey")),
            ({"Tag.1.Key": "a", "Tag.2.Key": "a"}, (400, "Duplicate.TagKey")),
            ({"Filter.1.Key": "CreationStartTime"}, (400, "UnsupportedParameter")),
            ({"DryRun": "true"}, (400, "DryRunOperation")),
        ],
    )
    def test_wrong_parameters_get_their_code(
        self, api: Api, parameters: dict[str, str], expected: tuple[int, str]
    ) -> None:
        assert code(api.call("DescribeInstances", RegionId=HZ, **parameters)) == expected

    def test_the_region_is_needed_and_must_exist(self, api: Api) -> None:
        assert code(api.call("DescribeInstances")) == (400, "MissingParameter")
        assert code(api.call("DescribeInstances", RegionId="mars-1")) == (404, "InvalidRegionId.NotFound")

    def test_pages_by_number_are_capped_at_100(self) -> None:
        api = many(230)
        sizes = [len(described(api, PageSize="500", PageNumber=str(number))) for number in (1, 2, 3, 4)]
        assert sizes == [100, 100, 30, 0]

    def test_pages_by_token_go_through_all_once(self) -> None:
        api, token, seen = many(230), "", []
        for _ in range(3):
            _, body = api.call(
                "DescribeInstances", RegionId=HZ, MaxResults="100", **({"NextToken": token} if token else {})
            )
            assert body["TotalCount"] == 230
            seen += [one["InstanceId"] for one in body["Instances"]["Instance"]]
            token = body["NextToken"]
        assert (seen, token) == ([f"i-{n}" for n in range(230)], "")

    def test_a_token_page_of_less_than_10_is_one_of_10(self) -> None:
        assert len(described(many(30), MaxResults="1")) == 10

    def test_a_page_by_token_is_not_moved_by_what_changes_between(self) -> None:
        api = many(30)
        filters = {"RegionId": HZ, "Status": "Running", "MaxResults": "10"}
        _, first = api.call("DescribeInstances", filters)
        api.call("StopInstances", {**indexed("InstanceId", ["i-0", "i-1"]), "RegionId": HZ})
        _, second = api.call("DescribeInstances", {**filters, "NextToken": first["NextToken"]})
        assert [one["InstanceId"] for one in second["Instances"]["Instance"]] == [f"i-{n}" for n in range(10, 20)]


def test_describe_instance_status(api: Api) -> None:
    _, body = api.call("DescribeInstanceStatus", {"RegionId": HZ, "InstanceId.1": OFF, "InstanceId.2": WEB})
    assert body["InstanceStatuses"]["InstanceStatus"] == [
        {"InstanceId": WEB, "Status": "Running"},
        {"InstanceId": OFF, "Status": "Stopped"},
    ]
    assert code(api.call("DescribeInstanceStatus", {"RegionId": HZ, "InstanceId.1": HIDDEN})) == (
        404,
        "InvalidInstanceId.NotFound",
    )


def test_describe_regions(api: Api) -> None:
    _, body = api.call("DescribeRegions")
    assert {"cn-hangzhou", "cn-beijing"} <= {region["RegionId"] for region in body["Regions"]["Region"]}


class TestRebootInstances:
    def test_success_first_answers_for_each(self, api: Api) -> None:
        status, body = reboot(api, WEB, DB, OFF, NORTH, HIDDEN, BROKE, "i-TestID", BatchOptimization="SuccessFirst")
        rows = [
            (one["InstanceId"], one["Code"], one["PreviousStatus"], one["CurrentStatus"])
            for one in body["InstanceResponses"]["InstanceResponse"]
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
        assert [one["Code"] for one in body["InstanceResponses"]["InstanceResponse"]] == ["200"]

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
        assert [one["Code"] for one in body["InstanceResponses"]["InstanceResponse"]] == [
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


class TestTags:
    def tag(self, api: Api, instance_ids: Iterable[str], tags: Any, **parameters: str) -> tuple[int, Any]:
        pairs = {
            name: value
            for n, (key, tag_value) in enumerate(tags, start=1)
            for name, value in ((f"Tag.{n}.Key", key), (f"Tag.{n}.Value", tag_value))
        }
        wanted = {"RegionId": HZ, "ResourceType": "instance", **parameters}
        return api.call("TagResources", {**wanted, **indexed("ResourceId", instance_ids), **pairs})

    def tags(self, api: Api, instance_id: str) -> dict[str, str]:
        return dict(api.cloud.fleet[instance_id].state.tags)

    def test_tags_are_set_and_replaced(self, api: Api) -> None:
        assert self.tag(api, [WEB, DB], [("app", "new"), ("ecs-reboot/last", "v1")])[0] == 200
        assert self.tags(api, WEB) == self.tags(api, DB) == {"app": "new", "ecs-reboot/last": "v1"}

    def test_setting_what_is_there_has_no_effect(self, api: Api) -> None:
        self.tag(api, [WEB], [("app", "web")])
        assert api.cloud.audit.calls()[-1]["effect"] is False

    @pytest.mark.parametrize(
        ("ids", "tags", "expected"),
        [
            ([f"i-{n}" for n in range(51)], [("k", "v")], (400, "NumberExceed.ResourceIds")),
            ([WEB], [(f"k{n}", "v") for n in range(21)], (400, "NumberExceed.Tags")),
            ([WEB], [(f"k{n}", "v") for n in range(20)], (400, "OperationDenied.QuotaExceed")),
            ([WEB], [("k" * 129, "v")], (400, "InvalidTagKey.Malformed")),
            ([WEB], [("acs:k", "v")], (400, "InvalidTagKey.Malformed")),
            ([WEB], [("aliyunk", "v")], (400, "InvalidTagKey.Malformed")),
            ([WEB], [("http://k", "v")], (400, "InvalidTagKey.Malformed")),
            ([WEB], [("k", "v" * 129)], (400, "InvalidTagValue.Malformed")),
            ([WEB], [("k", "https://v")], (400, "InvalidTagValue.Malformed")),
            ([WEB], [("k", "1"), ("k", "2")], (400, "Duplicate.TagKey")),
            ([WEB], [("", "2")], (400, "MissingParameter.TagKey")),
            ([WEB], [], (404, "MissingParameter.Tags")),
            ([], [("k", "v")], (400, "MissingParameter.ResourceIds")),
            ([WEB, HIDDEN], [("k", "v")], (404, "InvalidResourceId.NotFound")),
            ([WEB, NORTH], [("k", "v")], (404, "InvalidResourceId.NotFound")),
        ],
    )
    def test_limits_have_their_codes_and_nothing_is_tagged(
        self, api: Api, ids: Any, tags: Any, expected: tuple[int, str]
    ) -> None:
        assert code(self.tag(api, ids, tags)) == expected
        assert self.tags(api, WEB) == {"app": "web"}

    def test_the_longest_tag_is_taken(self, api: Api) -> None:
        assert self.tag(api, [WEB], [("k" * 128, "v" * 128)])[0] == 200

    def test_only_instances_are_resources(self, api: Api) -> None:
        assert code(self.tag(api, [WEB], [("k", "v")], ResourceType="disk")) == (404, "InvalidResourceType.NotFound")

    def test_untag(self, api: Api) -> None:
        wanted = {"RegionId": HZ, "ResourceType": "instance", "ResourceId.1": WEB}
        self.tag(api, [WEB], [("a", "1"), ("b", "2")])
        assert code(api.call("UntagResources", wanted)) == (400, "MissingParameter.TagKey")
        assert api.call("UntagResources", {**wanted, "TagKey.1": "a", "TagKey.2": "none"})[0] == 200
        assert self.tags(api, WEB) == {"app": "web", "b": "2"}
        assert api.call("UntagResources", {**wanted, "All": "true"})[0] == 200
        assert self.tags(api, WEB) == {}

    @pytest.mark.parametrize(
        ("ids", "keys", "expected"),
        [
            ([WEB], [f"k{number}" for number in range(21)], (400, "NumberExceed.Tags")),
            ([f"i-{number:08d}" for number in range(51)], ["app"], (400, "NumberExceed.ResourceIds")),
            ([WEB, HIDDEN], ["app"], (404, "InvalidResourceId.NotFound")),
            ([], ["app"], (400, "MissingParameter.ResourceIds")),
        ],
    )
    def test_what_can_not_be_untagged_leaves_all_as_it_was(
        self, api: Api, ids: list[str], keys: list[str], expected: tuple[int, str]
    ) -> None:
        wanted = {"RegionId": HZ, "ResourceType": "instance"}
        wanted |= {f"ResourceId.{number}": one for number, one in enumerate(ids, 1)}
        wanted |= {f"TagKey.{number}": key for number, key in enumerate(keys, 1)}
        assert code(api.call("UntagResources", wanted)) == expected
        assert self.tags(api, WEB) == {"app": "web"}

    def test_listing_by_id_and_by_tag_hides_what_is_hidden(self, api: Api) -> None:
        wanted = {"RegionId": HZ, "ResourceType": "instance"}

        def rows(parameters: dict[str, str]) -> list[tuple[str, str, str]]:
            _, body = api.call("ListTagResources", {**wanted, **parameters})
            return [(row["ResourceId"], row["TagKey"], row["TagValue"]) for row in body["TagResources"]["TagResource"]]

        assert rows({"ResourceId.1": WEB, "ResourceId.2": HIDDEN}) == [(WEB, "app", "web")]
        assert rows({"Tag.1.Key": "app"}) == [(WEB, "app", "web"), (DB, "app", "db")]
        assert rows({"Tag.1.Key": "app", "Tag.1.Value": "db"}) == [(DB, "app", "db")]
        assert code(api.call("ListTagResources", wanted)) == (400, "MissingParameter.ResourceIds")

    def test_listing_goes_through_pages_of_50(self) -> None:
        specs = tuple(InstanceSpec(instance_id=f"i-{n}", tags={"a": "1", "b": "2"}) for n in range(60))
        api, token, rows = Api(Cloud.from_fleet(Fleet(instances=specs))), "", []
        wanted = {"RegionId": HZ, "ResourceType": "instance", "Tag.1.Key": "a"}
        for _ in range(3):
            _, body = api.call("ListTagResources", {**wanted, **({"NextToken": token} if token else {})})
            rows += body["TagResources"]["TagResource"]
            token = body["NextToken"]
        assert (len(rows), token) == (120, "")


@pytest.mark.parametrize(
    ("action", "expected"), [("DeleteInstance", (404, "InvalidAction.NotFound")), ("", (404, "InvalidAction.NotFound"))]
)
def test_other_actions_are_not_found(api: Api, action: str, expected: tuple[int, str]) -> None:
    assert code(api.call(action)) == expected


def test_authorize_is_asked_for_each_instance(api: Api) -> None:
    api.cloud.authorize = lambda _who, action, what: action != "ecs:RebootInstances" or what.tags.get("app") == "web"
    _, body = reboot(api, WEB, DB, BatchOptimization="SuccessFirst")
    assert [one["Code"] for one in body["InstanceResponses"]["InstanceResponse"]] == ["200", "Forbidden.RAM"]
    api.cloud.authorize = lambda *_: False
    assert described(api) == [], "a role without permission sees an empty answer"
    assert code(api.call("DescribeInstances", RegionId=HZ, DryRun="true")) == (403, "Forbidden.RAM")


def test_a_reset_brings_back_the_declared_fleet(api: Api) -> None:
    reboot(api, WEB)
    api.call("UntagResources", {"RegionId": HZ, "ResourceType": "instance", "ResourceId.1": WEB, "All": "true"})
    api.cloud.reset()
    assert (api.cloud.fleet[WEB].status, dict(api.cloud.fleet[WEB].state.tags)) == ("Running", {"app": "web"})
    assert api.cloud.audit.entries() == ()
    assert reboot(api, WEB)[0] == 200


def test_the_same_seed_gives_the_same_ids() -> None:
    def ids(seed: int) -> list[str]:
        cloud = Cloud.from_fleet(Fleet(), seed=seed)
        return [cloud.request_id() for _ in range(3)]

    assert ids(1) == ids(1)
    assert ids(1) != ids(2)


names = st.sampled_from(
    [
        *sorted({spec.name for row in ACTIONS.values() for spec in row.parameters}),
        "InstanceId.1",
        "InstanceId.2",
        "Tag.1.Key",
        "Tag.1.Value",
        "Tag.2",
        "ResourceId.1",
        "TagKey.1",
        "Filter.1.Key",
    ]
)
values = st.sampled_from([WEB, DB, HZ, "true", "1", "[]", "instance", "SuccessFirst", "Running", ""]) | st.text(
    st.characters(exclude_categories=["Cs"])
)


@given(
    action=st.sampled_from(sorted(ACTIONS)),
    parameters=st.dictionaries(names | st.text("aI.1\u00e9", min_size=1), values),
)
def test_whatever_is_signed_is_answered_by_success_or_a_client_error(
    api: Api, action: str, parameters: dict[str, str]
) -> None:
    status, body = api.call(action, parameters)
    assert status == 200 or 400 <= status < 500
    assert body["RequestId"]


@pytest.mark.parametrize("action", ACTIONS)
def test_every_parameter_of_the_sdks_model_is_declared(action: str) -> None:
    """What is not declared would be ignored, and a filter that is ignored answers with too much."""
    model = getattr(models, f"{action}Request")
    names = set(re.findall(r"result\['(\w+)'\]", inspect.getsource(model.to_map)))
    assert names - COMMON <= {parameter.name for parameter in ACTIONS[action].parameters}


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("ListTagResources", {"ResourceType": "instance", "TagFilter.1.TagKey": "app"}),
        ("DescribeInstanceStatus", {"ClusterId": "c-1"}),
        ("DescribeInstanceHistoryEvents", {"NotBefore.Start": "2026-11-23T00:00:00Z"}),
        ("DescribeSnapshots", {"Tag.1.Key": "app"}),
    ],
)
def test_a_filter_that_is_not_modelled_is_refused(api: Api, action: str, parameters: dict[str, str]) -> None:
    assert code(api.call(action, RegionId=HZ, **parameters)) == (400, "UnsupportedParameter")


def test_a_single_instance_is_started_and_stopped_in_whichever_region(api: Api) -> None:
    assert api.call("StopInstance", InstanceId=NORTH)[0] == 200
    assert api.call("StartInstance", InstanceId=OFF)[0] == 200
    assert (api.cloud.fleet[NORTH].status, api.cloud.fleet[OFF].status) == ("Stopping", "Starting")
    assert code(api.call("StartInstance", InstanceId=WEB)) == (403, "IncorrectInstanceStatus")
    assert code(api.call("StopInstance", InstanceId=WEB, DryRun="true")) == (400, "DryRunOperation")
    assert code(api.call("StopInstance", InstanceId="i-none")) == (404, "InvalidInstanceId.NotFound")


def test_disks_are_found_by_what_they_are(api: Api) -> None:
    def disks(**filters: str) -> list[str]:
        _, body = api.call("DescribeDisks", RegionId=HZ, **filters)
        return [disk["InstanceId"] for disk in body["Disks"]["Disk"]]

    assert disks() == [WEB, DB, OFF, BROKE]
    assert disks(InstanceId=DB) == [DB]
    assert disks(InstanceId=HIDDEN) == disks(DiskType="data") == disks(Status="Available") == disks(DiskIds="[]") == []
    assert disks(PageSize="3", PageNumber="2") == [BROKE]
