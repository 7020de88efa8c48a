"""Answers as bytes: JSON or XML."""

import json
from html import escape
from typing import Any

from localcloud.ecs.call import Body
from localcloud.openapi.errors import ApiError

CONTENT_TYPES = {"JSON": "application/json;charset=utf-8", "XML": "text/xml;charset=utf-8"}


def success(action: str, request_id: str, body: Body, form: str) -> bytes:
    """Write the answer of an action."""
    return _write(f"{action}Response", {"RequestId": request_id, **body}, form)


def failure(error: ApiError, request_id: str, host: str, form: str) -> bytes:
    """Write an error answer."""
    body = {
        "RequestId": request_id,
        "HostId": host,
        "Code": error.code,
        "Message": error.message,
        "Recommend": f"https://api.aliyun.com/troubleshoot?q={error.code}&product=Ecs",
    }
    return _write("Error", body, form)


def _write(root: str, body: Body, form: str) -> bytes:
    if form == "XML":
        return f"<?xml version='1.0' encoding='UTF-8'?>{_element(root, body)}".encode("utf-8", "replace")
    return json.dumps(body, separators=(",", ":")).encode()


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, item) for item in value)
    if isinstance(value, dict):
        inner = "".join(_element(key, item) for key, item in value.items())
    elif isinstance(value, bool):
        inner = "true" if value else "false"
    else:
        inner = escape(_printable(str(value)), quote=False)
    return f"<{name}>{inner}</{name}>"


def _printable(text: str) -> str:
    # XML 1.0 has no way to write control characters or lone surrogates.
    return "".join(
        c if c in "\t\n\r" or " " <= c < "\ud800" or "\ue000" <= c < "\ufffe" or c > "\uffff" else "\ufffd"
        for c in text
    )
