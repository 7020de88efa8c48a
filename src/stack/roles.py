"""The roles of the account that services need beside the stack's own: looked for, and made where the deployer may.

Opening a service does not make them; that is an authorisation of its own. Without them the stack is made, and then
alarms do not arrive: CloudMonitor saves a rule whose target it can't reach and says nothing.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from Tea.exceptions import TeaException

from stack.clients import Clients

Resources = Mapping[str, Mapping[str, Any]]

#: How RAM says that there is no such role, that there is one already, and that the caller may not.
NO_ROLE, _THERE_ALREADY = "EntityNotExist.Role", "EntityAlreadyExists"
MAY_NOT = ("NoPermission", "Forbidden", "Forbidden.RAM")


class AccountRole(NamedTuple):
    """One role of the account.

    ``service`` takes it. ``policy`` is the system policy of an ordinary service role; a service-linked role has none,
    its service attaches its own. ``makeable``: the name under which the role is asked for is known; the others are made
    by their service when it first needs them. ``lost`` is what does not work without it, ``by_hand`` how a person makes
    it.
    """

    name: str
    service: str
    lost: str
    by_hand: str
    needed: Callable[[Resources], bool]
    policy: str = ""
    makeable: bool = True


def _has(kind: str, trigger: str = "") -> Callable[[Resources], bool]:
    def needed(resources: Resources) -> bool:
        return any(
            made["Type"] == kind and trigger in ("", made["Properties"].get("TriggerType"))
            for made in resources.values()
        )

    return needed


#: CloudMonitor, "Write alerts to MNS": without the authorisation nothing is written. Its trust and its policy are those
#: in Alibaba's list of service roles (aliyun terraform modules, service roles).
CLOUD_MONITOR = AccountRole(
    "AliyunCloudMonitorDefaultRole",
    "cloudmonitor.aliyuncs.com",
    "CloudMonitor saves alarm rules and no alarm reaches the topic",
    "CloudMonitor's documentation, 'Write alerts to MNS': Cloud Resource Access Authorization",
    _has("ALIYUN::MNS::Topic"),
    policy="AliyunCloudMonitorRolePolicy",
)
ACCOUNT_ROLES = (
    CLOUD_MONITOR,
    # EventBridge, "Service-linked roles" (2026-01); devsapp/fc3, docs/triggers: needed before the first trigger.
    AccountRole(
        "AliyunServiceRoleForEventBridgeSendToFC",
        "sendevent-fc.eventbridge.aliyuncs.com",
        "EventBridge can't call the function: no system event arrives",
        "EventBridge's console, when a rule with a function as its target is made",
        _has("ALIYUN::FC3::Trigger", "eventbridge"),
    ),
    # RAM, AliyunServiceRolePolicyForFCTriggerEventBridge (2025-06). No page read gives the service's name for asking.
    AccountRole(
        "AliyunServiceRoleForFCTriggerEventBridge",
        "",
        "Function Compute can't make the rules on the bus: the stack's triggers may fail",
        "Function Compute's console, when an EventBridge trigger is made for any function",
        _has("ALIYUN::FC3::Trigger", "eventbridge"),
        makeable=False,
    ),
    # Function Compute, "Service-linked role" (2026-06): VPC, messages, logs.
    AccountRole(
        "AliyunServiceRoleForFC",
        "fc.aliyuncs.com",
        "Function Compute can't reach a VPC, and may not take messages or collect logs",
        "Function Compute's console asks for it at the first visit",
        _has("ALIYUN::FC3::Function"),
    ),
    # CloudMonitor, "Manage the service-linked role": it installs the agent, whose events are wired.
    AccountRole(
        "AliyunServiceRoleForCloudMonitor",
        "cloudmonitor.aliyuncs.com",
        "CloudMonitor can't install its agent on new instances, so its events are missing for them",
        "CloudMonitor's console, host monitoring, when the agent is first installed",
        lambda resources: "AgentEventTrigger" in resources,
    ),
)


class RoleState(NamedTuple):
    """What was found of a role: ``there``, or ``missing`` (``made`` just now, if so), or ``hidden`` from the caller."""

    role: AccountRole
    found: str
    sentence: str = ""


class AccountRoles:
    """The account's roles, through RAM. Raises TeaException for what is neither absence nor a missing right."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def look(self, resources: Resources) -> Iterator[RoleState]:
        """Say of each role that these resources need whether it is there; changes nothing."""
        for role in ACCOUNT_ROLES:
            if role.needed(resources):
                yield self._look(role)

    def make(self, resources: Resources) -> Iterator[RoleState]:
        """Make what is missing, as far as the caller may; say of each needed role how it stands then."""
        for state in self.look(resources):
            yield self._made(state.role) if state.found == "missing" and state.role.makeable else state

    def _look(self, role: AccountRole) -> RoleState:
        try:
            self._clients.rpc("ram", "GetRole", {"RoleName": role.name})
        except TeaException as error:
            if error.code == NO_ROLE:
                return RoleState(role, "missing")
            if str(error.code).startswith(MAY_NOT):
                return RoleState(role, "hidden", f"{error.code}: {error.message}")
            raise
        return RoleState(role, "there")

    def _made(self, role: AccountRole) -> RoleState:
        try:
            if role.policy:
                self._make_service_role(role)
            else:
                self._clients.rpc("resourcemanager", "CreateServiceLinkedRole", {"ServiceName": role.service})
        except TeaException as error:
            if str(error.code).startswith(MAY_NOT):
                return RoleState(role, "missing", f"you may not make it ({error.code})")
            if not str(error.code).startswith(_THERE_ALREADY):
                raise
        return RoleState(role, "made")

    def _make_service_role(self, role: AccountRole) -> None:
        trust = {
            "Version": "1",
            "Statement": [
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": [role.service]}},
            ],
        }
        self._clients.rpc("ram", "CreateRole", {"RoleName": role.name, "AssumeRolePolicyDocument": json.dumps(trust)})
        self._clients.rpc(
            "ram", "AttachPolicyToRole", {"PolicyType": "System", "PolicyName": role.policy, "RoleName": role.name}
        )
