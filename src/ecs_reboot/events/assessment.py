"""From what was found to what is asked for: one order of questions for every source (docs/events.md).

Is it happening now, can a reboot cure it, is it about ECS, which instance, in which region, how long ago. The first
question without a good answer ends it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ecs_reboot.events import event_time, instance_id, region
from ecs_reboot.events.event_settings import EventSettings
from ecs_reboot.events.finding import Document, Field, Finding, Place
from ecs_reboot.events.quoting import plain, quoted
from ecs_reboot.events.state_words import deciding
from ecs_reboot.model import Ignored, LedgerCommand, RebootRequest, Rejected, Target
from ecs_reboot.outcomes import Code

Verdict = RebootRequest | LedgerCommand | Ignored | Rejected
_SAME_FAULT = "*"  # stands where an instance ID stands otherwise, and is none
_CONFLICTS = ("id_conflict", "region_conflict")  # make the whole element unknown, not one of its rows
FUTURE = timedelta(seconds=300)  # clocks differ, and CloudMonitor stamps the end of a period


def judge(finding: Finding, document: Document, rules: EventSettings, now: datetime) -> list[Verdict]:
    """Judge one element; several verdicts only where it names several instances and some of them badly."""
    settled = _ignored(finding) or _unusable(finding)
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
        event_time=moment,
    )
    return [*rejected, request]


def age(
    own: Field | None, delivered: datetime | None, rules: EventSettings, now: datetime, *, needed: bool = True
) -> tuple[datetime | None, Ignored | Rejected | None]:
    """Give the time of an element, and the verdict if that time, or the want of one, settles it.

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
        reason = f"it happened {seconds} s ago; MAX_EVENT_AGE_SECONDS is {limit}"
        return moment, Ignored(code="stale", reason=reason, event_time=moment)
    if moment - now > FUTURE:
        field = own or Field("delivery time", moment.isoformat())
        early = _rejected("from_the_future", field, f"{-seconds} s in the future: one of the clocks is wrong")
        return moment, early.model_copy(update={"event_time": moment})
    return moment, None


def _timeless(own: Field | None) -> Rejected:
    if own:
        return _rejected("invalid_event_time", own, "which is no time in any known form")
    reason = "nothing says when this happened, so it may be old; set MAX_EVENT_AGE_SECONDS=0 to accept such events"
    return Rejected(code="no_event_time", reason=reason)


def superseded_by_recovery(findings: Sequence[Finding]) -> dict[int, str]:
    """Find the firing elements whose end is in the same event: their position, and the path of what says so.

    The end is a recovered element of the same fault, or of the same subject on the same instance; one that names no
    instance may mean any.
    """
    ends: dict[tuple[str, str], str] = {}
    for one in findings:
        state = deciding(one.states)
        if state.meaning == "recovery":
            instances = _raw_ids(one) or {""}
            ends[one.fault_key, _SAME_FAULT] = state.path
            ends.update(((one.subject, instance), state.path) for instance in instances)
    over: dict[int, str] = {}
    for position, one in enumerate(findings):
        if deciding(one.states).meaning == "firing":
            marks = [(one.fault_key, _SAME_FAULT), *((one.subject, instance) for instance in (_raw_ids(one) | {""}))]
            path = next((ends[mark] for mark in marks if mark[0] and mark in ends), None)
            if path is not None:
                over[position] = path
    return over


def recovered_here(finding: Finding, path: str) -> Ignored:
    """Word the verdict on an element that ``superseded_by_recovery`` found."""
    return _told(finding, "alarm_over", f"{finding.evidence}; the same event says that it is over ({path})")


def _raw_ids(finding: Finding) -> set[str]:
    return {one.value for place in finding.places for one in place.ids if isinstance(one.value, str)}


def _ignored(finding: Finding) -> Ignored | None:
    if finding.notice:
        return _told(finding, finding.notice.code, finding.notice.reason)
    state = deciding(finding.states)
    if state.meaning == "recovery":
        return _told(finding, "alarm_over", f"{state.path} is '{state.word}': it is over ({finding.evidence})")
    if state.meaning == "neither":
        said = f"{state.path} is '{state.word}', which is no firing state" if state.path else "no state word is there"
        return _told(finding, "not_firing", f"{said} ({finding.evidence})")
    if finding.refusal and not finding.contradiction:
        return _told(finding, finding.refusal.code, f"{finding.evidence}; {finding.refusal.reason}")
    return None


def _told(finding: Finding, code: Code, reason: str) -> Ignored:
    named = sorted(one for one in _raw_ids(finding) if instance_id.is_well_formed(one))
    regions = [one.value for place in finding.places for one in place.regions]
    where = next((one for one in regions if isinstance(one, str) and region.is_well_formed(one)), "")
    return Ignored(
        code=code,
        reason=reason,
        instance_id=named[0] if named else "",
        region_id=where if named else "",
        event_time=event_time.parse(finding.time.value) if finding.time else None,
    )


def _unusable(finding: Finding) -> Rejected | None:
    if finding.contradiction:
        return _rejected("contradiction", finding.contradiction, "contradicts another state of the same element")
    if finding.foreign:
        return _rejected("not_ecs", finding.foreign, "so this is not about an ECS instance")
    return None


def _targets(places: tuple[Place, ...], rules: EventSettings) -> tuple[list[Target], list[Rejected]]:
    """Give the instances that are named well, once each, and a rejection for every other."""
    targets: dict[Target, None] = {}
    rejected: dict[Rejected, None] = {}
    for place in places or (Place(),):
        found = _target(place, rules)
        if isinstance(found, Target):
            targets[found] = None
        else:
            rejected[found] = None
    if any(one.code in _CONFLICTS for one in rejected):
        return [], list(rejected)
    regions: dict[str, str] = {}
    for one in targets:
        if regions.setdefault(one.instance_id, one.region_id) != one.region_id:
            field = Field("region", one.region_id)
            return [], [*rejected, _rejected("region_conflict", field, f"but {one.instance_id} is elsewhere too")]
    return list(targets), list(rejected)


def _target(place: Place, rules: EventSettings) -> Target | Rejected:
    if not place.ids:
        return Rejected(code="no_instance_id", reason="no instance ID is in any place where this kind of event has one")
    for one in place.ids:
        wrong = instance_id.complaint(one.value)
        if wrong:
            reason = f"{one.path}: {quoted(one.value)} {wrong}"
            said = plain(one.value)
            return Rejected(code="invalid_instance_id", reason=reason, path=one.path, value=said, instance_id=said)
    for one in place.regions:
        if not region.is_well_formed(one.value):
            return _rejected("invalid_region", one, "which does not have the form of a region ID")
    conflict = _disagreement("id_conflict", place.ids) or _disagreement("region_conflict", place.regions)
    if conflict:
        return conflict
    named = str(place.ids[0].value)
    where = str(place.regions[0].value) if place.regions else rules.default_region
    if not where:
        reason = "the event names no region and DEFAULT_REGION is empty"
        return Rejected(code="no_region", reason=reason, instance_id=named)
    return Target(instance_id=named, region_id=where)


def _disagreement(code: Code, fields: tuple[Field, ...]) -> Rejected | None:
    other = next((one for one in fields if one.value != fields[0].value), None)
    return _rejected(code, other, f"but {fields[0].path} is {quoted(fields[0].value)}") if other else None


def _rejected(code: Code, field: Field, why: str) -> Rejected:
    reason = f"{field.path} is {quoted(field.value)}, {why}"
    return Rejected(code=code, reason=reason, path=field.path, value=plain(field.value))
