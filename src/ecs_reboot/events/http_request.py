"""The HTTP trigger: who may speak, and what they said.

The token comes as ``Authorization: Bearer ...``, as the password of basic authentication (Alertmanager), or, from
senders that can't set headers (CloudMonitor), as the query parameter ``token``. Until it is right nothing else of the
request is looked at. What was said is the body, or without one (CloudMonitor can be told to use GET) the query.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from hmac import compare_digest

from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.parsing import BYTE_ORDER_MARK, Form, UnreadableText, mapping
from ecs_reboot.events.quoting import plain

_BEARER, _BASIC = "bearer ", "basic "


def admitted_body(request: Mapping[str, object], rules: EventSettings) -> object:
    """Check the token and give the body. Raises Unreadable.

    Its code is ``http_disabled`` without a token of ours, ``unauthorized`` without the right one of theirs; no message
    ever holds a token.
    """
    if not rules.webhook_token:
        raise UnreadableText("http_disabled", "HTTP events are refused until WEBHOOK_TOKEN is set")
    expected = rules.webhook_token.encode()
    # Every candidate is compared, so that the time taken says nothing about which of them was nearly right.
    matches = [compare_digest(token.encode(), expected) for token in _tokens(request)]
    if not any(matches):
        said = "a wrong token" if matches else "no token"
        raise UnreadableText(
            "unauthorized",
            f"{said}; send it as 'Authorization: Bearer', as the password of basic authentication or as the query "
            "parameter 'token'",
        )
    return body_of(request)


def body_of(request: Mapping[str, object]) -> object:
    """Return the body of a request that was let in, decoded from base64 if it says so, or a form of its query.

    Raises Unreadable.
    """
    body = request.get("body")
    if body is None or (isinstance(body, str) and not body.strip()):
        fields = _query(request)
        return Form(fields) if fields else ""
    if isinstance(body, str) and str(request.get("isBase64Encoded", "")).casefold() == "true":
        try:
            return b64decode(body, validate=True).decode().removeprefix(BYTE_ORDER_MARK)
        except ValueError:
            raise UnreadableText(
                "malformed", "the body is said to be base64 of text and is not", "body", body
            ) from None
    return body


def _query(request: Mapping[str, object]) -> dict[str, str]:
    """Return the parameters of the query but for the token. Raises Unreadable where one stands twice."""
    fields = {}
    for name, value in mapping(request.get("queryParameters")).items():
        texts = _texts(value)
        if name == "token" or not texts:
            continue
        if len(texts) > 1:
            raise UnreadableText("contradiction", "a parameter stands twice in the query", plain(name), texts[1])
        fields[name] = texts[0]
    return fields


def _tokens(request: Mapping[str, object]) -> Iterator[str]:
    for name, value in mapping(request.get("headers")).items():
        for header in _texts(value) if name.casefold() == "authorization" else ():
            if header.casefold().startswith(_BEARER):
                yield header[len(_BEARER) :].strip()
            elif header.casefold().startswith(_BASIC):
                yield from _password(header[len(_BASIC) :].strip())
    yield from _texts(mapping(request.get("queryParameters")).get("token"))


def _password(credentials: str) -> Iterator[str]:
    try:
        _user, colon, password = b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return
    if colon:
        yield password


def _texts(value: object) -> list[str]:
    """Return a header's or parameter's values, which may be one text or a list of them."""
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
