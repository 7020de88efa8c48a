"""The ECS API of a small fleet, called signed, and what its answers say."""

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import pytest
from signed_requests import Api

from localcloud.account.cloud import Cloud
from localcloud.account.fleet import Fleet, InstanceSpec

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
    return [instance["InstanceId"] for instance in body["Instances"]["Instance"]]


def code(result: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    status, body = result
    return status, body["Code"]


def indexed(name: str, values: Iterable[str]) -> dict[str, str]:
    return {f"{name}.{n}": value for n, value in enumerate(values, start=1)}


def reboot(api: Api, *instance_ids: str, **parameters: str) -> tuple[int, Any]:
    return api.call("RebootInstances", {**indexed("InstanceId", instance_ids), "RegionId": HZ, **parameters})
