"""From the bytes of an event to what they say: unwrap, recognise, find, judge. Total: any bytes give a ParsedEvent."""

from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from typing import Protocol

from ecs_reboot.events import assessment, handover_envelope, source_table
from ecs_reboot.events.assessment import Verdict
from ecs_reboot.events.envelope import Failure, unwrap
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding
from ecs_reboot.events.parsing import UnreadableText, decode
from ecs_reboot.events.quoting import plain, quoted
from ecs_reboot.model import Ignored, LedgerCommand, ParsedEvent, RebootRequest, Rejected

MAX_IN_ALERTS = 1000  # that alerts of one event may name: as many as one group, list or alert may


class _Source(Protocol):
    def __call__(self, document: Document, rules: EventSettings, now: datetime, /) -> Sequence[Finding | Verdict]: ...


def read(event: bytes, rules: EventSettings, now: datetime) -> ParsedEvent:
    """Return what an event asks for, element by element; ``now`` is aware. Never raises, whatever the bytes are.

    What is positively recognised as firing now, for this ECS instance, in this region, becomes a request; all else is
    Ignored or Rejected with the reason (docs/understand/events.md).
    """
    try:
        text = decode(event)
    except UnreadableText as error:
        return ParsedEvent(trigger="malformed", rejected=(_rejected(error),))
    handed_over = handover_envelope.opened(text)
    documents, failures = unwrap(handed_over or text, rules)
    kinds: dict[str, None] = {}
    found: list[tuple[Finding | Verdict, Document]] = []
    named = 0
    for document in documents:
        kind, items = _found(document, rules, now)
        kinds[_trigger(document.envelopes, kind)] = None
        found.extend((item, document) for item in items)
        named += sum(len(item.places) or 1 if isinstance(item, Finding) else 1 for item in items)
        if named > MAX_IN_ALERTS:
            reason = f"its alerts name more than {MAX_IN_ALERTS} instances"
            found = [(_rejected(UnreadableText("too_large", reason)), document)]
            break
    for failure in () if documents else failures:
        kinds[_trigger(failure.envelopes, _kind(failure, text))] = None
    verdicts = _judged(found, rules, now)
    verdicts.extend(_rejected(_error(failure, text)) for failure in failures)
    ignored = tuple(verdict for verdict in verdicts if isinstance(verdict, Ignored))
    trigger = "+".join(kinds)
    return ParsedEvent(
        trigger=trigger,
        requests=tuple(verdict for verdict in verdicts if isinstance(verdict, RebootRequest)),
        upkeep=(
            *(verdict for verdict in verdicts if isinstance(verdict, LedgerCommand)),
            *_echoes(ignored, trigger),
        ),
        ignored=ignored,
        rejected=tuple(verdict for verdict in verdicts if isinstance(verdict, Rejected)),
        over_http=not handed_over and _came_over_http([document.envelopes for document in documents], failures),
        handed_over_by=handed_over.request_id if handed_over else "",
    )


def _came_over_http(envelopes: list[tuple[str, ...]], failures: list[Failure]) -> bool:
    return any(names[:1] == ("http",) for names in (*envelopes, *(failure.envelopes for failure in failures)))


def _echoes(ignored: tuple[Ignored, ...], trigger: str) -> list[LedgerCommand]:
    """Ask what became of a reboot of ours: a change of state is no reason for one, but may complete its record."""
    return [
        LedgerCommand(
            verb="verify",
            trigger=trigger,
            region_id=echo.region_id,
            instance_ids=(echo.instance_id,),
            event_time=echo.event_time,
        )
        for echo in ignored
        if echo.code == "echo" and echo.instance_id and echo.region_id
    ]


def _kind(failure: Failure, event: str) -> str:
    return "unsupported" if source_table.is_gateway_template(event) else failure.kind


def _error(failure: Failure, event: str) -> UnreadableText:
    return (
        UnreadableText("unsupported", source_table.GATEWAY_ADVICE)
        if source_table.is_gateway_template(event)
        else failure.error
    )


def _found(document: Document, rules: EventSettings, now: datetime) -> tuple[str, Sequence[Finding | Verdict]]:
    """Let the source's module look at one object; its kind may be narrower than the shape."""
    shape = source_table.recognise(document.body, is_form=document.is_form)
    if shape.kind == "timer" and (document.envelopes or document.path):
        shape = source_table.UNKNOWN  # only the platform's own timer is one, and it comes bare
    if not shape.module:
        keys = ", ".join(plain(key) for key in list(document.body)[:_KEYS_SAID]) or "none"
        reason = f"{shape.advice} (its fields: {keys})"
        return shape.kind, [Rejected(code="unsupported", reason=reason, path=document.path.rstrip("."), value=keys)]
    source: _Source = import_module(f"ecs_reboot.events.sources.{shape.module}").find
    try:
        items = source(document, rules, now)
    except UnreadableText as error:
        return "malformed", [_rejected(error)]
    narrower = {item.kind: None for item in items if isinstance(item, Finding)}
    return "+".join(narrower) or shape.kind, items


def _judged(found: list[tuple[Finding | Verdict, Document]], rules: EventSettings, now: datetime) -> list[Verdict]:
    findings = [(_dated(item, document), document) for item, document in found if isinstance(item, Finding)]
    verdicts: list[Verdict] = [item for item, _ in found if not isinstance(item, Finding)]
    over = assessment.superseded_by_recovery([item for item, _ in findings])
    for position, (finding, document) in enumerate(findings):
        if position in over:
            verdicts.append(assessment.recovered_here(finding, over[position]))
        else:
            verdicts.extend(assessment.judge(finding, document, rules, now))
    return verdicts


def _dated(finding: Finding, document: Document) -> Finding:
    """Let the time of the delivery stand in where an element does not say when its state became what it is."""
    if finding.said or finding.time or not document.delivered:
        return finding
    return finding._replace(said=Field("delivery time", document.delivered.isoformat()))


def _trigger(envelopes: tuple[str, ...], kind: str) -> str:
    """Name the way an object came; inside an envelope a kind that is none adds nothing."""
    return ">".join(envelopes) if envelopes and kind in _NO_KIND else ">".join((*envelopes, kind))


_KEYS_SAID = 8
_NO_KIND = ("malformed", "text", "unsupported")


def _rejected(error: UnreadableText) -> Rejected:
    path = plain(error.path.rstrip("."))
    said = [path] * bool(path) + [quoted(error.value)] * (error.value != "")
    at = f" ({': '.join(said)})" if said else ""
    return Rejected(code=error.code, reason=error.reason + at, path=path, value=plain(error.value))
