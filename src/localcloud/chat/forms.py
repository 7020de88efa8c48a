"""Reading what a client posted; a mistake is a text."""

import json
from typing import Any

from localcloud.chat.robots import RobotCall


def json_of(call: RobotCall) -> dict[str, Any] | str:
    """Return the JSON object that was posted, or what is wrong with it."""
    if call.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return "Content-Type is not application/json"
    try:
        value = json.loads(call.body)
    except ValueError as error:
        return f"the body is not JSON: {error}"
    return value if isinstance(value, dict) else "the body is no JSON object"


def text_at(value: Any, *path: str | int) -> str:
    """Return the text at a path, '' where there is none."""
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return ""
    return value if isinstance(value, str) else ""
