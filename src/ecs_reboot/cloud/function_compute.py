"""Function Compute's InvokeFunction, asynchronous: one signed request (ACS3-HMAC-SHA256) over our transport.

The service's own client would cost more start-up time than the rest of an HTTP answer (docs/understand/performance.md).
"""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from typing import Any

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.errors import CloudError, NoAnswer, NotSent, Refused
from ecs_reboot.cloud.transport import Answer, AnswerLost, Connections, NothingSent, Request
from ecs_reboot.named_tuple import NamedTuple

ACTION, VERSION = "InvokeFunction", "2023-03-30"

#: The payload of an asynchronous call, bytes ("Limits of usage").
MOST_BYTES = 128 * 1024

#: How long to wait for the connection and for the answer: a caller over HTTP waits for both. Seconds.
CONNECT_SECONDS, ANSWER_SECONDS = 0.8, 1.5

_connections = Connections()


class FunctionId(NamedTuple):
    """One function, as the context of an invocation names it."""

    account_id: str
    region_id: str
    name: str


def this_function(context: Any, environment: Mapping[str, str]) -> FunctionId | None:
    """Return the function that runs; None where context and environment do not say which it is."""
    found = FunctionId(
        str(getattr(context, "account_id", "") or environment.get("FC_ACCOUNT_ID", "")),
        str(getattr(context, "region", "") or environment.get("FC_REGION", "")),
        str(getattr(getattr(context, "function", None), "name", "") or environment.get("FC_FUNCTION_NAME", "")),
    )
    return found if all(found) else None


def invoke_later(
    function: FunctionId, payload: bytes, credentials: Credentials, deadline: Deadline, *, endpoint: str
) -> str:
    """Have the function run on the payload later and return the ID of that request; the service stores it first.

    Raises Refused, NotSent or NoAnswer; after NoAnswer it may be stored, and will then run. What was not sent is tried
    once more. ``endpoint`` is a host, or with a scheme in front of it.
    """
    scheme, _, host = endpoint.rpartition("://")
    # A qualifier is named so that the retries and the failure destination of that qualifier hold for the call.
    path, query = f"/{VERSION}/functions/{function.name}" + "/invocations", "qualifier=LATEST"
    headers = {
        "host": host,
        "content-type": "application/octet-stream",
        "x-acs-action": ACTION,
        "x-acs-content-sha256": hashlib.sha256(payload).hexdigest(),
        "x-acs-date": deadline.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": os.urandom(16).hex(),
        "x-acs-version": VERSION,
        "x-fc-invocation-type": "Async",
    }
    if credentials.security_token:
        headers["x-acs-security-token"] = credentials.security_token
    headers["authorization"] = _authorization(path, query, headers, credentials)
    request = Request(scheme or "https", host, "POST", f"{path}?{query}", headers, payload)
    try:
        try:
            answer = _exchange(request, deadline)
        except NothingSent:
            answer = _exchange(request, deadline)
    except NothingSent as error:
        raise NotSent(ACTION, str(error)) from error
    except AnswerLost as error:
        raise NoAnswer(ACTION, str(error)) from error
    request_id = answer.headers.get("x-fc-request-id", "")
    if answer.status == 202 and request_id:  # noqa: PLR2004 - stored
        return request_id
    raise _error(answer, request_id)


def _exchange(request: Request, deadline: Deadline) -> Answer:
    left = deadline.left()
    return _connections.exchange(
        request, connect_seconds=min(CONNECT_SECONDS, left / 4), answer_seconds=min(ANSWER_SECONDS, left / 2)
    )


def _error(answer: Answer, request_id: str) -> CloudError:
    try:
        said = json.loads(answer.body)
        code, message = str(said["Code"]), str(said.get("Message", ""))
    except (ValueError, KeyError, TypeError):
        return NoAnswer(ACTION, f"HTTP {answer.status} with {len(answer.body)} bytes that are no answer of the service")
    return Refused(ACTION, code=code, message=message, status=answer.status, request_id=request_id)


def _authorization(path: str, query: str, headers: Mapping[str, str], credentials: Credentials) -> str:
    """Sign a POST with all of its headers."""
    names = sorted(headers)
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    signed = ";".join(names)
    canonical = f"POST\n{path}\n{query}\n{lines}\n{signed}\n{headers['x-acs-content-sha256']}"
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(credentials.access_key_secret.encode(), text.encode(), "sha256").hex()
    return f"ACS3-HMAC-SHA256 Credential={credentials.access_key_id},SignedHeaders={signed},Signature={signature}"
