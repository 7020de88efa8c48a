"""The ROS API, version 2019-09-10: the calls that a deployment makes, signed, validated, audited.

Two calls of CloudMonitor and one of STS, of the same style, are answered here too: what the doctor asks.
"""

import json
import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, NamedTuple

from starlette.responses import Response

from cloud_languages.template import checks, document
from cloud_languages.template.expression import InvalidExpression
from cloud_languages.template.parameters import WrongParameters
from cloud_languages.template.render import CircularTemplate, Plan, plan
from localcloud.account import credentials
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import Identity
from localcloud.account.faults import Fault
from localcloud.account.regions import REGIONS
from localcloud.openapi import signature
from localcloud.openapi.errors import ApiError, declared_error
from localcloud.openapi.nonces import Nonces
from localcloud.pipeline import pipeline
from localcloud.pipeline.pipeline import Reply
from localcloud.ram import service as ram
from localcloud.ram.roles import Roles
from localcloud.ros.account import Account
from localcloud.ros.changes import changes
from localcloud.ros.stacks import Stack

VERSION = "2019-09-10"
STS_VERSION = "2015-04-01"
CMS_VERSION = "2019-01-01"
TABLESTORE_VERSION = "2020-12-09"
#: Version -> the service's name in actions of RAM. A service-linked role is asked for at Resource Management.
_RAM_CODES = {
    VERSION: "ros",
    STS_VERSION: "sts",
    CMS_VERSION: "cms",
    TABLESTORE_VERSION: "ots",
    ram.VERSION: "ram",
    ram.RESOURCE_MANAGER_VERSION: "ram",
}
_PAGE = 50


class Call(NamedTuple):
    """One authenticated call."""

    action: str
    parameters: Mapping[str, str]
    identity: Identity

    def text(self, name: str, *, needed: bool = True) -> str:
        """Return a parameter. Raises ApiError where it is needed and not there."""
        value = self.parameters.get(name, "")
        if needed and not value:
            raise ApiError("MissingParameter", f"parameter {name} is needed")
        return value


class Ros:
    """ROS for one account, and the one call of STS that tells who is calling."""

    def __init__(self, cloud: Cloud, account: Account) -> None:
        self._cloud, self._account = cloud, account
        self._nonces = Nonces()
        self.stacks: dict[str, Stack] = {}

    @property
    def versions(self) -> Collection[str]:
        """The API versions that are answered here."""
        return _SERVICES

    async def handle(self, request: signature.Request) -> Response:
        """Answer one request."""
        version = request.headers.get("x-acs-version", "") or dict((*request.query, *request.form)).get("Version", "")
        return await pipeline.answer(self._cloud, _Rpc(self, version), request)

    def authenticate(self, request: signature.Request) -> Identity:
        """Return whose a request is. Raises ApiError."""
        return self._authenticated(request)

    def carry_out(self, version: str, call: Call) -> dict[str, Any]:
        """Carry a call out and return its answer. Raises ApiError."""
        with self._cloud.lock:
            return self._carried_out(version, call)

    def _authenticated(self, request: signature.Request) -> Identity:
        now = datetime.now(timezone.utc)
        signed = signature.read(request)
        try:
            credential = self._cloud.credentials.find(signed.access_key_id, signed.security_token, now)
        except credentials.CredentialError as error:
            raise ApiError("InvalidAccessKeyId.NotFound", str(error)) from None
        signature.check_time(signed, now)
        signature.check(signed, credential.access_key_secret)
        if self._nonces.used(signed.access_key_id, signed.nonce, now):
            raise ApiError("SignatureNonceUsed", "sign each request with a nonce of its own")
        return credential.identity

    def _carried_out(self, version: str, call: Call) -> dict[str, Any]:
        operations = _SERVICES[version]
        if call.action not in operations:
            raise ApiError("InvalidAction.NotFound", f"{call.action!r}; there are {', '.join(operations)}")
        if version == VERSION and call.text("RegionId") not in REGIONS:
            raise ApiError("InvalidRegionId.NotFound", call.text("RegionId"))
        self._allow(version, call)
        return operations[call.action](self, call)

    def _allow(self, version: str, call: Call) -> None:
        """Check that the caller may make this call. Raises ApiError."""
        account = self._cloud.account
        if version == TABLESTORE_VERSION:
            return  # ListInstances: "No authorization for this operation"
        service, arn, circumstances = _RAM_CODES[version], "*", {}
        if service == "ram":
            arn = f"acs:ram::{account}:role/{call.parameters.get('RoleName') or '*'}"
        if call.action == "CreateServiceLinkedRole":
            circumstances = {"ram:ServiceName": call.parameters.get("ServiceName", "")}
        action = f"{service}:{call.action}"
        if not self._account.ask(call.identity, action, arn, circumstances):
            raise ApiError("NoPermission", message=f"{call.identity.name} may not do {action} on {arn}", status=403)

    def _identity(self, call: Call) -> dict[str, Any]:
        account, who = self._cloud.account, call.identity
        name = "root" if who.kind == "root" else f"assumed-role/{who.name}/session"
        kind = "Account" if who.kind == "root" else "AssumedRoleUser"
        return {"AccountId": account, "Arn": f"acs:ram::{account}:{name}", "IdentityType": kind}

    def _alarm_rules(self, call: Call) -> dict[str, Any]:
        wanted = call.text("Namespace", needed=False)
        rules = [one for one in self._account.alarm_rules.values() if wanted in ("", one["Namespace"])]
        alarms = [{key: value for key, value in one.items() if key != "Targets"} for one in rules]
        return {"Code": "200", "Success": True, "Total": str(len(rules)), "Alarms": {"Alarm": alarms}}

    def _alarm_targets(self, call: Call) -> dict[str, Any]:
        rule_id = call.text("RuleId")
        rule = self._account.alarm_rules.get(rule_id)
        if rule is None:
            raise ApiError("ResourceNotFound", message=f"there is no rule {rule_id}", status=404)
        targets = [{"Id": target_id, "Arn": arn} for target_id, arn in rule["Targets"].items()]
        return {"Code": "200", "Success": True, "Targets": {"Target": targets}}

    def _table_stores(self, _call: Call) -> dict[str, Any]:
        if not self._account.tablestore_activated:
            # The code that the service gives then is in no page read.
            raise ApiError("NotActivated", message="Tablestore is not activated in this account", status=403)
        return {
            "TotalCount": len(tuple(self._cloud.tablestore)),
            "Instances": [
                {"InstanceName": instance.name, "InstanceStatus": "normal"} for instance in self._cloud.tablestore
            ],
        }

    def _create(self, call: Call) -> dict[str, Any]:
        name = call.text("StackName")
        if any(one.name == name and one.status != "DELETE_COMPLETE" for one in self.stacks.values()):
            raise ApiError("StackExists", message=f"The Stack ({name}) already exists.", status=409)
        template, given = _template(call), _given(call)
        stack_id = str(uuid.UUID(int=self._cloud.random(f"stack {len(self.stacks)}").getrandbits(128), version=4))
        decided = self._plan(template, given, name, stack_id)
        self.stacks[stack_id] = Stack(self._account, stack_id, name, template, given)
        self.stacks[stack_id].begin("CREATE", decided, call.identity)
        return {"StackId": stack_id}

    def _update(self, call: Call) -> dict[str, Any]:
        found = self._find(call.text("StackId"))
        if found.busy:
            raise ApiError(
                "ActionInProgress", message=f"Stack {found.name} already has an action in progress.", status=409
            )
        if found.status.startswith(("CREATE_FAILED", "CREATE_ROLLBACK", "DELETE")):
            raise ApiError("NotSupported", message=f"Updating a stack in {found.status} is not supported.", status=400)
        template = _template(call)
        given = _merged(call, template, found)
        if (template, given) == (found.document, found.given) and found.status != "UPDATE_FAILED":
            raise ApiError("NotSupported", message="Update the completely same stack is not supported.", status=400)
        decided = self._plan(template, given, found.name, found.stack_id)
        found.document, found.given = template, given
        found.begin("UPDATE", decided, call.identity)
        return {"StackId": found.stack_id}

    def _delete(self, call: Call) -> dict[str, Any]:
        found = self._find(call.text("StackId"))
        if found.busy:
            raise ApiError(
                "ActionInProgress", message=f"Stack {found.name} already has an action in progress.", status=409
            )
        found.begin("DELETE", None, call.identity)
        return {}

    def _get(self, call: Call) -> dict[str, Any]:
        found = self._find(call.text("StackId"))
        found.look()
        secret = {name for name, one in found.document.get("Parameters", {}).items() if one.get("NoEcho")}
        return {
            "StackId": found.stack_id,
            "StackName": found.name,
            "RegionId": call.text("RegionId"),
            "Status": found.status,
            "StatusReason": found.reason,
            "CreateTime": _time(found.events[0].at),
            "UpdateTime": _time(found.events[-1].at),
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in found.outputs.items()],
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": "******" if key in secret else str(value)}
                for key, value in found.values.items()
            ],
        }

    def _list(self, call: Call) -> dict[str, Any]:
        wanted = {value for name, value in call.parameters.items() if name.startswith("StackName.")}
        found = [one for one in self.stacks.values() if not wanted or one.name in wanted]
        return {
            "TotalCount": len(found),
            "PageNumber": 1,
            "PageSize": _PAGE,
            "Stacks": [
                {"StackId": one.stack_id, "StackName": one.name, "Status": one.status, "StatusReason": one.reason}
                for one in reversed(found)
            ],
        }

    def _events(self, call: Call) -> dict[str, Any]:
        found = self._find(call.text("StackId"))
        size, number = int(call.parameters.get("PageSize", "10")), int(call.parameters.get("PageNumber", "1"))
        newest_first = found.events[::-1]
        return {
            "TotalCount": len(newest_first),
            "PageNumber": number,
            "PageSize": size,
            "Events": [
                {
                    "EventId": f"{found.stack_id}-{one.number}",
                    "CreateTime": _time(one.at),
                    "LogicalResourceId": one.name,
                    "PhysicalResourceId": one.physical_id,
                    "ResourceType": one.type,
                    "StackId": found.stack_id,
                    "StackName": found.name,
                    "Status": one.status,
                    "StatusReason": one.reason,
                }
                for one in newest_first[(number - 1) * size : number * size]
            ],
        }

    def _resources(self, call: Call) -> dict[str, Any]:
        found = self._find(call.text("StackId"))
        return {
            "Resources": [
                {
                    "LogicalResourceId": name,
                    "PhysicalResourceId": one.made.physical_id,
                    "ResourceType": one.planned.type,
                    "StackId": found.stack_id,
                    "StackName": found.name,
                    "Status": "CREATE_COMPLETE",
                }
                for name, one in found.standing.items()
            ]
        }

    def _get_template(self, call: Call) -> dict[str, Any]:
        found = self._find(call.text("StackId"))
        return {"StackId": found.stack_id, "TemplateBody": document.as_json(found.document)}

    def _validate(self, call: Call) -> dict[str, Any]:
        _template(call)
        return {}

    def _preview(self, call: Call) -> dict[str, Any]:
        template = _template(call)
        found = self._find(call.text("StackId")) if call.text("StackId", needed=False) else None
        given = _merged(call, template, found)
        name = found.name if found else call.text("StackName")
        decided = self._plan(template, given, name, found.stack_id if found else "")
        return {"Stack": {"StackName": name, "Resources": list(changes(decided, found))}}

    def _plan(self, template: document.Document, given: Mapping[str, str], name: str, stack_id: str) -> Plan:
        pseudo = {
            "ALIYUN::AccountId": self._cloud.account,
            "ALIYUN::Region": self._account.region,
            "ALIYUN::StackId": stack_id,
            "ALIYUN::StackName": name,
            "ALIYUN::TenantId": self._cloud.account,
        }
        try:
            return plan(template, given, pseudo)
        except (WrongParameters, CircularTemplate, InvalidExpression) as error:
            raise ApiError("StackValidationFailed", message=str(error), status=400) from error

    def _find(self, stack_id: str) -> Stack:
        if stack_id not in self.stacks:
            raise ApiError("StackNotFound", message=f"The Stack ({stack_id}) could not be found.", status=404)
        return self.stacks[stack_id]


class _Received(NamedTuple):
    request: signature.Request
    action: str
    given: Mapping[str, str]

    @property
    def parameters(self) -> Mapping[str, Any]:
        return {name: self.given[name] for name in ("RegionId", "StackName", "StackId") if name in self.given}


class _Rpc:
    """The steps of a call of one API version."""

    refusal = ApiError

    def __init__(self, ros: Ros, version: str) -> None:
        self._ros, self._version = ros, version
        self.service = _RAM_CODES[version]

    def request_id(self) -> str:
        return self._ros._cloud.request_id()  # noqa: SLF001 - of one module

    async def receive(self, request: signature.Request) -> _Received:
        given = {**dict(request.query), **dict(request.form)}
        return _Received(request, request.headers.get("x-acs-action", "") or given.get("Action", ""), given)

    def authenticate(self, call: _Received) -> Identity:
        return self._ros.authenticate(call.request)

    async def act(self, call: _Received, identity: Identity, _fault: Fault | None, request_id: str) -> Reply:
        body = self._ros.carry_out(self._version, Call(call.action, call.given, identity))
        return _json({"RequestId": request_id, **body}, effect=call.action in _CHANGING)

    def refuse(self, error: ApiError, request_id: str) -> Reply:
        body = {"RequestId": request_id, "Code": error.code, "Message": error.message, "HostId": "localhost"}
        return _json(body, error.status, error.code)

    def declared(self, fault: Fault, _action: str, request_id: str) -> Reply:
        return self.refuse(declared_error(fault), request_id)

    def respond(self, reply: Reply, request_id: str) -> Response:
        headers = {"x-acs-request-id": request_id, **reply.headers}
        return Response(reply.body, reply.status, headers, reply.media_type)


def _json(body: Mapping[str, Any], status: int = 200, code: str = "", *, effect: bool = False) -> Reply:
    return Reply(status, json.dumps(body, ensure_ascii=False).encode(), code, effect=effect)


def _template(call: Call) -> document.Document:
    body = call.text("TemplateBody")
    if len(body.encode()) > checks.TEMPLATE_BYTES:
        raise ApiError("StackValidationFailed", message=f"Template exceeds {checks.TEMPLATE_BYTES} bytes.", status=400)
    try:
        template = document.read(body)
    except document.UnreadableTemplate as error:
        raise ApiError("StackValidationFailed", message=str(error), status=400) from error
    if findings := _findings(body):
        raise ApiError("StackValidationFailed", message=findings, status=400)
    return template


@lru_cache(maxsize=8)
def _findings(body: str) -> str:
    """Return what is wrong with a template: a deployment sends the same one to be validated, previewed and made."""
    return "; ".join(map(str, checks.check(document.read(body))))


def _given(call: Call) -> dict[str, str]:
    given, number = {}, 1
    while key := call.parameters.get(f"Parameters.{number}.ParameterKey", ""):
        given[key] = call.parameters.get(f"Parameters.{number}.ParameterValue", "")
        number += 1
    return given


def _merged(call: Call, template: document.Document, found: Stack | None) -> dict[str, str]:
    """Return the given parameters over those of before, where the call wants them and the template still has them."""
    keep = found is not None and call.parameters.get("UsePreviousParameters", "").lower() == "true"
    before = found.given if found and keep else {}
    return {**{name: value for name, value in before.items() if name in template["Parameters"]}, **_given(call)}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


_OPERATIONS: dict[str, Callable[[Ros, Call], dict[str, Any]]] = {
    "CreateStack": Ros._create,  # noqa: SLF001 - the class's own table
    "UpdateStack": Ros._update,  # noqa: SLF001
    "DeleteStack": Ros._delete,  # noqa: SLF001
    "GetStack": Ros._get,  # noqa: SLF001
    "ListStacks": Ros._list,  # noqa: SLF001
    "ListStackEvents": Ros._events,  # noqa: SLF001
    "ListStackResources": Ros._resources,  # noqa: SLF001
    "GetTemplate": Ros._get_template,  # noqa: SLF001
    "ValidateTemplate": Ros._validate,  # noqa: SLF001
    "PreviewStack": Ros._preview,  # noqa: SLF001
}
_CHANGING = (
    "CreateStack",
    "UpdateStack",
    "DeleteStack",
    "CreateRole",
    "AttachPolicyToRole",
    "CreateServiceLinkedRole",
)


def _of_ram(carry_out: Callable[[Roles, Mapping[str, str]], dict[str, Any]]) -> Callable[[Ros, Call], dict[str, Any]]:
    return lambda service, call: carry_out(service._account.roles, call.parameters)  # noqa: SLF001 - the class's table


_SERVICES: dict[str, dict[str, Callable[[Ros, Call], dict[str, Any]]]] = {
    VERSION: _OPERATIONS,
    STS_VERSION: {"GetCallerIdentity": Ros._identity},  # noqa: SLF001
    CMS_VERSION: {
        "DescribeMetricRuleList": Ros._alarm_rules,  # noqa: SLF001
        "DescribeMetricRuleTargets": Ros._alarm_targets,  # noqa: SLF001
    },
    TABLESTORE_VERSION: {"ListInstances": Ros._table_stores},  # noqa: SLF001
    ram.VERSION: {
        "GetRole": _of_ram(ram.get_role),
        "CreateRole": _of_ram(ram.create_role),
        "AttachPolicyToRole": _of_ram(ram.attach_policy_to_role),
    },
    ram.RESOURCE_MANAGER_VERSION: {"CreateServiceLinkedRole": _of_ram(ram.create_service_linked_role)},
}
