"""The official Python client of Tablestore, unchanged, against the local cloud, with both of its signatures.

It verifies every answer: MD5, date, and a signature over all headers.
"""

from collections.abc import Callable
from typing import Any

import pytest
import tablestore as sdk
from tablestore.retry import NoRetryPolicy

from localcloud.account.credentials import Credential
from localcloud.account.faults import Fault
from localcloud.server.server import Running

INSTANCE, TABLE, REGION = "ecs-rb", "ledger", "cn-hangzhou"
CODES = {None: "IGNORE", True: "EXPECT_EXIST", False: "EXPECT_NOT_EXIST"}


def client_of(server: Running, credential: Credential, *, secret: str = "", region: str | None = None) -> sdk.OTSClient:
    return sdk.OTSClient(
        server.url,
        credential.access_key_id,
        secret or credential.access_key_secret,
        INSTANCE,
        sts_token=credential.security_token or None,
        region=region,
        retry_policy=NoRetryPolicy(),
    )


@pytest.fixture(params=[None, REGION], ids=["hmac-sha1", "version 4"])
def client(request: pytest.FixtureRequest, server: Running) -> sdk.OTSClient:
    return client_of(server, server.cloud.credentials.assume_role("function"), region=request.param)


def key(row: str) -> list[tuple[str, Any]]:
    return [("region", REGION), ("row", row)]


def only_if(*, exists: bool | None, version: int | None = None) -> sdk.Condition:
    column = None
    if version is not None:
        column = sdk.SingleColumnCondition("v", version, sdk.ComparatorType.EQUAL, pass_if_missing=False)
    return sdk.Condition(CODES[exists], column)


def refused(call: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[int, str]:
    with pytest.raises(sdk.OTSServiceError) as refusal:
        call(*arguments, **named)
    assert refusal.value.request_id
    return refusal.value.http_status, refusal.value.code


def columns(client: sdk.OTSClient, row: str) -> dict[str, Any] | None:
    _, found, _ = client.get_row(TABLE, key(row), max_version=1)
    return found and {name: value for name, value, _ in found.attribute_columns}


@pytest.mark.client(
    "tablestore",
    "ots:CreateTable",
    "ots:ListTable",
    "ots:DescribeTable",
    "ots:UpdateTable",
    "ots:PutRow",
    "ots:GetRow",
    "ots:DeleteTable",
)
def test_a_table_is_created_described_listed_and_deleted(client: sdk.OTSClient) -> None:
    meta = sdk.TableMeta("other_table", [("id", "INTEGER"), ("part", "BINARY")])
    options, throughput = sdk.TableOptions(), sdk.ReservedThroughput(sdk.CapacityUnit(0, 0))
    client.create_table(meta, options, throughput)
    assert refused(client.create_table, meta, options, throughput) == (409, "OTSObjectAlreadyExist")
    assert client.list_table() == (TABLE, "other_table")
    described = client.describe_table("other_table")
    assert described.table_meta.schema_of_primary_key == [("id", "INTEGER"), ("part", "BINARY")]
    assert (described.table_options.time_to_live, described.table_options.max_version) == (-1, 1)
    client.update_table("other_table", sdk.TableOptions(time_to_live=86_400))
    assert client.describe_table("other_table").table_options.time_to_live == 86_400
    row = [("id", 7), ("part", bytearray(b"\x00\xff"))]
    client.put_row("other_table", sdk.Row(row, [("flag", True), ("share", 0.25), ("raw", bytearray(b"x"))]))
    _, found, _ = client.get_row("other_table", row, max_version=1)
    assert found.primary_key == row
    assert [(name, value) for name, value, _ in found.attribute_columns] == [
        ("flag", True), ("raw", bytearray(b"x")), ("share", 0.25),
    ]  # fmt: skip
    client.delete_table("other_table")
    assert refused(client.describe_table, "other_table") == (404, "OTSObjectNotExist")


def test_a_row_is_replaced_only_at_the_version_that_was_read(client: sdk.OTSClient) -> None:
    first = sdk.Row(key("i#1"), [("v", 1), ("state", "asked é"), ("at", -5)])
    client.put_row(TABLE, first, only_if(exists=False))
    assert refused(client.put_row, TABLE, first, only_if(exists=False)) == (403, "OTSConditionCheckFail")
    client.put_row(TABLE, sdk.Row(key("i#1"), [("v", 2)]), only_if(exists=True, version=1))
    assert refused(client.put_row, TABLE, first, only_if(exists=True, version=1)) == (403, "OTSConditionCheckFail")
    assert columns(client, "i#1") == {"v": 2}
    assert refused(client.put_row, TABLE, sdk.Row(key("i#2"), [("v", 2)]), only_if(exists=True)) == (
        403, "OTSConditionCheckFail",
    )  # fmt: skip
    client.put_row(TABLE, sdk.Row(key("i#3"), [("state", "x")]))
    assert refused(client.put_row, TABLE, sdk.Row(key("i#3"), [("v", 1)]), only_if(exists=True, version=1)) == (
        403, "OTSConditionCheckFail",
    )  # fmt: skip


@pytest.mark.client("tablestore", "ots:UpdateRow", "ots:DeleteRow")
def test_a_row_is_updated_and_deleted(client: sdk.OTSClient) -> None:
    client.put_row(TABLE, sdk.Row(key("i#1"), [("v", 1), ("old", "x")]), only_if(exists=None))
    change = sdk.Row(key("i#1"), {"PUT": [("state", "back")], "DELETE_ALL": ["old"], "INCREMENT": [("v", 4)]})
    client.update_row(TABLE, change, only_if(exists=True, version=1))
    assert columns(client, "i#1") == {"state": "back", "v": 5}
    assert refused(client.delete_row, TABLE, key("i#1"), only_if(exists=True, version=1)) == (
        403,
        "OTSConditionCheckFail",
    )
    client.delete_row(TABLE, key("i#1"), only_if(exists=True, version=5))
    assert columns(client, "i#1") is None


def test_conditions_of_each_comparator_and_combination(client: sdk.OTSClient) -> None:
    client.put_row(TABLE, sdk.Row(key("i#1"), [("n", 5), ("state", "back")]))

    def holds(condition: Any) -> bool:
        try:
            client.put_row(
                TABLE, sdk.Row(key("i#1"), [("n", 5), ("state", "back")]), sdk.Condition("IGNORE", condition)
            )
        except sdk.OTSServiceError as error:
            if error.code != "OTSConditionCheckFail":
                raise
            return False
        return True

    kinds = sdk.ComparatorType
    comparators = [
        kinds.EQUAL,
        kinds.NOT_EQUAL,
        kinds.GREATER_THAN,
        kinds.GREATER_EQUAL,
        kinds.LESS_THAN,
        kinds.LESS_EQUAL,
    ]
    for wanted in (4, 5, 6):
        told = [
            holds(sdk.SingleColumnCondition("n", wanted, comparator, pass_if_missing=False))
            for comparator in comparators
        ]
        assert told == [wanted == 5, wanted != 5, wanted < 5, wanted <= 5, wanted > 5, wanted >= 5]
    assert holds(sdk.SingleColumnCondition("absent", 1, kinds.EQUAL, pass_if_missing=True))
    assert not holds(sdk.SingleColumnCondition("absent", 1, kinds.EQUAL, pass_if_missing=False))
    assert not holds(sdk.SingleColumnCondition("n", "5", kinds.EQUAL, pass_if_missing=False))
    five = sdk.SingleColumnCondition("n", 5, kinds.EQUAL, pass_if_missing=False)
    down = sdk.SingleColumnCondition("state", "down", kinds.EQUAL, pass_if_missing=False)
    for operator, expected_of in (("AND", False), ("OR", True)):
        both = sdk.CompositeColumnCondition(getattr(sdk.LogicalOperator, operator))
        both.add_sub_condition(five)
        both.add_sub_condition(down)
        assert holds(both) is expected_of
    negated = sdk.CompositeColumnCondition(sdk.LogicalOperator.NOT)
    negated.add_sub_condition(down)
    assert holds(negated)


@pytest.mark.client("tablestore", "ots:BatchWriteRow", "ots:BatchGetRow")
def test_a_batch_answers_for_each_row_by_itself(client: sdk.OTSClient, server: Running) -> None:
    client.put_row(TABLE, sdk.Row(key("i#1"), [("v", 1)]))
    request = sdk.BatchWriteRowRequest()
    items = [
        sdk.PutRowItem(sdk.Row(key("i#1"), [("v", 2)]), only_if(exists=True, version=1)),
        sdk.PutRowItem(sdk.Row(key("i#2"), [("v", 1)]), only_if(exists=True)),
        sdk.UpdateRowItem(sdk.Row(key("i#3"), {"PUT": [("v", 1)]}), only_if(exists=None)),
        sdk.DeleteRowItem(sdk.Row(key("i#4")), only_if(exists=None)),
    ]
    request.add(sdk.TableInBatchWriteRowItem(TABLE, items))
    answer = client.batch_write_row(request)
    rows = [
        row for kind in (answer.get_put(), answer.get_update(), answer.get_delete()) for rows in kind for row in rows
    ]
    assert [(row.is_ok, row.error_code) for row in rows] == [
        (True, None), (False, "OTSConditionCheckFail"), (True, None), (True, None),
    ]  # fmt: skip
    (call,) = server.cloud.audit.calls("BatchWriteRow", service="ots")
    assert (call["row_codes"], call["effect"], call["code"]) == (["OTSConditionCheckFail"], True, "")
    assert call["parameters"]["keys"] == [{"region": REGION, "row": f"i#{n}"} for n in (1, 2, 3, 4)]
    reading = sdk.BatchGetRowRequest()
    reading.add(sdk.TableInBatchGetRowItem(TABLE, [key("i#1"), key("i#2"), key("i#3")], max_version=1))
    found = client.batch_get_row(reading).get_result_by_table(TABLE)
    assert [row.row and [(c[0], c[1]) for c in row.row.attribute_columns or ()] for row in found] in (
        [[("v", 2)], [], [("v", 1)]], [[("v", 2)], None, [("v", 1)]],
    )  # fmt: skip


@pytest.mark.client("tablestore", "ots:GetRange")
def test_a_range_comes_in_pages_in_the_order_of_the_keys(client: sdk.OTSClient) -> None:
    for name in ("w#b", "i#2", "é", "i#10", "i#1"):
        client.put_row(TABLE, sdk.Row(key(name), [("v", 1)]))
    client.put_row(TABLE, sdk.Row([("region", "cn-beijing"), ("row", "i#0")], [("v", 1)]))
    low, high = ([("region", REGION), ("row", end)] for end in (sdk.INF_MIN, sdk.INF_MAX))

    def pages(direction: str, start: Any, end: Any) -> list[list[str]]:
        found = []
        while start is not None:
            _, start, rows, _ = client.get_range(TABLE, direction, start, end, limit=2, max_version=1)
            found.append([row.primary_key[1][1] for row in rows])
        return found

    assert pages("FORWARD", low, high) == [["i#1", "i#10"], ["i#2", "w#b"], ["é"]]
    assert pages("BACKWARD", high, low) == [["é", "w#b"], ["i#2", "i#10"], ["i#1"]]
    assert refused(client.get_range, TABLE, "FORWARD", high, low, max_version=1) == (400, "OTSParameterInvalid")


def test_what_is_wrong_is_refused_with_the_documented_codes(client: sdk.OTSClient, server: Running) -> None:
    assert refused(client.get_row, "nothing", key("i#1"), max_version=1) == (404, "OTSObjectNotExist")
    assert refused(client.get_row, TABLE, key("i#1"), max_version=None) == (400, "OTSParameterInvalid")
    assert refused(client.get_row, TABLE, [("row", "i#1")], max_version=1) == (400, "OTSInvalidPK")
    assert refused(client.get_row, TABLE, [("region", REGION), ("row", 7)], max_version=1) == (400, "OTSInvalidPK")
    long = sdk.Row(key("i#1"), [("text", "x" * (2 * 2**20 + 1))])
    assert refused(client.put_row, TABLE, long, only_if(exists=None)) == (400, "OTSParameterInvalid")
    too_many = sdk.BatchGetRowRequest()
    too_many.add(sdk.TableInBatchGetRowItem(TABLE, [key(f"i#{n}") for n in range(101)], max_version=1))
    assert refused(client.batch_get_row, too_many) == (400, "OTSParameterInvalid")
    for count, first in ((201, "i#0"), (2, "i#1")):
        writing = sdk.BatchWriteRowRequest()
        names = [first, *(f"i#{n}" for n in range(1, count))]
        rows = [sdk.PutRowItem(sdk.Row(key(name), [("v", 1)]), only_if(exists=None)) for name in names]
        writing.add(sdk.TableInBatchWriteRowItem(TABLE, rows))
        assert refused(client.batch_write_row, writing) == (400, "OTSParameterInvalid")
    assert not any(call["effect"] for call in server.cloud.audit.calls(service="ots"))


@pytest.mark.parametrize("region", [None, REGION])
def test_a_forged_or_foreign_caller_is_refused(server: Running, region: str | None) -> None:
    root = server.cloud.credentials.root
    forged = client_of(server, root, secret="guessed", region=region)
    assert refused(forged.describe_table, TABLE) == (403, "OTSAuthFailed")
    elsewhere = client_of(server, root, region="cn-beijing")
    assert refused(elsewhere.describe_table, TABLE) == (403, "OTSAuthFailed")
    stranger = sdk.OTSClient(server.url, "nobody", "secret", INSTANCE, region=region, retry_policy=NoRetryPolicy())
    assert refused(stranger.describe_table, TABLE) == (403, "OTSAuthFailed")
    lost = sdk.OTSClient(
        server.url, root.access_key_id, root.access_key_secret, "no-such", region=region, retry_policy=NoRetryPolicy()
    )
    assert refused(lost.describe_table, TABLE) == (403, "OTSAuthFailed")


def test_the_client_repeats_what_was_not_done(server: Running) -> None:
    root = server.cloud.credentials.root
    client = sdk.OTSClient(server.url, root.access_key_id, root.access_key_secret, INSTANCE)
    server.cloud.faults.add(
        [Fault(service="ots", action="PutRow", kind="error", code="OTSRowOperationConflict", times=1)]
    )
    client.put_row(TABLE, sdk.Row(key("i#1"), [("v", 1)]), only_if(exists=False))
    calls = server.cloud.audit.calls("PutRow", service="ots")
    assert [(call["http_status"], call["code"], call["effect"]) for call in calls] == [
        (409, "OTSRowOperationConflict", False), (200, "", True),
    ]  # fmt: skip
