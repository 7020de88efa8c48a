"""The message service over HTTP: receiving, looking at and deleting what waits in a queue."""

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import NamedTuple
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.routing import compile_path

from localcloud.account.authorization import Resource
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import CredentialError, Identity
from localcloud.account.faults import Fault
from localcloud.mns.errors import MessageError
from localcloud.mns.messages import Messages
from localcloud.mns.queues import BATCH, Queue, QueueMessage
from localcloud.mns.signature import VERSION, MnsSigned, claim_of, verify
from localcloud.pipeline import body
from localcloud.pipeline.connection import Dropped
from localcloud.pipeline.fault_effects import Met
from localcloud.pipeline.pipeline import UNKNOWN_ACTION, Api, Pipeline, WrittenAnswer
from localcloud.pipeline.reply import Reply

BODY_LIMIT = 1024 * 1024
LONGEST_WAIT_SECONDS = 30
_NAMESPACE = "http://mns.aliyuncs.com/doc/v1/"
_MESSAGES = compile_path("/queues/{queue}/messages")[0]


class MnsRequest(NamedTuple):
    """A request: what it is for, and whose it is."""

    signed: MnsSigned
    queue: str
    query: Mapping[str, str]
    action: str
    identity: Identity | None = None

    @property
    def parameters(self) -> Mapping[str, str]:
        """What the audit says of the call."""
        return {"queue": self.queue, **self.query}


class Mns(Api[Request, MnsRequest]):
    """The HTTP API of the account's queues, reached by ``handle``."""

    service = "mns"
    refusal = MessageError

    def __init__(self, cloud: Cloud, messages: Messages, region: str) -> None:
        self._cloud, self._messages, self._region = cloud, messages, region
        self._pipeline = Pipeline(cloud)

    async def handle(self, request: Request) -> WrittenAnswer | Dropped:
        """Answer one request."""
        return await self._pipeline.respond(self, request)

    def request_id(self) -> str:
        """Draw a request ID: 24 hexadecimal digits."""
        return self._cloud.request_id().replace("-", "")[:24]

    async def receive(self, request: Request) -> MnsRequest:
        """Read a request and find its operation. Raises MessageError."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        path, query = request.scope["raw_path"].decode().partition("?")[0], request.scope["query_string"].decode()
        content = await body.read(request, BODY_LIMIT)
        if isinstance(content, int):
            raise MessageError("InvalidArgument", f"the body has {content} bytes; {BODY_LIMIT} are allowed")
        found, parameters = _MESSAGES.fullmatch(path.removesuffix("/")), dict(parse_qsl(query, keep_blank_values=True))
        signed = MnsSigned(request.method, f"{path}?{query}" if query else path, headers, content)
        action = _action(request.method, parameters) if found else UNKNOWN_ACTION
        return MnsRequest(signed, found["queue"] if found else "", parameters, action)

    def authenticate(self, call: MnsRequest) -> MnsRequest:
        """Return the call with its caller. Raises MessageError."""
        claim, now = claim_of(call.signed), datetime.now(timezone.utc)
        try:
            token = call.signed.headers.get("security-token", "")
            credential = self._cloud.credentials.find(claim.access_key_id, token, now)
        except CredentialError as error:
            raise MessageError("InvalidAccessKeyId", str(error)) from None
        verify(claim, credential.access_key_secret, call.signed, now)
        return call._replace(identity=credential.identity)

    def act(self, call: MnsRequest, _met: Met, _request_id: str) -> Reply:
        """Carry the call out. Raises MessageError."""
        assert call.identity
        if call.action not in OPERATIONS:
            known = f"the local cloud knows /queues/NAME/messages: {', '.join(OPERATIONS)}"
            raise MessageError("InvalidRequestURL", f"Http request URL format invalid: {known}.")
        arn = f"acs:mns:{self._region}:{self._cloud.account}:/queues/{call.queue}/messages"
        if not self._cloud.authorize(call.identity, f"mns:{call.action}", Resource(arn)):
            raise MessageError("AccessDenied", f"mns:{call.action} on {arn} is not allowed.")
        return OPERATIONS[call.action](self._messages.queue(call.queue), call)

    def refuse(self, error: MessageError, call: MnsRequest | None, request_id: str) -> Reply:
        """Put a refusal into the service's form."""
        host = call.signed.headers.get("host", "") if call else ""
        fields = {"Code": error.code, "Message": error.message, "RequestId": request_id, "HostId": host}
        return Reply(error.status, _document("Error", _elements(fields)), error.code, media_type="text/xml")

    def declared(self, fault: Fault, call: MnsRequest, request_id: str) -> Reply:
        """Put a declared error into the service's form."""
        code = fault.code or ("QpsLimitExceeded" if fault.kind == "throttle" else "InternalError")
        reply = self.refuse(MessageError(code, fault.message or f"{code}."), call, request_id)
        return reply._replace(status=fault.status or reply.status)

    def headers(self, reply: Reply, _call: MnsRequest | None, request_id: str) -> Mapping[str, str]:
        """Return the headers of an answer."""
        return {"x-mns-request-id": request_id, "x-mns-version": VERSION, **reply.headers}


def _action(method: str, query: Mapping[str, str]) -> str:
    batch = "Batch" if "numOfMessages" in query else ""
    if method == "GET":
        return f"{batch}{'Peek' if query.get('peekonly') == 'true' else 'Receive'}Message"
    if method == "DELETE":
        return "DeleteMessage" if "ReceiptHandle" in query else "BatchDeleteMessage"
    return UNKNOWN_ACTION


def _one(queue: Queue, call: MnsRequest) -> Reply:
    """Return the first message."""
    (message,) = _taken(queue, call, 1)
    return Reply(200, _document("Message", _elements(_fields(message, call))), media_type="text/xml")


def _batch(queue: Queue, call: MnsRequest) -> Reply:
    """Return the first messages, as many as are asked for."""
    most = _number(call.query["numOfMessages"], "numOfMessages", 1, BATCH)
    taken = _taken(queue, call, most)
    inner = "".join(f"<Message>{_elements(_fields(message, call))}</Message>" for message in taken)
    return Reply(200, _document("Messages", inner), media_type="text/xml")


def _delete(queue: Queue, call: MnsRequest) -> Reply:
    """Delete a received message."""
    queue.delete(call.query["ReceiptHandle"])
    return Reply(204, b"", media_type="text/xml", effect=True)


def _delete_batch(queue: Queue, call: MnsRequest) -> Reply:
    """Delete received messages; the answer names those that can't be deleted."""
    failed = []
    for receipt in _receipts(call.signed.body):
        try:
            queue.delete(receipt)
        except MessageError as error:
            fields = {"ErrorCode": error.code, "ErrorMessage": error.message, "ReceiptHandle": receipt}
            failed.append(f"<Error>{_elements(fields)}</Error>")
    if not failed:
        return Reply(204, b"", media_type="text/xml", effect=True)
    return Reply(404, _document("Errors", "".join(failed)), "MessageNotExist", media_type="text/xml", effect=True)


def _taken(queue: Queue, call: MnsRequest, most: int) -> list[QueueMessage]:
    # Nothing is waited for: a queue that is empty now is answered at once.
    _number(call.query.get("waitseconds", "0"), "waitseconds", 0, LONGEST_WAIT_SECONDS)
    return queue.peek(most) if "Peek" in call.action else queue.receive(most)


def _number(text: str, name: str, lowest: int, highest: int) -> int:
    if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
        raise MessageError("InvalidArgument", f"The value of {name} should between {lowest} and {highest}.")
    return int(text)


def _receipts(content: bytes) -> list[str]:
    try:
        found = ET.fromstring(content)  # noqa: S314 - of a caller that has signed it, on loopback
    except ET.ParseError:
        raise MessageError("MalformedXML", "The XML you provided was not well-formed.") from None
    receipts = [element.text or "" for element in found.iter(f"{{{_NAMESPACE}}}ReceiptHandle")]
    if not 0 < len(receipts) <= BATCH:
        raise MessageError("MissingReceiptHandle", f"ReceiptHandle is required, 1 to {BATCH} times.")
    return receipts


def _fields(message: QueueMessage, call: MnsRequest) -> Mapping[str, str]:
    fields = {
        "MessageId": message.message_id,
        "MessageBody": message.body,
        "MessageBodyMD5": message.digest,
        "EnqueueTime": str(message.enqueued),
        "FirstDequeueTime": str(message.first_received or message.enqueued),
        "DequeueCount": str(message.received),
        "Priority": str(message.priority),
    }
    if "Peek" not in call.action:
        fields |= {"ReceiptHandle": message.receipt, "NextVisibleTime": str(message.visible)}
    return fields


def _document(name: str, inner: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{_NAMESPACE}">{inner}</{name}>'.encode()


def _elements(fields: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())


OPERATIONS: Mapping[str, Callable[[Queue, MnsRequest], Reply]] = {
    "ReceiveMessage": _one,
    "PeekMessage": _one,
    "BatchReceiveMessage": _batch,
    "BatchPeekMessage": _batch,
    "DeleteMessage": _delete,
    "BatchDeleteMessage": _delete_batch,
}
