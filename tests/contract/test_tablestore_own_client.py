"""The function's own client of Tablestore over real HTTP: what it returns, and what it makes of all that goes wrong."""

import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from ecs_reboot.clock import Deadline, SystemClock
from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.errors import CloudError, NoAnswer, NotSent, Refused
from ecs_reboot.cloud.tablestore import outcome
from ecs_reboot.cloud.tablestore.client import Tablestore, _connections
from ecs_reboot.cloud.tablestore.rows import HIGHEST, LOWEST, Change, Condition, Delete, Key, Put, Row
from localcloud.account.cloud import Cloud
from localcloud.account.faults import Fault
from localcloud.server.server import Running

TABLE, REGION = "ledger", "cn-hangzhou"
NEW = Condition(exists=False)


@pytest.fixture
def cloud(shared: Running) -> Iterator[Cloud]:
    shared.cloud.reset()
    yield shared.cloud
    shared.cloud.clock.release()
    _connections.close()


def client_of(
    url: str, cloud: Cloud, *, secret: str = "", signing_region: str = "", seconds: float = 5.0
) -> Tablestore:
    given = cloud.credentials.assume_role("function")
    credentials = Credentials(
        access_key_id=given.access_key_id,
        access_key_secret=secret or given.access_key_secret,
        security_token=given.security_token,
    )
    return Tablestore(
        "ecs-rb",
        credentials,
        Deadline(SystemClock(), 60),
        endpoint=url,
        answer_seconds=seconds,
        signing_region=signing_region,
    )


@pytest.fixture(params=["", REGION], ids=["hmac-sha1", "version 4"])
def client(request: pytest.FixtureRequest, shared: Running, cloud: Cloud) -> Tablestore:
    return client_of(shared.url, cloud, signing_region=request.param)


def key(row: str) -> Key:
    return ("region", REGION), ("row", row)


def version(row: str, number: int, condition: Condition) -> Put:
    return Put(Row(key(row), {"v": number, "state": "asked é"}), condition)


def at(number: int) -> Condition:
    return Condition(exists=True, column=("v", number))


def fault(cloud: Cloud, **declared: object) -> None:
    cloud.faults.add([Fault.model_validate({"service": "ots", "times": 1, **declared})])


def test_a_swap_is_won_once_and_lost_by_whoever_comes_later(client: Tablestore) -> None:
    assert client.put_row(TABLE, version("i#1", 1, NEW)).done
    assert not client.put_row(TABLE, version("i#1", 1, NEW)).done
    assert client.put_row(TABLE, version("i#1", 2, at(1))).done
    assert not client.put_row(TABLE, version("i#1", 2, at(1))).done
    assert not client.put_row(TABLE, version("i#2", 2, at(1))).done
    read = client.batch_get_row(TABLE, [key("i#2"), key("i#1")])
    assert read.rows == (None, Row(key("i#1"), {"v": 2, "state": "asked é"}))


def test_each_row_of_a_batch_is_won_or_lost_by_itself(client: Tablestore) -> None:
    client.put_row(TABLE, version("i#1", 1, NEW))
    client.put_row(TABLE, version("i#3", 1, NEW))
    changes: list[Change] = [version("i#1", 2, at(1)), version("i#2", 2, at(1)), Delete(key("i#3"), at(1))]
    rows = client.batch_write_row(TABLE, changes).rows
    assert [row and outcome.of_code(row.code) for row in rows] == [None, "condition_failed", None]
    read = client.batch_get_row(TABLE, [key(f"i#{n}") for n in (1, 2, 3)])
    assert [row and row.columns["v"] for row in read.rows] == [2, None, None]


def test_a_region_is_listed_page_by_page(client: Tablestore) -> None:
    changes: list[Change] = [version(f"i#{n}", n, NEW) for n in range(5)]
    assert set(client.batch_write_row(TABLE, changes).rows) == {None}
    client.put_row(TABLE, Put(Row((("region", "cn-beijing"), ("row", "i#9")), {"v": 1}), NEW))
    start, end = ((("region", REGION), ("row", bound)) for bound in (LOWEST, HIGHEST))
    first = client.get_range(TABLE, start, end, limit=3)
    assert first.rest == key("i#3")
    second = client.get_range(TABLE, first.rest, end, limit=3)
    assert [row.columns["v"] for row in first.rows + second.rows] == [0, 1, 2, 3, 4]
    assert second.rest is None
    nowhere = [(("region", "cn-nowhere"), ("row", bound)) for bound in (LOWEST, HIGHEST)]
    assert client.get_range(TABLE, *nowhere).rows == ()


def test_a_table_is_described(client: Tablestore) -> None:
    table = client.describe_table(TABLE)
    assert table.primary_key == (("region", "STRING"), ("row", "STRING"))
    assert (table.time_to_live, table.max_versions) == (-1, 1)
    with pytest.raises(Refused) as refusal:
        client.describe_table("nothing")
    assert (refusal.value.code, refusal.value.status) == ("OTSObjectNotExist", 404)
    assert refusal.value.request_id
    assert outcome.of_error(refusal.value) == "final"


def test_every_answer_brings_the_clock_of_the_service(client: Tablestore, cloud: Cloud) -> None:
    moment = datetime.now(timezone.utc) + timedelta(minutes=7)
    cloud.clock.hold(moment)
    start, end = ((("region", REGION), ("row", bound)) for bound in (LOWEST, HIGHEST))
    answers = (
        client.put_row(TABLE, version("i#1", 1, NEW)),
        client.batch_get_row(TABLE, [key("i#1")]),
        client.batch_write_row(TABLE, [version("i#2", 1, NEW)]),
        client.get_range(TABLE, start, end),
        client.describe_table(TABLE),
    )
    assert {answer.now for answer in answers} == {moment}


CALL_OUTCOMES = [
    ({"kind": "error", "code": "OTSServerBusy"}, Refused, "not_done", False),
    ({"kind": "error", "code": "OTSRowOperationConflict"}, Refused, "not_done", False),
    ({"kind": "error", "code": "OTSPartitionUnavailable"}, Refused, "not_done", False),
    ({"kind": "throttle"}, Refused, "not_done", False),
    (
        {"kind": "error", "code": "OTSQuotaExhausted", "message": "Too frequent table operations."},
        Refused,
        "not_done",
        False,
    ),
    ({"kind": "error", "code": "OTSQuotaExhausted"}, Refused, "final", False),
    ({"kind": "error", "code": "OTSTimeout", "before": False}, Refused, "unknown", True),
    ({"kind": "error", "code": "OTSInternalServerError", "before": False}, Refused, "unknown", True),
    ({"kind": "error", "code": "OTSNeverHeardOf", "status": 500}, Refused, "unknown", False),
    ({"kind": "error", "code": "OTSNeverHeardOf", "status": 400}, Refused, "final", False),
    ({"kind": "drop_before"}, NoAnswer, "unknown", False),
    ({"kind": "drop_after"}, NoAnswer, "unknown", True),
    ({"kind": "truncate"}, NoAnswer, "unknown", True),
    ({"kind": "not_json"}, NoAnswer, "unknown", True),
]


@pytest.mark.parametrize(("declared", "kind", "meaning", "effect"), CALL_OUTCOMES)
def test_what_an_error_means_agrees_with_what_happened(
    client: Tablestore, cloud: Cloud, declared: dict[str, object], kind: type[CloudError], meaning: str, *, effect: bool
) -> None:
    fault(cloud, action="PutRow", **declared)
    with pytest.raises(kind) as raised:
        client.put_row(TABLE, version("i#1", 1, NEW))
    assert outcome.of_error(raised.value) == meaning
    found = client.batch_get_row(TABLE, [key("i#1")]).rows != (None,)
    assert found is effect
    # Sent again unchanged it is won, or its condition fails because it was won before: never done twice.
    assert client.put_row(TABLE, version("i#1", 1, NEW)).done is not effect


def test_a_write_that_comes_late_finds_its_row_moved_on(client: Tablestore, cloud: Cloud) -> None:
    client.put_row(TABLE, version("i#1", 1, NEW))
    fault(cloud, action="PutRow", kind="late_effect", seconds=1)  # the second write comes first on a busy machine too
    late: list[object] = []
    stop = cloud.audit.subscribe(lambda entry: late.append(entry["code"]) if entry["kind"] == "late_effect" else None)
    try:
        with pytest.raises(NoAnswer):
            client.put_row(TABLE, version("i#1", 2, at(1)))
        assert client.put_row(TABLE, version("i#1", 2, at(1))).done
        while not late:
            client.describe_table(TABLE)
    finally:
        stop()
    assert late == ["OTSConditionCheckFail"]


def test_one_row_of_a_batch_may_be_busy_while_others_are_done(client: Tablestore, cloud: Cloud) -> None:
    fault(cloud, action="BatchWriteRow", kind="error", code="OTSServerBusy", row="i#2")
    rows = client.batch_write_row(TABLE, [version(f"i#{n}", 1, NEW) for n in (1, 2)]).rows
    assert [row and outcome.of_code(row.code) for row in rows] == [None, "not_done"]
    fault(cloud, action="BatchGetRow", kind="error", code="OTSServerBusy", row="i#2")
    with pytest.raises(Refused, match="i#2") as refusal:
        client.batch_get_row(TABLE, [key("i#1"), key("i#2")])
    assert outcome.of_error(refusal.value) == "not_done"


def test_an_answer_that_is_late_is_no_answer(shared: Running, cloud: Cloud) -> None:
    fault(cloud, action="PutRow", kind="delay", seconds=1)
    with pytest.raises(NoAnswer):
        client_of(shared.url, cloud, seconds=0.2).put_row(TABLE, version("i#1", 1, NEW))


def test_nobody_listening_is_not_sent(cloud: Cloud) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        client = client_of(f"http://127.0.0.1:{free.getsockname()[1]}", cloud)
        with pytest.raises(NotSent) as raised:
            client.put_row(TABLE, version("i#1", 1, NEW))
    assert outcome.of_error(raised.value) == "not_done"


def test_a_wrong_secret_is_about_the_caller_and_never_shown(shared: Running, cloud: Cloud) -> None:
    with pytest.raises(Refused) as refusal:
        client_of(shared.url, cloud, secret="guessed-secret").describe_table(TABLE)
    assert (refusal.value.code, refusal.value.about_the_caller) == ("OTSAuthFailed", True)
    assert "guessed-secret" not in str(refusal.value)


def test_a_changed_answer_is_noticed_wherever_the_bit_is(shared: Running, cloud: Cloud) -> None:
    """Between client and cloud stands a wire that flips one bit of the body at each call, each time another one."""
    client_of(shared.url, cloud).put_row(TABLE, version("i#1", 1, NEW))
    host, port = shared.host_port.split(":")
    with socket.create_server(("127.0.0.1", 0)) as wire:
        client = client_of(f"http://127.0.0.1:{wire.getsockname()[1]}", cloud)

        def flip() -> None:
            for bit in range(0, 400, 7):
                with wire.accept()[0] as near, socket.create_connection((host, int(port))) as far:
                    request = b""
                    while b"\r\n\r\n" not in request:
                        request += near.recv(65_536)
                    head, _, body = request.partition(b"\r\n\r\n")
                    size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                    while len(body) < size:
                        body += near.recv(65_536)
                    far.sendall(head + b"\r\nconnection: close\r\n\r\n" + body)
                    answer = bytearray()
                    while chunk := far.recv(65_536):
                        answer += chunk
                    start = answer.index(b"\r\n\r\n") + 4
                    place = start + (bit // 8) % (len(answer) - start)
                    answer[place] ^= 1 << bit % 8
                    near.sendall(answer)

        thread = threading.Thread(target=flip, daemon=True)
        thread.start()
        for _ in range(0, 400, 7):
            with pytest.raises(NoAnswer):
                client.batch_get_row(TABLE, [key("i#1")])
        thread.join()
