"""Tablestore over HTTP: whose a request is, what it is answered, and what a declared fault makes of that."""

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from localcloud.account.authorization import Resource
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import CredentialError, Identity, UnknownKey
from localcloud.account.faults import Fault
from localcloud.pipeline.connection import Dropped
from localcloud.tablestore import protobuf, signature
from localcloud.tablestore.errors import STATUS, UNKNOWN_STATUS, OtsError, invalid
from localcloud.tablestore.messages import ERROR, MESSAGES
from localcloud.tablestore.operations import OPERATIONS, Call, Done, rows_named, tables_named
from localcloud.tablestore.plain_buffer import Infinite, RowData
from localcloud.tablestore.tables import Instance, Network

BODY_LIMIT = 16 * 2**20  # above the 4 MB of a write, so that the operation itself can refuse
_PROXY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_DOMAINS: Mapping[str, Network] = {
    "ots.aliyuncs.com": "INTERNET",
    "vpc.tablestore.aliyuncs.com": "VPC",
    "ots-internal.aliyuncs.com": "CLASSIC",
}
_HOST = re.compile(r"(?P<instance>[^.]+)\.(?P<region>[a-z0-9-]+)\.(?P<domain>" + "|".join(_DOMAINS) + r")(:\d+)?")


class Received(NamedTuple):
    """A request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def operation(self) -> str:
        """The operation that the path names."""
        return self.path.removeprefix("/")


class Caller(NamedTuple):
    """Whose a request is, for which instance, and the key that signs the answer."""

    identity: Identity
    access_key_id: str
    key: bytes
    instance: Instance


class Understood(NamedTuple):
    """A request that is understood; ``row_faults`` are errors of single rows of it."""

    received: Received
    caller: Caller
    message: protobuf.Message
    row_faults: tuple[Fault, ...] = ()


class Exchange(NamedTuple):
    """A request as far as it came, and the faults that it met; ``spoiling`` is the one of its whole answer."""

    request_id: str
    received: Received
    caller: Caller | None = None
    message: protobuf.Message | None = None
    faults: tuple[Fault, ...] = ()
    spoiling: Fault | None = None


class Reply(NamedTuple):
    """One answer; ``code`` is empty for a success."""

    status: int
    body: bytes
    code: str = ""
    done: Done = Done({})


class Ots:
    """The service of one account, reached by ``handle``."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._late: set[asyncio.Task[None]] = set()

    async def handle(self, request: Request) -> Response:
        """Answer one request; every one is audited, whether it is carried out, refused or met by a fault."""
        exchange = Exchange(self._cloud.request_id().lower(), _unread(request))
        try:
            exchange = exchange._replace(received=await _received(request))
            exchange = exchange._replace(caller=self._authenticated(exchange.received))
            exchange = exchange._replace(message=_parsed(exchange.received))
        except OtsError as error:
            return self._finished(exchange, _refusal(error))
        assert exchange.caller
        assert exchange.message is not None
        call = Understood(exchange.received, exchange.caller, exchange.message)
        operation = call.received.operation
        faults = self._cloud.faults.take(
            "ots", operation, tuple(n for r in rows_named(call.message) for n in _texts(r))
        )
        call = call._replace(row_faults=tuple(fault for fault in faults if _is_of_one_row(fault, operation)))
        spoiling = next((fault for fault in faults if fault not in call.row_faults), None)
        exchange = exchange._replace(faults=faults, spoiling=spoiling)
        wait = spoiling.seconds or 0.0 if spoiling and spoiling.kind == "delay" else 0.0
        if wait and spoiling and spoiling.before:
            await asyncio.sleep(wait)
            wait = 0.0
        if spoiling and spoiling.kind == "late_effect":
            self._carry_out_later(call, spoiling.seconds or 0.0)
        happens = spoiling is None or spoiling.lets_effect_happen
        reply = await self._carried_out(call) if happens else Reply(200, b"")
        response = self._finished(exchange, reply)
        if wait:
            await asyncio.sleep(wait)
        return response

    def _authenticated(self, received: Received) -> Caller:
        if received.method != "POST":
            raise OtsError("OTSMethodNotAllowed", "Only POST method for requests is supported.")
        if received.operation not in OPERATIONS:
            raise invalid(f"Unsupported operation: '{received.operation}'.")
        claim = signature.claim_of(received.headers)
        now = datetime.now(timezone.utc)
        try:
            credential = self._cloud.credentials.find(claim.access_key_id, claim.security_token, now)
        except UnknownKey as error:
            raise OtsError("OTSAuthFailed", "The AccessKeyID does not exist.") from error
        except CredentialError as error:
            raise OtsError("OTSAuthFailed", f"The security token is invalid: {error}.") from error
        secret = credential.access_key_secret
        key = signature.verify(received.path, received.headers, received.body, claim, secret=secret, now=now)
        instance = self._cloud.tablestore.get(claim.instance)
        host = _HOST.fullmatch(received.headers.get("host", ""))
        named = (host["instance"].lower(), host["region"]) if host else (claim.instance.lower(), claim.region_id)
        if instance is None or named[0] != instance.name.lower() or named[1] not in ("", instance.region_id):
            raise OtsError("OTSAuthFailed", "The instance is not found.")
        if claim.region_id not in ("", instance.region_id):
            raise OtsError("OTSAuthFailed", "Signature mismatch.")
        # A client that takes a bare address can't say where it is: it counts as one inside the VPC.
        if (_DOMAINS[host["domain"]] if host else "VPC") not in instance.networks:
            raise OtsError("OTSAuthFailed", "Request denied by instance ACL policies.")
        return Caller(credential.identity, credential.access_key_id, key, instance)

    async def _carried_out(self, asked: Understood) -> Reply:
        operation = asked.received.operation
        try:
            self._authorize(asked.caller, operation, asked.message)
            call = Call(
                asked.caller.instance,
                asked.message,
                len(asked.received.body),
                lambda: self._cloud.lock,
                lambda row: next((_declared(fault) for fault in asked.row_faults if fault.row in _texts(row)), None),
            )
            done = await OPERATIONS[operation](call)
        except OtsError as error:
            return _refusal(error)
        return Reply(200, protobuf.write(MESSAGES[operation].answer, done.answer), done=done)

    def _authorize(self, caller: Caller, operation: str, message: protobuf.Message) -> None:
        instance = caller.instance
        of_instance = f"acs:ots:{instance.region_id}:{self._cloud.account}:instance/{instance.name.lower()}"
        for table in tables_named(message) or ("*",):
            if not self._cloud.authorize(caller.identity, f"ots:{operation}", Resource(f"{of_instance}/table/{table}")):
                raise OtsError(
                    "OTSNoPermissionAccess",
                    "You have no permission to access the requested resource, please contact the resource owner. "
                    f"action: ots:{operation}, resource: {of_instance}/table/{table}",
                )

    def _carry_out_later(self, asked: Understood, seconds: float) -> None:
        async def later() -> None:
            await asyncio.sleep(seconds)
            reply = await self._carried_out(asked)
            self._cloud.audit.record(
                "late_effect",
                service="ots",
                action=asked.received.operation,
                parameters=_told(asked.caller, asked.message),
                code=reply.code,
                effect=reply.done.effect,
            )

        task = asyncio.get_running_loop().create_task(later())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    def _finished(self, exchange: Exchange, reply: Reply) -> Response:
        """Write the audit and the answer."""
        received, caller, spoiling = exchange.received, exchange.caller, exchange.spoiling
        answer = _spoilt(reply, spoiling) if spoiling else reply
        more: dict[str, object] = {}
        if caller:
            more["identity"] = f"{caller.identity.kind}:{caller.identity.name}"
        if exchange.faults:
            more["faults"] = [fault.model_dump(exclude_unset=True) for fault in exchange.faults]
        if reply.done.row_codes:
            more["row_codes"] = list(reply.done.row_codes)
        self._cloud.audit.api(
            service="ots",
            action=received.operation,
            parameters=_told(caller, exchange.message) if caller and exchange.message is not None else {},
            http_status=answer.status if answer else None,
            code=(answer or reply).code,
            request_id=exchange.request_id,
            effect=reply.done.effect,
            **more,
        )
        if answer is None:
            return Dropped()
        if spoiling and spoiling.kind == "not_json":
            return Response(answer.body, answer.status, media_type="text/html")
        headers = signature.answer_headers(
            received.path,
            answer.body,
            request_id=exchange.request_id,
            now=self._cloud.clock.now(),
            access_key_id=caller.access_key_id if caller else "",
            key=caller.key if caller else None,
        )
        cut = spoiling is not None and spoiling.kind == "truncate" and not answer.code
        return Response(answer.body[: len(answer.body) // 2] if cut else answer.body, answer.status, headers)


async def _received(request: Request) -> Received:
    body = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        # What is too long is still taken from the client, which would otherwise see a broken connection.
        if size <= BODY_LIMIT:
            body += chunk
    if size > BODY_LIMIT:
        raise OtsError("OTSRequestBodyTooLarge", "The size of POST data is too large.")
    return _unread(request)._replace(body=bytes(body))


def _unread(request: Request) -> Received:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Received(request.method, request.url.path, headers, b"")


def _parsed(received: Received) -> protobuf.Message:
    return protobuf.read(MESSAGES[received.operation].request, received.body)


def _is_of_one_row(fault: Fault, operation: str) -> bool:
    """Tell whether this is an error of one row among others: batches answer for each row by itself."""
    return fault.kind == "error" and bool(fault.row) and operation.startswith("Batch")


def _texts(row: RowData) -> tuple[str, ...]:
    return tuple(str(cell.value) for cell in row.key)


def _told(caller: Caller, message: protobuf.Message) -> dict[str, Any]:
    """Return what the audit says of a call: instance, tables and the keys of its rows, and no column."""
    keys = [
        {cell.name: cell.value.name if isinstance(cell.value, Infinite) else _shown(cell.value) for cell in row.key}
        for row in rows_named(message)
    ]
    tables = ",".join(tables_named(message))
    return {"instance": caller.instance.name, "table": tables, **({"keys": keys} if keys else {})}


def _shown(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _refusal(error: OtsError) -> Reply:
    return _error(error.code, str(error), error.status)


def _error(code: str, message: str, status: int) -> Reply:
    return Reply(status, protobuf.write(ERROR, {"code": code, "message": message}), code)


def _declared(fault: Fault) -> OtsError:
    error = OtsError(fault.code if fault.code in STATUS else "OTSInternalServerError", fault.message or "Declared.")
    error.code = fault.code or error.code
    return error


def _spoilt(reply: Reply, fault: Fault) -> Reply | None:
    """Return the answer that a fault makes of a reply; None is no answer at all."""
    if fault.kind in ("drop_before", "drop_after", "late_effect"):
        return None
    if fault.kind == "not_json":
        return reply._replace(status=fault.status or 502, body=_PROXY_PAGE)
    if fault.kind in ("error", "throttle"):
        code = fault.code or ("OTSServerBusy" if fault.kind == "throttle" else "OTSInternalServerError")
        spoilt = _error(code, fault.message or f"{code}.", fault.status or STATUS.get(code, UNKNOWN_STATUS))
        return spoilt._replace(done=reply.done)
    return reply
