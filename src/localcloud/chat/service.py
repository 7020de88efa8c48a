"""The chat services over HTTP: for which robot a POST is, what it is answered, what a declared fault makes of that."""

import asyncio
import time
from importlib import import_module
from typing import Protocol, cast

from starlette.requests import Request
from starlette.responses import Response

from localcloud.account.cloud import Cloud
from localcloud.account.faults import ACTIONS, Fault
from localcloud.chat.robots import Call, Chat, Reply, Robot
from localcloud.pipeline.connection import Dropped

PREFIX = "/_chat"  # as in localcloud.server.application
SERVICES = ACTIONS["chat"]
BODY_LIMIT = 1024 * 1024


class Rules(Protocol):
    """What each service's module offers."""

    def token_of(self, path: str, call: Call, /) -> str:
        """Return the token that names the robot."""

    def unknown(self) -> Reply:
        """Answer a token that belongs to no robot."""

    def too_fast(self) -> Reply:
        """Answer one message too many."""

    def answer(self, robot: Robot, call: Call, /) -> Reply:
        """Judge a message."""


class ChatServices:
    """All chat services of an account, reached by ``handle``; ``chat`` holds robots and messages."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._begin()
        cloud.on_reset(self._begin)

    def _begin(self) -> None:
        self.chat = Chat(SERVICES)

    async def handle(self, request: Request) -> Response:
        """Answer one request; every one is audited, without its token."""
        service, _, path = request.url.path.removeprefix(f"{PREFIX}/").partition("/")
        if service not in SERVICES or request.method != "POST":
            return Response(f"POST to {PREFIX}/SERVICE/..., one of {', '.join(SERVICES)}", 404)
        rules = cast("Rules", import_module(f"localcloud.chat.{service}"))
        body = (await request.body())[:BODY_LIMIT]
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(dict(request.query_params), headers, body, time.time())
        fault = next(iter(self._cloud.faults.take("chat", service)), None)
        if fault and fault.kind == "delay":
            await asyncio.sleep(fault.seconds or 0.0)
        spoilt = _spoilt(fault, rules)
        with self._cloud.lock:
            reply = None
            if fault is None or fault.lets_effect_happen:
                robot = self.chat.robot(service, rules.token_of(path, call))
                reply = rules.answer(robot, call) if robot else rules.unknown()
                self._show(service, reply)
            answer = reply if spoilt is None else spoilt
            self._audit(service, answer, reply, fault)
        if fault and fault.kind in ("drop_before", "drop_after"):
            return Dropped()
        if answer is None:
            raise AssertionError("a fault that holds back the effect spoils the answer")
        text = answer.body[: len(answer.body) // 2] if fault and fault.kind == "truncate" else answer.body
        kind = "application/json" if text.startswith("{") else "text/plain"
        return Response(text, answer.status, dict(answer.headers), kind)

    def _show(self, service: str, reply: Reply) -> None:
        if reply.message:
            now = self._cloud.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            self.chat.messages.append({"service": service, "time": now, **reply.message})

    def _audit(self, service: str, answer: Reply | None, reply: Reply | None, fault: Fault | None) -> None:
        dropped = fault is not None and fault.kind in ("drop_before", "drop_after")
        self._cloud.audit.api(
            service="chat",
            action=service,
            parameters={},
            http_status=None if dropped or answer is None else answer.status,
            code=answer.code if answer else "",
            request_id=self._cloud.request_id(),
            effect=bool(reply and reply.message),
        )


def _spoilt(fault: Fault | None, rules: Rules) -> Reply | None:
    """Return the answer that a fault gives in the place of the service's own, None where that one goes out."""
    if fault is None or fault.kind in ("delay", "drop_before", "drop_after", "truncate"):
        return None
    if fault.kind == "throttle":
        return rules.too_fast()
    if fault.kind == "not_json":
        return Reply(fault.status or 502, "<html>502 Bad Gateway</html>", "502")
    return Reply(fault.status or 500, fault.message or fault.code or "error", fault.code or str(fault.status or 500))
