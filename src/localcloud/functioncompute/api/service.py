"""The Function Compute endpoint: authenticate, meet faults, carry out, audit, answer."""

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from localcloud.account.authorization import Resource
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import CredentialError, Identity, UnknownKey
from localcloud.account.faults import Fault
from localcloud.functioncompute.api import invoke_function
from localcloud.functioncompute.api.errors import STATUS, FcError, body_of
from localcloud.functioncompute.api.functions import PAYLOAD_BYTES, Functions
from localcloud.functioncompute.api.operations import CHANGING, OPERATIONS, Call
from localcloud.functioncompute.api.pool import ACCOUNT_INSTANCES
from localcloud.functioncompute.api.routing import VERSION, Route, route_of
from localcloud.openapi import signature
from localcloud.openapi.errors import ApiError
from localcloud.openapi.nonces import Nonces
from localcloud.pipeline.connection import Dropped

MAX_PARAMETERS = 100
_PROXY_PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
_UNKNOWN_STATUS = 500
# The check of an ACS3 signature -> this service's code; whatever else it finds is a header that is missing or wrong.
_SIGNATURE_CODES = {
    "SignatureDoesNotMatch": "SignatureNotMatch",
    "InvalidTimeStamp.Expired": "AccessDenied",
    "SignatureNonceUsed": "AccessDenied",
}


class _Received(NamedTuple):
    """A request; ``query`` has each name once."""

    request: signature.Request
    query: Mapping[str, str]
    request_id: str


class Reply(NamedTuple):
    """One answer; ``code`` is empty for a success. ``effect``: a function ran or a setting was changed."""

    status: int
    body: bytes
    code: str = ""
    headers: Mapping[str, str] = {}
    media_type: str = "application/json"
    effect: bool = False


class FunctionCompute:
    """The API of a cloud's functions. One event loop at a time."""

    def __init__(self, cloud: Cloud, functions: Functions) -> None:
        self._cloud = cloud
        self._functions = functions
        self._nonces = Nonces()
        # A synchronous request holds its thread until its function is done; more than this many are throttled anyway.
        self._executor = ThreadPoolExecutor(ACCOUNT_INSTANCES + 8, "InvokeFunction")

    async def handle(self, request: Request) -> Response:
        """Answer one request; every one is audited, whether it is carried out, refused or met by a fault."""
        request_id = self._cloud.request_id()
        route = identity = None
        try:
            received = await _received(request, request_id)
            route = route_of(received.request.method, received.request.path)
            identity = self._authenticated(received, route)
        except FcError as error:
            return self._finished(request_id, route, identity, None, _refusal(error, request_id))
        fault = next(iter(self._cloud.faults.take("fc", route.operation)), None)
        wait = fault.seconds or 0.0 if fault and fault.kind == "delay" else 0.0
        if wait and fault and fault.before:
            await asyncio.sleep(wait)
            wait = 0.0
        reply = Reply(200, b"")
        if fault is None or fault.lets_effect_happen:
            reply = await self._carried_out(received, route, identity)
        response = self._finished(request_id, route, identity, fault, reply)
        await asyncio.sleep(wait)
        return response

    def _authenticated(self, received: _Received, route: Route) -> Identity:
        headers = received.request.headers
        if not headers.get("authorization"):
            raise FcError("MissingRequiredHeader", "required HTTP header Authorization was not specified")
        now = datetime.now(timezone.utc)
        try:
            signed = signature.read(received.request)
            credential = self._cloud.credentials.find(signed.access_key_id, signed.security_token, now)
            signature.check_time(signed, now)
            signature.check(signed, credential.access_key_secret)
        except ApiError as error:
            raise FcError(_SIGNATURE_CODES.get(error.code, "MissingRequiredHeader"), error.message) from None
        except UnknownKey:
            raise FcError("InvalidAccessKeyID", f"invalid access key ID '{signed.access_key_id[:100]}'") from None
        except CredentialError as error:
            raise FcError("AccessDenied", str(error)) from None
        if self._nonces.used(signed.access_key_id, signed.nonce, now):
            raise FcError("AccessDenied", "the signature nonce was used already: sign each request with one of its own")
        for name, value in (("x-acs-version", VERSION), ("x-acs-action", route.operation)):
            if headers.get(name) != value:
                raise FcError("InvalidArgument", f"{name} is {headers.get(name, '')[:100]!r}; the path is of {value}")
        return credential.identity

    async def _carried_out(self, received: _Received, route: Route, identity: Identity) -> Reply:
        functions = self._functions
        request = received.request
        arn = functions.arn(route.function_name)
        try:
            if not self._cloud.authorize(identity, route.ram_action, Resource(arn)):
                raise FcError("AccessDenied", f"{identity.name} may not do {route.ram_action} on {arn}")  # noqa: TRY301 - refused like every other mistake of the call
            if route.operation == "InvokeFunction":
                asks = invoke_function.wanted(request.headers)
                answer = await asyncio.get_running_loop().run_in_executor(
                    self._executor,
                    invoke_function.invoke,
                    functions,
                    route.function_name,
                    received.query.get("qualifier", ""),
                    asks,
                    request.body,
                )
                return Reply(answer.status, answer.body, "", answer.headers, "application/octet-stream", effect=True)
            document = OPERATIONS[route.operation](Call(functions, route.function_name, received.query, request.body))
        except FcError as error:
            return _refusal(error, received.request_id)
        effect = route.operation in CHANGING
        if document is None:
            return Reply(204, b"", effect=effect)
        return Reply(200, json.dumps(document, ensure_ascii=False).encode(), effect=effect)

    def _finished(
        self, request_id: str, route: Route | None, identity: Identity | None, fault: Fault | None, reply: Reply
    ) -> Response:
        """Write the audit and the answer."""
        answer = _spoilt(reply, request_id, fault) if fault else reply
        more: dict[str, object] = {}
        if identity:
            more["identity"] = f"{identity.kind}:{identity.name}"
        if fault:
            more["faults"] = [fault.model_dump(exclude_unset=True)]
        self._cloud.audit.api(
            service="fc",
            action=route.operation if route else "Unknown",
            parameters={"functionName": route.function_name} if route and route.function_name else {},
            http_status=answer.status if answer else None,
            code=(answer or reply).code,
            request_id=reply.headers.get("x-fc-request-id", request_id),
            effect=reply.effect,
            **more,
        )
        if answer is None:
            return Dropped()
        headers = {"x-fc-request-id": request_id, "x-acs-request-id": request_id, **answer.headers}
        return Response(answer.body, answer.status, headers, answer.media_type)


async def _received(request: Request, request_id: str) -> _Received:
    body = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        # What is too long is still taken from the client, which would otherwise see a broken connection.
        if size <= PAYLOAD_BYTES:
            body += chunk
    if size > PAYLOAD_BYTES:
        raise FcError("EntityTooLarge", f"payload size exceeds maximum allowed size ({PAYLOAD_BYTES} bytes)")
    try:
        text = request.scope["query_string"].decode("latin-1")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        raise FcError("InvalidArgument", f"the query can't be read: {error}") from None
    if len(dict(pairs)) < len(pairs):
        raise FcError("InvalidArgument", "a parameter of the query is given more than once")
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    return _Received(signature.Request(request.method, path, pairs, headers, bytes(body)), dict(pairs), request_id)


def _refusal(error: FcError, request_id: str) -> Reply:
    return _error(error.code, str(error), error.status, request_id)


def _error(code: str, message: str, status: int, request_id: str) -> Reply:
    return Reply(status, json.dumps(body_of(code, message, request_id)).encode(), code)


def _spoilt(reply: Reply, request_id: str, fault: Fault) -> Reply | None:
    """Return the answer that a fault makes of a reply; None is no answer at all."""
    if fault.kind in ("drop_before", "drop_after"):
        return None
    if fault.kind == "not_json":
        return reply._replace(status=fault.status or 502, body=_PROXY_PAGE, media_type="text/html", headers={})
    if fault.kind in ("error", "throttle"):
        code = fault.code or ("ResourceExhausted" if fault.kind == "throttle" else "InternalServerError")
        status = fault.status or STATUS.get(code, _UNKNOWN_STATUS)
        headers = {"x-acs-retry-after": str(fault.retry_after_ms)} if fault.retry_after_ms else {}
        return _error(code, fault.message or f"{code}.", status, request_id)._replace(headers=headers)
    if fault.kind == "truncate" and not reply.code:
        return reply._replace(body=reply.body[: len(reply.body) // 2])
    return reply
