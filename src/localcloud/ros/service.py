"""Resource Orchestration, version 2019-09-10: the calls that a deployment makes."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cloud_languages.resource_names import RULES, STACK
from cloud_languages.template import checks, document
from cloud_languages.template.expression import InvalidExpression
from cloud_languages.template.parameters import WrongParameters
from cloud_languages.template.render import CircularTemplate, RenderedStack, plan
from localcloud.account.cloud import Cloud
from localcloud.account.regions import REGIONS
from localcloud.openapi.errors import ApiError
from localcloud.ros.account import RosAccount
from localcloud.ros.call import RpcCall
from localcloud.ros.changes import changes
from localcloud.ros.stacks import Stack

VERSION = "2019-09-10"
_PAGE = 50


class Ros:
    """The stacks of one account. ROS keeps them for each region; here all services of a stack are in the one."""

    def __init__(self, cloud: Cloud, account: RosAccount) -> None:
        self._cloud, self._account = cloud, account
        self.stacks: dict[str, Stack] = {}

    def carry_out(self, call: RpcCall) -> dict[str, Any]:
        """Carry a call out and return its answer. Raises ApiError."""
        if call.text("RegionId") not in REGIONS:
            raise ApiError("InvalidRegionId.NotFound", call.text("RegionId"))
        return _OPERATIONS[call.action](self, call)

    def _of_region(self, call: RpcCall) -> dict[str, Stack]:
        """Return the stacks that a call sees, by ID."""
        return self.stacks if call.text("RegionId") == self._account.region else {}

    def _require_services(self, call: RpcCall) -> None:
        """Check that a stack can be made in the region of a call. Raises ApiError."""
        if call.text("RegionId") != self._account.region:
            told = f"The local cloud makes stacks in {self._account.region} only: the services of a stack are there."
            raise ApiError("NotSupported", message=told, status=400)

    def _create(self, call: RpcCall) -> dict[str, Any]:
        self._require_services(call)
        name = call.text("StackName")
        if mistake := RULES[STACK].mistake(name):
            raise ApiError(RULES[STACK].code, message=f"The Stack Name ({name}) is invalid: {mistake}.", status=400)
        if any(stack.name == name and stack.status != "DELETE_COMPLETE" for stack in self.stacks.values()):
            raise ApiError("StackExists", message=f"The Stack ({name}) already exists.", status=409)
        template, given = _template(call), _given(call)
        stack_id = str(uuid.UUID(int=self._cloud.random(f"stack {len(self.stacks)}").getrandbits(128), version=4))
        decided = self._plan(template, given, name, stack_id)
        self.stacks[stack_id] = Stack(self._account, stack_id, name, template, given)
        self.stacks[stack_id].begin("CREATE", decided, call.identity)
        return {"StackId": stack_id}

    def _update(self, call: RpcCall) -> dict[str, Any]:
        found = self._find(call)
        if found.busy:
            raise ApiError(
                "ActionInProgress", message=f"Stack {found.name} already has an action in progress.", status=409
            )
        if found.status.startswith(("CREATE_FAILED", "CREATE_ROLLBACK", "DELETE")):
            raise ApiError("NotSupported", message=f"Updating a stack in {found.status} is not supported.", status=400)
        template = _template(call)
        given = _merged(call, template, found, forgetful=self._cloud.deviates("noecho_forgotten"))
        if (template, given) == (found.document, found.given) and found.status != "UPDATE_FAILED":
            raise ApiError("NotSupported", message="Update the completely same stack is not supported.", status=400)
        decided = self._plan(template, given, found.name, found.stack_id)
        found.document, found.given = template, given
        found.begin("UPDATE", decided, call.identity)
        return {"StackId": found.stack_id}

    def _delete(self, call: RpcCall) -> dict[str, Any]:
        found = self._find(call)
        if found.busy:
            raise ApiError(
                "ActionInProgress", message=f"Stack {found.name} already has an action in progress.", status=409
            )
        found.begin("DELETE", None, call.identity)
        return {}

    def _get(self, call: RpcCall) -> dict[str, Any]:
        found = self._find(call)
        found.look()
        secret = {name for name, declared in found.document.get("Parameters", {}).items() if declared.get("NoEcho")}
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

    def _list(self, call: RpcCall) -> dict[str, Any]:
        wanted = {value for name, value in call.parameters.items() if name.startswith("StackName.")}
        found = [stack for stack in self._of_region(call).values() if not wanted or stack.name in wanted]
        return {
            "TotalCount": len(found),
            "PageNumber": 1,
            "PageSize": _PAGE,
            "Stacks": [
                {
                    "StackId": stack.stack_id,
                    "StackName": stack.name,
                    "Status": stack.status,
                    "StatusReason": stack.reason,
                }
                for stack in reversed(found)
            ],
        }

    def _events(self, call: RpcCall) -> dict[str, Any]:
        found = self._find(call)
        size, number = int(call.parameters.get("PageSize", "10")), int(call.parameters.get("PageNumber", "1"))
        newest_first = found.events[::-1]
        return {
            "TotalCount": len(newest_first),
            "PageNumber": number,
            "PageSize": size,
            "Events": [
                {
                    "EventId": f"{found.stack_id}-{event.number}",
                    "CreateTime": _time(event.at),
                    "LogicalResourceId": event.name,
                    "PhysicalResourceId": event.physical_id,
                    "ResourceType": event.type,
                    "StackId": found.stack_id,
                    "StackName": found.name,
                    "Status": event.status,
                    "StatusReason": event.reason,
                }
                for event in newest_first[(number - 1) * size : number * size]
            ],
        }

    def _resources(self, call: RpcCall) -> dict[str, Any]:
        found = self._find(call)
        return {
            "Resources": [
                {
                    "LogicalResourceId": name,
                    "PhysicalResourceId": resource.made.physical_id,
                    "ResourceType": resource.planned.type,
                    "StackId": found.stack_id,
                    "StackName": found.name,
                    "Status": "CREATE_COMPLETE",
                }
                for name, resource in found.standing.items()
            ]
        }

    def _get_template(self, call: RpcCall) -> dict[str, Any]:
        found = self._find(call)
        return {"StackId": found.stack_id, "TemplateBody": document.as_json(found.document)}

    def _validate(self, call: RpcCall) -> dict[str, Any]:
        _template(call)
        return {}

    def _preview(self, call: RpcCall) -> dict[str, Any]:
        self._require_services(call)
        template = _template(call)
        found = self._find(call) if call.text("StackId", needed=False) else None
        given = _merged(call, template, found, forgetful=self._cloud.deviates("noecho_forgotten"))
        name = found.name if found else call.text("StackName")
        decided = self._plan(template, given, name, found.stack_id if found else "")
        return {"Stack": {"StackName": name, "Resources": list(changes(decided, found))}}

    def _plan(self, template: document.Document, given: Mapping[str, str], name: str, stack_id: str) -> RenderedStack:
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

    def _find(self, call: RpcCall) -> Stack:
        stack_id = call.text("StackId")
        if stack_id not in (there := self._of_region(call)):
            raise ApiError("StackNotFound", message=f"The Stack ({stack_id}) could not be found.", status=404)
        return there[stack_id]


def _template(call: RpcCall) -> document.Document:
    body = call.text("TemplateBody")
    if len(body.encode()) > checks.TEMPLATE_BYTES:
        raise ApiError("StackValidationFailed", message=f"Template exceeds {checks.TEMPLATE_BYTES} bytes.", status=400)
    try:
        template = document.read(body)
    except document.UnreadableTemplate as error:
        raise ApiError("StackValidationFailed", message=str(error), status=400) from error
    if findings := _findings(body):
        raise ApiError("StackValidationFailed", message="; ".join(map(str, findings)), status=400)
    return template


_findings = checks.by_text(checks.check)


def _given(call: RpcCall) -> dict[str, str]:
    given, number = {}, 1
    while key := call.parameters.get(f"Parameters.{number}.ParameterKey", ""):
        given[key] = call.parameters.get(f"Parameters.{number}.ParameterValue", "")
        number += 1
    return given


def _merged(call: RpcCall, template: document.Document, found: Stack | None, *, forgetful: bool) -> dict[str, str]:
    """Return the given parameters over those of before, where the call wants them and the template still has them."""
    keep = found is not None and call.parameters.get("UsePreviousParameters", "").lower() == "true"
    before = dict(found.given) if found and keep else {}
    if forgetful:
        secret = {name for name, declared in template["Parameters"].items() if declared.get("NoEcho")}
        before = {name: value for name, value in before.items() if name not in secret}
    return {**{name: value for name, value in before.items() if name in template["Parameters"]}, **_given(call)}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


_OPERATIONS: dict[str, Callable[[Ros, RpcCall], dict[str, Any]]] = {
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
#: The actions, and those of them that change something.
ACTIONS = frozenset(_OPERATIONS)
CHANGING = frozenset({"CreateStack", "UpdateStack", "DeleteStack"})
