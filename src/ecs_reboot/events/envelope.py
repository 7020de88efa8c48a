"""Everything nested is peeled here, once, in one loop: HTTP, MNS, CloudEvents, arrays, base64, forms, JSON in strings.

What comes out are plain objects with the names of the envelopes they came in. HTTP is an envelope only as the whole
event (the platform builds it; anyone can write one inside a message), and its token is checked before its body is
looked at; of one that the function handed to itself it was checked then (``handover_envelope``). The loop is bounded
in depth, in objects and in the size of what it decodes.
"""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime

from ecs_reboot.events import event_time, source_table
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document
from ecs_reboot.events.handover_envelope import HandedOver
from ecs_reboot.events.parsing import (
    BYTE_ORDER_MARK,
    MAX_BYTES,
    Form,
    UnreadableText,
    looks_like_form,
    mapping,
    parse_form,
    parse_json,
    text,
)
from ecs_reboot.named_tuple import NamedTuple

MAX_LAYERS = 6  # HTTP around a topic's envelope around a list of JSON in strings is 4
MAX_PIECES = 1000
MAX_NESTED = 40_000  # objects and lists: a thousand alerts of SLS with 20 rows each have 23,000
MAX_MEMBERS = 150_000  # of all objects and lists, by their commas: a megabyte of real alerts has about 50,000


class Layer(NamedTuple):
    """A value under its envelopes, not yet known to be an object; a string in it is still to be parsed.

    ``share`` is how many members of an inner list are looked at to tell whether it asks: all lists of an event together
    get ``MAX_PIECES``, since a thousand lists of three hundred members would take seconds.
    """

    value: object
    envelopes: tuple[str, ...] = ()
    path: str = ""
    delivered: datetime | None = None
    delivery: str = ""
    depth: int = 0
    may_be_base64: bool = False
    share: int = MAX_PIECES


class Failure(NamedTuple):
    """A part of an event that could not be peeled."""

    kind: str
    envelopes: tuple[str, ...]
    error: UnreadableText


def unwrap(event: str | HandedOver, rules: EventSettings) -> tuple[list[Document], list[Failure]]:
    """Return the objects of an event and the parts that are none; never raises."""
    documents: list[Document] = []
    failures: list[Failure] = []
    size = nested = 0
    waiting = deque([Layer(event) if isinstance(event, str) else _handed_over(event)])
    while waiting:
        layer = waiting.popleft()
        if len(documents) + len(failures) + len(waiting) > MAX_PIECES:
            error = UnreadableText("too_large", f"the event holds more than {MAX_PIECES} objects")
            return [], [Failure("malformed", layer.envelopes, error)]
        if isinstance(layer.value, str):
            size += len(layer.value)
            nested += _nested(layer.value)
        try:
            _bounded(layer, size, nested)
            opened = _opened(layer, rules)
        except UnreadableText as error:
            failures.append(Failure(_kind(layer, error), layer.envelopes, error))
        else:
            if isinstance(opened, Document):
                documents.append(opened)
            else:
                waiting.extend(opened)
    return documents, failures


class HttpRequest(NamedTuple):
    """An HTTP event; unless it is ``admitted``, its token is still to be checked."""

    fields: Mapping[str, object]
    admitted: bool = False


_CLOUD_EVENT_KEYS = {"specversion", "source", "type"}
_STREAM_KEYS = {"body", "attrs"}
_SCALAR = "the event is no object; it must be an alarm, a system event or a request with instance_ids"


def _bounded(layer: Layer, size: int, nested: int) -> None:
    """Raise Unreadable where all texts so far have too many characters, or hold too many objects and lists."""
    if size > MAX_BYTES * 2:
        raise UnreadableText("too_large", "what is nested in the event is too large", layer.path)
    if nested > MAX_NESTED:
        reason = f"the event holds {nested} objects and lists; at most {MAX_NESTED} are read"
        raise UnreadableText("too_large", reason, layer.path)
    if isinstance(layer.value, str) and layer.value.count(",") > MAX_MEMBERS and _nested(layer.value):
        raise UnreadableText("too_large", f"a text of the event holds more than {MAX_MEMBERS} members", layer.path)


def _opened(layer: Layer, rules: EventSettings) -> Document | list[Layer]:
    """Take one layer off. Raises Unreadable."""
    value = layer.value
    if isinstance(value, dict):
        return _unwrapped(layer, value)
    if isinstance(value, list):
        return _items(layer)
    if isinstance(value, str):
        return [_parsed(layer)]
    if isinstance(value, HttpRequest):
        return [_admitted(layer, value, rules)]
    if isinstance(value, Form):
        if value.fields.get("data", "").lstrip()[:1] in ("{", "["):
            return [layer._replace(value=value.fields["data"], path=layer.path + "data.")]
        return Document(value.fields, layer.envelopes, layer.path, layer.delivered, layer.delivery, is_form=True)
    raise UnreadableText("unsupported", _SCALAR, layer.path.rstrip("."), value)


def _unwrapped(layer: Layer, body: dict[str, object]) -> Document | list[Layer]:
    """Take the envelope off an object, if it is in one."""
    if not layer.envelopes and not layer.path and _is_http(body):
        return [Layer(HttpRequest(body), ("http",), depth=layer.depth + 1)]
    body = _with_data_read(layer, body)
    inner = next((opened for opener in _OPENERS if (opened := opener(layer, body))), None)
    return [inner] if inner else Document(body, layer.envelopes, layer.path, layer.delivered, layer.delivery)


def _handed_over(event: HandedOver) -> Layer:
    return Layer(HttpRequest(event.request, admitted=True), ("http",), delivered=event.received_at, depth=1)


def _admitted(layer: Layer, request: HttpRequest, rules: EventSettings) -> Layer:
    from ecs_reboot.events.http_request import admitted_body, body_of  # noqa: PLC0415 - only HTTP events need it

    sent = event_time.parse(mapping(request.fields.get("requestContext")).get("timeEpoch"))
    body = body_of(request.fields) if request.admitted else admitted_body(request.fields, rules)
    return layer._replace(value=body, delivered=sent or layer.delivered)


def _kind(layer: Layer, error: UnreadableText) -> str:
    bare = isinstance(layer.value, str) and error.code == "malformed" and not _starts_like_json(layer.value)
    return "text" if bare else "malformed"


def _starts_like_json(value: str) -> bool:
    return value.lstrip()[:1] in ("{", "[", '"') or looks_like_form(value)


def _parsed(layer: Layer) -> Layer:
    """Parse a string: JSON, else a form, else base64 of one of them where the envelope leaves that open."""
    value = str(layer.value)
    if layer.depth >= MAX_LAYERS:
        raise UnreadableText("too_large", f"more than {MAX_LAYERS} layers are nested in the event", layer.path)
    deeper = layer._replace(depth=layer.depth + 1, may_be_base64=False)
    if not value.strip():
        raise UnreadableText("empty", "the body is empty: nothing asks for anything", layer.path.rstrip("."))
    decoded = _base64(value) if layer.may_be_base64 else ""  # first: its padding may look like a form
    if decoded:
        return deeper._replace(value=decoded)
    if looks_like_form(value):
        return deeper._replace(value=Form(parse_form(value, layer.path)))
    return deeper._replace(value=parse_json(value, layer.path.rstrip(".")))


def _base64(value: str) -> str:
    """Return the text that canonical base64 stands for; empty if it is not base64 of text."""
    from base64 import b64decode  # noqa: PLC0415 - only queue messages may need it

    try:
        return b64decode("".join(value.split()), validate=True).decode().removeprefix(BYTE_ORDER_MARK)
    except ValueError:
        return ""


def _items(layer: Layer) -> list[Layer]:
    value = layer.value if isinstance(layer.value, list) else []
    if not value:
        raise UnreadableText("empty", "the list is empty: nothing asks for anything", layer.path.rstrip("."))
    if layer.depth >= MAX_LAYERS:
        raise UnreadableText("too_large", f"more than {MAX_LAYERS} layers are nested in the event", layer.path)
    if len(value) > MAX_PIECES:
        raise UnreadableText("too_large", f"the list has {len(value)} elements; at most {MAX_PIECES} are read")
    stem, share = layer.path.rstrip("."), max(1, layer.share // len(value))
    return [
        layer._replace(value=item, path=f"{stem}[{number}].", depth=layer.depth + 1, share=share)
        for number, item in enumerate(value)
    ]


def _is_http(fields: Mapping[str, object]) -> bool:
    return isinstance(fields.get("requestContext"), dict) or ("rawPath" in fields and "headers" in fields)


def _inside(layer: Layer, envelope: str, place: str, message: object) -> Layer:
    """Return the layer of a message that MNS carries at ``place``."""
    return layer._replace(
        value=_message(message, layer.path + place),
        envelopes=(*layer.envelopes, envelope),
        path=f"{layer.path}{place}.",
        depth=layer.depth + 1,
        may_be_base64=True,
    )


def _queue(layer: Layer, body: Mapping[str, object]) -> Layer | None:
    """Open a message of an MNS queue, which comes as a CloudEvent. Whether it is decoded is a trigger setting."""
    if not str(body.get("type", "")).startswith("mns:") or "specversion" not in body:
        return None
    data = mapping(body.get("data"))
    inner = _inside(layer, "mns_queue", "data.messageBody", data.get("messageBody"))
    return inner._replace(
        delivered=event_time.parse(body.get("time")) or layer.delivered, delivery=text(data.get("messageId"))
    )


def _topic(layer: Layer, body: Mapping[str, object]) -> Layer | None:
    """Open a message of an MNS topic. Attributes stand beside the fixed keys, so only Message is looked at."""
    if "TopicName" not in body or "Message" not in body:
        return None
    inner = _inside(layer, "mns_topic", "Message", body.get("Message"))
    return inner._replace(
        delivered=event_time.parse(body.get("PublishTime")) or layer.delivered, delivery=text(body.get("MessageId"))
    )


def _stream(layer: Layer, body: Mapping[str, object]) -> Layer | None:
    """Open a message of an MNS topic in STREAM form with attributes. Nothing in it says when it was sent."""
    if body.keys() != _STREAM_KEYS:
        return None
    return _inside(layer, "mns_topic", "body", body.get("body"))


def _batch(layer: Layer, body: Mapping[str, object]) -> Layer | None:
    """Open a batch of Nightingale's notification media: the alerts stand beside the texts made of them."""
    batch = body.get("events")
    if not isinstance(batch, list) or not any(isinstance(item, dict) and _asks(item) for item in batch[: layer.share]):
        return None
    return layer._replace(value=batch, path=layer.path + "events.", depth=layer.depth + 1)


def _cloud_event(layer: Layer, body: Mapping[str, object]) -> Layer | None:
    """Open a CloudEvent whose data is itself something that asks, whoever sends it; None for any other."""
    if not _is_cloud_event(body):
        return None
    for key in ("data", "data_base64"):
        value = body.get(key)
        inner = _read(layer, _base64(value)) if key == "data_base64" and isinstance(value, str) else value
        items = inner if isinstance(inner, list) else [inner]
        if any(isinstance(item, dict) and _asks(item) for item in items[: layer.share]):
            return layer._replace(
                value=inner,
                envelopes=(*layer.envelopes, "eventbridge"),
                path=f"{layer.path}{key}.",
                delivered=event_time.parse(body.get("time")) or layer.delivered,
                delivery=text(body.get("id")),
                depth=layer.depth + 1,
            )
    return None


def _is_cloud_event(body: Mapping[str, object]) -> bool:
    return body.keys() >= _CLOUD_EVENT_KEYS and ":ActionTrail:" not in text(body.get("type"))


def _with_data_read(layer: Layer, body: dict[str, object]) -> dict[str, object]:
    """Parse the data of a CloudEvent once, where it is text or base64 of text, for all who look at it later."""
    data = body.get("data")
    if not isinstance(data, str) or not _is_cloud_event(body):
        return body
    read = _read(layer, _base64(data) or data)
    return body if read is None else {**body, "data": read}


def _read(layer: Layer, value: str) -> object:
    """Parse JSON in the data of a CloudEvent; None if it is none, or too much for this one's share of the event."""
    if _nested(value) * MAX_PIECES > MAX_NESTED * layer.share:
        return None
    try:
        return parse_json(value) if value.strip() else None
    except UnreadableText:
        return None


def _nested(value: str) -> int:
    """Return how many objects and lists a text can hold at most."""
    return min(value.count("{"), value.count("}")) + min(value.count("["), value.count("]"))


def _asks(body: dict[str, object]) -> bool:
    return "TopicName" in body or source_table.asks(body)


def _message(value: object, path: str) -> object:
    if not isinstance(value, (str, dict, list)):
        raise UnreadableText("malformed", "the message has no body that is text", path, value)
    return value


_OPENERS: tuple[Callable[[Layer, Mapping[str, object]], Layer | None], ...] = (
    _queue,
    _topic,
    _stream,
    _batch,
    _cloud_event,
)
