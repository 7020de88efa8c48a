"""The admin pages under ``/_local``, for this machine only: look at the cloud, break it, set it back."""

import json
import sys
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from localcloud.account import faults
from localcloud.account.audit import json_lines, utc_text
from localcloud.account.cloud import Cloud
from localcloud.account.declaration_errors import DeclarationError
from localcloud.account.instances import EcsInstance
from localcloud.functioncompute.api.errors import FcError
from localcloud.functioncompute.api.functions import Functions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from localcloud.chat.robots import Chat

PREFIX = "/_local"


class Admin:
    """The admin pages of a cloud."""

    def __init__(self, cloud: Cloud, functions: Functions, chat: "Callable[[], Chat]") -> None:
        self._cloud, self._chat = cloud, chat
        self._functions = functions
        # Not Starlette's routes: those answer a wrong method in plain text, and allow only what their own row takes.
        self._pages: dict[str, dict[str, Callable[[Request], Awaitable[Response]]]] = {
            "/health": {"GET": self._health},
            "/audit": {"GET": self._audit},
            "/instances": {"GET": self._instances},
            "/faults": {"GET": self._list_faults, "POST": self._add_faults, "DELETE": self._remove_faults},
            "/deliveries": {"POST": self._deliver},
            "/chat": {"GET": self._messages, "POST": self._add_robot},
            "/reset": {"POST": self._reset},
        }

    async def handle(self, request: Request) -> Response:
        """Answer a request to an admin page; errors are JSON with ``error``, or ``mistakes`` in what was declared."""
        page = self._pages.get(request.url.path.removeprefix(PREFIX))
        if page is None:
            return JSONResponse({"error": f"no such page; there are {', '.join(self._pages)}"}, 404)
        method = page.get(request.method)
        if method is None:
            return JSONResponse({"error": f"use {' or '.join(page)}"}, 405, {"allow": ", ".join(page)})
        self._cloud.advance()
        return await method(request)

    async def _health(self, _request: Request) -> Response:
        python = ".".join(map(str, sys.version_info[:2]))  # which also runs the functions
        return JSONResponse({"status": "ok", "now": utc_text(self._cloud.clock.now()), "python": python})

    async def _audit(self, request: Request) -> Response:
        since = request.query_params.get("since", "0")
        if not (since.isascii() and since.isdigit()):
            return JSONResponse({"error": f"since is {since!r}: the number of an entry, from 0"}, 400)
        return Response(json_lines(self._cloud.audit.entries(int(since))), media_type="application/x-ndjson")

    async def _instances(self, _request: Request) -> Response:
        with self._cloud.lock:
            return JSONResponse([_instance(instance) for instance in self._cloud.fleet])

    async def _list_faults(self, _request: Request) -> Response:
        return JSONResponse(self._cloud.faults.describe())

    async def _add_faults(self, request: Request) -> Response:
        try:
            declared = faults.parse(json.loads(await request.body()))
        except DeclarationError as error:
            return JSONResponse({"mistakes": list(error.mistakes)}, 400)
        except (ValueError, RecursionError) as error:
            return JSONResponse({"mistakes": [f"the body is not JSON: {error}"]}, 400)
        if mistakes := self._unknown_instances(declared):
            return JSONResponse({"mistakes": mistakes}, 400)
        return JSONResponse({"numbers": self._cloud.faults.add(declared)}, 201)

    async def _remove_faults(self, request: Request) -> Response:
        number = request.query_params.get("number")
        if number is not None and not (number.isascii() and number.isdigit()):
            return JSONResponse({"error": f"number is {number!r}: GET faults lists them"}, 400)
        return JSONResponse({"removed": self._cloud.faults.remove(None if number is None else int(number))})

    async def _deliver(self, request: Request) -> Response:
        query = request.query_params
        try:
            self._functions.delivery(query.get("function", ""), source=query.get("source", ""))(await request.body())
        except FcError as error:
            return JSONResponse({"error": str(error)}, error.status)
        return JSONResponse({"status": "delivered"}, 202)

    async def _messages(self, _request: Request) -> Response:
        return JSONResponse({"messages": list(self._chat().messages)})

    async def _add_robot(self, request: Request) -> Response:
        """Declare a robot: service and token, and where it has them a secret and a keyword."""
        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            told = 'the body is no JSON object: send {"service": "feishu", "token": "T"}'
            return JSONResponse({"error": told}, 400)
        fields = {name: str(body.get(name, "")) for name in ("service", "token", "secret", "keyword")}
        if fields["service"] not in faults.ACTIONS["chat"] or not fields["token"]:
            return JSONResponse({"error": f"name a token and a service of {', '.join(faults.ACTIONS['chat'])}"}, 400)
        from localcloud.chat.robots import Robot  # noqa: PLC0415 - loaded with the chat

        self._chat().declare(Robot(**fields))
        return JSONResponse({"status": "declared"}, 201)

    async def _reset(self, _request: Request) -> Response:
        self._cloud.reset()
        return JSONResponse({"status": "reset"})

    def _unknown_instances(self, declared: tuple[faults.Fault, ...]) -> list[str]:
        return [
            f"faults[{number}]: instance_id: the fleet has no {fault.instance_id!r}"
            for number, fault in enumerate(declared)
            if fault.instance_id and self._cloud.fleet.get(fault.instance_id) is None
        ]


def _instance(instance: EcsInstance) -> dict[str, Any]:
    state = instance.state
    return {
        **instance.spec.model_dump(mode="json"),
        "status": state.status,
        "tags": dict(state.tags),
        "start_time": state.start_time and utc_text(state.start_time),
    }
