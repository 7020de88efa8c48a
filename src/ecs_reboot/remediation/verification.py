"""Proof that a reboot happened and that the instance came back, from observations by DescribeInstances alone.

Being Running right after the call proves nothing: the instance may not have gone down yet. An instance is proven back
when it was *seen* down, or its start time moved, and it is Running again. What one look shows may be older than what
the look before showed, so after being seen down it must be Running in two looks, unless its start time has moved.
Where its agent spoke before, it must have spoken since: a guest whose boot failed is Running all the same.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.ecs_api import batches
from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.model import Instance
from ecs_reboot.policy.findings import Agent
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.lifecycle import transition
from ecs_reboot.remediation.reboot_state import Heard, Observation, Reboot, TimeUp, Watched

#: Waits between looks: from the first, times 1.5, up to the second. Seconds.
FIRST_LOOK, LONGEST_LOOK = 1.0, 10.0

Describe = Callable[[str, tuple[str, ...]], tuple[Instance, ...]]
Listen = Callable[[str, tuple[str, ...]], Mapping[str, Agent]]


def watch(
    describe: Describe, listen: Listen, deadline: Deadline, wanted: Sequence[tuple[Result, float]]
) -> list[Result]:
    """Watch accepted reboots until all are back, or each for its seconds; one call looks at all of a region."""
    clock, accepted = deadline.clock, [result for result, _ in wanted]
    since, began = clock.now(), clock.elapsed()
    until = {(result.region_id, result.instance_id): began + seconds for result, seconds in wanted}
    reboots = {(result.region_id, result.instance_id): _accepted(result) for result in accepted}
    wait = FIRST_LOOK
    while clock.elapsed() + wait <= max(until.values()) and deadline.wait(wait):
        for region_id, ids in _calls([key for key in _open(reboots) if clock.elapsed() <= until[key]]):
            try:
                found = describe(region_id, ids)
            except CloudError:
                continue
            for instance in found:
                key = region_id, instance.instance_id
                reboots[key] = transition(reboots[key], Watched(instance), clock.now()).reboot
            up = tuple(instance_id for instance_id in ids if reboots[region_id, instance_id].watched.back_at)
            unheard = tuple(instance_id for instance_id in up if reboots[region_id, instance_id].watched.silent)
            for instance_id, agent in (listen(region_id, unheard) if unheard else {}).items():
                key = region_id, instance_id
                reboots[key] = transition(reboots[key], Heard(agent), clock.now()).reboot
        if not any(clock.elapsed() + wait <= until[key] for key in _open(reboots)):
            break
        wait = min(1.5 * wait, LONGEST_LOOK)
    now = clock.now()
    return [_proven(result, reboots[result.region_id, result.instance_id], since, now) for result in accepted]


def _accepted(result: Result) -> Reboot:
    """Return where a reboot stands that ECS has just accepted."""
    before = result.facts.instance if result.facts else None
    return Reboot("accepted", before=before, watched=Observation(silent=_has_agent(result)))


def _open(reboots: Mapping[tuple[str, str], Reboot]) -> list[tuple[str, str]]:
    """Return those of which another look can tell more."""
    return [key for key, reboot in reboots.items() if not reboot.watched.is_over]


def _proven(accepted: Result, reboot: Reboot, since: datetime, now: datetime) -> Result:
    """Return the final result of an accepted reboot."""
    step, watched = transition(reboot, TimeUp(since), now), reboot.watched
    update: dict[str, object] = {"code": step.code, "reason": f"{step.reason}; {accepted.reason}"}
    if watched.status:
        update["current_status"] = watched.status
    if step.code == "recovered" and watched.back_at:
        update["downtime_seconds"] = round((watched.back_at - since).total_seconds(), 1)
    return accepted.model_copy(update=update)


def _has_agent(result: Result) -> bool:
    """Return whether the guest had an agent before the reboot, as far as anybody asked."""
    findings = result.facts.findings if result.facts else None
    return bool(findings and findings.agent and findings.agent.heartbeat)


def _calls(keys: list[tuple[str, str]]) -> list[tuple[str, tuple[str, ...]]]:
    by_region: dict[str, list[str]] = {}
    for region_id, instance_id in keys:
        by_region.setdefault(region_id, []).append(instance_id)
    return [(region_id, batch) for region_id, ids in by_region.items() for batch in batches(ids)]
