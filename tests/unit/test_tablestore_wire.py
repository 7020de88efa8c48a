"""Our encoding of Tablestore's requests, byte for byte that of the official Python client, and our reading of what its
modules write. The client is a test dependency only."""

from datetime import datetime, timezone
from typing import Any
from unittest import mock

import pytest
import tablestore as sdk
import tablestore.protobuf.table_store_pb2 as pb
from effort import examples
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tablestore.auth import RequestContext, SignV2, SignV4
from tablestore.credentials import Credentials as SdkCredentials
from tablestore.encoder import OTSProtoBufferEncoder
from tablestore.plainbuffer.plain_buffer_builder import PlainBufferBuilder
from tablestore.protocol import OTSProtocol

from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.protobuf import Malformed, ProtobufMessage, field
from ecs_reboot.cloud.tablestore import messages, plain_buffer, signature
from ecs_reboot.cloud.tablestore.rows import (
    HIGHEST,
    LOWEST,
    Condition,
    Delete,
    Put,
    Row,
    RowError,
)

NAMES = st.text("abcXYZ_019", min_size=1, max_size=12)
NUMBERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=300)
VALUES = NUMBERS | TEXTS
KEYS = st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=4, unique_by=lambda pair: pair[0]).map(tuple)
COLUMNS = st.dictionaries(NAMES, VALUES, max_size=8)
CONDITIONS = st.builds(
    Condition, st.sampled_from([None, True, False]), st.none() | st.tuples(st.just("v") | NAMES, VALUES)
)
PUTS = st.builds(Put, st.builds(Row, KEYS, COLUMNS), CONDITIONS)
CHANGES = st.lists(PUTS | st.builds(Delete, KEYS, CONDITIONS), min_size=1, max_size=6)

EXISTENCE = {None: "IGNORE", True: "EXPECT_EXIST", False: "EXPECT_NOT_EXIST"}
BOUNDS = {LOWEST: sdk.INF_MIN, HIGHEST: sdk.INF_MAX}


def encoded(operation: str, *arguments: Any) -> bytes:
    encoder = OTSProtoBufferEncoder("utf8", enable_native=False)
    return bytes(encoder.encode_request(operation, *arguments).SerializeToString())


def sdk_condition(condition: Condition) -> sdk.Condition:
    column = condition.column and sdk.SingleColumnCondition(
        *condition.column, sdk.ComparatorType.EQUAL, pass_if_missing=False
    )
    return sdk.Condition(EXISTENCE[condition.exists], column)


def sdk_row(row: Row) -> sdk.Row:
    return sdk.Row(list(row.key), list(row.columns.items()))


def sdk_change(change: Put | Delete) -> Any:
    if isinstance(change, Put):
        return sdk.PutRowItem(sdk_row(change.row), sdk_condition(change.condition))
    return sdk.DeleteRowItem(sdk.Row(list(change.key)), sdk_condition(change.condition))


@examples(150)
@given(put=PUTS)
def test_put_row_is_what_the_official_client_sends(put: Put) -> None:
    theirs = encoded("PutRow", "ledger", sdk_row(put.row), sdk_condition(put.condition), None, None)
    assert messages.put_row("ledger", put) == theirs


@examples(50)
@given(changes=CHANGES)
def test_batch_write_row_is_what_the_official_client_sends(changes: list[Put | Delete]) -> None:
    request = sdk.BatchWriteRowRequest()
    request.add(sdk.TableInBatchWriteRowItem("ledger", [sdk_change(change) for change in changes]))
    assert messages.batch_write_row("ledger", changes) == encoded("BatchWriteRow", request)


@examples(50)
@given(keys=st.lists(KEYS, min_size=1, max_size=6))
def test_batch_get_row_is_what_the_official_client_sends(keys: list[Any]) -> None:
    request = sdk.BatchGetRowRequest()
    request.add(sdk.TableInBatchGetRowItem("ledger", [list(key) for key in keys], max_version=1))
    assert messages.batch_get_row("ledger", keys) == encoded("BatchGetRow", request)


@examples(80)
@given(
    region=TEXTS,
    ends=st.tuples(*[st.sampled_from([LOWEST, HIGHEST]) | VALUES] * 2),
    limit=st.integers(1, 5000),
)
def test_get_range_is_what_the_official_client_sends(region: str, ends: tuple[Any, Any], limit: int) -> None:
    start, end = ((("region", region), ("row", last)) for last in ends)
    their_start, their_end = ([("region", region), ("row", BOUNDS.get(last, last))] for last in ends)
    theirs = encoded("GetRange", "ledger", "FORWARD", their_start, their_end, None, limit, None, 1, *[None] * 5)
    assert messages.get_range("ledger", start, end, limit) == theirs


def test_describe_table_is_what_the_official_client_sends() -> None:
    assert messages.describe_table("ledger") == encoded("DescribeTable", "ledger")


@given(
    operation=st.sampled_from(["PutRow", "BatchGetRow"]),
    body=st.binary(max_size=50),
    token=st.sampled_from(["", "token"]),
    region_id=st.sampled_from(["", "cn-hangzhou"]),
    now=st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1)),  # noqa: DTZ001 - made aware below
)
def test_headers_and_both_signatures_are_those_of_the_official_client(
    operation: str, body: bytes, token: str, region_id: str, now: datetime
) -> None:
    moment = now.replace(tzinfo=timezone.utc)
    with mock.patch("tablestore.utils.get_now_utc_datetime", return_value=moment):
        signer = SignV4("utf8", region=region_id) if region_id else SignV2("utf8")
        context = RequestContext(SdkCredentials("id", "secret", token or None))
        protocol = OTSProtocol("ledger", "utf8", None, enable_native=False)
        theirs = protocol._make_request_headers(body, f"/{operation}", signer, context)
    del theirs["User-Agent"]
    credentials = Credentials(access_key_id="id", access_key_secret="secret", security_token=token)
    assert signature.headers(operation, body, "ledger", credentials, now=moment, region_id=region_id) == theirs


STORED = VALUES | st.booleans() | st.binary(max_size=20).map(bytearray) | st.floats(allow_nan=False)


def as_stored(value: Any) -> Any:
    return bytes(value) if isinstance(value, bytearray) else value


@examples(80)
@given(key=KEYS, columns=st.dictionaries(NAMES, STORED, max_size=6), stamp=st.integers(0, 2**62))
def test_rows_of_the_official_client_are_read(key: Any, columns: dict[str, Any], stamp: int) -> None:
    cells = [(name, value, stamp) for name, value in columns.items()]
    data = bytes(PlainBufferBuilder.serialize_for_put_row(list(key), cells))
    row = Row(key, {name: as_stored(value) for name, value in columns.items()})
    assert plain_buffer.rows(data) == [row]
    assert [type(value) for value in plain_buffer.rows(data)[0].columns.values()] == [
        type(value) for value in row.columns.values()
    ]
    assert plain_buffer.rows(data + data[4:]) == [row, row]


@given(row=st.builds(Row, KEYS, COLUMNS))
def test_our_own_rows_are_read_back(row: Row) -> None:
    assert plain_buffer.rows(plain_buffer.put(row.key, row.columns)) == [Row(row.key, row.columns)]


KEY = (("region", "cn-hangzhou"), ("row", "i#i-1"))
DATA = plain_buffer.put(KEY, {"v": 7, "state": "asked é", "at": -(2**63)})


def read_answer(*rows: dict[str, Any], table: str = "ledger") -> bytes:
    answer = pb.BatchGetRowResponse()
    part = answer.tables.add(table_name=table)
    for row in rows:
        part.rows.add(**row)
    return bytes(answer.SerializeToString())


def test_every_flipped_bit_of_a_row_is_noticed() -> None:
    assert plain_buffer.rows(DATA)
    for bit in range(8 * len(DATA)):
        broken = bytearray(DATA)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Malformed):
            plain_buffer.rows(bytes(broken))


def test_every_cut_of_a_row_is_noticed() -> None:
    for size in range(1, len(DATA)):
        with pytest.raises(Malformed):
            messages.rows_read(read_answer({"is_ok": True, "row": DATA[:size]}), "ledger", [KEY])


@given(data=st.binary(max_size=60))
@example(b"\x75\0\0\0\1\x09\0")
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    for prefix in (b"", b"\x75\0\0\0", b"\x75\0\0\0\1\3\4"):
        try:
            plain_buffer.rows(prefix + data)
        except Malformed:
            continue


@pytest.mark.parametrize("value", [True, 1.5, b"x", None])
def test_only_numbers_and_texts_are_written(value: Any) -> None:
    with pytest.raises(TypeError, match="int and str"):
        plain_buffer.variant(value)


@pytest.mark.parametrize("number", [-(2**63) - 1, 2**63])
def test_a_number_beyond_64_bits_is_refused(number: int) -> None:
    with pytest.raises(OverflowError):
        plain_buffer.variant(number)


def test_a_batch_of_reads_is_told_row_by_row() -> None:
    error = {"is_ok": False, "error": pb.Error(code="OTSServerBusy", message="busy")}
    body = read_answer({"is_ok": True, "row": DATA}, {"is_ok": True, "row": b""}, error)
    assert messages.rows_read(body, "ledger", [KEY] * 3) == (
        Row(KEY, {"v": 7, "state": "asked é", "at": -(2**63)}),
        None,
        RowError("OTSServerBusy", "busy"),
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        read_answer({"is_ok": True, "row": DATA}, table="other"),
        read_answer(),
        read_answer({"is_ok": True, "row": DATA}, {"is_ok": True, "row": DATA}),
        read_answer({"is_ok": True, "row": DATA + DATA[4:]}),
        read_answer({"is_ok": True, "row": plain_buffer.put((("region", "cn-hangzhou"), ("row", "i#i-2")), {})}),
        read_answer({"is_ok": False}),
        read_answer({"is_ok": True, "row": DATA})[:-1],
        field(1, field(1, "ledger") + field(2, field(1, 2))),
    ],
    ids=["nothing", "other table", "no row", "two rows", "two in one", "other row", "no error", "cut", "is_ok 2"],
)
def test_an_answer_to_another_question_is_no_answer(body: bytes) -> None:
    with pytest.raises(Malformed):
        messages.rows_read(body, "ledger", [KEY])


def test_a_page_and_where_the_next_begins() -> None:
    answer = pb.GetRangeResponse(consumed={"capacity_unit": {"read": 1}}, rows=DATA + DATA[4:])
    row = Row(KEY, {"v": 7, "state": "asked é", "at": -(2**63)})
    assert messages.page(answer.SerializeToString()) == ((row, row), None)
    answer.next_start_primary_key = plain_buffer.primary_key(KEY)
    assert messages.page(answer.SerializeToString()) == ((row, row), KEY)


def test_a_table_that_keeps_rows_for_ever() -> None:
    answer = pb.DescribeTableResponse(
        table_meta={"table_name": "ledger", "primary_key": [{"name": "region", "type": "STRING"}]},
        reserved_throughput_details={"capacity_unit": {}, "last_increase_time": 0},
        table_options={"time_to_live": -1, "max_versions": 1},
    )
    read = messages.table_description(answer.SerializeToString(), "ledger")
    assert read == ((("region", "STRING"),), -1, 1)


@given(data=st.binary(max_size=40))
def test_any_bytes_are_a_message_or_malformed(data: bytes) -> None:
    try:
        messages.error(data)
    except Malformed:
        return
    assume(data)
    assert pb.Error.FromString(data).code == messages.error(data).code


def test_unknown_fields_are_skipped() -> None:
    unknown = field(99, 7) + field(98, b"new") + b"\x8d\x06\0\0\0\0" + b"\x89\x06" + bytes(8)
    assert messages.error(unknown + field(1, "OTSServerBusy") + unknown) == RowError("OTSServerBusy", "")


@pytest.mark.parametrize(
    "data",
    [b"\x08", b"\x0a\x05abc", b"\x0b", b"\x0f", b"\x00\x00", b"\x08" + b"\xff" * 9 + b"\x02", b"\x08" + b"\xff" * 11],
)
def test_what_is_no_protocol_buffer_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        ProtobufMessage(data)


def test_a_page_has_one_key_at_which_the_next_begins() -> None:
    keys = plain_buffer.primary_key(KEY)
    answer = pb.GetRangeResponse(
        consumed={"capacity_unit": {"read": 1}}, rows=DATA, next_start_primary_key=keys + keys[4:]
    )
    with pytest.raises(Malformed, match="2 keys in place of the one"):
        messages.page(answer.SerializeToString())


def test_a_key_column_of_an_unknown_type_is_malformed() -> None:
    table = field(1, field(1, "ledger") + field(2, field(1, "region") + field(2, 9)))
    with pytest.raises(Malformed, match="key column 'region' is of the unknown type 9"):
        messages.table_description(table + field(3, b""), "ledger")


@pytest.mark.parametrize("body", [field(2, "without a code"), field(1, "")])
def test_an_error_has_a_code(body: bytes) -> None:
    with pytest.raises(Malformed):
        messages.error(body)


def test_a_field_is_what_it_is_read_as() -> None:
    message = ProtobufMessage(field(1, 7) + field(2, b"seven"))
    assert (message.number(1), message.data(2)) == (7, b"seven")
    with pytest.raises(Malformed, match="field 2 is no number"):
        message.number(2)
    with pytest.raises(Malformed, match="field 1 is a number"):
        message.data(1)


@pytest.mark.parametrize(
    ("key", "cells", "told"),
    [
        ([("region", "cn-hangzhou"), ("row", bytearray(b"x"))], [], "key column 'row' is bytes"),
        ([("region", "cn-hangzhou")], [("v", 1, 1), ("v", 2, 2)], "column 'v' stands twice"),
    ],
)
def test_a_row_is_of_one_key_and_one_version(key: list[Any], cells: list[Any], told: str) -> None:
    with pytest.raises(Malformed, match=told):
        plain_buffer.rows(bytes(PlainBufferBuilder.serialize_for_put_row(key, cells)))
