"""The local Tablestore, as strict as its documents: requests with one mistake each, made by the function's encoder."""

import base64
import hashlib
import http.client
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import pytest

from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.protobuf import ProtobufMessage, field
from ecs_reboot.cloud.tablestore import messages, plain_buffer
from ecs_reboot.cloud.tablestore.rows import Condition, Put, Row
from ecs_reboot.cloud.tablestore.signature import headers
from localcloud.account.authorization import allow_everything
from localcloud.account.cloud import Cloud
from localcloud.account.faults import Fault
from localcloud.account.fleet import Fleet, TablestoreSpec
from localcloud.server.server import running
from localcloud.tablestore.errors import OtsError
from localcloud.tablestore.messages import MESSAGES
from localcloud.tablestore.operations import OPERATIONS
from localcloud.tablestore.service import Ots
from localcloud.tablestore.tables import Instances

REGION = "cn-hangzhou"
KEY = (("region", REGION), ("row", "i#1"))
PUT = Put(Row(KEY, {"v": 1, "state": "asked"}), Condition())
BODY = messages.put_row("ledger", PUT)


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return messages.error(self.body).code


class Service:
    """One running cloud and a client of it that can make any mistake."""

    def __init__(self, cloud: Cloud, host_port: str, ots: Ots) -> None:
        self.cloud, self.host_port, self.ots = cloud, host_port, ots

    def send(
        self,
        operation: str = "PutRow",
        body: bytes = BODY,
        *,
        method: str = "POST",
        now: datetime | None = None,
        region_id: str = "",
        secret: str = "",
        token: str = "",
        instance: str = "ecs-rb",
        after: Mapping[str, str | None] = {},
        sent: bytes | None = None,
    ) -> Answer:
        """Send a request; ``after`` are headers changed, and ``sent`` is a body put in, behind the signature's back."""
        root = self.cloud.credentials.root
        credentials = Credentials(
            access_key_id=root.access_key_id,
            access_key_secret=secret or root.access_key_secret,
            security_token=token,
        )
        moment = now or datetime.now(timezone.utc)
        made: dict[str, str | None] = {
            "host": self.host_port,
            **headers(operation, body, instance, credentials, now=moment, region_id=region_id),
            **after,
        }
        connection = http.client.HTTPConnection(self.host_port, timeout=10)
        try:
            given = {name: value for name, value in made.items() if value is not None}
            connection.request(method, f"/{operation}", body if sent is None else sent, given)
            response = connection.getresponse()
            return Answer(response.status, {n.lower(): v for n, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def stored(self) -> dict[str, Any] | None:
        """Return the columns of the row that every request here is about."""
        instance = self.ots.instances.get("ecs-rb")
        assert instance
        row = instance.table("ledger").get((REGION, "i#1"))
        return None if row is None else {name: cell.value for name, cell in row.items()}


@pytest.fixture(scope="module")
def shared() -> Iterator[Service]:
    with running(Cloud.from_fleet(Fleet())) as server:
        yield Service(server.cloud, server.host_port, server.services.ots)


@pytest.fixture
def service(shared: Service) -> Iterator[Service]:
    shared.cloud.reset()
    yield shared
    shared.cloud.authorize = allow_everything


def test_a_good_request_is_carried_out_audited_and_its_answer_signed(service: Service) -> None:
    answer = service.send()
    assert (answer.status, service.stored()) == (200, {"v": 1, "state": "asked"})
    assert {name for name in answer.headers if name.startswith("x-ots-")} == {
        "x-ots-contentmd5", "x-ots-contenttype", "x-ots-date", "x-ots-requestid",
    }  # fmt: skip
    assert answer.headers["authorization"].startswith(f"OTS {service.cloud.credentials.root.access_key_id}:")
    (call,) = service.cloud.audit.calls(service="ots")
    assert (call["action"], call["http_status"], call["code"], call["effect"]) == ("PutRow", 200, "", True)
    assert call["parameters"] == {
        "instance": "ecs-rb", "table": "ledger", "keys": [{"region": REGION, "row": "i#1"}],
    }  # fmt: skip
    assert call["identity"] == "root:1234567890123456"


OFF = timedelta(minutes=16)
MISTAKES: list[tuple[dict[str, Any], int, str]] = [
    ({"method": "GET"}, 405, "OTSMethodNotAllowed"),
    ({"operation": "SQLQuery"}, 400, "OTSParameterInvalid"),
    *(
        ({"after": {f"x-ots-{name}": None}}, 400, "OTSParameterInvalid")
        for name in ("date", "apiversion", "accesskeyid", "instancename", "contentmd5", "signature")
    ),
    ({"after": {"x-ots-apiversion": "2014-08-08"}}, 400, "OTSParameterInvalid"),
    ({"after": {"x-ots-date": "yesterday"}}, 400, "OTSParameterInvalid"),
    ({"after": {"x-ots-signaturev4": "also"}}, 400, "OTSParameterInvalid"),
    ({"after": {"x-ots-unsigned": "1"}}, 403, "OTSAuthFailed"),
    ({"after": {"x-ots-accesskeyid": "nobody"}}, 403, "OTSAuthFailed"),
    ({"secret": "guessed"}, 403, "OTSAuthFailed"),
    ({"secret": "guessed", "region_id": REGION}, 403, "OTSAuthFailed"),
    ({"region_id": "cn-beijing"}, 403, "OTSAuthFailed"),
    ({"region_id": REGION, "after": {"x-ots-signdate": "20200101"}}, 403, "OTSAuthFailed"),
    ({"token": "made-up"}, 403, "OTSAuthFailed"),
    ({"instance": "no-such"}, 403, "OTSAuthFailed"),
    ({"sent": BODY[:-1] + b"\x01"}, 403, "OTSAuthFailed"),
    ({"body": messages.put_row("nothing", PUT)}, 404, "OTSObjectNotExist"),
    ({"body": messages.put_row("ledger", PUT._replace(row=Row(KEY[:1], {"v": 1})))}, 400, "OTSInvalidPK"),
    ({"body": messages.put_row("ledger", PUT._replace(row=Row((KEY[1], KEY[0]), {"v": 1})))}, 400, "OTSInvalidPK"),
    (
        {"body": messages.put_row("ledger", PUT._replace(row=Row((KEY[0], ("row", 7)), {"v": 1})))},
        400,
        "OTSInvalidPK",
    ),
    (
        {"body": messages.put_row("ledger", PUT._replace(row=Row((KEY[0], ("row", "x" * 1025)), {"v": 1})))},
        400,
        "OTSParameterInvalid",
    ),
    ({"body": messages.put_row("ledger", PUT._replace(row=Row(KEY, {"a b": 1})))}, 400, "OTSParameterInvalid"),
    ({"body": messages.put_row("ledger", PUT._replace(row=Row(KEY, {"region": 1})))}, 400, "OTSParameterInvalid"),
    (
        {"body": messages.put_row("ledger", PUT._replace(row=Row(KEY, {f"c{n}": n for n in range(1025)})))},
        400,
        "OTSParameterInvalid",
    ),
    (
        {"body": messages.put_row("ledger", PUT._replace(row=Row(KEY, {f"c{n}": "x" * 2**20 for n in range(5)})))},
        400,
        "OTSParameterInvalid",
    ),
    (
        {"body": messages.put_row("ledger", PUT._replace(condition=Condition(exists=True)))},
        403,
        "OTSConditionCheckFail",
    ),
    (
        {"body": messages.put_row("ledger", PUT._replace(condition=Condition(None, ("v", 1))))},
        403,
        "OTSConditionCheckFail",
    ),
    ({"body": BODY + field(5, "transaction")}, 400, "OTSParameterInvalid"),
    ({"body": BODY + field(99, 1)}, 400, "OTSParameterInvalid"),
    ({"body": field(1, "ledger")}, 400, "OTSParameterInvalid"),
    ({"body": BODY[:-1]}, 400, "OTSParameterInvalid"),
    ({"operation": "DeleteRow"}, 400, "OTSParameterInvalid"),
    (
        {
            "operation": "GetRow",
            "body": field(1, "ledger") + field(2, plain_buffer.primary_key(KEY)),
        },
        400,
        "OTSParameterInvalid",
    ),
]


@pytest.mark.parametrize(("wrong", "status", "code"), MISTAKES)
def test_each_mistake_gets_its_documented_code_and_writes_nothing(
    service: Service, wrong: dict[str, Any], status: int, code: str
) -> None:
    answer = service.send(**wrong)
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["x-ots-requestid"]
    (call,) = service.cloud.audit.calls(service="ots")
    assert (call["http_status"], call["code"], call["effect"]) == (status, code, False)
    assert service.stored() is None


@pytest.mark.parametrize("off", [OFF, -OFF])
def test_a_request_of_another_quarter_of_an_hour_is_refused(service: Service, off: timedelta) -> None:
    assert service.send(now=datetime.now(timezone.utc) + off).code == "OTSAuthFailed"
    assert service.send(now=datetime.now(timezone.utc) + off / 2).status == 200


def test_every_flipped_bit_of_a_row_is_refused(service: Service) -> None:
    row = plain_buffer.put(KEY, PUT.row.columns)
    start = BODY.index(row)
    for bit in range(0, 8 * len(row), 5):
        broken = bytearray(BODY)
        broken[start + bit // 8] ^= 1 << bit % 8
        assert service.send(body=bytes(broken)).status == 400
    assert service.stored() is None
    assert service.send().status == 200


def test_the_networks_of_an_instance_hold_for_its_real_names(service: Service) -> None:
    names = {
        "ecs-rb.cn-hangzhou.vpc.tablestore.aliyuncs.com": 200,
        "ecs-rb.cn-hangzhou.ots-internal.aliyuncs.com": 200,
        "ecs-rb.cn-hangzhou.ots.aliyuncs.com": 403,
        "ecs-rb.cn-beijing.vpc.tablestore.aliyuncs.com": 403,
        "other.cn-hangzhou.vpc.tablestore.aliyuncs.com": 403,
    }
    assert {name: service.send(after={"host": name}).status for name in names} == names


def test_the_policy_is_asked_for_each_table(service: Service) -> None:
    asked = []

    def authorize(_who: object, action: str, what: Any) -> bool:
        asked.append((action, what.arn))
        return False

    service.cloud.authorize = authorize
    answer = service.send(instance="ECS-RB")
    assert (answer.status, answer.code) == (403, "OTSNoPermissionAccess")
    account = service.cloud.account
    assert asked == [("ots:PutRow", f"acs:ots:{REGION}:{account}:instance/ecs-rb/table/ledger")]
    assert service.stored() is None


def test_of_many_swaps_at_once_one_is_won(service: Service) -> None:
    service.send()
    body = messages.put_row("ledger", Put(Row(KEY, {"v": 2}), Condition(exists=True, column=("v", 1))))
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: service.send(body=body).status, range(48)))
    assert sorted(statuses) == [200, *[403] * 47]


FAULTS: list[tuple[dict[str, Any], int, bool]] = [
    ({"kind": "error", "code": "OTSTimeout"}, 503, False),
    ({"kind": "error", "code": "OTSTimeout", "before": False}, 503, True),
    ({"kind": "throttle"}, 503, False),
    ({"kind": "not_json"}, 502, True),
    ({"kind": "truncate"}, 200, True),
    ({"kind": "delay", "seconds": 0.01}, 200, True),
    ({"kind": "error", "code": "OTSServerBusy", "row": "i#1"}, 503, False),
]


@pytest.mark.parametrize(("fault", "status", "effect"), FAULTS)
def test_a_fault_says_what_the_caller_sees_and_whether_it_happens(
    service: Service, fault: dict[str, Any], status: int, *, effect: bool
) -> None:
    service.cloud.faults.add([Fault(service="ots", action="PutRow", times=1, **fault)])
    answer = service.send()
    assert (answer.status, service.stored() is not None) == (status, effect)
    (call,) = service.cloud.audit.calls(service="ots")
    assert (call["http_status"], call["effect"]) == (status, effect)
    assert call["faults"][0]["kind"] == fault["kind"]
    digest = base64.b64encode(hashlib.md5(answer.body, usedforsecurity=False).digest()).decode()
    assert (answer.headers.get("x-ots-contentmd5") == digest) is (fault["kind"] not in ("not_json", "truncate"))
    assert service.send().status == 200


def test_a_fault_of_another_row_passes(service: Service) -> None:
    service.cloud.faults.add([Fault(service="ots", kind="error", code="OTSServerBusy", row="i#2")])
    assert service.send().status == 200


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"service": "ots", "kind": "late_effect"}, "seconds"),
        ({"service": "ots", "kind": "stale", "seconds": 1}, "stale"),
        ({"service": "ots", "action": "Putrow", "kind": "drop_after"}, "PutRow"),
        ({"service": "ecs", "kind": "drop_after", "row": "i#1"}, "row"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(declared: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Fault.model_validate(declared)


@pytest.mark.parametrize("name", ["reboots", "a", "ab-", "1ab", "ecs_rb", "x" * 17, "my-admin", "alias", "day-time"])
def test_an_instance_is_named_by_the_rules(name: str) -> None:
    with pytest.raises(OtsError, match="Instance name"):
        Instances(Cloud.from_fleet(Fleet()).clock).create(name, REGION, ["VPC"])
    with pytest.raises(ValueError, match="Instance name"):
        TablestoreSpec(instance_name=name)


def test_a_reset_forgets_rows_and_tables(service: Service) -> None:
    service.send()
    instance = service.ots.instances.get("ecs-rb")
    assert instance
    instance.create_table("other", (("id", "STRING"),))
    service.cloud.reset()
    assert service.stored() is None
    assert [list(each.tables) for each in service.ots.instances] == [["ledger"]]


def test_a_cell_dated_before_the_one_it_follows_can_not_be_seen(service: Service) -> None:
    """A write on a server whose clock is behind: with one version kept, that with the higher time is read."""
    now = int(datetime.now(timezone.utc).timestamp() * 1000)
    service.ots.instances.get("ecs-rb").table("ledger").put((REGION, "i#1"), {"v": 1})  # type: ignore[union-attr]
    stamp = (now - 60_000).to_bytes(8, "little", signed=True)
    old = _dated({"v": 9}, stamp)
    condition = field(3, field(1, 0))
    assert service.send("UpdateRow", field(1, "ledger") + field(2, old) + condition).status == 200
    assert service.stored() == {"v": 1}
    assert service.send("PutRow", field(1, "ledger") + field(2, old) + condition).status == 200
    assert service.stored() == {"v": 9}


def _dated(columns: dict[str, int], stamp: bytes) -> bytes:
    """Return a row whose cells bring a time of their own, which the function never writes."""
    sums = bytearray()
    crc: Callable[[bytes | bytearray], int] = plain_buffer.checksum
    out = b"\x75\0\0\0\1"
    cells: tuple[tuple[str, int | str], ...] = (*KEY, *columns.items())
    for name, value in cells:
        plain = plain_buffer.variant(value)
        time = stamp if name in columns else b""
        sums.append(crc(name.encode() + plain + time))
        out += (b"\2" if time and b"\2\3" not in out else b"") + b"\3\4" + len(name).to_bytes(4, "little")
        out += name.encode() + b"\5" + len(plain).to_bytes(4, "little") + plain + (b"\7" + time if time else b"")
        out += bytes((10, sums[-1]))
    sums.append(0)
    return out + bytes((9, crc(sums)))


def test_every_operation_has_its_messages() -> None:
    assert set(OPERATIONS) == set(MESSAGES)


def test_an_answer_says_what_was_consumed(service: Service) -> None:
    capacity = ProtobufMessage(service.send().body).message(1).message(1)
    assert (capacity.number(1), capacity.number(2)) == (0, 1)
