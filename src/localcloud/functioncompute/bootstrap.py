"""The program inside a function instance: loads the function's code and answers one request after another.

It does what the public copies of Function Compute's own bootstrap do, down to the form of errors and log lines. It is
run by its path with the two file descriptors of its pipes as arguments, in a process of its own, and uses the standard
library only: nothing of the local cloud is importable by the function, as nothing of it exists on Function Compute.
A message on either pipe is ``>II`` (length of the header, length of the body), a JSON header and a body of bytes;
standard output and error stay the function's own.
"""

from __future__ import annotations

import datetime as dt
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
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Any, BinaryIO

    Header = dict[str, Any]

_LENGTHS = struct.Struct(">II")
_LAYERS = "/opt/python"
_LAYER_PACKAGES = f"/opt/python/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
#: The most characters of one write to standard output or error, and of one line of a logger; the rest is lost.
_MOST_CHARACTERS = 128 * 1024
#: Runtimes whose context object has what the documents list and nothing else: no keys, no service.
_RUNTIMES_WITH_SHORT_CONTEXT = {"python3.12"}
#: What a module can fail to load with, in the order in which it is asked: the error's name and text.
_LOAD_ERRORS = (
    (ImportError, "ImportModuleError", "Unable to import module '{module}'"),
    (SyntaxError, "UserCodeSyntaxError", "Syntax error in module '{module}'"),
    (ValueError, "InvalidHandleName", "Invalid handler '{module}'"),
    (Exception, "UserCodeError", "Module initialization error: '{error}'"),
)


class FunctionError(Exception):
    """The function can't be called at all: ``error_type`` is the name that Function Compute gives the mistake."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class CutStream:
    """Standard output or error of the function: each write is cut at a limit of characters, and flushed."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> None:
        """Write the text, or the first of it."""
        if text:
            self._stream.write(text[:_MOST_CHARACTERS])
            self._stream.flush()

    def writelines(self, lines: Iterable[str]) -> None:
        """Write the lines whole: these are not cut."""
        self._stream.writelines(lines)
        self._stream.flush()


class LogHandler(logging.Handler):
    """Lines as the built-in runtimes write them: UTC time, request ID, level, message.

    A line that is no UTF-8, for a lone surrogate in it, raises into the function: nothing catches it on the service.
    """

    def __init__(self, request_id: str) -> None:
        super().__init__()
        self.request_id = request_id
        self._out = open(1, "wb", closefd=False)  # noqa: SIM115 - standard output, for as long as the process lives
        text = logging.Formatter("%(asctime)s.%(msecs)03dZ %(fc_request_id)s [%(levelname)s] %(message)s\n")
        text.converter, text.datefmt = time.gmtime, "%Y-%m-%dT%H:%M:%S"
        self.setFormatter(text)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        record.fc_request_id = self.request_id
        line = self.format(record)
        if len(line) >= _MOST_CHARACTERS:
            line = line[: _MOST_CHARACTERS - 2] + "\n"
        self._out.write(line.encode())
        self._out.flush()


class Context(SimpleNamespace):
    """The context object of the runtimes up to python3.10."""

    def to_json(self) -> str:
        """Return what can be written of it as JSON."""
        return json.dumps(vars(self), default=lambda value: vars(value) if hasattr(value, "__dict__") else str(value))


def context_of(request: Header) -> SimpleNamespace:
    """Make the context object of the runtime."""
    # Of one request and outside the tree of loggers, which lives as long as the instance.
    logger = logging.Logger("FC", logging.INFO)  # noqa: LOG001
    logger.addHandler(LogHandler(request["request_id"]))
    function = request["function"]
    common = {
        "request_id": request["request_id"],
        "region": request["region"],
        "account_id": request["account_id"],
        "logger": None,  # as in the public copies; `getLogger` is what the documents name
        "getLogger": lambda: logger,
    }
    log = {"log_project": request["log_project"], "log_store": request["log_store"]}
    version = {"qualifier": "LATEST", "version_id": ""}
    if request["runtime"] in _RUNTIMES_WITH_SHORT_CONTEXT:
        return SimpleNamespace(**common, **log, function=SimpleNamespace(**function, **version))
    keys = request["credentials"]
    return Context(
        **common,
        requestId=request["request_id"],
        # Headers of the request, which stay text but for the memory.
        function=SimpleNamespace(**{**function, "timeout": str(function["timeout"])}),
        retry_count=str(request["retry_count"]),
        tracing=SimpleNamespace(span_context="", jaeger_endpoint="", span_baggages={}),
        credentials=SimpleNamespace(
            **keys,
            accessKeyId=keys["access_key_id"],
            accessKeySecret=keys["access_key_secret"],
            securityToken=keys["security_token"],
        ),
        service=SimpleNamespace(name="", **log, **version),
    )


def entry_point(handler: str) -> Callable[..., Any]:
    """Load what ``file.function`` names; the file may be in a folder (``a/b.f``) or a package (``a.b.f``)."""
    module_name, dot, function_name = handler.rpartition(".")
    try:
        if not dot:
            module_name = handler
            raise ValueError("not enough values to unpack (expected 2, got 1)")  # noqa: TRY301 - format_error as one of those
        module = importlib.import_module(module_name.replace("/", "."))
    except Exception as error:
        name, text = next((name, text) for kind, name, text in _LOAD_ERRORS if isinstance(error, kind))
        raise FunctionError(name, text.format(module=module_name, error=error)) from error
    try:
        function: Callable[..., Any] = getattr(module, function_name)
    except AttributeError as error:
        raise FunctionError(
            "HandlerNotFound", f"Handler '{function_name}' is missing on module '{module_name}'"
        ) from error
    return function


def written(value: object) -> object:
    """Return a form that JSON has of what has none itself, as the service's bootstrap does."""
    import decimal  # noqa: PLC0415 - few answers need it

    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if hasattr(value, "to_json"):
        return value.to_json()
    raise TypeError(f"{value!r} is not JSON serializable")


def as_json(value: object) -> str:
    """Write JSON as the service does: indented, keys sorted, ASCII only, which makes half as many bytes again."""
    return json.dumps(value, default=written, indent=4, sort_keys=True)


def payload_of(answer: object) -> bytes:
    """Turn what the handler returned into the response body: bytes and text as they are, anything else as JSON."""
    return answer if isinstance(answer, bytes) else (answer if isinstance(answer, str) else as_json(answer)).encode()


def format_error(error: BaseException, error_type: str, stack: list[Any]) -> dict[str, Any]:
    """Return the documented error object; without a stack, it has none."""
    return {"errorMessage": str(error), "errorType": error_type, **({"stackTrace": stack} if stack else {})}


def load_error(error: FunctionError) -> dict[str, Any]:
    """Return the error object of a function that can't be called: its stack is one list of texts.

    They are the lines that Python prints of the error itself, the first of them split at its commas.
    """
    first, *others = traceback.format_exception_only(error.__cause__ or error)
    lines = [line for text in (first.replace("\n", ","), *others) for line in text.replace("^", "").split("\n")]
    parts = [part for number, line in enumerate(lines) for part in (line.split(",") if number == 0 else [line])]
    return format_error(error, error.error_type, [part.strip() for part in parts if part.strip()])


def call_error(error: Exception, trace: TracebackType | None) -> dict[str, Any]:
    """Return the error object of a call: its stack is a list of texts for each frame."""
    frames = [text.split("\n") for text in traceback.format_tb(trace)]
    return format_error(
        error, type(error).__name__, [[*map(str.strip, head.split(",")), rest[0].strip()] for head, *rest in frames]
    )


def serve_one(request: Header, event: bytes, loaded: dict[str, Callable[..., Any]]) -> tuple[Header, bytes]:
    """Call the initializer or the handler; returns the header and the body of the answer."""
    logging.getLogger().handlers[:] = [LogHandler(request["request_id"])]
    handler = request["handler"]
    try:
        if handler not in loaded:
            loaded[handler] = entry_point(handler)
    except FunctionError as error:
        failed = load_error(error)
        logging.getLogger().error(failed)  # noqa: TRY400 - the service writes no traceback
        return {"ok": False}, as_json(failed).encode()
    context = context_of(request)
    try:
        answer = loaded[handler](context) if request["kind"] == "initialize" else loaded[handler](event, context)
    except Exception as error:  # noqa: BLE001 - the boundary between the runtime and a function that may raise anything
        # The runtime's own frame is none of the function's business.
        return failure(call_error(error, error.__traceback__ and error.__traceback__.tb_next))
    if request["kind"] == "initialize":
        return {"ok": True}, b""
    try:
        return {"ok": True}, payload_of(answer)
    except Exception as error:  # noqa: BLE001 - whatever the answer holds
        return failure(call_error(error, error.__traceback__))


def failure(error: dict[str, Any]) -> tuple[Header, bytes]:
    """Log the error and answer with it."""
    text = as_json(error)
    logging.getLogger().error(text)
    return {"ok": False}, text.encode()


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
    sys.stdout, sys.stderr = CutStream(sys.stdout), CutStream(sys.stderr)
    sys.argv[1:] = []
    # This file's own folder gives way to the code's, and where the code is the source tree of the local cloud itself,
    # the package is still not there for the function: None makes its import fail.
    sys.path[0] = os.environ["FC_FUNC_CODE_PATH"]
    sys.path[1:1] = [_LAYER_PACKAGES, _LAYERS]
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
