"""What the services have in common: a POST of JSON, and an answer that hides its verdict in the body."""

import json
from typing import Any

from ecs_reboot.cloud.transport import Answer, Request
from ecs_reboot.records.notices.escaping import body, one_line
from ecs_reboot.records.notices.notice import Failure

JSON_TYPE = "application/json; charset=utf-8"
#: The longest part of an answer that is quoted, characters.
_QUOTED = 200


def post(url: str, value: object, content_type: str = JSON_TYPE) -> Request:
    """Return the POST of a value as JSON."""
    scheme, _, rest = url.partition("://")
    address, slash, target = rest.partition("/")
    content = body(value)
    headers = {"host": address, "content-type": content_type, "content-length": str(len(content))}
    return Request(scheme, address, "POST", (slash or "/") + target, headers, content)


def with_query(url: str, query: str) -> str:
    """Return the URL with more parameters."""
    return f"{url}{'&' if '?' in url else '?'}{query}"


def verdict(answer: Answer) -> dict[str, Any]:
    """Return the JSON object that an answer's body is; empty where it is none."""
    try:
        value = json.loads(answer.body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def http_failure(answer: Answer, wait_seconds: float = 0.0) -> Failure:
    """Return a failure that only HTTP tells."""
    text = one_line(answer.body[: 4 * _QUOTED].decode(errors="replace"), _QUOTED)
    return Failure(f"HTTP {answer.status}", f"HTTP {answer.status}{': ' + text if text else ''}", wait_seconds)


def refusal(code: object, text: object, wait_seconds: float = 0.0) -> Failure:
    """Return a failure that the body tells."""
    return Failure(one_line(str(code), 40), one_line(f"{code}: {text}", _QUOTED), wait_seconds)


def retry_after(answer: Answer) -> float:
    """Return the seconds that a `Retry-After` asks for; 60 where it says nothing readable."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 60.0  # noqa: PLR2004 - about a day
