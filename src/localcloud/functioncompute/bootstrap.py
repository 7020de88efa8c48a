"""The program inside a function instance: loads the function's code and answers one request after another.

It is run by its path with the two file descriptors of its pipes as arguments, in a process of its own, and uses the
standard library only: nothing of the local cloud is importable by the function, as nothing of it exists on Function
Compute. A message on either pipe is ``>II`` (length of the header, length of the body), a JSON header and a body of
bytes; standard output and error stay the function's own.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import struct
import sys
import time
import traceback
from types import SimpleNamespace

TYPE_CHECKING = False  # type checkers take it as true; typing itself stays unloaded, it is not the runtime's to load
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

    Header = dict[str, Any]

_LENGTHS = struct.Struct(">II")
_LAYERS = "/opt/python"
_RUNTIMES_WITHOUT_CONTEXT_CREDENTIALS = {"python3.12"}


class FunctionError(Exception):
    """The function can't be called at all: ``error_type`` is the name that Function Compute gives the mistake."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class LogFormatter(logging.Formatter):
    """A line as the built-in runtimes write it: UTC time, request ID, level, message."""

    converter = staticmethod(time.gmtime)

    def __init__(self, request_id: str) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(request_id)s [%(levelname)s] %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.request_id = request_id

    def format(self, record: logging.LogRecord) -> str:
        """Write one record with the request ID in it."""
        record.request_id = self.request_id
        return super().format(record)


def request_handler(request_id: str) -> logging.Handler:
    """Make a log handler for the lines of one request."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(LogFormatter(request_id))
    return handler


class Context(SimpleNamespace):
    """The context object; ``to_json`` as the public copies of the service's own bootstrap have it."""

    def to_json(self) -> str:
        """Return what can be written of it as JSON."""
        return json.dumps(vars(self), default=lambda value: vars(value) if hasattr(value, "__dict__") else str(value))


def context_of(request: Header) -> Context:
    """Make the context object: python3.12 has no ``credentials`` and no ``service`` on it."""
    # Of one request and outside the tree of loggers, which lives as long as the instance.
    logger = logging.Logger("FC", logging.INFO)  # noqa: LOG001
    logger.addHandler(request_handler(request["request_id"]))
    context = Context(
        request_id=request["request_id"],
        requestId=request["request_id"],
        region=request["region"],
        account_id=request["account_id"],
        function=SimpleNamespace(**request["function"]),
        logger=None,  # as in the public copies; `getLogger` is what the documents name
        getLogger=lambda: logger,
        retry_count=0,
        tracing=SimpleNamespace(span_context="", jaeger_endpoint="", span_baggages={}),
    )
    if request["runtime"] in _RUNTIMES_WITHOUT_CONTEXT_CREDENTIALS:
        context.log_project = request["log_project"]
        context.log_store = request["log_store"]
    else:
        credentials = request["credentials"]
        context.credentials = SimpleNamespace(
            **credentials,
            accessKeyId=credentials["access_key_id"],
            accessKeySecret=credentials["access_key_secret"],
            securityToken=credentials["security_token"],
        )
        context.service = SimpleNamespace(
            name="", log_project=request["log_project"], log_store=request["log_store"], qualifier="LATEST",
            version_id="",
        )  # fmt: skip
    return context


def entry_point(handler: str) -> Callable[..., Any]:
    """Load what ``file.function`` names; the file may be in a folder (``a/b.f``) or a package (``a.b.f``)."""
    module_name, _, function_name = handler.rpartition(".")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except SyntaxError as error:
        raise FunctionError("UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}") from error
    except Exception as error:
        raise FunctionError("ImportModuleError", f"Unable to import module '{module_name}'") from error
    try:
        function: Callable[..., Any] = getattr(module, function_name)
    except AttributeError as error:
        raise FunctionError(
            "HandlerNotFound", f"Handler '{function_name}' is missing on module '{module_name}'"
        ) from error
    return function


def payload_of(answer: object) -> bytes:
    """Turn what the handler returned into the response body: bytes and text as they are, anything else as JSON.

    The service indents it, sorts the keys and escapes what is not ASCII: half as many bytes again.
    """
    if isinstance(answer, (bytes, bytearray, memoryview)):
        return bytes(answer)
    if isinstance(answer, str):
        return answer.encode()
    return json.dumps(answer, indent=4, sort_keys=True).encode()


def error_of(error: Exception) -> bytes:
    """Write the documented error JSON: message, class name, and one list of texts for each frame of the function's."""
    cause = error.__cause__ if isinstance(error, FunctionError) and error.__cause__ else error
    frames = [
        [f'File "{frame.filename}"', f"line {frame.lineno}", f"in {frame.name}", frame.line or ""]
        for frame in traceback.extract_tb(cause.__traceback__)
        if frame.filename != __file__ and not frame.filename.startswith("<frozen ")
    ]
    error_type = error.error_type if isinstance(error, FunctionError) else type(error).__name__
    return json.dumps({"errorMessage": str(error), "errorType": error_type, "stackTrace": frames}).encode()


def serve_one(request: Header, event: bytes, loaded: dict[str, Callable[..., Any]]) -> tuple[Header, bytes]:
    """Call the initializer or the handler; returns the header and the body of the answer."""
    logging.getLogger().handlers[:] = [request_handler(request["request_id"])]
    handler = request["handler"]
    try:
        if handler not in loaded:
            loaded[handler] = entry_point(handler)
        context = context_of(request)
        if request["kind"] == "initialize":
            loaded[handler](context)
            return {"ok": True}, b""
        return {"ok": True}, payload_of(loaded[handler](event, context))
    except Exception as error:  # noqa: BLE001 - the boundary between the runtime and a function that may raise anything
        trace = error.__traceback__
        # The runtime's own frame is none of the function's business.
        traceback.print_exception(type(error), error, trace.tb_next if trace else None)
        return {"ok": False}, error_of(error)


def read_exactly(pipe: BinaryIO, length: int) -> bytes:
    """Read ``length`` bytes; EOFError where the runtime closed its end."""
    data = pipe.read(length)
    if len(data) != length:
        raise EOFError("the runtime closed the pipe")
    return data


def main(requests_fd: int, answers_fd: int) -> None:
    """Serve until the runtime closes the pipe."""
    # A group of its own within the runtime's session: it can be signalled as a whole, and if the runtime dies while the
    # group is stopped, the system hangs it up (POSIX, orphaned process groups). In a session of its own it would stay.
    os.setpgid(0, 0)
    for descriptor in (requests_fd, answers_fd):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - the function of the standard library takes it so
    requests = os.fdopen(requests_fd, "rb")
    answers = os.fdopen(answers_fd, "wb")
    for stream in (sys.stdout, sys.stderr):
        # Anything but a text stream of the interpreter's own can't be here: nothing of the function has run yet.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    sys.argv[1:] = []
    # This file's own folder gives way to the code's, and where the code is the source tree of the local cloud itself,
    # the package is still not there for the function: None makes its import fail.
    sys.path[0] = os.environ["FC_FUNC_CODE_PATH"]
    sys.path.insert(1, _LAYERS)
    sys.modules["localcloud"] = None  # type: ignore[assignment]
    logging.getLogger().setLevel(logging.INFO)
    loaded: dict[str, Callable[..., Any]] = {}
    while True:
        try:
            header_length, body_length = _LENGTHS.unpack(read_exactly(requests, _LENGTHS.size))
            request = json.loads(read_exactly(requests, header_length))
            event = read_exactly(requests, body_length)
        except EOFError:
            return
        header, body = serve_one(request, event, loaded)
        sys.stdout.flush()
        sys.stderr.flush()
        encoded = json.dumps(header).encode()
        answers.write(_LENGTHS.pack(len(encoded), len(body)) + encoded + body)
        answers.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
