"""Where the function asks each service in each region, inside a VPC and outside of it."""

import pytest
from alibabacloud_cms20190101.client import Client as Cms
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.utils_models import Config

from ecs_reboot.clock import Deadline, SystemClock
from ecs_reboot.cloud import endpoints
from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.ecs import Ecs
from localcloud.account.regions import REGIONS

KEYS = Credentials(access_key_id="STS.id", access_key_secret="secret", security_token="token")
OWNER = {"fc": "1234567890123456", "ots": "er-0123456789"}
#: As the services' own pages spell them for cn-hangzhou; every other region has the same form there.
PAGES = {
    ("ecs", "public"): "ecs.cn-hangzhou.aliyuncs.com",
    ("ecs", "vpc"): "ecs-vpc.cn-hangzhou.aliyuncs.com",
    ("log", "public"): "cn-hangzhou.log.aliyuncs.com",
    ("log", "vpc"): "cn-hangzhou-intranet.log.aliyuncs.com",
    ("ots", "public"): "er-0123456789.cn-hangzhou.ots.aliyuncs.com",
    ("ots", "vpc"): "er-0123456789.cn-hangzhou.vpc.tablestore.aliyuncs.com",
    ("fc", "public"): "1234567890123456.cn-hangzhou.fc.aliyuncs.com",
    ("fc", "vpc"): "1234567890123456.cn-hangzhou-internal.fc.aliyuncs.com",
    ("oss", "public"): "oss-cn-hangzhou.aliyuncs.com",
    ("oss", "vpc"): "oss-cn-hangzhou-internal.aliyuncs.com",
    ("ess", "public"): "ess.cn-hangzhou.aliyuncs.com",
    ("ess", "vpc"): "ess-vpc.cn-hangzhou.aliyuncs.com",
    ("cms", "public"): "metrics.cn-hangzhou.aliyuncs.com",
    ("cms", "vpc"): "metrics.cn-hangzhou.aliyuncs.com",
}
#: Public hosts that are one for several regions, by the SDK's table.
CENTRAL = {("ess", "public"): "ess.aliyuncs.com"}


def asked(region_id: str, network: str, endpoint: str = "") -> str:
    ecs = Ecs(KEYS, Deadline(SystemClock(), 5), endpoint=endpoint, network=network, answer_seconds=5)
    return str(ecs._client(region_id)._endpoint)


@pytest.mark.parametrize("region_id", REGIONS)
@pytest.mark.parametrize("network", ["public", "vpc"])
@pytest.mark.parametrize("service", endpoints.SERVICES)
def test_each_service_has_its_address_in_each_region(service: str, network: str, region_id: str) -> None:
    found = endpoints.host(service, region_id, network, owner=OWNER.get(service, ""))
    assert found in (PAGES[service, network].replace("cn-hangzhou", region_id), CENTRAL.get((service, network)))
    assert endpoints.url(service, region_id, network, owner=OWNER.get(service, "")) == f"https://{found}"


@pytest.mark.parametrize("region_id", REGIONS)
def test_the_ecs_client_asks_the_address_of_the_network(region_id: str) -> None:
    assert asked(region_id, "public") == f"ecs.{region_id}.aliyuncs.com"
    assert asked(region_id, "vpc") == f"ecs-vpc.{region_id}.aliyuncs.com"


def test_auto_scaling_has_one_public_address_for_the_large_regions() -> None:
    assert endpoints.host("ess", "cn-hangzhou", "public") == "ess.aliyuncs.com"
    assert endpoints.host("ess", "cn-guangzhou", "public") == "ess.cn-guangzhou.aliyuncs.com"
    assert endpoints.host("ess", "cn-hangzhou", "vpc") == "ess-vpc.cn-hangzhou.aliyuncs.com"


@pytest.mark.parametrize("region_id", REGIONS)
def test_cloudmonitor_is_asked_where_its_own_sdk_asks(region_id: str) -> None:
    client = Cms(Config(access_key_id="id", access_key_secret="s", region_id=region_id))
    sdk = client._endpoint_map.get(region_id)
    assert sdk in (None, endpoints.host("cms", region_id, "public"))


def test_an_address_that_was_given_comes_first() -> None:
    assert asked("cn-hangzhou", "vpc", "http://127.0.0.1:8080") == "127.0.0.1:8080"


def test_the_sdk_alone_would_ask_over_the_internet_from_inside_a_vpc() -> None:
    client = Client(Config(access_key_id="id", access_key_secret="s", region_id="cn-hangzhou", network="vpc"))
    assert "vpc" not in client._endpoint
