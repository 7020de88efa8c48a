"""Records to a logstore and their sums from it: what is written in how many calls, and what goes wrong in words."""

from datetime import timedelta

import pytest
from answering_server import AnsweringServer
from scripted_ecs import NOW

from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.records.logstore import MOST_BYTES, MOST_LINES, Logstore, LogStoreError


def logstore(server: AnsweringServer, token: str = "") -> Logstore:
    credentials = Credentials(access_key_id="id", access_key_secret="secret", security_token=token)
    return Logstore("project", "records", server.url, credentials)


@pytest.mark.parametrize(
    ("lines", "length", "calls"),
    [(0, 1, 0), (1, 1, 1), (MOST_LINES, 1, 1), (MOST_LINES + 1, 1, 2), (3, MOST_BYTES // 9, 2)],
    ids=["none", "one", "as many as a call takes", "one more", "long lines"],
)
def test_records_are_written_in_as_few_calls_as_the_limits_allow(
    server: AnsweringServer, lines: int, length: int, calls: int
) -> None:
    assert logstore(server).put([{"reason": "x" * length}] * lines, NOW, source="here", seconds=20) == lines
    assert len(server.sent) == calls


@pytest.mark.parametrize("token", ["", "sts-token"])
def test_the_token_of_a_session_goes_with_the_call_and_none_without_one(server: AnsweringServer, token: str) -> None:
    logstore(server, token).put([{"code": "accepted"}], NOW, source="here", seconds=20)
    (sent,) = server.sent
    assert sent.headers.get("x-acs-security-token", "") == token
    assert sent.headers["host"].startswith("project.")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"errorCode": "ProjectNotExist", "errorMessage": "no such project"}, "ProjectNotExist: no such project"),
        (b"<html>", "b'<html>'"),
        ([], r"b'\[\]'"),
    ],
)
def test_a_refusal_is_told_in_the_services_words(server: AnsweringServer, body: object, told: str) -> None:
    server.says(body, 404)
    with pytest.raises(LogStoreError, match=rf"PutLogs to project\..*: HTTP 404: {told}"):
        logstore(server).put([{"code": "accepted"}], NOW, source="here", seconds=20)


def test_rows_are_texts_by_name(server: AnsweringServer) -> None:
    server.says({"meta": {"progress": "Complete"}, "data": [{"code": "accepted", "count": "7"}]})
    rows = logstore(server).analyse("* | SELECT 1", NOW - timedelta(days=7), NOW, seconds=20)
    assert rows == [{"code": "accepted", "count": "7"}]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"meta": {"progress": "Incomplete"}, "data": []}, "the answer is Incomplete"),
        ({"data": []}, "can't be read: KeyError"),
        (b"<html>", "can't be read: JSONDecodeError"),
        ([], "can't be read: TypeError"),
    ],
)
def test_sums_that_are_not_whole_are_no_sums(server: AnsweringServer, body: object, told: str) -> None:
    server.says(body)
    with pytest.raises(LogStoreError, match=f"GetLogs of .*{told}"):
        logstore(server).analyse("* | SELECT 1", NOW - timedelta(days=7), NOW, seconds=20)


def test_where_nobody_listens_it_is_tried_twice_and_told() -> None:
    credentials = Credentials(access_key_id="id", access_key_secret="secret", security_token="")
    nowhere = Logstore("project", "records", "http://127.0.0.1:9", credentials)
    with pytest.raises(LogStoreError, match=r"PutLogs to project.*ConnectionRefusedError"):
        nowhere.put([{"code": "accepted"}], NOW, source="here", seconds=2)
