"""Tablestore over HTTP: the steps of a call that are its own."""

import re
from collections import defaultdict
from collections.abc import Awaitable, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from starlette.requests import Request

from localcloud.account import history
from localcloud.account.authorization import Resource
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import CredentialError, Identity, UnknownKey
from localcloud.account.faults import Fault
from localcloud.account.history import Attempt
from localcloud.account.table_rules import Network
from localcloud.pipeline import body
from localcloud.pipeline.connection import Dropped
from localcloud.pipeline.fault_effects import Met
from localcloud.pipeline.pipeline import Api, Pipeline, WrittenAnswer
from localcloud.pipeline.reply import Reply
from localcloud.tablestore import protobuf, signature
from localcloud.tablestore.errors import STATUS, UNKNOWN_STATUS, OtsError, invalid
from localcloud.tablestore.messages import ERROR, MESSAGES
from localcloud.tablestore.operations import OPERATIONS, TableCall, rows_named, tables_named
from localcloud.tablestore.plain_buffer import Infinite, RowData
from localcloud.tablestore.tables import Instances, Table, TablestoreInstance

BODY_LIMIT = 16 * 2**20  # above the 4 MB of a write, so that the operation itself can refuse
_DOMAINS: Mapping[str, Network] = {
    "ots.aliyuncs.com": "INTERNET",
    "vpc.tablestore.aliyuncs.com": "VPC",
    "ots-internal.aliyuncs.com": "CLASSIC",
}
_HOST = re.compile(r"(?P<instance>[^.]+)\.(?P<region>[a-z0-9-]+)\.(?P<domain>" + "|".join(_DOMAINS) + r")(:\d+)?")


class Caller(NamedTuple):
    """Whose a request is, for which instance, and the key that signs the answer."""

    identity: Identity
    access_key_id: str
    key: bytes
    instance: TablestoreInstance


class TableRequest(NamedTuple):
    """A request as far as it is understood; ``body`` is its length where it is too long."""

    method: str
    path: str
    request_headers: Mapping[str, str]
    body: bytes | int
    caller: Caller | None = None
    message: protobuf.Message | None = None

    @property
    def action(self) -> str:
        """The operation that the path names: the whole path, so there is nothing for Starlette's routes to match."""
        return self.path.removeprefix("/")

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the audit says of the call: instance, tables and the keys of its rows, and no column."""
        if self.caller is None or self.message is None:
            return {}
        keys = [
            {cell.name: cell.value.name if isinstance(cell.value, Infinite) else _shown(cell.value) for cell in row.key}
            for row in rows_named(self.message)
        ]
        tables = ",".join(tables_named(self.message))
        return {"instance": self.caller.instance.name, "table": tables, **({"keys": keys} if keys else {})}

    @property
    def identity(self) -> Identity | None:
        """Whose the call is; None until it is authenticated."""
        return self.caller.identity if self.caller else None


class Ots(Api[Request, TableRequest]):
    """The service of one account: its instances, reached by ``handle``."""

    service = "ots"
    refusal = OtsError

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._pipeline = cloud, Pipeline(cloud)
        self._begin()
        cloud.on_reset(self._begin)

    def _begin(self) -> None:
        self.instances = Instances(self._cloud.clock)
        for spec in self._cloud.declared.tablestore:
            instance = self.instances.declare(spec.instance_name, spec.region_id, spec.networks, spec.tables)
            for name, key in spec.tables.items():
                if key == history.KEY:
                    self._remember(instance.table(name))

    def _remember(self, table: Table) -> None:
        """Write the attempts that the fleet declares into a ledger's table."""
        now, regions = self._cloud.clock.now(), defaultdict[str, list[tuple[str, tuple[Attempt, ...]]]](list)
        for spec in self._cloud.declared.instances:
            if spec.attempts:
                name, columns = history.row(spec.instance_id, spec.attempts, now)
                table.put((spec.region_id, name), columns)
                regions[spec.region_id].append((spec.instance_id, spec.attempts))
        for region_id, declared in regions.items():
            for stack in history.STACKS:
                table.put((region_id, f"w#{stack}"), history.window(declared, now))

    async def handle(self, request: Request) -> WrittenAnswer | Dropped:
        """Answer one request."""
        return await self._pipeline.respond(self, request)

    def request_id(self) -> str:
        """Draw a request ID, in lower case."""
        return self._cloud.request_id().lower()

    async def receive(self, request: Request) -> TableRequest:
        """Read a request."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        return TableRequest(request.method, request.url.path, headers, await body.read(request, BODY_LIMIT))

    def authenticate(self, call: TableRequest) -> TableRequest:
        """Return the call with its caller. Raises OtsError."""
        headers, content = call.request_headers, call.body
        if isinstance(content, int):
            raise OtsError("OTSRequestBodyTooLarge", "The size of POST data is too large.")
        if call.method != "POST":
            raise OtsError("OTSMethodNotAllowed", "Only POST method for requests is supported.")
        if call.action not in OPERATIONS:
            raise invalid(f"Unsupported operation: '{call.action}'.")
        claim = signature.claim_of(headers)
        now = datetime.now(timezone.utc)
        try:
            credential = self._cloud.credentials.find(claim.access_key_id, claim.security_token, now)
        except UnknownKey as error:
            raise OtsError("OTSAuthFailed", "The AccessKeyID does not exist.") from error
        except CredentialError as error:
            raise OtsError("OTSAuthFailed", f"The security token is invalid: {error}.") from error
        secret = credential.access_key_secret
        key = signature.verify(call.path, headers, content, claim, secret=secret, now=now)
        instance = self.instances.get(claim.instance)
        host = _HOST.fullmatch(headers.get("host", ""))
        named = (host["instance"].lower(), host["region"]) if host else (claim.instance.lower(), claim.region_id)
        if instance is None or named[0] != instance.name.lower() or named[1] not in ("", instance.region_id):
            raise OtsError("OTSAuthFailed", "The instance is not found.")
        if claim.region_id not in ("", instance.region_id):
            raise OtsError("OTSAuthFailed", "Signature mismatch.")
        # A client that takes a bare address can't say where it is: it counts as one inside the VPC.
        if (_DOMAINS[host["domain"]] if host else "VPC") not in instance.networks:
            raise OtsError("OTSAuthFailed", "Request denied by instance ACL policies.")
        return call._replace(caller=Caller(credential.identity, credential.access_key_id, key, instance))

    def understand(self, call: TableRequest) -> TableRequest:
        """Return the call with its message. Raises OtsError."""
        assert isinstance(call.body, bytes)
        return call._replace(message=protobuf.read(MESSAGES[call.action].request, call.body))

    def names(self, call: TableRequest) -> tuple[str, ...]:
        """Return what stands in the keys of the rows that a call names."""
        assert call.message is not None
        return tuple(text for row in rows_named(call.message) for text in _texts(row))

    def answers_each(self, call: TableRequest) -> bool:
        """Return whether each row can fail by itself: those of a batch."""
        return call.action.startswith("Batch")

    def act(self, call: TableRequest, met: Met, _request_id: str) -> Awaitable[Reply]:
        """Carry the call out; between the rows of a batch other calls get their turn."""
        return self._acted(call, tuple(fault for fault in met.faults if fault is not met.spoiling))

    async def _acted(self, call: TableRequest, row_faults: tuple[Fault, ...]) -> Reply:
        assert call.caller
        assert call.message is not None
        assert isinstance(call.body, bytes)
        self._authorize(call.caller, call.action, call.message)
        asked = TableCall(
            call.caller.instance,
            _unconditional(call.message) if self._cloud.deviates("conditions_ignored") else call.message,
            len(call.body),
            lambda: self._cloud.lock,
            lambda row: next((_declared(fault) for fault in row_faults if fault.row in _texts(row)), None),
        )
        done = await OPERATIONS[call.action](asked)
        remarks = {"row_codes": list(done.row_codes)} if done.row_codes else {}
        written = protobuf.write(MESSAGES[call.action].answer, done.answer)
        return Reply(200, written, media_type="", remarks=remarks, effect=done.effect)

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

    def refuse(self, error: OtsError, _call: TableRequest | None, _request_id: str) -> Reply:
        """Put a refusal into the service's form."""
        return self._error(error.code, str(error), error.status)

    def declared(self, fault: Fault, _call: TableRequest, _request_id: str) -> Reply:
        """Put a declared error into the service's form."""
        code = fault.code or ("OTSServerBusy" if fault.kind == "throttle" else "OTSInternalServerError")
        return self._error(code, fault.message or f"{code}.", fault.status or STATUS.get(code, UNKNOWN_STATUS))

    def _error(self, code: str, message: str, status: int) -> Reply:
        in_text = self._cloud.deviates("ots_refusals_in_text")
        body = code.encode() if in_text else protobuf.write(ERROR, {"code": code, "message": message})
        return Reply(status, body, code, media_type="")

    def headers(self, reply: Reply, call: TableRequest | None, request_id: str) -> Mapping[str, str]:
        """Return the headers of an answer, signed with the caller's key."""
        assert call
        signed = signature.answer_headers(
            call.path,
            reply.body,
            request_id=request_id,
            now=self._cloud.clock.now(),
            access_key_id=call.caller.access_key_id if call.caller else "",
            key=call.caller.key if call.caller else None,
        )
        if self._cloud.deviates("ots_md5_missing"):
            del signed["x-ots-contentmd5"]
        return {**signed, **reply.headers}


def _texts(row: RowData) -> tuple[str, ...]:
    return tuple(str(cell.value) for cell in row.key)


def _unconditional(value: Any) -> Any:
    """Return a message without the conditions on columns that it carries."""
    if isinstance(value, dict):
        return {name: _unconditional(inner) for name, inner in value.items() if name != "column_condition"}
    return [_unconditional(inner) for inner in value] if isinstance(value, list) else value


def _shown(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _declared(fault: Fault) -> OtsError:
    error = OtsError(fault.code if fault.code in STATUS else "OTSInternalServerError", fault.message or "Declared.")
    error.code = fault.code or error.code
    return error
