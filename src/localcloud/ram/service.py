"""RAM's API, as far as deployments use it: roles looked for and made, system policies attached.

``CreateServiceLinkedRole`` is one of Resource Management's calls and asks RAM for ``ram:CreateServiceLinkedRole``.
"""

import json
from collections.abc import Mapping
from typing import Any

from localcloud.openapi.errors import ApiError
from localcloud.ram.roles import Role, RoleRefusal, Roles
from localcloud.ram.system_roles import SERVICE_LINKED, SYSTEM_POLICIES, trust

VERSION, RESOURCE_MANAGER_VERSION = "2015-05-01", "2020-03-31"


def get_role(roles: Roles, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Answer GetRole."""
    return {"Role": _format_role(_found(roles, parameters.get("RoleName", "")))}


def create_role(roles: Roles, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Carry out CreateRole."""
    try:
        document = json.loads(parameters.get("AssumeRolePolicyDocument", ""))
        role = roles.create(parameters.get("RoleName", ""), document, {})
    except ValueError as error:
        raise ApiError("InvalidParameter.AssumeRolePolicyDocument", message=str(error), status=400) from error
    except RoleRefusal as refusal:
        code, _, message = str(refusal).partition(": ")
        raise ApiError(code, message=message, status=409 if "AlreadyExists" in code else 400) from refusal
    return {"Role": _format_role(role)}


def attach_policy_to_role(roles: Roles, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Carry out AttachPolicyToRole for a system policy."""
    role, name = _found(roles, parameters.get("RoleName", "")), parameters.get("PolicyName", "")
    if parameters.get("PolicyType") != "System" or name not in SYSTEM_POLICIES:
        raise ApiError("EntityNotExist.Policy", message=f"no system policy {name} here", status=404)
    roles.put(role._replace(policies={**role.policies, name: SYSTEM_POLICIES[name]}))
    return {}


def create_service_linked_role(roles: Roles, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Carry out CreateServiceLinkedRole."""
    service = parameters.get("ServiceName", "")
    if service not in SERVICE_LINKED:
        raise ApiError("InvalidParameter.ServiceName", message=f"no service-linked role of {service}", status=400)
    name, policy = SERVICE_LINKED[service]
    try:
        role = roles.create(name, trust(service), {name: policy})
    except RoleRefusal as refusal:
        raise ApiError("EntityAlreadyExists.Role", message=str(refusal), status=409) from refusal
    return {"Role": _format_role(role)}


def _found(roles: Roles, name: str) -> Role:
    role = roles.get(name)
    if role is None:
        raise ApiError("EntityNotExist.Role", message=f"The role not exists: {name}.", status=404)
    return role


def _format_role(role: Role) -> dict[str, Any]:
    return {"RoleName": role.name, "Arn": role.arn, "RoleId": role.name}
