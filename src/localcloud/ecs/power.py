"""Rebooting, starting and stopping: each for up to 100 instances of a region, and for a single instance anywhere."""

from collections.abc import Callable
from typing import NamedTuple

from localcloud.account.fleet import Status
from localcloud.account.instances import Course, EcsInstance, reboot_course, start_course, stop_course
from localcloud.ecs.call import Body, EcsCall, Outcome
from localcloud.ecs.describe import REGION
from localcloud.ecs.parameters import Parameter
from localcloud.openapi.errors import ApiError

_IDS = Parameter(
    "InstanceId",
    "repeat",
    required=True,
    missing_code="InvalidInstanceId.NotFound",
    missing_status=403,
    exceeded_code="InvalidParameter.TooManyInstanceIds",
)
_BATCH = Parameter("BatchOptimization", default="AllTogether", allowed=("AllTogether", "SuccessFirst"))
_DRY_RUN = Parameter("DryRun", "boolean")
_FORCE_STOP = Parameter("ForceStop", "boolean")
REBOOT_INSTANCES = (_IDS, REGION, _DRY_RUN, Parameter("ForceReboot", "boolean"), _BATCH)
START_INSTANCES = (_IDS, REGION, _DRY_RUN, _BATCH)
_STOPPED_MODE = Parameter("StoppedMode", allowed=("KeepCharging", "StopCharging"))
STOP_INSTANCES = (_IDS, REGION, _DRY_RUN, _BATCH, _FORCE_STOP, _STOPPED_MODE)
_SINGLE = Parameter("InstanceId", required=True)
REBOOT_INSTANCE = (_SINGLE, _DRY_RUN, _FORCE_STOP)
START_INSTANCE = (_SINGLE, _DRY_RUN, Parameter("InitLocalDisk", "ignored"))
STOP_INSTANCE = (
    _SINGLE,
    _DRY_RUN,
    _FORCE_STOP,
    _STOPPED_MODE,
    Parameter("ConfirmStop", "ignored"),
    Parameter("Hibernate", "refused"),
)

#: On the way from Running to Stopped, and back.
IN_BETWEEN: tuple[Status, ...] = ("Stopping", "Starting")

# Operation lock -> what RebootInstances and StartInstances answer. A security lock leaves StopInstances possible.
LOCKED = {
    "security": "InstanceLockedForSecurity",
    "financial": "InstanceExpiredOrInArrears",
    "dedicatedhostfinancial": "InstanceExpiredOrInArrears",
    "Recycling": "IncorrectInstanceStatus",
    "refunded": "IncorrectInstanceStatus",
}


class _Operation(NamedTuple):
    """What a power action needs of an instance and what it sets going (``force`` given)."""

    from_status: Status
    course: Callable[[EcsInstance, bool], Course]
    heeds_locks: bool
    force_parameter: str = ""


_REBOOT = _Operation("Running", lambda instance, force: reboot_course(instance.spec, force=force), heeds_locks=True)
_START = _Operation("Stopped", lambda instance, _force: start_course(instance.spec), heeds_locks=True)
_STOP = _Operation(
    "Running",
    lambda instance, force: stop_course(instance.spec, force=force),
    heeds_locks=False,
    force_parameter="ForceStop",
)
_OPERATIONS = {
    "RebootInstances": _REBOOT._replace(force_parameter="ForceReboot"),
    "RebootInstance": _REBOOT._replace(force_parameter="ForceStop"),
    "StartInstances": _START,
    "StartInstance": _START,
    "StopInstances": _STOP,
    "StopInstance": _STOP,
}


def batch(call: EcsCall) -> Outcome:
    """Answer an action on up to 100 instances.

    AllTogether: one refusal refuses all. SuccessFirst: each by itself; the call as a whole then succeeds. A dry run
    changes nothing and ends in the error DRYRUN.SUCCESS, under SuccessFirst whatever the checks would say.
    """
    together = call.arguments.text("BatchOptimization") == "AllTogether"
    dry_run = call.arguments.flag("DryRun")
    would_do = "DryRunOperation" if call.cloud.deviates("dry_run_operation") else "DRYRUN.SUCCESS"
    if dry_run and not together:
        raise ApiError(would_do)
    checked = [(instance_id, _check(call, instance_id)) for instance_id in call.arguments.texts("InstanceId")]
    if together:
        for instance_id, result in checked:
            if isinstance(result, ApiError):
                raise ApiError(result.code, f"instance {instance_id}", message=result.message, status=result.status)
        if dry_run:
            raise ApiError(would_do)
    responses = [_respond(call, instance_id, result) for instance_id, result in checked]
    effect = any(not isinstance(result, ApiError) for _, result in checked)
    return Outcome({"InstanceResponses": {"InstanceResponse": responses}}, effect)


def single(call: EcsCall) -> Outcome:
    """Answer an action on a single instance, in whichever region it is."""
    result = _check(call, call.arguments.text("InstanceId"))
    if isinstance(result, ApiError):
        raise result
    if call.arguments.flag("DryRun"):
        raise ApiError("DryRunOperation")
    _begin(call, result)
    return Outcome({}, effect=True)


def _check(call: EcsCall, instance_id: str) -> EcsInstance | ApiError:
    """Find the instance and check that it can be operated on, or say why not."""
    operation = _OPERATIONS[call.action]
    instance = call.find(instance_id, call.arguments.text("RegionId"))
    if instance is None:
        return ApiError("InvalidInstanceId.NotFound")
    if not call.may(instance):
        return ApiError("Forbidden.RAM", f"ecs:{call.action}")
    if declared := call.fault_of(instance_id):
        return declared
    if operation.heeds_locks and (locks := instance.spec.operation_locks):
        return ApiError(next(LOCKED[lock] for lock in LOCKED if lock in locks))
    if instance.status not in _from(call, operation):
        return ApiError("IncorrectInstanceStatus")
    return instance


def _from(call: EcsCall, operation: _Operation) -> tuple[Status, ...]:
    """Return in which statuses the operation is taken on. What ECS does between two of them is not documented."""
    if not operation.force_parameter or not call.arguments.flag(operation.force_parameter):
        return (operation.from_status,)
    stops = call.action == "StopInstances"
    in_between = not call.cloud.deviates("no_stop_in_between") if stops else call.cloud.deviates("reboot_in_between")
    return (operation.from_status, *IN_BETWEEN) if in_between else (operation.from_status,)


def _respond(call: EcsCall, instance_id: str, result: EcsInstance | ApiError) -> Body:
    if isinstance(result, ApiError):
        seen = call.find(instance_id, call.arguments.text("RegionId"))
        status = seen.status if seen else ""
        return _response(instance_id, result.code, result.message, status, status)
    before = result.status
    _begin(call, result)
    succeeded = 200 if call.cloud.deviates("number_codes") else "200"
    return _response(instance_id, succeeded, "success", before, result.status)


def _response(instance_id: str, code: str | int, message: str, before: str, now: str) -> Body:
    return {
        "InstanceId": instance_id,
        "Code": code,
        "Message": message,
        "PreviousStatus": before,
        "CurrentStatus": now,
    }


def _begin(call: EcsCall, instance: EcsInstance) -> None:
    operation = _OPERATIONS[call.action]
    force = bool(operation.force_parameter) and call.arguments.flag(operation.force_parameter)
    course = operation.course(instance, force)
    if call.cloud.deviates("stopping_unseen"):
        course = tuple((seconds, status) for seconds, status in course if status == "Running") or course
    call.cloud.fleet.begin(instance, course)
    if operation.course is _REBOOT.course:
        call.cloud.platform.rebooted(instance.spec.instance_id)
