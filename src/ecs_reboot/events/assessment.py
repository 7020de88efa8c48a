"""From what was found to what is asked for: one order of questions for every source (docs/understand/events.md).

What is it, is it over, is it about ECS, is it firing, can a reboot cure it, which instance, in which region, how long
ago. The first question without a good answer ends it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone

from ecs_reboot.events import event_time, instance_id, monitor, region
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding, Place
from ecs_reboot.events.quoting import plain, quoted
from ecs_reboot.events.state_words import deciding
from ecs_reboot.model import Ignored, LedgerCommand, RebootRequest, Rejected, Target
from ecs_reboot.outcomes import Code

Verdict = RebootRequest | LedgerCommand | Ignored | Rejected
_CONFLICTS = ("id_conflict", "region_conflict")  # make the whole element unknown, not one of its rows
_LABELS_SAID = 20
_ALWAYS_LATER = datetime(9999, 12, 31, tzinfo=timezone.utc)  # an end without a time
FUTURE = timedelta(seconds=300)  # clocks differ, and CloudMonitor stamps the end of a period


def judge(finding: Finding, document: Document, rules: EventSettings, now: datetime) -> list[Verdict]:
    """Judge one element; several verdicts only where it names several instances and some of them badly."""
    settled = _settled(finding)
    if settled:
        return [settled]
    targets, rejected = _targets(finding.places, rules)
    if not targets:
        return [*rejected]
    moment, verdict = age(finding.time, document.delivered, rules, now)
    if verdict:
        first = targets[0]
        found = {"instance_id": first.instance_id, "region_id": first.region_id}
        return [*rejected, verdict.model_copy(update=found)]
    request = RebootRequest(
        trigger=">".join((*document.envelopes, finding.kind)),
        evidence=finding.evidence,
        targets=tuple(targets),
        fault_key=finding.fault_key,
        metric=finding.metric,
        event_time=moment,
    )
    return [*rejected, request]


def age(
    own: Field | None, delivered: datetime | None, rules: EventSettings, now: datetime, *, needed: bool = True
) -> tuple[datetime | None, Ignored | Rejected | None]:
    """Return the time of an element, and the verdict if that time, or that there is none, settles it.

    ``own`` is the element's time field, ``delivered`` the envelope's. With an age limit of 0 nothing is checked.
    """
    moment = event_time.parse(own.value) if own else delivered
    limit = rules.max_event_age_seconds
    if limit == 0:
        return moment, None
    if moment is None:
        return None, _timeless(own) if own or needed else None
    seconds = int((now - moment).total_seconds())
    if now - moment > timedelta(seconds=limit):
        reason = f"it happened {length(seconds)} ago; MAX_EVENT_AGE_SECONDS is {limit} ({length(limit)})"
        return moment, Ignored(code="stale", reason=reason, event_time=moment)
    if moment - now > FUTURE:
        field = own or Field("delivery time", moment.isoformat())
        early = _rejected("from_the_future", field, f"{length(-seconds)} in the future: one of the clocks is wrong")
        return moment, early.model_copy(update={"event_time": moment})
    return moment, None


def _timeless(own: Field | None) -> Rejected:
    if own:
        return _rejected("invalid_event_time", own, "which is no time in any known form")
    reason = "nothing says when this happened, so it may be old; set MAX_EVENT_AGE_SECONDS=0 to accept such events"
    return Rejected(code="no_event_time", reason=reason)


def length(seconds: int) -> str:
    """Return a length of time in the largest unit that it holds twice: `90 s`, `45 min`, `7 d`."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def superseded_by_recovery(findings: Sequence[Finding]) -> dict[int, str]:
    """Find the firing elements whose end is in the same event: their position, and the path of what says so.

    Only an end of the same identity ends a fault, and of the two the newer word counts, whatever their order in the
    event. Where one of them has no time, the end counts; elements without any identity share the empty one.
    """
    ends: dict[str, tuple[datetime, str]] = {}
    for finding in findings:
        state = deciding(finding.states)
        if state.meaning == "recovery":
            end = (_said(finding) or _ALWAYS_LATER, state.path)
            ends[finding.identity] = max(end, ends.get(finding.identity, end))
    over: dict[int, str] = {}
    for position, finding in enumerate(findings):
        ended, path = ends.get(finding.identity, (None, ""))
        if ended and deciding(finding.states).meaning == "firing" and ended >= (_said(finding) or ended):
            over[position] = path
    return over


def _said(finding: Finding) -> datetime | None:
    field = finding.said or finding.time
    return event_time.parse(field.value) if field else None


def recovered_here(finding: Finding, path: str) -> Ignored:
    """Word the verdict on an element that ``superseded_by_recovery`` found."""
    return _ignored(finding, "alarm_over", f"{finding.evidence}; the same event says that it is over ({path})")


def _raw_ids(finding: Finding) -> set[str]:
    return {field.value for place in finding.places for field in place.ids if isinstance(field.value, str)}


def _settled(finding: Finding) -> Ignored | Rejected | None:
    """Ask the questions about the element as a whole, in their order."""
    return next((answer for ask in _QUESTIONS if (answer := ask(finding))), None)


def _what_it_is(finding: Finding) -> Ignored | None:
    return _ignored(finding, finding.notice.code, finding.notice.reason) if finding.notice else None


def _is_it_over(finding: Finding) -> Ignored | None:
    state = deciding(finding.states)
    if state.meaning != "recovery":
        return None
    return _ignored(finding, "alarm_over", f"{state.path} is '{state.word}': it is over ({finding.evidence})")


def _is_it_ours(finding: Finding) -> Rejected | None:
    return _rejected("not_ecs", finding.foreign, "so this is not about an ECS instance") if finding.foreign else None


def _is_it_firing(finding: Finding) -> Ignored | None:
    state = deciding(finding.states)
    if state.meaning != "neither":
        return None
    fault = monitor.by_state(state.path, state.word)
    if fault:
        return _ignored(finding, fault.code, f"{fault.reason} ({finding.evidence})")
    said = f"{state.path} is '{state.word}', which is no firing state" if state.path else "no state word is there"
    return _ignored(finding, "not_firing", f"{said} ({finding.evidence})")


def _does_it_agree_with_itself(finding: Finding) -> Rejected | None:
    field = finding.contradiction
    return _rejected("contradiction", field, "contradicts another state of the same element") if field else None


def _can_a_reboot_cure_it(finding: Finding) -> Ignored | None:
    refusal = finding.refusal
    return _ignored(finding, refusal.code, f"{finding.evidence}; {refusal.reason}") if refusal else None


_QUESTIONS: tuple[Callable[[Finding], Ignored | Rejected | None], ...] = (
    _what_it_is,
    _is_it_over,
    _is_it_ours,
    _is_it_firing,
    _does_it_agree_with_itself,
    _can_a_reboot_cure_it,
)


def _ignored(finding: Finding, code: Code, reason: str) -> Ignored:
    named = sorted(name for name in _raw_ids(finding) if instance_id.is_well_formed(name))
    regions = [field.value for place in finding.places for field in place.regions]
    where = next((name for name in regions if isinstance(name, str) and region.is_well_formed(name)), "")
    return Ignored(
        code=code,
        reason=reason,
        instance_id=named[0] if named else "",
        region_id=where if named else "",
        event_time=event_time.parse(finding.time.value) if finding.time else None,
    )


def _targets(places: tuple[Place, ...], rules: EventSettings) -> tuple[list[Target], list[Rejected]]:
    """Return the instances that are named well, once each, and a rejection for every other."""
    targets: dict[Target, None] = {}
    rejected: dict[Rejected, None] = {}
    for place in places or (Place(),):
        found = _target(place, rules)
        if isinstance(found, Target):
            targets[found] = None
        else:
            rejected[found] = None
    if any(refused.code in _CONFLICTS for refused in rejected):
        return [], list(rejected)
    regions: dict[str, str] = {}
    for target in targets:
        if regions.setdefault(target.instance_id, target.region_id) != target.region_id:
            field = Field("region", target.region_id)
            return [], [*rejected, _rejected("region_conflict", field, f"but {target.instance_id} is elsewhere too")]
    return list(targets), list(rejected)


def _target(place: Place, rules: EventSettings) -> Target | Rejected:
    if not place.ids:
        return Rejected(code="no_instance_id", reason=_nameless(place, rules))
    for field in place.ids:
        wrong = instance_id.complaint(field.value)
        if wrong:
            reason = f"{field.path}: {quoted(field.value)} {wrong}"
            said = plain(field.value)
            return Rejected(code="invalid_instance_id", reason=reason, path=field.path, value=said, instance_id=said)
    for field in place.regions:
        if not region.is_well_formed(field.value):
            return _rejected("invalid_region", field, "which does not have the form of a region ID")
    conflict = _disagreement("id_conflict", place.ids) or _disagreement("region_conflict", place.regions)
    if conflict:
        return conflict
    named = str(place.ids[0].value)
    where = str(place.regions[0].value) if place.regions else rules.default_region
    if not where:
        reason = "the event names no region and DEFAULT_REGION is empty"
        return Rejected(code="no_region", reason=reason, instance_id=named)
    return Target(instance_id=named, region_id=where)


def _nameless(place: Place, rules: EventSettings) -> str:
    if not place.labels:
        return "no instance ID is in any place where this kind of event has one"
    more = ", ..." if len(place.labels) > _LABELS_SAID else ""
    return (
        f"none of its labels names an instance; it has {', '.join(place.labels[:_LABELS_SAID])}{more}; INSTANCE_LABELS "
        f"({', '.join(rules.instance_labels)}) says which label holds the instance ID"
    )


def _disagreement(code: Code, fields: tuple[Field, ...]) -> Rejected | None:
    other = next((field for field in fields if field.value != fields[0].value), None)
    return _rejected(code, other, f"but {fields[0].path} is {quoted(fields[0].value)}") if other else None


def _rejected(code: Code, field: Field, why: str) -> Rejected:
    reason = f"{field.path} is {quoted(field.value)}, {why}"
    return Rejected(code=code, reason=reason, path=field.path, value=plain(field.value))
