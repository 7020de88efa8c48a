"""Proof that a reboot happened and that the instance came back, from observations by DescribeInstances alone.

Being Running right after the call proves nothing: the instance may not have gone down yet. An instance is proven back
when it was *seen* down, or its start time moved, and it is Running again. What one look shows may be older than what
the look before showed, so after being seen down it must be Running in two looks, unless its start time has moved.
Where its agent spoke before, it must have spoken since: a guest whose boot failed is Running all the same.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.ecs_api import batches
from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.model import Instance
from ecs_reboot.policy.findings import Agent
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.lifecycle import SPEAKS_WITHIN

#: Waits between looks: from the first, times 1.5, up to the second. Seconds.
FIRST_LOOK, LONGEST_LOOK = 1.0, 10.0

Describe = Callable[[str, tuple[str, ...]], tuple[Instance, ...]]
Listen = Callable[[str, tuple[str, ...]], Mapping[str, Agent]]


class Observation(NamedTuple):
    """What has been seen of one instance since ECS accepted its reboot.

    ``since``: what its agent says after this was said after the restart. ``silent``: it had an agent, which has not
    spoken since.
    """

    went_down: bool = False
    up_since: datetime | None = None
    status: str = ""
    back_at: datetime | None = None
    since: datetime | None = None
    silent: bool = False

    @property
    def is_open(self) -> bool:
        """Whether another look can tell more."""
        return self.back_at is None or self.silent


def look(before: Instance, after: Instance, observation: Observation, now: datetime) -> Observation:
    """Add one look to what has been seen."""
    moved = bool(before.start_time and after.start_time and after.start_time > before.start_time)
    went_down = observation.went_down or moved or after.status != "Running"
    if not went_down or after.status != "Running":
        down = now if after.status != "Running" else observation.since
        return observation._replace(went_down=went_down, up_since=None, status=after.status, back_at=None, since=down)
    up_since = observation.up_since or now
    # ECS gives start times in whole minutes.
    since = observation.since or (after.start_time if moved else None)
    back_at = up_since if moved or observation.up_since else None
    return observation._replace(
        went_down=went_down, up_since=up_since, status=after.status, back_at=back_at, since=since
    )


def hear(agent: Agent | None, observation: Observation) -> Observation:
    """Add what its agent said: an agent that spoke before must have spoken since the restart."""
    heartbeat = agent.heartbeat if agent else None
    spoke = heartbeat is not None and observation.since is not None and heartbeat >= observation.since
    return observation._replace(silent=observation.silent and not spoke)


def verdict(accepted: Result, observation: Observation, since: datetime, now: datetime) -> Result:
    """Return the final result of an accepted reboot."""
    seconds = (now - since).total_seconds()
    if observation.back_at and observation.silent:
        silent = (now - observation.back_at).total_seconds()
        late = silent >= SPEAKS_WITHIN.total_seconds()
        code = "running_silent" if late else "still_rebooting"
        reason = f"it is Running again, and its agent has not spoken in the {silent:.0f} s since"
        update: dict[str, object] = {}
    elif observation.back_at:
        downtime = round((observation.back_at - since).total_seconds(), 1)
        code, reason = "recovered", f"it went down and was Running again {downtime:g} s after ECS accepted"
        update = {"downtime_seconds": downtime}
    else:
        update = {}
        if not observation.went_down:
            code, reason = "unproven", f"in {seconds:.0f} s of watching nothing showed that it went down"
        elif observation.status == "Stopped":
            code, reason = (
                "stayed_down",
                f"it is Stopped, {seconds:.0f} s after ECS accepted",
            )
        else:
            code, reason = "still_rebooting", f"it is still {observation.status}, {seconds:.0f} s after ECS accepted"
    return accepted.model_copy(
        update={
            **update,
            "code": code,
            "reason": f"{reason}; {accepted.reason}",
            "current_status": observation.status or accepted.current_status,
        }
    )


def watch(
    describe: Describe, listen: Listen, deadline: Deadline, wanted: Sequence[tuple[Result, float]]
) -> list[Result]:
    """Watch accepted reboots until all are back, or each for its seconds; one call looks at all of a region."""
    clock, accepted = deadline.clock, [result for result, _ in wanted]
    since, began = clock.now(), clock.elapsed()
    until = {(result.region_id, result.instance_id): began + seconds for result, seconds in wanted}
    observations = {
        (result.region_id, result.instance_id): Observation(silent=_has_agent(result)) for result in accepted
    }
    before = {
        (result.region_id, result.instance_id): result.facts.instance
        for result in accepted
        if result.facts and result.facts.instance
    }
    wait = FIRST_LOOK
    while clock.elapsed() + wait <= max(until.values()) and deadline.wait(wait):
        open_ = [key for key, seen in observations.items() if seen.is_open and clock.elapsed() <= until[key]]
        for region_id, ids in _calls(open_):
            try:
                found = describe(region_id, ids)
            except CloudError:
                continue
            for instance in found:
                key = region_id, instance.instance_id
                observations[key] = look(before[key], instance, observations[key], clock.now())
            up = tuple(
                instance_id
                for instance_id in ids
                if (seen := observations[region_id, instance_id]).back_at and seen.silent
            )
            for instance_id, agent in (listen(region_id, up) if up else {}).items():
                observations[region_id, instance_id] = hear(agent, observations[region_id, instance_id])
        if not any(seen.is_open and clock.elapsed() + wait <= until[key] for key, seen in observations.items()):
            break
        wait = min(1.5 * wait, LONGEST_LOOK)
    now = clock.now()
    return [verdict(result, observations[result.region_id, result.instance_id], since, now) for result in accepted]


def _has_agent(result: Result) -> bool:
    """Return whether the guest had an agent before the reboot, as far as anybody asked."""
    findings = result.facts.findings if result.facts else None
    return bool(findings and findings.agent and findings.agent.heartbeat)


def _calls(keys: list[tuple[str, str]]) -> list[tuple[str, tuple[str, ...]]]:
    by_region: dict[str, list[str]] = {}
    for region_id, instance_id in keys:
        by_region.setdefault(region_id, []).append(instance_id)
    return [(region_id, batch) for region_id, ids in by_region.items() for batch in batches(ids)]
