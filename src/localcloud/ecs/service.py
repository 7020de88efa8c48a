"""The endpoint of ECS and of the products behind it: the steps of a call that are their own."""

from collections.abc import Mapping
from typing import NamedTuple

from localcloud.account.cloud import Cloud
from localcloud.account.credentials import Identity
from localcloud.account.faults import Fault
from localcloud.ecs import render
from localcloud.ecs.actions import ACTIONS, VERSION
from localcloud.ecs.call import EcsCall, Product
from localcloud.ecs.parameters import named_instances, read, unknown
from localcloud.openapi.authentication import Authentication
from localcloud.openapi.errors import ApiError, declared_error
from localcloud.openapi.signature import OpenApiRequest
from localcloud.pipeline.fault_effects import Met
from localcloud.pipeline.pipeline import Api, Pipeline, WrittenAnswer
from localcloud.pipeline.reply import Reply

# What stays out of the audit: secrets and what differs from call to call without meaning.
_UNAUDITED = frozenset(
    [
        "AccessKeyId",
        "Action",
        "Format",
        "SecurityToken",
        "Signature",
        "SignatureMethod",
        "SignatureNonce",
        "SignatureType",
        "SignatureVersion",
        "Timestamp",
        "Version",
    ]
)
_METHODS = ("GET", "POST")


class _Received(NamedTuple):
    """A request with what the audit and errors say of it."""

    request: OpenApiRequest
    action: str
    version: str
    form: str
    given: Mapping[str, str]
    identity: Identity | None = None

    @property
    def parameters(self) -> Mapping[str, str]:
        """What the audit says of the call."""
        return {name: value for name, value in self.given.items() if name not in _UNAUDITED}

    @property
    def answer_form(self) -> str:
        """The form of the answer: JSON where the one asked for is unknown."""
        return self.form if self.form in render.CONTENT_TYPES else "JSON"


class Ecs:
    """The ECS API of a cloud, and the ``others`` behind the same endpoint by version. One event loop at a time."""

    def __init__(self, cloud: Cloud, others: Mapping[str, Product] = {}) -> None:
        self._pipeline = Pipeline(cloud)
        self._products = {VERSION: Product("ecs", ACTIONS), **others}
        authentication = Authentication(cloud.credentials)
        self._apis = {
            version: _ProductApi(cloud, product, authentication, tuple(self._products))
            for version, product in self._products.items()
        }

    def has(self, version: str, action: str) -> bool:
        """Return whether the call is one of ECS or of a product behind the same endpoint; any of ECS's version is."""
        return version == VERSION or (version in self._products and action in self._products[version].actions)

    async def answer(self, request: OpenApiRequest) -> WrittenAnswer | None:
        """Answer a request; None means that the connection is to be closed without an answer."""
        return await self._pipeline.answer(self._apis.get(_version(request), self._apis[VERSION]), request)


class _ProductApi(Api[OpenApiRequest, _Received]):
    """The steps of a call of one product; ``versions`` are all that are known at its endpoint."""

    refusal = ApiError

    def __init__(
        self, cloud: Cloud, product: Product, authentication: Authentication, versions: tuple[str, ...]
    ) -> None:
        self.service = product.service
        self._cloud, self._actions = cloud, product.actions
        self._authentication, self._versions = authentication, versions

    def request_id(self) -> str:
        return self._cloud.request_id()

    async def receive(self, request: OpenApiRequest) -> _Received:
        given = {**dict(request.query), **dict(request.form)}
        headers = request.headers
        if "authorization" in headers:
            return _Received(request, headers.get("x-acs-action", ""), _version(request), "JSON", given)
        form = given.get("Format", "XML").upper()
        return _Received(request, given.get("Action", ""), _version(request), form, given)

    def authenticate(self, call: _Received) -> _Received:
        if call.request.method not in _METHODS:
            raise ApiError("UnsupportedHTTPMethod", f"{call.request.method}; {' and '.join(_METHODS)} are known")
        return call._replace(identity=self._authentication.identity_of(call.request))

    def names(self, call: _Received) -> tuple[str, ...]:
        return named_instances(call.given)

    def answers_each(self, call: _Received) -> bool:
        row = self._actions.get(call.action)
        return row is not None and row.answers_each

    def remarks(self, call: _Received) -> Mapping[str, object]:
        row = self._actions.get(call.action)
        ignored = unknown(call.given, row.parameters) if row else ()
        return {"ignored_parameters": list(ignored)} if ignored else {}

    def act(self, call: _Received, met: Met, request_id: str) -> Reply:
        assert call.identity
        self._cloud.advance()
        self._check_request(call)
        row = self._actions[call.action]
        as_of = self._cloud.clock.now() - met.staleness if met.staleness else None
        arguments = read(call.given, row.parameters)
        outcome = row.carry_out(EcsCall(self._cloud, call.identity, call.action, arguments, met.faults, as_of))
        body = render.success(call.action, request_id, outcome.body, call.form)
        return Reply(200, body, media_type=render.CONTENT_TYPES[call.form], effect=outcome.effect)

    def refuse(self, error: ApiError, call: _Received | None, request_id: str) -> Reply:
        form, host = ("JSON", "") if call is None else (call.answer_form, call.request.headers.get("host", ""))
        body = render.failure(error, request_id, host, form)
        return Reply(error.status, body, error.code, media_type=render.CONTENT_TYPES[form])

    def declared(self, fault: Fault, call: _Received, request_id: str) -> Reply:
        return self.refuse(declared_error(fault), call, request_id)

    def headers(self, reply: Reply, _call: _Received | None, request_id: str) -> Mapping[str, str]:
        return {"x-acs-request-id": request_id, **reply.headers}

    def _check_request(self, call: _Received) -> None:
        if call.form not in render.CONTENT_TYPES:
            raise ApiError("InvalidParameter.Format", f"Format is {call.form[:50]!r}; JSON and XML are known")
        if call.version not in self._versions:
            raise ApiError("InvalidVersion", f"{call.version[:50]!r}; the local cloud has {', '.join(self._versions)}")
        if call.action not in self._actions:
            raise ApiError("InvalidAction.NotFound", f"{call.action[:100]!r}")
        names = [name for name, _ in (*call.request.query, *call.request.form)]
        if len(names) > len(call.given):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise ApiError("InvalidParameter", f"given more than once: {', '.join(twice)[:200]}")


def _version(request: OpenApiRequest) -> str:
    """Return the API version that a request states: in its headers under ACS3, else in its parameters."""
    if "authorization" in request.headers:
        return request.headers.get("x-acs-version", "")
    return next((value for name, value in (*request.form, *request.query) if name == "Version"), "")
