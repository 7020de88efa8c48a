"""The HTTP trigger: who may speak, and the body of what they said.

The token comes as ``Authorization: Bearer …`` or, from senders that can't set headers (CloudMonitor), as the query
parameter ``token``. Until it is right nothing else of the request is looked at.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from hmac import compare_digest

from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.parsing import BYTE_ORDER_MARK, Unreadable, mapping

_SCHEME = "bearer "


def admitted_body(request: Mapping[str, object], rules: EventSettings) -> object:
    """Check the token and give the body. Raises Unreadable.

    Its code is ``http_disabled`` without a token of ours, ``unauthorized`` without the right one of theirs; no message
    ever holds a token.
    """
    if not rules.webhook_token:
        raise Unreadable("http_disabled", "HTTP events are refused until WEBHOOK_TOKEN is set")
    expected = rules.webhook_token.encode()
    # Every candidate is compared, so that the time taken says nothing about which of them was nearly right.
    matches = [compare_digest(one.encode(), expected) for one in _tokens(request)]
    if not any(matches):
        said = "a wrong token" if matches else "no token"
        raise Unreadable(
            "unauthorized", f"{said}; send it as 'Authorization: Bearer' or as the query parameter 'token'"
        )
    return body_of(request)


def body_of(request: Mapping[str, object]) -> object:
    """Give the body of a request that was let in, decoded from base64 if it says so. Raises Unreadable."""
    body = request.get("body")
    if not isinstance(body, str):
        body = "" if body is None else body
    elif str(request.get("isBase64Encoded", "")).casefold() == "true":
        try:
            return b64decode(body, validate=True).decode().removeprefix(BYTE_ORDER_MARK)
        except ValueError:
            raise Unreadable("malformed", "the body is said to be base64 of text and is not", "body", body) from None
    return body


def _tokens(request: Mapping[str, object]) -> Iterator[str]:
    for name, value in mapping(request.get("headers")).items():
        for one in _texts(value):
            if name.casefold() == "authorization" and one.casefold().startswith(_SCHEME):
                yield one[len(_SCHEME) :].strip()
    yield from _texts(mapping(request.get("queryParameters")).get("token"))


def _texts(value: object) -> list[str]:
    """Give a header's or parameter's values, which may be one text or a list of them."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
