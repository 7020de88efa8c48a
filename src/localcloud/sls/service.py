"""Simple Log Service over HTTP: the steps of a call that are its own."""

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import NamedTuple

from starlette.requests import Request

from localcloud.account.authorization import Resource
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import CredentialError, Identity, TokenExpired
from localcloud.account.faults import Fault
from localcloud.pipeline import body
from localcloud.pipeline.connection import Dropped
from localcloud.pipeline.fault_effects import Met
from localcloud.pipeline.pipeline import Api, Pipeline, WrittenAnswer
from localcloud.pipeline.reply import Reply
from localcloud.sls.errors import STATUS, SlsError, body_of
from localcloud.sls.operations import SlsCall
from localcloud.sls.routing import Route, parameters_of, project_of, route_of
from localcloud.sls.signature import SignedRequest, claim_of, verify
from localcloud.sls.store import LogStores

API_VERSION = "0.6.0"
# Of any request as sent: above the 10 MB of a PutLogs, whose own limit is on the size before compression.
BODY_LIMIT = 16 * 1024 * 1024
DEFAULT_REGION = "cn-hangzhou"
_UNKNOWN_STATUS = 500


class Target(NamedTuple):
    """A request, what it is for, whose it is, and the region that its signature names."""

    request: SignedRequest
    route: Route
    project: str
    logstore: str
    region: str = DEFAULT_REGION
    identity: Identity | None = None

    @property
    def action(self) -> str:
        """The operation's name."""
        return self.route.action

    @property
    def parameters(self) -> Mapping[str, str]:
        """What the audit says of the call."""
        return {"project": self.project, "logstore": self.logstore}


class Sls(Api[Request, Target]):
    """The service of one account: its log stores, reached by ``handle``."""

    service = "sls"
    refusal = SlsError

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._pipeline = cloud, Pipeline(cloud)
        self._begin()
        cloud.on_reset(self._begin)

    def _begin(self) -> None:
        self.stores = LogStores(self._cloud.declared.log_projects)

    async def handle(self, request: Request) -> WrittenAnswer | Dropped:
        """Answer one request."""
        return await self._pipeline.respond(self, request)

    def request_id(self) -> str:
        """Draw a request ID: 24 hexadecimal digits."""
        return self._cloud.request_id().replace("-", "")[:24]

    async def receive(self, request: Request) -> Target:
        """Read a request and find its operation. Raises SlsError."""
        content = await body.read(request, BODY_LIMIT)
        if isinstance(content, int):
            raise SlsError("PostBodyTooLarge", f"Body size {content} must be at most {BODY_LIMIT}.")
        signed = SignedRequest(
            request.method,
            request.url.path,
            tuple(request.query_params.multi_items()),
            {name.lower(): value for name, value in request.headers.items()},
            content,
        )
        route, logstore = route_of(signed)
        return Target(signed, route, project_of(signed.headers, self.stores.projects()), logstore)

    def authenticate(self, call: Target) -> Target:
        """Return the call with its caller. Raises SlsError."""
        headers = call.request.headers
        version = headers.get("x-log-apiversion", "")
        if not version:
            raise SlsError("MissingAPIVersion", "x-log-apiversion does not exist in http header.")
        if version != API_VERSION:
            raise SlsError("InvalidAPIVersion", f"x-log-apiversion {version} is unsupported.")
        claim = claim_of(call.request)
        token = headers.get("x-acs-security-token", "")
        now = datetime.now(timezone.utc)
        try:
            credential = self._cloud.credentials.find(claim.access_key_id, token, now)
        except TokenExpired as error:
            raise SlsError("SecurityTokenExpired", f"{error}.") from error
        except CredentialError as error:
            raise SlsError("Unauthorized", f"The AccessKeyId is unauthorized: {error}.") from error
        verify(call.request, claim, credential.access_key_secret, now)
        return call._replace(identity=credential.identity, region=claim.region or DEFAULT_REGION)

    def act(self, call: Target, met: Met, _request_id: str) -> Reply:
        """Carry the call out. Raises SlsError."""
        assert call.identity
        resource = f"acs:log:{call.region}:{self._cloud.account}:project/{call.project}"
        if call.logstore:
            resource += f"/logstore/{call.logstore}"
        ram_action = call.route.ram_action
        if not self._cloud.authorize(call.identity, ram_action, Resource(resource)):
            raise SlsError("Unauthorized", f"denied by sts or ram, action: {ram_action}, resource: {resource}")
        now = self._cloud.clock.now()
        asked = SlsCall(
            call.project,
            call.logstore,
            call.request.headers,
            call.request.body,
            datetime.now(timezone.utc),
            written_at=now,
            seen_until=now - met.staleness,
            region=call.region,
            parameters=parameters_of(call.request),
        )
        answer = call.route.operation(self.stores, asked)
        content = b"" if answer.content is None else json.dumps(answer.content, ensure_ascii=False).encode()
        return Reply(200, content, headers=answer.headers, audit=answer.audit, effect=answer.effect)

    def refuse(self, error: SlsError, _call: Target | None, _request_id: str) -> Reply:
        """Put a refusal into the service's form."""
        return _error(error.code, str(error), error.status)

    def declared(self, fault: Fault, call: Target, _request_id: str) -> Reply:
        """Put a declared error into the service's form."""
        throttled = "WriteQuotaExceed" if call.action == "PutLogs" else "ReadQuotaExceed"
        code = fault.code or (throttled if fault.kind == "throttle" else "InternalServerError")
        return _error(code, fault.message or f"{code}.", fault.status or STATUS.get(code, _UNKNOWN_STATUS))

    def headers(self, reply: Reply, _call: Target | None, request_id: str) -> Mapping[str, str]:
        """Return the headers of an answer."""
        return {"x-log-requestid": request_id, **reply.headers}


def _error(code: str, message: str, status: int) -> Reply:
    return Reply(status, json.dumps(body_of(code, message)).encode(), code)
