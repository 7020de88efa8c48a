"""The record of what was done: one ``Result`` for each instance, and one for each element of an event that led to none.

The same schema is returned, printed and shipped (docs/operate/records.md). ``facts`` holds all that the decision
rests on, so that a record can be explained, and replayed under other settings.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from ecs_reboot.model import Ignored, RebootRequest, Rejected, Value
from ecs_reboot.outcomes import Code
from ecs_reboot.policy.facts import Facts

#: Raised when a field changes its meaning or goes away; a new field alone does not raise it.
SCHEMA = 1


class Exhibit(Value):
    """One piece of evidence from before a reboot: where it lies in the bucket and its digest, or why it does not."""

    name: Literal["console", "screen", "state"]
    key: str = ""
    sha256: str = ""
    size: int = 0
    error: str = ""


class Result(Value):
    """What became of one instance.

    ``action`` is what policy decided; ``code`` is what came of it (docs/operate/records.md lists all): a guard's
    code     for `skip`; for `reboot` what ECS answered and, where it was watched, whether the instance came back.
    ``previous_status`` and ``current_status`` are ECS's words; ``retriable`` tells that trying the same event again can
    help; ``attempt`` counts within the escalation window, this one included; ``downtime_seconds`` is from the
    acceptance until it was seen Running again; ``exhibits`` is the evidence that was taken before (`EVIDENCE`).
    """

    instance_id: str
    region_id: str
    action: Literal["reboot", "skip"]
    code: Code
    reason: str
    force: bool = False
    dry_run: bool = False
    previous_status: str = ""
    current_status: str = ""
    api_code: str = ""
    api_message: str = ""
    api_request_id: str = ""
    retriable: bool = False
    attempt: int = 0
    downtime_seconds: float | None = None
    trigger: str = ""
    evidence: str = ""
    requested_reason: str = ""
    fault_key: str = ""
    event_time: datetime | None = None
    exhibits: tuple[Exhibit, ...] = ()
    facts: Facts | None = None


def of_decision(facts: Facts, action: Literal["reboot", "skip"], code: Code, reason: str, **more: Any) -> Result:
    """Make the result for one instance that a request asked for."""
    request, instance = facts.request, facts.instance
    given = {
        "previous_status": instance.status if instance else "",
        "current_status": instance.status if instance else "",
    }
    return Result(
        instance_id=facts.target.instance_id,
        region_id=facts.target.region_id,
        action=action,
        code=code,
        reason=reason,
        **_asked(request),
        facts=facts,
        **{**given, **more},
    )


def of_request(request: RebootRequest, region_id: str, code: Code, reason: str, **more: Any) -> Result:
    """Make the result of a request that led to no instance at all."""
    return Result(
        instance_id="", region_id=region_id, action="skip", code=code, reason=reason, **_asked(request), **more
    )


def of_unbegun(request: RebootRequest, code: Code, reason: str) -> list[Result]:
    """Make the results of a request of which nothing was begun, so that it is tried again: one for each instance named.

    One for the whole request where it names none.
    """
    whole = of_request(request, "", code, reason, retriable=True)
    named = dict.fromkeys((target.instance_id, target.region_id) for target in request.targets)
    return [
        whole.model_copy(update={"instance_id": instance_id, "region_id": region_id})
        for instance_id, region_id in named
    ] or [whole]


def of_element(trigger: str, element: Ignored | Rejected) -> Result:
    """Make the result of an element of an event that asks for nothing."""
    path = element.path if isinstance(element, Rejected) else ""
    where = f" (at {path}: {element.value})" if isinstance(element, Rejected) and path not in element.reason else ""
    return Result(
        instance_id=element.instance_id,
        region_id=element.region_id,
        action="skip",
        code=element.code,
        reason=element.reason + where,
        trigger=trigger,
        event_time=element.event_time,
    )


def flat_facts(facts: Facts) -> dict[str, Any]:
    """Return what a decision was made from, as a JSON-able dict."""
    # A request for a hundred instances need not stand a hundred times in its records.
    dumped: dict[str, Any] = facts.model_dump(mode="json", exclude={"request": {"targets", "selector"}})
    return dumped


def flat(
    result: Result, request_id: str, kind: str, at: datetime, dump: Callable[[Facts], dict[str, Any]] = flat_facts
) -> dict[str, Any]:
    """Return the record as a JSON-able dict: the result, and which invocation wrote it, when.

    ``kind`` is `intent` for what is about to be asked of ECS, `accepted` for what ECS accepted and is now watched,
    `result` for what came of it in the end, `notice` for a message about it.
    """
    head = {"schema": SCHEMA, "record": kind, "time": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "request_id": request_id}
    facts = result.facts and dump(result.facts)
    return {**head, **result.model_dump(mode="json", exclude={"facts"}), "facts": facts}


def _asked(request: RebootRequest) -> dict[str, Any]:
    return {
        "trigger": request.trigger,
        "evidence": request.evidence,
        "requested_reason": request.reason,
        "fault_key": request.fault_key,
        "event_time": request.event_time,
    }
