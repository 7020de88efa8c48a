"""The way of a call through a service: receive, authenticate, meet a fault or limit, act, audit, answer.

A service gives the steps that are its own (``Api``); their order, what a declared fault makes of them, and what the
audit holds are the same for all. ECS and Tablestore, where one instance or row of a call can fail by itself, have the
same way with that in it.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

from starlette.responses import Response

from localcloud.account.cloud import Cloud
from localcloud.account.credentials import Identity
from localcloud.account.faults import Fault
from localcloud.pipeline.connection import Dropped

UNKNOWN_ACTION = "Unknown"
_PROXY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Reply(NamedTuple):
    """One answer; ``code`` is empty for a success, ``told`` is for the audit, ``effect``: something changed."""

    status: int
    body: bytes
    code: str = ""
    headers: Mapping[str, str] = {}
    media_type: str = "application/json"
    told: Mapping[str, Any] = {}
    effect: bool = False


class Received(Protocol):
    """A request that is read, and known to be a call of this action with these parameters for the audit."""

    @property
    def action(self) -> str:
        """The action's name, as faults, limits and the audit have it."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the audit says of the call."""


RawT = TypeVar("RawT", contravariant=True)  # noqa: PLC0105 - what comes in
Call = TypeVar("Call", bound=Received)


class Api(Protocol[RawT, Call]):
    """The steps of one service, from a raw request on. ``receive``, ``authenticate`` and ``act`` raise ``refusal``."""

    @property
    def service(self) -> str:
        """The service's name, as faults, limits and the audit have it."""

    @property
    def refusal(self) -> type[Exception]:
        """The error that refuses a call."""

    def request_id(self) -> str:
        """Draw a request ID in the service's form."""

    async def receive(self, request: RawT) -> Call:
        """Read a request."""

    def authenticate(self, call: Call) -> Identity:
        """Return whose the call is."""

    async def act(self, call: Call, identity: Identity, fault: Fault | None, request_id: str) -> Reply:
        """Carry the call out."""

    def refuse(self, error: Any, request_id: str) -> Reply:
        """Put a refusal into the service's form."""

    def declared(self, fault: Fault, action: str, request_id: str) -> Reply:
        """Put the error that an ``error`` or ``throttle`` fault declares into the service's form."""

    def respond(self, reply: Reply, request_id: str) -> Response:
        """Write the answer."""


class _Exchange(NamedTuple):
    """A request as far as it came."""

    request_id: str
    call: Received | None = None
    identity: Identity | None = None
    fault: Fault | None = None


async def answer(cloud: Cloud, api: Api[RawT, Call], request: RawT) -> Response:
    """Answer one request; every one is audited, whether it is carried out, refused or met by a fault."""
    exchange = _Exchange(request_id := api.request_id())
    try:
        call = await api.receive(request)
        exchange = exchange._replace(call=call)
        identity = api.authenticate(call)
    except api.refusal as error:
        return _finished(cloud, api, exchange, api.refuse(error, request_id))
    fault = next(iter(cloud.faults.take(api.service, call.action)), None)
    wait = fault.seconds or 0.0 if fault and fault.kind == "delay" else 0.0
    if wait and fault and fault.before:
        await asyncio.sleep(wait)
        wait = 0.0
    reply = Reply(200, b"")
    if fault is None or fault.lets_effect_happen:
        try:
            reply = await api.act(call, identity, fault, request_id)
        except api.refusal as error:
            reply = api.refuse(error, request_id)
    response = _finished(cloud, api, exchange._replace(identity=identity, fault=fault), reply)
    await asyncio.sleep(wait)
    return response


def _finished(cloud: Cloud, api: Api[Any, Any], exchange: _Exchange, reply: Reply) -> Response:
    """Write the audit and the answer."""
    request_id, call, identity, fault = exchange
    given = _spoilt(api, call.action, fault, reply, request_id) if call and fault else reply
    more: dict[str, object] = {}
    if identity:
        more["identity"] = f"{identity.kind}:{identity.name}"
    if fault:
        more["faults"] = [fault.model_dump(exclude_unset=True)]
    cloud.audit.api(
        service=api.service,
        action=call.action if call else UNKNOWN_ACTION,
        parameters={**call.parameters, **reply.told} if call else {},
        http_status=given.status if given else None,
        code=(given or reply).code,
        request_id=reply.headers.get("x-fc-request-id", request_id),
        effect=reply.effect,
        **more,
    )
    return Dropped() if given is None else api.respond(given, request_id)


def _spoilt(api: Api[Any, Any], action: str, fault: Fault, reply: Reply, request_id: str) -> Reply | None:
    """Return the answer that a fault makes of a reply; None is no answer at all."""
    if fault.kind in ("drop_before", "drop_after"):
        return None
    if fault.kind == "not_json":
        return reply._replace(status=fault.status or 502, body=_PROXY_PAGE, media_type="text/html", headers={})
    if fault.kind in ("error", "throttle"):
        return api.declared(fault, action, request_id)
    if fault.kind == "truncate" and not reply.code:
        return reply._replace(body=reply.body[: len(reply.body) // 2])
    return reply
