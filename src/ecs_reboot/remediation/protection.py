"""Protecting instances in their Auto Scaling groups while they restart (MANAGED=protect), and taking that back.

A group leaves a protected instance alone that is not Running. The protection is a duty that stands in the ledger with
the claim, before it is asked for: whoever writes down the end of a reboot has taken it back first.
"""

from collections.abc import Mapping

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.ecs_api import Api, EcsApi, Question, batches
from ecs_reboot.cloud.errors import CloudError, Refused

_API = Api("ess", "SetInstancesProtection")
#: Instances that one call names.
MOST = 20
#: How long to try, at most half of what is left: what follows needs the rest. Seconds.
LONGEST = 8.0
#: The instance is in the group no more, or somebody has moved it on: there is nothing to take back.
GONE = ("InvalidInstanceId.NotFound", "InvalidScalingGroupId.NotFound", "IncorrectInstanceStatus")


class Protection:
    """Protects instances, and takes that back. Both are safe to repeat."""

    def __init__(self, ecs: EcsApi, deadline: Deadline) -> None:
        self._ecs, self._deadline = ecs, deadline

    def protect(self, region_id: str, groups: Mapping[str, str]) -> dict[str, CloudError]:
        """Protect instances, given with their groups; return those that are not protected for certain, and why."""
        return self._set(region_id, groups, protected=True)

    def lift(self, region_id: str, groups: Mapping[str, str]) -> dict[str, CloudError]:
        """Take the protection back; return the instances that may still be protected, and why."""
        return {
            instance_id: error
            for instance_id, error in self._set(region_id, groups, protected=False).items()
            if not (isinstance(error, Refused) and error.code.startswith(GONE))
        }

    def _set(self, region_id: str, groups: Mapping[str, str], *, protected: bool) -> dict[str, CloudError]:
        failed: dict[str, CloudError] = {}
        within = Deadline(self._deadline.clock, min(LONGEST, self._deadline.left() / 2))
        for group in dict.fromkeys(groups.values()):
            for part in batches([instance_id for instance_id, where in groups.items() if where == group], MOST):
                error = self._tried(region_id, group, part, within, protected=protected)
                if error and len(part) > 1:
                    # One that is gone fails the others with it.
                    alone = {
                        instance_id: self._tried(region_id, group, (instance_id,), within, protected=protected)
                        for instance_id in part
                    }
                    failed |= {instance_id: error for instance_id, error in alone.items() if error}
                elif error:
                    failed[part[0]] = error
        return failed

    def _tried(
        self, region_id: str, group: str, ids: tuple[str, ...], within: Deadline, *, protected: bool
    ) -> CloudError | None:
        question = Question(
            _API,
            region_id,
            {
                "RegionId": region_id,
                "ScalingGroupId": group,
                "InstanceIds": list(ids),
                "ProtectedFromScaleIn": "true" if protected else "false",
            },
        )

        def call() -> None:
            (answer,) = self._ecs.ask([question], max(1.0, within.left()))
            if isinstance(answer, CloudError):
                raise answer

        try:
            retry.call_idempotent(call, within)
        except CloudError as error:
            return error
        return None
