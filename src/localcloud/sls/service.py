"""Simple Log Service over HTTP: whose a request is, what it is answered, and what a declared fault makes of that."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from localcloud.account.authorization import Resource
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import CredentialError, Identity, TokenExpired
from localcloud.account.faults import Fault
from localcloud.pipeline.connection import Dropped
from localcloud.sls.errors import STATUS, SlsError, body_of
from localcloud.sls.operations import Call
from localcloud.sls.routing import Route, parameters_of, project_of, route_of
from localcloud.sls.signature import SignedRequest, claim_of, verify
from localcloud.sls.store import LogStores

API_VERSION = "0.6.0"
# Of any request as sent: above the 10 MB of a PutLogs, whose own limit is on the size before compression.
BODY_LIMIT = 16 * 1024 * 1024
DEFAULT_REGION = "cn-hangzhou"
UNKNOWN_ACTION = "Unknown"
_PROXY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_UNKNOWN_STATUS = 500


class Caller(NamedTuple):
    """Whose a request is, and the region that its signature names."""

    identity: Identity
    region: str


class Target(NamedTuple):
    """What a request is for."""

    route: Route
    project: str
    logstore: str


class Reply(NamedTuple):
    """One answer; ``code`` is empty for a success, ``told`` is for the audit, ``effect``: logs were written."""

    status: int
    body: bytes
    code: str = ""
    headers: Mapping[str, str] = {}
    told: Mapping[str, Any] = {}
    effect: bool = False
    media_type: str = "application/json"


class Sls:
    """The service of one account: its log stores, reached by ``handle``."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._begin()
        cloud.on_reset(self._begin)

    def _begin(self) -> None:
        self.stores = LogStores(self._cloud.declared.log_projects)

    async def handle(self, request: Request) -> Response:
        """Answer one request; every one is audited, whether it is carried out, refused or met by a fault."""
        request_id = self._cloud.request_id().replace("-", "")[:24]
        target = caller = None
        try:
            signed = await _received(request)
            route, logstore = route_of(signed)
            target = Target(route, project_of(signed.headers, self.stores.projects()), logstore)
            caller = self._authenticated(signed)
        except SlsError as error:
            return self._finished(request_id, target, caller, None, _refusal(error))
        fault = next(iter(self._cloud.faults.take("sls", target.route.action)), None)
        wait = fault.seconds or 0.0 if fault and fault.kind == "delay" else 0.0
        if wait and fault and fault.before:
            await asyncio.sleep(wait)
            wait = 0.0
        with self._cloud.lock:
            happens = fault is None or fault.lets_effect_happen
            reply = self._carried_out(signed, target, caller, fault) if happens else Reply(200, b"")
            response = self._finished(request_id, target, caller, fault, reply)
        await asyncio.sleep(wait)
        return response

    def _authenticated(self, request: SignedRequest) -> Caller:
        version = request.headers.get("x-log-apiversion", "")
        if not version:
            raise SlsError("MissingAPIVersion", "x-log-apiversion does not exist in http header.")
        if version != API_VERSION:
            raise SlsError("InvalidAPIVersion", f"x-log-apiversion {version} is unsupported.")
        claim = claim_of(request)
        token = request.headers.get("x-acs-security-token", "")
        now = datetime.now(timezone.utc)
        try:
            credential = self._cloud.credentials.find(claim.access_key_id, token, now)
        except TokenExpired as error:
            raise SlsError("SecurityTokenExpired", f"{error}.") from error
        except CredentialError as error:
            raise SlsError("Unauthorized", f"The AccessKeyId is unauthorized: {error}.") from error
        verify(request, claim, credential.access_key_secret, now)
        return Caller(credential.identity, claim.region or DEFAULT_REGION)

    def _carried_out(self, request: SignedRequest, target: Target, caller: Caller, fault: Fault | None) -> Reply:
        resource = f"acs:log:{caller.region}:{self._cloud.account}:project/{target.project}"
        if target.logstore:
            resource += f"/logstore/{target.logstore}"
        now = self._cloud.clock.now()
        stale = fault.seconds or 0.0 if fault and fault.kind == "stale" else 0.0
        call = Call(
            target.project,
            target.logstore,
            request.headers,
            request.body,
            datetime.now(timezone.utc),
            written_at=now,
            seen_until=now - timedelta(seconds=stale),
        )
        try:
            if not self._cloud.authorize(caller.identity, target.route.ram_action, Resource(resource)):
                raise SlsError(  # noqa: TRY301 - refused like every other mistake of the call
                    "Unauthorized", f"denied by sts or ram, action: {target.route.ram_action}, resource: {resource}"
                )
            answer = target.route.operation(self.stores, call._replace(parameters=parameters_of(request)))
        except SlsError as error:
            return _refusal(error)
        body = b"" if answer.content is None else json.dumps(answer.content, ensure_ascii=False).encode()
        return Reply(200, body, headers=answer.headers, told=answer.audit, effect=answer.effect)

    def _finished(
        self, request_id: str, target: Target | None, caller: Caller | None, fault: Fault | None, reply: Reply
    ) -> Response:
        """Write the audit and the answer."""
        answer = _spoilt(reply, target.route.action, fault) if target and fault else reply
        more: dict[str, object] = {}
        if caller:
            more["identity"] = f"{caller.identity.kind}:{caller.identity.name}"
        if fault:
            more["faults"] = [fault.model_dump(exclude_unset=True)]
        self._cloud.audit.api(
            service="sls",
            action=target.route.action if target else UNKNOWN_ACTION,
            parameters={"project": target.project, "logstore": target.logstore, **reply.told} if target else {},
            http_status=answer.status if answer else None,
            code=(answer or reply).code,
            request_id=request_id,
            effect=reply.effect,
            **more,
        )
        if answer is None:
            return Dropped()
        headers = {"x-log-requestid": request_id, **answer.headers}
        return Response(answer.body, answer.status, headers, answer.media_type)


async def _received(request: Request) -> SignedRequest:
    body = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        # What is too long is still taken from the client, which would otherwise see a broken connection.
        if size <= BODY_LIMIT:
            body += chunk
    if size > BODY_LIMIT:
        raise SlsError("PostBodyTooLarge", f"Body size {size} must be at most {BODY_LIMIT}.")
    return SignedRequest(
        request.method,
        request.url.path,
        tuple(request.query_params.multi_items()),
        {name.lower(): value for name, value in request.headers.items()},
        bytes(body),
    )


def _refusal(error: SlsError) -> Reply:
    return _error(error.code, str(error), error.status)


def _error(code: str, message: str, status: int) -> Reply:
    return Reply(status, json.dumps(body_of(code, message)).encode(), code)


def _spoilt(reply: Reply, action: str, fault: Fault) -> Reply | None:
    """Return the answer that a fault makes of a reply; None is no answer at all."""
    if fault.kind in ("drop_before", "drop_after"):
        return None
    if fault.kind == "not_json":
        return reply._replace(status=fault.status or 502, body=_PROXY_PAGE, media_type="text/html")
    if fault.kind in ("error", "throttle"):
        throttled = "WriteQuotaExceed" if action == "PutLogs" else "ReadQuotaExceed"
        code = fault.code or (throttled if fault.kind == "throttle" else "InternalServerError")
        return _error(code, fault.message or f"{code}.", fault.status or STATUS.get(code, _UNKNOWN_STATUS))
    if fault.kind == "truncate" and not reply.code:
        return reply._replace(body=reply.body[: len(reply.body) // 2])
    return reply
