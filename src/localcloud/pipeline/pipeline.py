"""The one way of a call through a service: receive, authenticate, meet faults or a limit, act, audit, answer.

A service gives the steps that are its own (``Api``). Their order, what a declared fault makes of them, what the audit
holds and how an answer is written are the same for all, so a fault can be declared for every service in one way.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from starlette.types import Receive, Scope, Send

from localcloud.account.cloud import Cloud
from localcloud.account.credentials import Identity
from localcloud.account.faults import Fault
from localcloud.pipeline.connection import Dropped
from localcloud.pipeline.fault_effects import PROXY_PAGE, Met, half, spoilt
from localcloud.pipeline.reply import Reply

UNKNOWN_ACTION = "Unknown"


class WrittenAnswer(NamedTuple):
    """An answer as it goes out; an ASGI application."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        length = (b"content-length", str(len(self.body)).encode())
        await send({"type": "http.response.start", "status": self.status, "headers": (*self.headers, length)})
        await send({"type": "http.response.body", "body": self.body})


class ReceivedCall(Protocol):
    """A request that is read, and known to be a call of this action with these parameters for the audit."""

    @property
    def action(self) -> str:
        """The action's name, as faults, limits and the audit have it."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the audit says of the call."""

    @property
    def identity(self) -> Identity | None:
        """Whose the call is; None until it is authenticated."""


RawT = TypeVar("RawT")
CallT = TypeVar("CallT", bound=ReceivedCall)


class Api(ABC, Generic[RawT, CallT]):
    """The steps of one service, from a raw request on. All but the last five raise ``refusal``."""

    #: The service's name, as faults, limits and the audit have it.
    service: str
    #: The error that refuses a call.
    refusal: type[Exception]
    #: Fields of a fault that stay out of the audit.
    unaudited_of_faults: frozenset[str] = frozenset()

    @abstractmethod
    async def receive(self, request: RawT) -> CallT:
        """Read a request."""

    @abstractmethod
    def authenticate(self, call: CallT) -> CallT:
        """Return the call with its identity."""

    def understand(self, call: CallT) -> CallT:
        """Return the call with what only an authenticated caller's request is read for."""
        return call

    @abstractmethod
    def act(self, call: CallT, met: Met, request_id: str) -> Reply | Awaitable[Reply]:
        """Carry the call out: at once, under the cloud's lock, or as something to be waited for outside it."""

    @abstractmethod
    def request_id(self) -> str:
        """Draw a request ID in the service's form."""

    def names(self, _call: CallT) -> tuple[str, ...]:
        """Return the instances or rows that a call names, for faults that are about one of them."""
        return ()

    def answers_each(self, _call: CallT) -> bool:
        """Return whether each instance or row of a call can fail by itself."""
        return False

    def remarks(self, _call: CallT) -> Mapping[str, object]:
        """Return what the audit says of a call beside its parameters, whatever it was answered."""
        return {}

    @abstractmethod
    def refuse(self, error: Any, call: CallT | None, request_id: str) -> Reply:
        """Put a refusal into the service's form."""

    @abstractmethod
    def declared(self, fault: Fault, call: CallT, request_id: str) -> Reply:
        """Put the error that an ``error`` or ``throttle`` fault declares into the service's form."""

    @abstractmethod
    def headers(self, reply: Reply, call: CallT | None, request_id: str) -> Mapping[str, str]:
        """Return the headers of an answer, its media type and length aside."""


class _Exchange(NamedTuple):
    """A request as far as it came."""

    request_id: str
    call: Any = None
    met: Met = Met()


class Pipeline:
    """The pipeline of one cloud, for any of its services. One event loop at a time."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._late: set[asyncio.Task[None]] = set()

    async def respond(self, api: Api[RawT, CallT], request: RawT) -> WrittenAnswer | Dropped:
        """Answer one request, with a closed connection where it gets no answer."""
        return await self.answer(api, request) or Dropped()

    async def answer(self, api: Api[RawT, CallT], request: RawT) -> WrittenAnswer | None:
        """Return the answer to one request, None where its connection is to be closed without one.

        Every request is audited, whether it is carried out, refused or met by a fault.
        """
        exchange = _Exchange(request_id := api.request_id())
        try:
            exchange = exchange._replace(call=await api.receive(request))
            exchange = exchange._replace(call=api.authenticate(exchange.call))
            exchange = exchange._replace(call=api.understand(exchange.call))
        except api.refusal as error:
            return self._finished(api, exchange, api.refuse(error, exchange.call, request_id))
        exchange = exchange._replace(met=self._met(api, exchange.call))
        return await self._carried_out(api, exchange)

    def _met(self, api: Api[RawT, CallT], call: CallT) -> Met:
        faults = self._cloud.faults.take(api.service, call.action, api.names(call))
        if not faults:
            return Met()
        partial = api.answers_each(call)
        return Met(faults, next((fault for fault in faults if not (partial and fault.is_of_one_instance)), None))

    async def _carried_out(self, api: Api[RawT, CallT], exchange: _Exchange) -> WrittenAnswer | None:
        met = exchange.met
        if met.seconds_before:
            await asyncio.sleep(met.seconds_before)
        if met.seconds_until_late is not None:
            self._act_later(api, exchange, met.seconds_until_late)
        with self._cloud.lock:
            acted = self._acted(api, exchange) if met.lets_effect_happen else Reply(200, b"")
            answer = self._finished(api, exchange, acted) if isinstance(acted, Reply) else None
        if not isinstance(acted, Reply):
            answer = self._finished(api, exchange, await self._awaited(api, exchange, acted))
        if met.seconds_after:
            await asyncio.sleep(met.seconds_after)
        return answer

    def _acted(self, api: Api[RawT, CallT], exchange: _Exchange) -> Reply | Awaitable[Reply]:
        try:
            return api.act(exchange.call, exchange.met, exchange.request_id)
        except api.refusal as error:
            return api.refuse(error, exchange.call, exchange.request_id)

    async def _awaited(self, api: Api[RawT, CallT], exchange: _Exchange, acted: Awaitable[Reply]) -> Reply:
        try:
            return await acted
        except api.refusal as error:
            return api.refuse(error, exchange.call, exchange.request_id)

    def _act_later(self, api: Api[RawT, CallT], exchange: _Exchange, seconds: float) -> None:
        """Carry a call out after its client was left without an answer."""

        async def later() -> None:
            await asyncio.sleep(seconds)
            with self._cloud.lock:
                acted = self._acted(api, exchange)
            reply = acted if isinstance(acted, Reply) else await self._awaited(api, exchange, acted)
            self._cloud.audit.record(
                "late_effect",
                service=api.service,
                action=exchange.call.action,
                parameters={**exchange.call.parameters, **reply.audit},
                code=reply.code,
                effect=reply.effect,
            )

        task = asyncio.get_running_loop().create_task(later())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    def _finished(self, api: Api[Any, Any], exchange: _Exchange, reply: Reply) -> WrittenAnswer | None:
        """Write the audit and the answer."""
        request_id, call, met = exchange
        given = (
            spoilt(met.spoiling, reply, partial(api.declared, met.spoiling, call, request_id))
            if met.spoiling
            else reply
        )
        more: dict[str, object] = {}
        if call is not None and call.identity:
            more["identity"] = f"{call.identity.kind}:{call.identity.name}"
        if met.faults:
            more["faults"] = [
                fault.model_dump(exclude_unset=True, exclude=set(api.unaudited_of_faults)) for fault in met.faults
            ]
        self._cloud.audit.api(
            service=api.service,
            action=call.action if call is not None else UNKNOWN_ACTION,
            parameters={**call.parameters, **reply.audit} if call is not None else {},
            http_status=given.status if given else None,
            code=(given or reply).code,
            request_id=reply.request_id or request_id,
            effect=reply.effect,
            **more,
            **(api.remarks(call) if call is not None else {}),
            **reply.remarks,
        )
        return None if given is None else _written(api, exchange, given)


def _written(api: Api[Any, Any], exchange: _Exchange, reply: Reply) -> WrittenAnswer:
    request_id, call, met = exchange
    kind = met.spoiling.kind if met.spoiling else ""
    if kind == "not_json":
        return WrittenAnswer(reply.status, ((b"content-type", b"text/html; charset=utf-8"),), PROXY_PAGE)
    headers = dict(api.headers(reply, call, request_id))
    if reply.body and reply.media_type and "content-type" not in headers:
        headers["content-type"] = reply.media_type
    body = half(reply.body) if kind == "truncate" and not reply.code else reply.body
    return WrittenAnswer(
        reply.status, tuple((n.encode("latin-1"), v.encode("latin-1")) for n, v in headers.items()), body
    )
