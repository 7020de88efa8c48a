"""The RPC-style APIs of an account's side: ROS, STS, RAM, Resource Management, CloudMonitor's rules, Tablestore's list.

Each is a version of the API with the calls that a deployment or the doctor makes.
"""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from localcloud.account.cloud import Cloud
from localcloud.account.credentials import Identity
from localcloud.account.faults import Fault
from localcloud.openapi import signature
from localcloud.openapi.authentication import Authentication
from localcloud.openapi.errors import ApiError, declared_error
from localcloud.pipeline.connection import Dropped
from localcloud.pipeline.fault_effects import Met
from localcloud.pipeline.pipeline import Api, Pipeline, WrittenAnswer
from localcloud.pipeline.reply import Reply
from localcloud.ram import service as ram
from localcloud.ram.roles import RoleRefusal, Roles
from localcloud.ros import service as ros
from localcloud.ros.account import RosAccount
from localcloud.ros.call import RpcCall
from localcloud.ros.service import Ros

STS_VERSION = "2015-04-01"
CMS_VERSION = "2019-01-01"
TABLESTORE_VERSION = "2020-12-09"
_AUDITED = ("RegionId", "StackName", "StackId")

Operation = Callable[[RosAccount, RpcCall], dict[str, Any]]


class Product(NamedTuple):
    """One version's API: its name in faults, audit and RAM's actions, its operations, and which change something."""

    service: str
    operations: Mapping[str, Operation]
    changing: Collection[str] = ()


class AccountApis:
    """The APIs of one account, reached by ``handle``."""

    def __init__(self, cloud: Cloud, account: RosAccount, stacks: Ros) -> None:
        self._pipeline = Pipeline(cloud)
        authentication = Authentication(cloud.credentials)
        products = {ros.VERSION: _of_stacks(stacks), **PRODUCTS}
        self._apis = {
            version: _ProductApi(cloud, account, version, product, authentication)
            for version, product in products.items()
        }

    @property
    def versions(self) -> Collection[str]:
        """The API versions that are answered here."""
        return self._apis

    async def handle(self, request: signature.OpenApiRequest) -> WrittenAnswer | Dropped:
        """Answer one request of one of the ``versions``."""
        version = request.headers.get("x-acs-version", "") or dict((*request.query, *request.form)).get("Version", "")
        return await self._pipeline.respond(self._apis[version], request)


class _Received(NamedTuple):
    request: signature.OpenApiRequest
    action: str
    given: Mapping[str, str]
    identity: Identity | None = None

    @property
    def parameters(self) -> Mapping[str, Any]:
        return {name: self.given[name] for name in _AUDITED if name in self.given}


class _ProductApi(Api[signature.OpenApiRequest, _Received]):
    """The steps of a call of one product."""

    refusal = ApiError

    def __init__(
        self, cloud: Cloud, account: RosAccount, version: str, product: Product, authentication: Authentication
    ) -> None:
        self.service = product.service
        self._cloud, self._account, self._version, self._product = cloud, account, version, product
        self._authentication = authentication

    def request_id(self) -> str:
        return self._cloud.request_id()

    async def receive(self, request: signature.OpenApiRequest) -> _Received:
        given = {**dict(request.query), **dict(request.form)}
        return _Received(request, request.headers.get("x-acs-action", "") or given.get("Action", ""), given)

    def authenticate(self, call: _Received) -> _Received:
        return call._replace(identity=self._authentication.identity_of(call.request))

    def act(self, call: _Received, _met: Met, request_id: str) -> Reply:
        assert call.identity
        operations = self._product.operations
        if call.action not in operations:
            raise ApiError("InvalidAction.NotFound", f"{call.action!r}; there are {', '.join(operations)}")
        asked = RpcCall(call.action, call.given, call.identity)
        self._allow(asked)
        body = operations[call.action](self._account, asked)
        return _json({"RequestId": request_id, **body}, effect=call.action in self._product.changing)

    def refuse(self, error: ApiError, _call: _Received | None, request_id: str) -> Reply:
        body = {"RequestId": request_id, "Code": error.code, "Message": error.message, "HostId": "localhost"}
        return _json(body, error.status, error.code)

    def declared(self, fault: Fault, call: _Received, request_id: str) -> Reply:
        return self.refuse(declared_error(fault), call, request_id)

    def headers(self, reply: Reply, _call: _Received | None, request_id: str) -> Mapping[str, str]:
        return {"x-acs-request-id": request_id, **reply.headers}

    def _allow(self, call: RpcCall) -> None:
        """Check that the caller may make this call. Raises ApiError."""
        account = self._cloud.account
        if self._version == TABLESTORE_VERSION:
            return  # ListInstances: "No authorization for this operation"
        service, arn, circumstances = self._product.service, "*", {}
        if call.action == "AssumeRole":
            arn = call.text("RoleArn")
        if service == "ram":
            arn = f"acs:ram::{account}:role/{call.parameters.get('RoleName') or '*'}"
        if call.action == "CreateServiceLinkedRole":
            circumstances = {"ram:ServiceName": call.parameters.get("ServiceName", "")}
        action = f"{service}:{call.action}"
        if not self._account.ask(call.identity, action, arn, circumstances):
            raise ApiError("NoPermission", message=f"{call.identity.name} may not do {action} on {arn}", status=403)


def _json(body: Mapping[str, Any], status: int = 200, code: str = "", *, effect: bool = False) -> Reply:
    return Reply(status, json.dumps(body, ensure_ascii=False).encode(), code, effect=effect)


def _of_stacks(stacks: Ros) -> Product:
    return Product("ros", dict.fromkeys(ros.ACTIONS, lambda _account, call: stacks.carry_out(call)), ros.CHANGING)


def _identity(account: RosAccount, call: RpcCall) -> dict[str, Any]:
    who, number = call.identity, account.cloud.account
    name = "root" if who.kind == "root" else f"assumed-role/{who.name}/session"
    kind = "Account" if who.kind == "root" else "AssumedRoleUser"
    return {"AccountId": number, "Arn": f"acs:ram::{number}:{name}", "IdentityType": kind}


def _assume_role(account: RosAccount, call: RpcCall) -> dict[str, Any]:
    arn = call.text("RoleArn")
    try:
        role = account.roles.assumable(arn, f"acs:ram::{account.cloud.account}:root")
    except RoleRefusal as refusal:
        code, _, message = str(refusal).partition(": ")
        raise ApiError(code, message=message, status=404 if code.startswith("EntityNotExist") else 403) from refusal
    session = account.cloud.credentials.assume_role(role.name)
    return {
        "AssumedRoleUser": {"Arn": f"{arn}/{call.text('RoleSessionName')}", "AssumedRoleId": role.name},
        "Credentials": {
            "AccessKeyId": session.access_key_id,
            "AccessKeySecret": session.access_key_secret,
            "SecurityToken": session.security_token,
            "Expiration": session.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ") if session.expires_at else "",
        },
    }


def _alarm_rules(account: RosAccount, call: RpcCall) -> dict[str, Any]:
    wanted = call.text("Namespace", needed=False)
    rules = [rule for rule in account.alarm_rules.values() if wanted in ("", rule["Namespace"])]
    alarms = [{key: value for key, value in rule.items() if key != "Targets"} for rule in rules]
    return {"Code": "200", "Success": True, "Total": str(len(rules)), "Alarms": {"Alarm": alarms}}


def _alarm_targets(account: RosAccount, call: RpcCall) -> dict[str, Any]:
    rule_id = call.text("RuleId")
    rule = account.alarm_rules.get(rule_id)
    if rule is None:
        raise ApiError("ResourceNotFound", message=f"there is no rule {rule_id}", status=404)
    targets = [{"Id": target_id, "Arn": arn} for target_id, arn in rule["Targets"].items()]
    return {"Code": "200", "Success": True, "Targets": {"Target": targets}}


def _table_stores(account: RosAccount, _call: RpcCall) -> dict[str, Any]:
    if not account.tablestore_activated:
        # The code that the service gives then is in no page read.
        raise ApiError("NotActivated", message="Tablestore is not activated in this account", status=403)
    names = [instance.name for instance in account.ots.instances]
    return {
        "TotalCount": len(names),
        "Instances": [{"InstanceName": name, "InstanceStatus": "normal"} for name in names],
    }


def _of_ram(carry_out: Callable[[Roles, Mapping[str, str]], dict[str, Any]]) -> Operation:
    return lambda account, call: carry_out(account.roles, call.parameters)


#: Version of the API -> product. A service-linked role is asked for at Resource Management.
PRODUCTS: Mapping[str, Product] = {
    STS_VERSION: Product("sts", {"GetCallerIdentity": _identity, "AssumeRole": _assume_role}),
    CMS_VERSION: Product("cms", {"DescribeMetricRuleList": _alarm_rules, "DescribeMetricRuleTargets": _alarm_targets}),
    TABLESTORE_VERSION: Product("ots", {"ListInstances": _table_stores}),
    ram.VERSION: Product(
        "ram",
        {
            "GetRole": _of_ram(ram.get_role),
            "CreateRole": _of_ram(ram.create_role),
            "AttachPolicyToRole": _of_ram(ram.attach_policy_to_role),
        },
        ("CreateRole", "AttachPolicyToRole"),
    ),
    ram.RESOURCE_MANAGER_VERSION: Product(
        "ram",
        {"CreateServiceLinkedRole": _of_ram(ram.create_service_linked_role)},
        ("CreateServiceLinkedRole",),
    ),
}
