"""The chat services over HTTP: for which robot a POST is, and what its service says to it."""

import time
from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from localcloud.account.cloud import Cloud
from localcloud.account.faults import ACTIONS, Fault
from localcloud.chat import robots
from localcloud.chat.robots import Chat, Robot, RobotCall
from localcloud.pipeline import body
from localcloud.pipeline.connection import Dropped
from localcloud.pipeline.fault_effects import Met
from localcloud.pipeline.pipeline import Api, Pipeline, WrittenAnswer
from localcloud.pipeline.reply import Reply

PREFIX = "/_chat"  # as in localcloud.server.application
SERVICES = ACTIONS["chat"]
BODY_LIMIT = 1024 * 1024


class Rules(Protocol):
    """What each service's module offers."""

    #: Where it takes messages, and the parameter, of this path or of the query, that names the robot.
    PATH: str
    TOKEN: str

    def unknown(self) -> robots.Reply:
        """Answer a token that belongs to no robot."""

    def too_fast(self) -> robots.Reply:
        """Answer one message too many."""

    def answer(self, robot: Robot, call: RobotCall, /) -> robots.Reply:
        """Judge a message."""


class _Post(NamedTuple):
    """One POST to a chat service. There are no callers here, only robots with tokens."""

    action: str
    path: str
    call: RobotCall
    parameters: Mapping[str, str] = {}
    identity: None = None

    @property
    def rules(self) -> Rules:
        return cast("Rules", import_module(f"localcloud.chat.{self.action}"))


def token_of(rules: Rules, path: str, call: RobotCall) -> str:
    """Return what names the robot; empty where the path is not the service's."""
    found = compile_path(rules.PATH)[0].fullmatch(path)
    return "" if found is None else {**call.query, **found.groupdict()}.get(rules.TOKEN, "")


class TooLong(Exception):
    """A message that no chat service takes."""


class ChatServices(Api[Request, _Post]):
    """All chat services of an account, reached by ``handle``; ``chat`` holds robots and messages."""

    service = "chat"
    refusal = TooLong
    #: A service may repeat what it was sent, and so may a declared message: the token with it.
    unaudited_of_faults = frozenset({"message"})

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._pipeline = cloud, Pipeline(cloud)
        self._begin()
        cloud.on_reset(self._begin)

    def _begin(self) -> None:
        self.chat = Chat(SERVICES)

    async def handle(self, request: Request) -> WrittenAnswer | Response | Dropped:
        """Answer one request; every one is audited, without its token."""
        if request.url.path.split("/")[2] not in SERVICES or request.method != "POST":
            return Response(f"POST to {PREFIX}/SERVICE/..., one of {', '.join(SERVICES)}", 404)
        return await self._pipeline.respond(self, request)

    def request_id(self) -> str:
        """Draw a request ID."""
        return self._cloud.request_id()

    async def receive(self, request: Request) -> _Post:
        """Read a message. Raises TooLong."""
        content = await body.read(request, BODY_LIMIT)
        if isinstance(content, int):
            raise TooLong(f"the message has {content} bytes, more than {BODY_LIMIT}")
        name, slash, path = request.url.path.removeprefix(f"{PREFIX}/").partition("/")
        headers = {header.lower(): value for header, value in request.headers.items()}
        return _Post(name, f"{slash}{path}", RobotCall(dict(request.query_params), headers, content, time.time()))

    def authenticate(self, call: _Post) -> _Post:
        """Return the call: the robot's own rules judge token and signature."""
        return call

    def act(self, call: _Post, _met: Met, _request_id: str) -> Reply:
        """Have the service judge the message, and show it where it is taken."""
        rules = call.rules
        robot = self.chat.robot(call.action, token_of(rules, call.path, call.call))
        said = rules.answer(robot, call.call) if robot else rules.unknown()
        if said.message:
            now = self._cloud.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            self.chat.messages.append({"service": call.action, "time": now, **said.message})
        return _reply(said)

    def refuse(self, error: TooLong, _call: _Post | None, _request_id: str) -> Reply:
        """Refuse what is too long."""
        return Reply(413, str(error).encode(), "413", media_type="text/plain")

    def declared(self, fault: Fault, call: _Post, _request_id: str) -> Reply:
        """Put a declared error into the service's form."""
        if fault.kind == "throttle":
            return _reply(call.rules.too_fast())
        status = fault.status or 500
        text = fault.message or fault.code or "error"
        return Reply(status, text.encode(), fault.code or str(status), media_type="text/plain")

    def headers(self, reply: Reply, _call: _Post | None, _request_id: str) -> Mapping[str, str]:
        """Return the headers of an answer."""
        return reply.headers


def _reply(said: robots.Reply) -> Reply:
    kind = "application/json" if said.body.startswith("{") else "text/plain"
    return Reply(said.status, said.body.encode(), said.code, said.headers, kind, effect=bool(said.message))
