"""InvokeFunction: its headers, and its answer to a synchronous and an asynchronous request."""

import base64
from collections.abc import Mapping
from typing import NamedTuple

from localcloud.functioncompute.api.errors import FcError
from localcloud.functioncompute.api.functions import Functions, new_request_id

#: Of the function's log, with ``x-fc-log-type: Tail``.
LOG_TAIL_BYTES = 4 * 1024


class Wanted(NamedTuple):
    """What the headers ask for."""

    asynchronous: bool
    log_tail: bool


class InvocationAnswer(NamedTuple):
    """The answer of InvokeFunction; 200 where the function failed, too."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def wanted(headers: Mapping[str, str]) -> Wanted:
    """Read the headers; raises FcError (InvalidArgument)."""
    if "x-fc-async-task-id" in headers:
        raise FcError("InvalidArgument", "x-fc-async-task-id: the local cloud does not model asynchronous tasks")
    return Wanted(
        _one_of(headers, "x-fc-invocation-type", ("Sync", "Async")) == "Async",
        _one_of(headers, "x-fc-log-type", ("None", "Tail")) == "Tail",
    )


def invoke(functions: Functions, name: str, qualifier: str, asks: Wanted, payload: bytes) -> InvocationAnswer:
    """Carry out InvokeFunction; blocks for as long as a synchronous function runs. Raises FcError."""
    request_id = new_request_id()
    if asks.asynchronous:
        functions.enqueue(name, payload, qualifier=qualifier, request_id=request_id)
        return InvocationAnswer(202, {"x-fc-request-id": request_id}, b"")
    invocation, instance_id = functions.invoke(name, payload, qualifier=qualifier, request_id=request_id)
    headers = {
        "content-type": "application/octet-stream",
        "x-fc-request-id": request_id,
        "x-fc-instance-id": instance_id,
        "x-fc-invocation-duration": str(round(invocation.duration * 1000)),
        "x-fc-max-memory-usage": f"{invocation.max_memory_mb:.2f}",
    }
    if invocation.error:
        headers["x-fc-error-type"] = invocation.error
    if asks.log_tail:
        headers["x-fc-log-result"] = base64.b64encode(invocation.logs[-LOG_TAIL_BYTES:]).decode()
    return InvocationAnswer(200, headers, invocation.payload)


def _one_of(headers: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = headers.get(name, allowed[0])
    if value not in allowed:
        raise FcError("InvalidArgument", f"{name} is {value[:50]!r}: {' or '.join(allowed)}")
    return value
