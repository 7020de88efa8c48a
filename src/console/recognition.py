"""What an event was read as, field by field: the same reading as the function's, with the places it rests on. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from importlib import import_module
from typing import Any

from ecs_reboot import events
from ecs_reboot.events import envelope, parsing, source_table
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Finding
from ecs_reboot.model import LedgerCommand, RebootRequest, Value

#: A value of an event is shown up to this many characters, a list of elements up to this many.
MOST_CHARACTERS, MOST_ELEMENTS = 300, 200


def recognised(event: bytes, rules: EventSettings, now: datetime) -> dict[str, Any]:
    """Return the trigger, the fields that were found with their places, and the verdict on each element."""
    reading = events.read(event, rules, now)
    verdicts = [*reading.requests, *reading.upkeep, *reading.rejected, *reading.ignored]
    return {
        "trigger": reading.trigger,
        "fields": _first(_fields(event, rules, now)),
        "elements": _first(_element(verdict) for verdict in verdicts),
        "count": len(verdicts),
    }


def _fields(event: bytes, rules: EventSettings, now: datetime) -> Iterator[dict[str, str]]:
    try:
        documents, failures = envelope.unwrap(parsing.decode(event), rules)
    except parsing.UnreadableText as error:
        yield _field("unreadable", error.path, error.reason)
        return
    for document in documents:
        for name in document.envelopes:
            yield _field("envelope", document.path.rstrip("."), name)
        yield from _fields_of(document, rules, now)
    for failure in failures:
        yield _field("unreadable", failure.error.path, failure.error.reason)


def _fields_of(document: Document, rules: EventSettings, now: datetime) -> Iterator[dict[str, str]]:
    shape = source_table.recognise(document.body, is_form=document.is_form)
    yield _field("kind", document.path.rstrip("."), shape.kind)
    if not shape.module:
        return
    try:
        found = import_module(f"{events.__name__}.sources.{shape.module}").find(document, rules, now)
    except parsing.UnreadableText as error:
        yield _field("unreadable", error.path, error.reason)
        return
    for item in found:
        if isinstance(item, Finding):
            yield from _places(item)
        elif isinstance(item, RebootRequest):
            yield from _asked(item)
        elif isinstance(item, LedgerCommand):
            yield _field("ledger_command", "", item.verb)
            yield from (_field("instance", "", instance_id) for instance_id in item.instance_ids)


def _asked(request: RebootRequest) -> Iterator[dict[str, str]]:
    """Yield what a timer or a person asked for: such requests are checked as they are read, so there are no places."""
    yield from (_field("instance", "", target.instance_id) for target in request.targets)
    if request.selector:
        told = request.selector.model_dump(mode="json", exclude_defaults=True)
        yield from (_field("selector", name, value) for name, value in told.items())
    for role, value in (
        ("force", request.force),
        ("override", ", ".join(request.override)),
        ("reason", request.reason),
    ):
        if value not in (None, ""):
            yield _field(role, "", value)


def _places(finding: Finding) -> Iterator[dict[str, str]]:
    for state in finding.states:
        yield _field(f"state_{state.meaning}", state.path, state.word)
    for place in finding.places:
        yield from (_field("instance", field.path, field.value) for field in place.ids)
        yield from (_field("region", field.path, field.value) for field in place.regions)
    for role, field in (("time", finding.time), ("contradiction", finding.contradiction), ("foreign", finding.foreign)):
        if field:
            yield _field(role, field.path, field.value)


def _field(role: str, path: str, value: object) -> dict[str, str]:
    return {"role": role, "path": _short(path), "value": _short(str(value))}


def _element(verdict: Value) -> dict[str, Any]:
    told = verdict.model_dump(mode="json")
    return {
        "verdict": type(verdict).__name__.lower(),
        "code": _short(told.get("code") or told.get("verb") or "request"),
        "reason": _short(told.get("evidence") or told.get("reason") or ""),
        "path": _short(told.get("path") or ""),
        "value": _short(told.get("value") or ""),
        "instance_ids": _named(told)[:MOST_ELEMENTS],
        "selector": told.get("selector"),
        "event_time": told.get("event_time"),
        "fault_key": _short(told.get("fault_key") or ""),
    }


def _named(told: Mapping[str, Any]) -> list[str]:
    if "instance_id" in told:
        return [told["instance_id"]] * bool(told["instance_id"])
    return [target["instance_id"] for target in told.get("targets", ())] + list(told.get("instance_ids", ()))


def _short(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}… ({len(text)} characters)"


def _first(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for item, _ in zip(items, range(MOST_ELEMENTS), strict=False)]
