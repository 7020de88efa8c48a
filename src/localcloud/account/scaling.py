"""Scaling groups at work: a member that is not Running is unhealthy, removed, and released where the group may."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from localcloud.account.audit import Audit
from localcloud.account.clock import Clock
from localcloud.account.instances import Instances
from localcloud.account.surroundings import ScalingGroupSpec

#: In these the group leaves a member alone that is not Running.
_LEFT_ALONE = ("Protected", "Standby")


class Member(NamedTuple):
    """One instance in its group."""

    instance_id: str
    group: ScalingGroupSpec
    lifecycle_state: str

    @property
    def is_released(self) -> bool:
        """Whether the instance goes with its disks when the group removes it."""
        return self.group.auto_created or self.group.entrusted


class ScalingGroups:
    """The groups of an account with their members. Not for several threads at once: hold the cloud's lock."""

    def __init__(self, specs: Iterable[ScalingGroupSpec], fleet: Instances, clock: Clock, audit: Audit) -> None:
        self.groups = {spec.scaling_group_id: spec for spec in specs}
        self._fleet, self._clock, self._audit = fleet, clock, audit
        self._members = {
            instance_id: Member(instance_id, spec, spec.lifecycle_state)
            for spec in self.groups.values()
            for instance_id in spec.instance_ids
        }

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    def get(self, instance_id: str) -> Member | None:
        """Return the member, None for an instance that is in no group."""
        return self._members.get(instance_id)

    def put(self, member: Member) -> None:
        """Change a member's lifecycle state."""
        self._members[member.instance_id] = member

    def advance(self) -> None:
        """Remove the members that have not been Running for too long."""
        now = self._clock.now()
        for member in list(self._members.values()):
            if self._is_unhealthy(member, now):
                del self._members[member.instance_id]
                group_id = member.group.scaling_group_id
                self._audit.record(
                    "scaling", instance_id=member.instance_id, group_id=group_id, released=member.is_released
                )
                if member.is_released:
                    self._fleet.release(self._fleet[member.instance_id], now)

    def is_healthy(self, member: Member) -> bool:
        """Return whether the group would call the member healthy now."""
        return self._fleet[member.instance_id].status == "Running"

    def _is_unhealthy(self, member: Member, now: datetime) -> bool:
        group = member.group
        if group.health_check_type == "NONE" or "HealthCheck" in group.suspended_processes:
            return False
        if member.lifecycle_state in _LEFT_ALONE or self.is_healthy(member):
            return False
        down = next(state.at for state in _since_running(self._fleet[member.instance_id].history))
        return now >= self._clock.after(group.patience_seconds, down)


def _since_running(history: Iterable) -> Iterator:  # type: ignore[type-arg]
    """Yield the states after the last one that was Running, oldest first."""
    states = list(history)
    last = max((place for place, state in enumerate(states) if state.status == "Running"), default=-1)
    yield from states[last + 1 :]
