"""The function run in the process of the tests, as ``make coverage`` needs it; all else runs it in its own process."""

import io
import json
import os
import sys
from contextlib import redirect_stdout
from types import SimpleNamespace
from typing import Any
from unittest import mock
from uuid import uuid4

from ecs_reboot import handler
from localcloud.functioncompute.bootstrap import context_of
from localcloud.functioncompute.function import Function, process_environment
from localcloud.functioncompute.invocation import UNHANDLED, Invocation


class InlineInstance:
    """Has of ``functioncompute.Instance`` what an end-to-end test uses; it can't be killed."""

    def __init__(self, function: Function) -> None:
        self.function = function

    def close(self) -> None:
        """End the connections that the function keeps for its next run."""
        for name, module in tuple(sys.modules.items()):
            if name.startswith("ecs_reboot.") and hasattr(module, "_connections"):
                module._connections.close()

    def invoke(self, event: bytes) -> Invocation:
        """Run the handler with the environment and the context of an instance."""
        function, out, error, answer = self.function, io.StringIO(), "", None
        credentials = function.credentials()
        environment = process_environment(function, "c-inline", credentials)
        with mock.patch.dict(os.environ, environment, clear=True), redirect_stdout(out):
            context = self._context(str(uuid4()), credentials._asdict())
            try:
                handler.initialize(context)
                answer = handler.handle(event, context)
            except Exception as raised:  # noqa: BLE001 - whatever it raises is the service's answer
                error = UNHANDLED
                answer = {"errorMessage": str(raised), "errorType": type(raised).__name__}
        payload = json.dumps(answer).encode()
        return Invocation(
            context.request_id, payload, error, out.getvalue().encode(), 0.0, timed_out=False, max_memory_mb=0.0
        )

    def _context(self, request_id: str, credentials: dict[str, str]) -> SimpleNamespace:
        function = self.function
        named: dict[str, Any] = {"name": function.name, "handler": function.handler, "memory": str(function.memory_mb)}
        return context_of(
            {
                "request_id": request_id,
                "region": function.region,
                "account_id": function.account_id,
                "function": {**named, "timeout": function.timeout},
                "credentials": credentials,
                "retry_count": 0,
                "log_project": function.log_project,
                "log_store": function.log_store,
                "runtime": function.runtime,
            }
        )
