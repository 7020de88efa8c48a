"""The LogGroup reader against the protobuf library that the official client uses, and against anything at all."""

import contextlib

import pytest
from aliyun.log.log_logs_pb2 import LogGroup as OfficialLogGroup
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from localcloud.sls.protobuf import Log, LogGroup, Malformed, NotText, read_log_group

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
pairs = st.tuples(texts, texts)
logs = st.builds(
    Log,
    st.integers(0, 2**32 - 1),
    st.integers(0, 10**9 - 1),
    st.lists(pairs, min_size=1, max_size=4).map(tuple),
)
groups = st.builds(
    LogGroup, st.lists(logs, max_size=4).map(tuple), texts, texts, st.lists(pairs, max_size=3).map(tuple)
)


def official(group: LogGroup) -> OfficialLogGroup:
    message = OfficialLogGroup(Topic=group.topic, Source=group.source)
    for log in group.logs:
        written = message.Logs.add(Time=log.time, Time_ns=log.time_ns)
        for key, value in log.contents:
            written.Contents.add(Key=key, Value=value)
    for key, value in group.tags:
        message.LogTags.add(Key=key, Value=value)
    return message


def field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def pair(key: bytes, value: bytes) -> bytes:
    return field(1, key) + field(2, value)


TIME = b"\x08\x01"
CONTENT = field(2, pair(b"k", b"v"))


@given(groups)
def test_what_the_official_library_writes_is_read_back(group: LogGroup) -> None:
    assert read_log_group(official(group).SerializeToString()) == group


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        read_log_group(data)


@given(groups, st.data())
def test_what_is_read_is_what_the_official_library_reads(group: LogGroup, data: st.DataObject) -> None:
    damaged = bytearray(official(group).SerializeToString())
    for _ in range(data.draw(st.integers(0, 3))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        ours = read_log_group(bytes(damaged))
    except Malformed:
        return
    try:
        theirs = OfficialLogGroup.FromString(bytes(damaged))
    except DecodeError as error:
        raise AssertionError(f"{bytes(damaged)!r} was read, the official library refuses it") from error
    assert ours == LogGroup(
        tuple(
            Log(log.Time, log.Time_ns, tuple((content.Key, content.Value) for content in log.Contents))
            for log in theirs.Logs
        ),
        theirs.Topic,
        theirs.Source,
        tuple((tag.Key, tag.Value) for tag in theirs.LogTags),
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (field(1, CONTENT), "no Time"),
        (field(1, TIME), "no Contents"),
        (field(1, TIME + field(2, field(1, b"k"))), "no Value"),
        (field(1, TIME + field(2, field(2, b"v"))), "no Key"),
        (field(6, field(1, b"k")), "LogTag has no Value"),
        (field(1, b"\x0a\x01x" + CONTENT), "Log.Time has the wire type 2"),
        (field(1, b"\x08\x80\x80\x80\x80\x10" + CONTENT), "4294967296"),
        (field(1, TIME + CONTENT + b"\x25\x00\xca\x9a\x3b"), "1000000000"),
        (b"\x08\x01", "LogGroup.Logs has the wire type 0"),
        (b"\x0a\x05\x08", "4 bytes past"),
        (b"\x0a", "inside a number"),
        (b"\xff" * 11, "64 bits"),
        (b"\x00\x01", "field number 0"),
        (b"\x0b", "wire type 3"),
    ],
)
def test_each_mistake_is_named(data: bytes, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        read_log_group(data)


@pytest.mark.parametrize(
    "data", [field(3, b"\xff"), field(1, TIME + field(2, pair(b"k", b"\xc3"))), field(6, pair(b"\xed\xa0\x80", b""))]
)
def test_what_is_not_utf8_is_told_apart(data: bytes) -> None:
    with pytest.raises(NotText):
        read_log_group(data)


def test_unknown_fields_are_skipped() -> None:
    unknown = field(15, b"new") + b"\x78\x05" + b"\x7d\x00\x00\x00\x00" + b"\x79" + bytes(8)
    assert read_log_group(unknown + field(1, TIME + CONTENT + unknown)) == LogGroup((Log(1, 0, (("k", "v"),)),))
