"""The endpoint of ECS, Auto Scaling and CloudMonitor: authenticate, validate, meet faults, carry out, audit, answer."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from localcloud.account import credentials
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import Credential
from localcloud.account.faults import Fault
from localcloud.ecs import render
from localcloud.ecs.actions import ACTIONS, VERSION
from localcloud.ecs.call import Call, Outcome, Product
from localcloud.ecs.parameters import named_instances, read, unknown
from localcloud.openapi import signature
from localcloud.openapi.errors import ApiError, declared_error
from localcloud.openapi.nonces import Nonces
from localcloud.openapi.signature import Request

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
_CREDENTIAL_CODES: dict[type[credentials.CredentialError], str] = {
    credentials.UnknownKey: "InvalidAccessKeyId.NotFound",
    credentials.TokenMissing: "MissingSecurityToken",
    credentials.TokenMalformed: "InvalidSecurityToken.Malformed",
    credentials.TokenMismatch: "InvalidSecurityToken.MismatchWithAccessKey",
    credentials.TokenExpired: "InvalidSecurityToken.Expired",
}
_PROXY_PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
_METHODS = ("GET", "POST")


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class _Received(NamedTuple):
    """A request with what is told of it in the audit and in errors."""

    request: Request
    action: str
    version: str
    form: str
    parameters: Mapping[str, str]
    request_id: str
    product: Product
    versions: tuple[str, ...]


class _Result(NamedTuple):
    """What carrying out a call came to: a body or an error."""

    outcome: Outcome | None = None
    error: ApiError | None = None


class Ecs:
    """The ECS API of a cloud, and the ``others`` behind the same endpoint by version. One event loop at a time."""

    def __init__(self, cloud: Cloud, others: Mapping[str, Product] = {}) -> None:
        self._cloud = cloud
        self._products = {VERSION: Product("ecs", ACTIONS), **others}
        self._nonces = Nonces()

    def has(self, version: str, action: str) -> bool:
        """Tell whether the call is one of ECS or of a product behind the same endpoint; any of ECS' own version is."""
        return version == VERSION or (version in self._products and action in self._products[version].actions)

    async def answer(self, request: Request) -> Answer | None:
        """Answer a request; None means that the connection is to be closed without an answer."""
        received = _receive(request, self._cloud.request_id(), self._products)
        try:
            credential = self._authenticate(received)
        except ApiError as error:
            return self._finish(received, None, (), _Result(error=error))
        faults = self._cloud.faults.take(
            received.product.service, received.action, named_instances(received.parameters)
        )
        spoiling = _spoiling(received, faults)
        wait = spoiling.seconds or 0.0 if spoiling and spoiling.kind == "delay" else 0.0
        if wait and spoiling and spoiling.before:
            await asyncio.sleep(wait)
            wait = 0.0
        with self._cloud.lock:
            self._cloud.advance()
            happens = spoiling is None or spoiling.lets_effect_happen
            result = self._carry_out(received, credential, faults, spoiling) if happens else _Result()
            answer = self._finish(received, credential, faults, result, spoiling)
        if wait:
            await asyncio.sleep(wait)
        return answer

    def _authenticate(self, received: _Received) -> Credential:
        if received.request.method not in _METHODS:
            raise ApiError("UnsupportedHTTPMethod", f"{received.request.method}; {' and '.join(_METHODS)} are known")
        now = datetime.now(timezone.utc)
        signed = signature.read(received.request)
        try:
            credential = self._cloud.credentials.find(signed.access_key_id, signed.security_token, now)
        except credentials.CredentialError as error:
            raise ApiError(_CREDENTIAL_CODES[type(error)], str(error)) from None
        signature.check_time(signed, now)
        signature.check(signed, credential.access_key_secret)
        if self._nonces.used(signed.access_key_id, signed.nonce, now):
            raise ApiError("SignatureNonceUsed", "sign each request with a nonce of its own")
        return credential

    def _carry_out(
        self, received: _Received, credential: Credential, faults: tuple[Fault, ...], spoiling: Fault | None
    ) -> _Result:
        try:
            _check_request(received)
            row = received.product.actions[received.action]
            stale = spoiling if spoiling and spoiling.kind == "stale" else None
            as_of = self._cloud.clock.now() - timedelta(seconds=stale.seconds or 0) if stale else None
            arguments = read(received.parameters, row.parameters)
            call = Call(self._cloud, credential.identity, received.action, arguments, faults, as_of)
            return _Result(outcome=row.carry_out(call))
        except ApiError as error:
            return _Result(error=error)

    def _finish(
        self,
        received: _Received,
        credential: Credential | None,
        faults: tuple[Fault, ...],
        result: _Result,
        spoiling: Fault | None = None,
    ) -> Answer | None:
        """Write the audit and the answer."""
        answer, error = _spoilt(received, result, spoiling) if spoiling else _plain(received, result)
        more: dict[str, object] = {}
        if credential:
            more["identity"] = f"{credential.identity.kind}:{credential.identity.name}"
        if faults:
            more["faults"] = [fault.model_dump(exclude_unset=True) for fault in faults]
        row = received.product.actions.get(received.action)
        if ignored := unknown(received.parameters, row.parameters) if row else ():
            more["ignored_parameters"] = list(ignored)
        self._cloud.audit.api(
            service=received.product.service,
            action=received.action,
            parameters={name: value for name, value in received.parameters.items() if name not in _UNAUDITED},
            http_status=answer.status if answer else None,
            code=error.code if error else "",
            request_id=received.request_id,
            effect=bool(result.outcome and result.outcome.effect),
            **more,
        )
        return answer


def _receive(request: Request, request_id: str, products: Mapping[str, Product]) -> _Received:
    parameters = {**dict(request.query), **dict(request.form)}
    headers = request.headers
    if "authorization" in headers:
        form, action, version = "JSON", headers.get("x-acs-action", ""), headers.get("x-acs-version", "")
    else:
        form = parameters.get("Format", "XML").upper()
        action, version = parameters.get("Action", ""), parameters.get("Version", "")
    product = products.get(version) or next(iter(products.values()))
    return _Received(request, action, version, form, parameters, request_id, product, tuple(products))


def _check_request(received: _Received) -> None:
    if received.form not in render.CONTENT_TYPES:
        raise ApiError("InvalidParameter.Format", f"Format is {received.form[:50]!r}; JSON and XML are known")
    if received.version not in received.versions:
        raise ApiError(
            "InvalidVersion", f"{received.version[:50]!r}; the local cloud has {', '.join(received.versions)}"
        )
    if received.action not in received.product.actions:
        raise ApiError("InvalidAction.NotFound", f"{received.action[:100]!r}")
    names = [name for name, _ in (*received.request.query, *received.request.form)]
    if len(names) > len(received.parameters):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ApiError("InvalidParameter", f"given more than once: {', '.join(twice)[:200]}")


def _spoiling(received: _Received, faults: tuple[Fault, ...]) -> Fault | None:
    """Return the fault that spoils the whole answer, as an error of one instance may."""
    row = received.product.actions.get(received.action)
    answers_each = row is not None and row.answers_each
    return next((fault for fault in faults if not (answers_each and fault.is_of_one_instance)), None)


def _plain(received: _Received, result: _Result) -> tuple[Answer, ApiError | None]:
    form = received.form if received.form in render.CONTENT_TYPES else "JSON"
    if result.error:
        host = received.request.headers.get("host", "")
        body, status = render.failure(result.error, received.request_id, host, form), result.error.status
    else:
        assert result.outcome is not None
        body, status = render.success(received.action, received.request_id, result.outcome.body, form), 200
    return _answer(received, status, render.CONTENT_TYPES[form], body), result.error


def _spoilt(received: _Received, result: _Result, fault: Fault) -> tuple[Answer | None, ApiError | None]:
    """Return the answer that a fault makes of a result, and the error that the caller or else the audit sees."""
    if fault.kind in ("drop_before", "drop_after"):
        return None, result.error
    if fault.kind == "not_json":
        return _answer(received, fault.status or 502, "text/html", _PROXY_PAGE), result.error
    if fault.kind in ("error", "throttle"):
        answer, error = _plain(received, _Result(error=declared_error(fault)))
        if fault.retry_after_ms:
            retry_after = (b"x-acs-retry-after", str(fault.retry_after_ms).encode())
            answer = answer._replace(headers=(*answer.headers, retry_after))
        return answer, error
    answer, error = _plain(received, result)
    if fault.kind == "truncate" and error is None:
        cut = answer.body[: len(answer.body) // 2]
        answer = _answer(received, answer.status, render.CONTENT_TYPES[received.form], cut)
    return answer, error


def _answer(received: _Received, status: int, content_type: str, body: bytes) -> Answer:
    headers = (
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-acs-request-id", received.request_id.encode()),
    )
    return Answer(status, headers, body)
