"""The official client of the message service, unchanged, against the local cloud: what waits in a queue over HTTP."""

import base64
import contextlib
import hmac
import http.client
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from mns.account import Account
from mns.mns_exception import MNSServerException
from mns.queue import Queue

from localcloud.account.faults import Fault
from localcloud.mns.queues import VISIBILITY_SECONDS
from localcloud.server.server import Running

NAME = "failures"
TEXTS = ('{"requestPayload": "<one> & \\"two\\""}', "zweite Nachricht, 第三条 ✓")


@pytest.fixture
def queue(server: Running) -> Iterator[Queue]:
    server.account.messages.create_queue(NAME)
    with_messages(server, *TEXTS)
    with opened(server) as found:
        yield found
    server.account.messages.delete(NAME)


@contextlib.contextmanager
def opened(server: Running, name: str = NAME, keys: tuple[str, ...] = ()) -> Iterator[Queue]:
    key = server.cloud.credentials.root
    found = Account(server.url, *(keys or (key.access_key_id, key.access_key_secret))).get_queue(name)
    found.set_encoding(False)
    try:
        yield found
    finally:
        found.mns_client.close_connection()


def with_messages(server: Running, *texts: str) -> None:
    for text in texts:
        server.account.messages.queue(NAME).send(text)


def refusal(error: pytest.ExceptionInfo[MNSServerException]) -> str:
    assert error.value.req_id
    return str(error.value.type)


@pytest.mark.client("aliyun-mns-sdk", "mns:PeekMessage", "mns:ReceiveMessage", "mns:DeleteMessage")
def test_a_message_is_seen_received_and_deleted(server: Running, queue: Queue) -> None:
    seen = [queue.peek_message() for _ in range(2)]
    assert {message.message_body for message in seen} == {TEXTS[0]}, "looking changes nothing"
    assert seen[0].dequeue_count == 0
    received = [queue.receive_message(wait_seconds=0) for _ in TEXTS]
    assert tuple(message.message_body for message in received) == TEXTS
    assert received[0].message_id == seen[0].message_id
    assert received[0].message_body_md5 == seen[0].message_body_md5
    assert received[0].next_visible_time - received[0].first_dequeue_time == VISIBILITY_SECONDS * 1000
    for look in (queue.peek_message, queue.receive_message):
        with pytest.raises(MNSServerException) as nothing:
            look()
        assert refusal(nothing) == "MessageNotExist", "who received it has it alone for a while"
    queue.delete_message(received[1].receipt_handle)
    assert server.account.messages.waiting(NAME) == TEXTS[:1]
    for handle, code in ((received[1].receipt_handle, "MessageNotExist"), ("none", "ReceiptHandleError")):
        with pytest.raises(MNSServerException) as gone:
            queue.delete_message(handle)
        assert refusal(gone) == code


@pytest.mark.client("aliyun-mns-sdk", "mns:BatchPeekMessage", "mns:BatchReceiveMessage", "mns:BatchDeleteMessage")
def test_many_messages_at_once(server: Running, queue: Queue) -> None:
    assert tuple(message.message_body for message in queue.batch_peek_message(16)) == TEXTS
    received = queue.batch_receive_message(16)
    assert tuple(message.message_body for message in received) == TEXTS
    with pytest.raises(MNSServerException) as partly:
        queue.batch_delete_message([received[0].receipt_handle, "8-" + "0" * 32])
    assert refusal(partly) == "MessageNotExist"
    assert server.account.messages.waiting(NAME) == TEXTS[1:], "the others are deleted all the same"
    queue.batch_delete_message([received[1].receipt_handle])
    with pytest.raises(MNSServerException) as nothing:
        queue.batch_receive_message(16)
    assert refusal(nothing) == "MessageNotExist"


def test_a_message_comes_back_when_nobody_deletes_it(server: Running, queue: Queue) -> None:
    clock = server.cloud.clock
    clock.hold()
    try:
        first = queue.receive_message()
        clock.step(VISIBILITY_SECONDS)
        with pytest.raises(MNSServerException) as late:
            queue.delete_message(first.receipt_handle)
        again = queue.receive_message()
    finally:
        clock.release()
    assert refusal(late) == "MessageNotExist", "its receipt was good until the message came back"
    assert (again.message_id, again.dequeue_count) == (first.message_id, 2)
    assert again.receipt_handle != first.receipt_handle


def test_who_may_not_and_what_is_not_there_is_refused(server: Running, queue: Queue) -> None:
    key, session = server.cloud.credentials.root, server.cloud.credentials.assume_role("nobody")
    server.account.roles.create("nobody", {"Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["fc.aliyuncs.com"]}}
    ]}, {})  # fmt: skip
    session_keys = (session.access_key_id, session.access_key_secret, session.security_token)
    for keys, name, code in (
        (("nobody", "secret"), NAME, "InvalidAccessKeyId"),
        ((key.access_key_id, "wrong"), NAME, "SignatureDoesNotMatch"),
        (session_keys[:2], NAME, "InvalidAccessKeyId"),
        (session_keys, NAME, "AccessDenied"),
        ((), "nothing", "QueueNotExist"),
    ):
        with opened(server, name, keys) as other, pytest.raises(MNSServerException) as refused:
            other.peek_message()
        assert refusal(refused) == code
    with pytest.raises(MNSServerException) as unknown:
        queue.get_attributes()
    assert refusal(unknown) == "InvalidRequestURL"
    server.cloud.faults.add([Fault(service="mns", action="PeekMessage", kind="throttle", times=1)])
    with pytest.raises(MNSServerException) as throttled:
        queue.peek_message()
    assert refusal(throttled) == "QpsLimitExceeded"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Authorization": ""}, "MissingAuthorizationHeader"),
        ({"Authorization": "MNS nothing"}, "InvalidAuthorizationHeader"),
        ({"x-mns-version": "2014-07-08"}, "InvalidVersionHeader"),
        ({"Date": "yesterday"}, "InvalidDateHeader"),
        ({"Date": format_datetime(datetime.now(timezone.utc) - timedelta(minutes=16), usegmt=True)}, "TimeExpired"),
        ({"Content-MD5": "bm90aGluZw=="}, "InvalidDegist"),
        ({"path": f"/queues/{NAME}/messages?numOfMessages=17"}, "InvalidArgument"),
        ({"path": f"/queues/{NAME}/messages?waitseconds=31"}, "InvalidArgument"),
        ({}, ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_request_that_is_not_as_documented_is_refused(
    server: Running, queue: Queue, changed: dict[str, str], code: str
) -> None:
    del queue
    key, headers = server.cloud.credentials.root, {"x-mns-version": "2015-06-06", **changed}
    path = headers.pop("path", f"/queues/{NAME}/messages?peekonly=true")
    headers.setdefault("Date", format_datetime(datetime.now(timezone.utc), usegmt=True))
    text = (
        f"GET\n{headers.get('Content-MD5', '')}\n\n{headers['Date']}\nx-mns-version:{headers['x-mns-version']}\n{path}"
    )
    signature = base64.b64encode(hmac.digest(key.access_key_secret.encode(), text.encode(), "sha1")).decode()
    headers.setdefault("Authorization", f"MNS {key.access_key_id}:{signature}")
    connection = http.client.HTTPConnection(server.host_port)
    connection.request("GET", path, headers=headers)
    with connection.getresponse() as answer:
        body = answer.read().decode()
    connection.close()
    assert (f"<Code>{code}</Code>" in body) if code else (answer.status == 200), body
