"""What ECS shows: fields, filters, pages by number and by token, status, regions, disks."""

import json
from typing import Any

import pytest
from ecs_requests import BROKE, DB, HIDDEN, HZ, NORTH, OFF, WEB, code, described, indexed, many
from signed_requests import Api


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
            seen += [instance["InstanceId"] for instance in body["Instances"]["Instance"]]
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
        assert [instance["InstanceId"] for instance in second["Instances"]["Instance"]] == [
            f"i-{n}" for n in range(10, 20)
        ]


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


def test_disks_are_found_by_what_they_are(api: Api) -> None:
    def disks(**filters: str) -> list[str]:
        _, body = api.call("DescribeDisks", RegionId=HZ, **filters)
        return [disk["InstanceId"] for disk in body["Disks"]["Disk"]]

    assert disks() == [WEB, DB, OFF, BROKE]
    assert disks(InstanceId=DB) == [DB]
    assert disks(InstanceId=HIDDEN) == disks(DiskType="data") == disks(Status="Available") == disks(DiskIds="[]") == []
    assert disks(PageSize="3", PageNumber="2") == [BROKE]
