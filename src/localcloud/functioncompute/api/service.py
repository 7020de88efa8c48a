"""The Function Compute endpoint: the steps of a call that are its own."""

import asyncio
import json
from collections.abc import Awaitable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.requests import Request

from localcloud.account.authorization import Resource
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import Identity
from localcloud.account.faults import Fault
from localcloud.functioncompute.api import invoke_function
from localcloud.functioncompute.api.errors import STATUS, FcError, OlderVersion, body_of, older_body_of
from localcloud.functioncompute.api.functions import PAYLOAD_BYTES, Functions
from localcloud.functioncompute.api.operations import CHANGING, OPERATIONS, FunctionApiCall
from localcloud.functioncompute.api.pool import ACCOUNT_INSTANCES
from localcloud.functioncompute.api.routing import VERSION, Route, route_of
from localcloud.openapi import signature
from localcloud.openapi.authentication import Authentication
from localcloud.openapi.errors import ApiError
from localcloud.pipeline import body
from localcloud.pipeline.connection import Dropped
from localcloud.pipeline.fault_effects import Met
from localcloud.pipeline.pipeline import Api, Pipeline, WrittenAnswer
from localcloud.pipeline.reply import Reply

MAX_PARAMETERS = 100
_UNKNOWN_STATUS = 500
# What the check of an ACS3 signature finds -> this service's code; anything else is a missing or wrong header.
_SIGNATURE_CODES = {
    "SignatureDoesNotMatch": "SignatureNotMatch",
    "InvalidAccessKeyId.NotFound": "InvalidAccessKeyID",
    "InvalidSecurityToken.Expired": "AccessDenied",
    "InvalidSecurityToken.Malformed": "AccessDenied",
    "InvalidSecurityToken.MismatchWithAccessKey": "AccessDenied",
    "InvalidTimeStamp.Expired": "AccessDenied",
    "MissingSecurityToken": "AccessDenied",
    "SignatureNonceUsed": "AccessDenied",
}


class _Received(NamedTuple):
    """A request; ``query`` has each name once."""

    request: signature.OpenApiRequest
    query: Mapping[str, str]
    route: Route
    identity: Identity | None = None

    @property
    def action(self) -> str:
        return self.route.operation

    @property
    def parameters(self) -> Mapping[str, str]:
        return {"functionName": self.route.function_name} if self.route.function_name else {}


class FunctionCompute(Api[Request, _Received]):
    """The API of a cloud's functions. One event loop at a time."""

    service = "fc"
    refusal = FcError

    def __init__(self, cloud: Cloud, functions: Functions) -> None:
        self._cloud, self._pipeline = cloud, Pipeline(cloud)
        self._functions = functions
        self._authentication = Authentication(cloud.credentials)
        # A synchronous request holds its thread until its function is done; more than this many are throttled anyway.
        self._executor = ThreadPoolExecutor(ACCOUNT_INSTANCES + 8, "InvokeFunction")

    async def handle(self, request: Request) -> WrittenAnswer | Dropped:
        """Answer one request."""
        return await self._pipeline.respond(self, request)

    def request_id(self) -> str:
        """Draw a request ID."""
        return self._cloud.request_id()

    async def receive(self, request: Request) -> _Received:
        """Read a request and find its operation. Raises FcError."""
        content = await body.read(request, PAYLOAD_BYTES)
        if isinstance(content, int):
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
        route = route_of(request.method, path)
        return _Received(signature.OpenApiRequest(request.method, path, pairs, headers, content), dict(pairs), route)

    def authenticate(self, call: _Received) -> _Received:
        """Return the call with its caller. Raises FcError."""
        headers = call.request.headers
        if not headers.get("authorization"):
            raise FcError("MissingRequiredHeader", "required HTTP header Authorization was not specified")
        try:
            identity = self._authentication.identity_of(call.request)
        except ApiError as error:
            raise FcError(_SIGNATURE_CODES.get(error.code, "MissingRequiredHeader"), error.message) from None
        for name, value in (("x-acs-version", VERSION), ("x-acs-action", call.route.operation)):
            if headers.get(name) != value:
                raise FcError("InvalidArgument", f"{name} is {headers.get(name, '')[:100]!r}; the path is of {value}")
        return call._replace(identity=identity)

    def act(self, call: _Received, _met: Met, _request_id: str) -> Reply | Awaitable[Reply]:
        """Carry the call out; an invocation takes as long as its function. Raises FcError."""
        assert call.identity
        route = call.route
        arn = self._functions.arn(route.function_name)
        if not self._cloud.authorize(call.identity, route.ram_action, Resource(arn)):
            raise FcError("AccessDenied", f"{call.identity.name} may not do {route.ram_action} on {arn}")
        if route.operation == "InvokeFunction":
            return self._invoke(call, invoke_function.wanted(call.request.headers))
        document = OPERATIONS[route.operation](
            FunctionApiCall(self._functions, route.function_name, call.query, call.request.body)
        )
        effect = route.operation in CHANGING
        if document is None:
            return Reply(204, b"", effect=effect)
        return Reply(200, json.dumps(document, ensure_ascii=False).encode(), effect=effect)

    async def _invoke(self, call: _Received, asks: invoke_function.Wanted) -> Reply:
        answer = await asyncio.get_running_loop().run_in_executor(
            self._executor,
            invoke_function.invoke,
            self._functions,
            call.route.function_name,
            call.query.get("qualifier", ""),
            asks,
            call.request.body,
        )
        return Reply(
            200 if self._cloud.deviates("async_answers_200") else answer.status,
            answer.body,
            headers=answer.headers,
            media_type="application/octet-stream",
            effect=True,
            request_id=answer.headers["x-fc-request-id"],
        )

    def refuse(self, error: FcError, _call: _Received | None, request_id: str) -> Reply:
        """Put a refusal into the service's form, that of the version which was called."""
        if isinstance(error, OlderVersion):
            return Reply(error.status, json.dumps(older_body_of(error.code, str(error))).encode(), error.code)
        return _error(error.code, str(error), error.status, request_id)

    def declared(self, fault: Fault, _call: _Received, request_id: str) -> Reply:
        """Put a declared error into the service's form."""
        code = fault.code or ("ResourceExhausted" if fault.kind == "throttle" else "InternalServerError")
        return _error(code, fault.message or f"{code}.", fault.status or STATUS.get(code, _UNKNOWN_STATUS), request_id)

    def headers(self, reply: Reply, _call: _Received | None, request_id: str) -> Mapping[str, str]:
        """Return the headers of an answer."""
        return {"x-fc-request-id": request_id, "x-acs-request-id": request_id, **reply.headers}


def _error(code: str, message: str, status: int, request_id: str) -> Reply:
    return Reply(status, json.dumps(body_of(code, message, request_id)).encode(), code)
