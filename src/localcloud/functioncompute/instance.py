"""A function instance: one child process that is started, initialized once, called, frozen between calls, and ended."""

import contextlib
import json
import os
import selectors
import signal
import struct
import subprocess
import threading
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from localcloud.functioncompute import processor_share
from localcloud.functioncompute.function import Function, process_environment
from localcloud.functioncompute.invocation import UNHANDLED, Exited, Invocation, Stopped, TimedOut, error_payload

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from Python 3.11 on

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_LENGTHS = struct.Struct(">II")
_PIPE_BYTES = 65_536
# How often a running function's memory and life are looked at; answers and logs are taken the moment they come.
_WATCH_SECONDS = 0.05
# The first line of each instance's log.
_STARTED = "FunctionCompute python3 runtime inited."
_INITIALIZE = "Initialize"
_INVOKE = "Invoke"


class InstanceUnavailable(RuntimeError):
    """The instance is ended, or busy with another request: built-in runtimes take one request at a time."""


class FunctionInstance:
    """One instance of ``function``: a process group of its own that sees only what the documents promise it.

    The process starts with the object. ``invoke`` blocks until the function answered, failed or was stopped; the first
    call runs the initializer before. Between calls the whole group is stopped by ``SIGSTOP``, so background threads
    make no progress, as on the service. After a timeout, a failed initializer, an exit or too much memory the group is
    killed and ``alive`` is false; the next request needs a new instance. Processes that leave the group are out of
    reach. Close it, or use it as a context manager; where this process is killed, the system ends the group.
    """

    def __init__(self, function: Function) -> None:
        self.function = function
        self.instance_id = f"c-{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:12]}"
        self._busy = threading.Lock()
        self._initialized = not function.initializer
        self._fresh = True
        self._peak_mb = 0.0
        self._logs = bytearray()
        self._answer = bytearray()
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        self._output, output = os.pipe()
        for descriptor in (self._requests, self._answers, self._output):
            os.set_blocking(descriptor, False)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the interpreter and our own file
                [function.interpreter, "-W", "ignore", str(_BOOTSTRAP), str(requests), str(answers)],
                cwd=function.code_path,
                env=process_environment(function, self.instance_id, function.credentials()),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(requests, answers),
            )
        except BaseException:
            self._close_pipes()
            raise
        finally:
            for descriptor in (requests, answers, output):
                os.close(descriptor)
        self.alive = True
        self._quota = processor_share.quota(function.cpu)
        #: Whether the system holds this instance to its function's share of a processor.
        self.has_its_share = function.cpu >= 1 or bool(self._quota and self._quota.add(self._process.pid))

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def invoke(self, event: bytes, request_id: str = "", retry_count: int = 0) -> Invocation:
        """Run the handler on ``event``; a request ID is made where none is given.

        ``retry_count`` is how often this request was run before; the function sees it.

        Raises ``InstanceUnavailable`` when the instance is ended or busy. What goes wrong inside the function is an
        ``Invocation`` with ``error``, never an exception.
        """
        if not self._busy.acquire(blocking=False):
            raise InstanceUnavailable(f"instance {self.instance_id} is busy: it takes one request at a time")
        try:
            if not self.alive:
                raise InstanceUnavailable(
                    f"instance {self.instance_id} of {self.function.name} is ended: start another"
                )
            self._logs.clear()
            request_id = request_id or str(uuid.uuid4())
            self._signal_group(signal.SIGCONT)
            if self._fresh:
                self._fresh = False
                self._log(_STARTED)
            if not self._initialized:
                failed = self._call(_INITIALIZE, request_id, b"", retry_count)
                if failed.error:
                    self.close()
                    return failed
                self._initialized = True
            invocation = self._call(_INVOKE, request_id, event, retry_count)
            if self.alive:
                self._freeze()
            return invocation
        finally:
            self._busy.release()

    def close(self) -> None:
        """End the instance at once; ending an ended one does nothing."""
        if self.alive:
            self.alive = False
            self._signal_group(signal.SIGKILL)
            self._process.kill()  # it may be too young to have made its group
            self._process.wait()
            self._close_pipes()
            if self._quota:
                self._quota.close()

    def kill(self) -> None:
        """End the process under a running request, from any thread: the request then comes back as one that exited."""
        if self._process.poll() is None:
            self._signal_group(signal.SIGKILL)
            self._process.kill()

    def _call(self, kind: str, request_id: str, event: bytes, retry_count: int) -> Invocation:
        function = self.function
        entry, timeout = (
            (function.initializer, function.initializer_timeout)
            if kind == _INITIALIZE
            else (function.handler, function.timeout)
        )
        self._log(f"FC {kind} Start RequestId: {request_id}")
        started, used = time.monotonic(), processor_share.used(self._process.pid)
        error, timed_out = "", False
        try:
            answered, payload = self._exchange(self._message(kind, entry, request_id, event, retry_count), timeout)
            if not answered:
                error, reason = UNHANDLED, "Unhandled function error"
        except Stopped as stopped:
            error, reason, timed_out, payload = UNHANDLED, str(stopped), stopped.timed_out, error_payload(stopped)
        duration = time.monotonic() - started
        used = max(0.0, processor_share.used(self._process.pid) - used)
        memory = self._max_memory_mb()
        self._read_logs()
        if timed_out or self._process.poll() is not None or memory > function.memory_mb:
            self.close()
        self._log(f"FC {kind} End RequestId: {request_id}" + (f", Error: {reason}" if error else ""))
        return Invocation(request_id, payload, error, bytes(self._logs), duration, timed_out, memory, used)

    def _message(self, kind: str, entry: str, request_id: str, event: bytes, retry_count: int) -> bytes:
        function = self.function
        header = {
            "kind": kind.lower(),
            "handler": entry,
            "request_id": request_id,
            "retry_count": retry_count,
            "region": function.region,
            "account_id": function.account_id,
            "runtime": function.runtime,
            "log_project": function.log_project,
            "log_store": function.log_store,
            "credentials": function.credentials()._asdict(),
            "function": {
                "name": function.name,
                "handler": function.handler,
                "memory": function.memory_mb,
                "timeout": function.timeout,
            },
        }
        encoded = json.dumps(header).encode()
        return _LENGTHS.pack(len(encoded), len(event)) + encoded + event

    def _exchange(self, message: bytes, timeout: int) -> tuple[bool, bytes]:
        """Send one message and wait for its answer, taking the logs meanwhile so that no pipe ever fills up."""
        started = time.monotonic()
        unsent = memoryview(message)
        self._answer.clear()
        with selectors.DefaultSelector() as selector:
            selector.register(self._requests, selectors.EVENT_WRITE)
            selector.register(self._answers, selectors.EVENT_READ)
            selector.register(self._output, selectors.EVENT_READ)
            while (complete := _answer_in(self._answer)) is None:
                elapsed = time.monotonic() - started
                memory = self._max_memory_mb()
                if elapsed >= timeout:
                    raise TimedOut(timeout, memory)
                if memory > self.function.memory_mb or self._process.poll() is not None:
                    raise Exited(elapsed, memory)
                for key, _ in selector.select(min(timeout - elapsed, _WATCH_SECONDS)):
                    if key.fd == self._requests:
                        unsent = self._send(unsent)
                        if not unsent:
                            selector.unregister(self._requests)
                    else:
                        target = self._answer if key.fd == self._answers else self._logs
                        data = os.read(key.fd, _PIPE_BYTES)
                        target += data
                        if not data:
                            selector.unregister(key.fd)
        return complete

    def _send(self, unsent: memoryview) -> memoryview:
        try:
            return unsent[os.write(self._requests, unsent[:_PIPE_BYTES]) :]
        except BrokenPipeError:  # the process is ending: the next look at it says so
            return memoryview(b"")

    def _read_logs(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._output, _PIPE_BYTES):
                self._logs += data

    def _log(self, line: str) -> None:
        if self._logs and not self._logs.endswith(b"\n"):
            self._logs += b"\n"
        self._logs += line.encode() + b"\n"

    def _max_memory_mb(self) -> float:
        """Return the highest resident size seen so far in MB, 0 where the system has no /proc to see it in."""
        # An ended process has no status file, or one without sizes: what was seen before stays.
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii", errors="replace")
            sizes = [line.split() for line in status.splitlines() if line.startswith("VmHWM:")]
            self._peak_mb = max(self._peak_mb, *(int(kilobytes) / 1024 for _, kilobytes, _ in sizes), 0.0)
        return self._peak_mb

    def _freeze(self) -> None:
        self._signal_group(signal.SIGSTOP)
        # Until it has stopped, the death of this process would not end it; WNOWAIT leaves its end to Popen to see.
        with contextlib.suppress(ChildProcessError):  # killed meanwhile, and seen to its end, by another thread
            if hasattr(os, "waitid"):
                os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
                return
            # Python 3.11 and 3.12 have no waitid on macOS. This takes an end away from Popen, so it is handed on.
            _, status = os.waitpid(self._process.pid, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                self._process.returncode = os.waitstatus_to_exitcode(status)

    def _signal_group(self, number: signal.Signals) -> None:
        # macOS answers "not permitted" for a group of which only ended processes are left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _close_pipes(self) -> None:
        for descriptor in (self._requests, self._answers, self._output):
            os.close(descriptor)


def _answer_in(received: bytearray) -> tuple[bool, bytes] | None:
    """Return the complete answer at the start of what was received: whether the function returned, and its body."""
    if len(received) < _LENGTHS.size:
        return None
    header_length, body_length = _LENGTHS.unpack_from(received)
    body_start = _LENGTHS.size + header_length
    if len(received) < body_start + body_length:
        return None
    header = json.loads(received[_LENGTHS.size : body_start])
    return header["ok"], bytes(received[body_start : body_start + body_length])
