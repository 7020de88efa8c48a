"""What a fleet file says of calls: how many a minute, how long each takes; and what it says of the past."""

import asyncio
from datetime import datetime, timedelta, timezone

import pytest

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger import instance_row
from localcloud.account import fleet
from localcloud.account.cloud import Cloud
from localcloud.account.declaration_errors import DeclarationError
from localcloud.account.faults import ACTIONS
from localcloud.account.fleet import Fleet
from localcloud.cms import actions as cms
from localcloud.ecs import actions as ecs
from localcloud.ess import actions as ess
from localcloud.functioncompute.api.operations import OPERATIONS as FC
from localcloud.mns.service import OPERATIONS as MNS
from localcloud.oss.operations import OPERATIONS as OSS
from localcloud.pipeline import connection
from localcloud.ros import account_apis
from localcloud.ros import service as ros
from localcloud.sls.routing import ROUTES
from localcloud.tablestore.messages import MESSAGES as OTS
from localcloud.tablestore.service import Ots

NOW = datetime(2026, 11, 23, 12, 0, 30, tzinfo=timezone.utc)


def loaded(**document: object) -> Fleet:
    return fleet.parse(document, name="fleet", now=NOW)


def test_what_is_beyond_the_limit_is_throttled_until_the_next_minute() -> None:
    cloud = Cloud.from_fleet(loaded(limits={"ecs": {"DescribeInstances": 2}}))
    cloud.clock.hold(NOW)
    met = [cloud.faults.take("ecs", "DescribeInstances") for _ in range(4)]
    assert [len(faults) for faults in met] == [0, 0, 1, 1]
    assert met[2][0].kind == "throttle"
    assert cloud.faults.take("ecs", "ListTagResources") == ()
    cloud.clock.step(29)
    assert cloud.faults.take("ecs", "DescribeInstances") != ()
    cloud.clock.step(1)
    assert cloud.faults.take("ecs", "DescribeInstances") == ()


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"ecx": {"DescribeInstances": 5}}, "'ecx' is not a service; did you mean 'ecs'?"),
        ({"ecs": {"DescribeInstance": 5}}, "did you mean 'DescribeInstances'?"),
        ({"ecs": {"DescribeInstances": -1}}, "greater than or equal to 0"),
    ],
)
def test_a_limit_of_nothing_is_a_mistake(limits: object, told: str) -> None:
    with pytest.raises(DeclarationError, match="limits") as caught:
        loaded(limits=limits)
    assert told in str(caught.value)


def test_the_actions_of_faults_and_limits_are_the_services_own() -> None:
    assert set(ACTIONS["ecs"]) == ecs.ACTIONS.keys()
    assert set(ACTIONS["fc"]) - {"Delivery"} == {"InvokeFunction", *FC}
    assert set(ACTIONS["sls"]) == {route.action for route in ROUTES}
    assert set(ACTIONS["ots"]) - {"ListInstances"} == OTS.keys()
    assert set(ACTIONS["oss"]) == OSS.keys()
    assert set(ACTIONS["mns"]) == MNS.keys()
    assert set(ACTIONS["ros"]) == ros.ACTIONS
    for product in account_apis.PRODUCTS.values():
        assert product.operations.keys() <= set(ACTIONS[product.service]), product.service
    elsewhere = {name for product in account_apis.PRODUCTS.values() for name in product.operations}
    assert {name for service in ("sts", "cms", "ram") for name in ACTIONS[service]} <= elsewhere | cms.ACTIONS.keys()
    assert set(ACTIONS["ess"]) == ess.ACTIONS.keys()


def test_attempts_are_what_the_functions_ledger_reads() -> None:
    attempts = [{"ago": "30m", "state": "back", "force": True}, {"ago": "2h", "state": "down"}, {"ago": "30d"}]
    declared = loaded(instances=[{"instance_id": "i-bp1test0000000000000", "attempts": attempts}])
    cloud = Cloud.from_fleet(declared)
    (instance,) = cloud.fleet
    now = cloud.clock.now()
    read = ledger.parse(instance.state.tags[ledger.KEY], now)
    assert (read.state, read.force) == ("back", True)
    ages = [round((now - time) / timedelta(minutes=1)) for time in ledger.attempts(read, now)]
    assert ages == [120, 30]  # the one of 30 days ago is older than an entry can hold
    store = Ots(cloud).instances.get("ecs-rb")
    assert store is not None
    cells = store.table("ledger").get(("cn-hangzhou", "i#i-bp1test0000000000000"))
    assert cells is not None
    row = instance_row.read("i-bp1test0000000000000", {name: cell.value for name, cell in cells.items()}, now)
    assert row.history.entry == read, "the same in a table, for a function whose ledger is there"


@pytest.mark.parametrize("ago", ["yesterday", "5", "-3d", "3 weeks"])
def test_an_age_that_is_none_is_a_mistake(ago: str) -> None:
    with pytest.raises(DeclarationError, match="is not a length of time"):
        loaded(instances=[{"instance_id": "i-bp1test0000000000000", "attempts": [{"ago": ago}]}])


def test_every_call_to_every_service_takes_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    from localcloud.server.application import Application
    from localcloud.server.services import Services

    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    async def send(_message: object) -> None:
        pass

    async def request(path: str, *headers: tuple[bytes, bytes], query: bytes = b"") -> None:
        given = [(b"host", b"127.0.0.1:80"), *headers]
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query,
                 "headers": given, "server": ("127.0.0.1", 80), "scheme": "http", "root_path": "",
                 "extensions": {connection._EXTENSION: {"close": lambda: None}}}  # fmt: skip
        application = Application(Services(Cloud.from_fleet(loaded(latency_seconds=0.05))))
        try:
            await application(scope, receive, send)
        finally:
            application.close()

    async def all_services() -> None:
        await request("/", query=b"Action=DescribeRegions")
        await request("/logstores", (b"x-log-apiversion", b"0.6.0"))
        await request("/GetRow", (b"x-ots-apiversion", b"2015-12-31"))
        await request("/bucket", (b"authorization", b"OSS4-HMAC-SHA256 x"))
        await request("/2023-03-30/functions")
        await request("/", (b"x-acs-version", b"2019-09-10"))

    monkeypatch.setattr("localcloud.server.application.asyncio.sleep", sleep)
    asyncio.run(all_services())
    assert [seconds for seconds in waited if seconds] == [0.05] * 6
    asyncio.run(request("/_local/health"))
    assert len([seconds for seconds in waited if seconds]) == 6
