"""One authenticated, validated call of an action, and what came of it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from localcloud.account.authorization import Resource
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import Identity
from localcloud.account.faults import Fault
from localcloud.account.instances import EcsInstance, StateChange
from localcloud.ecs.parameters import Arguments, Parameter
from localcloud.openapi.errors import ApiError, declared_error

Body = dict[str, Any]


class Outcome(NamedTuple):
    """The body of a success (without its RequestId) and whether the cloud was changed."""

    body: Body
    effect: bool = False


class EcsCall(NamedTuple):
    """What an action gets: the cloud, who calls, with what. ``as_of`` is set for a stale read."""

    cloud: Cloud
    identity: Identity
    action: str
    arguments: Arguments
    faults: tuple[Fault, ...] = ()
    as_of: datetime | None = None

    def state(self, instance: EcsInstance) -> StateChange:
        """Return the state that a read sees."""
        return instance.state if self.as_of is None else instance.state_at(self.as_of)

    def find(self, instance_id: str, region_id: str = "") -> EcsInstance | None:
        """Return an instance that the caller may see, in the given region; None for any other."""
        instance = self.cloud.fleet.get(instance_id)
        if instance is None or not instance.spec.visible or region_id not in ("", instance.spec.region_id):
            return None
        return instance

    def may(self, instance: EcsInstance, request_tags: Mapping[str, str] | None = None) -> bool:
        """Return whether the caller may do this to an instance."""
        return self.cloud.authorize(
            self.identity,
            f"ecs:{self.action}",
            Resource(
                self._arn(instance.spec.region_id, instance.spec.instance_id), instance.state.tags, request_tags or {}
            ),
        )

    def may_list(self, region_id: str) -> bool:
        """Return whether the caller may do this to the instances of a region at all."""
        return self.cloud.authorize(self.identity, f"ecs:{self.action}", Resource(self._arn(region_id, "*")))

    def allowed(self, action: str, arn: str) -> bool:
        """Return whether the caller may do what is about no single instance."""
        return self.cloud.authorize(self.identity, action, Resource(arn))

    def fault_of(self, instance_id: str) -> ApiError | None:
        """Return the error declared for one instance of this call, if there is one."""
        for fault in self.faults:
            if fault.is_of_one_instance and fault.instance_id == instance_id:
                return declared_error(fault)
        return None

    def _arn(self, region_id: str, name: str) -> str:
        return f"acs:ecs:{region_id}:{self.cloud.account}:instance/{name}"


Action = Callable[[EcsCall], Outcome]


class ActionRow(NamedTuple):
    """One action of a table. ``answers_each``: whether it can answer for each instance by itself."""

    parameters: Sequence[Parameter]
    carry_out: Action
    answers_each: bool = False


class Product(NamedTuple):
    """What shares ECS' endpoint and pipeline under a version of its own: its name in faults and audit, its actions."""

    service: str
    actions: Mapping[str, ActionRow]
