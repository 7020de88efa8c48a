"""System events: kept, simulated, and settled by a reboot before their time.

DescribeInstanceHistoryEvents, DescribeInstancesFullStatus, CreateSimulatedSystemEvents, CancelSimulatedSystemEvents.
"""

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import NamedTuple

from localcloud.account.instances import EcsInstance
from localcloud.account.platform import OPEN, PlatformEvent
from localcloud.ecs.call import Body, EcsCall, Outcome
from localcloud.ecs.describe import REGION
from localcloud.ecs.parameters import Parameter
from localcloud.ecs.presentation import api_time
from localcloud.openapi.errors import ApiError

_PAGE = 100
_CYCLES = ("Inquiring", "Scheduled", "Executing", "Avoided", "Executed", "Canceled", "Failed")
_ENDED = ("Avoided", "Executed", "Canceled", "Failed")
_SIMULATED = (
    "SystemMaintenance.Reboot", "SystemMaintenance.Stop", "SystemMaintenance.Redeploy", "SystemFailure.Reboot",
    "SystemFailure.Stop", "SystemFailure.Redeploy", "InstanceFailure.Reboot",
)  # fmt: skip
_IDS = Parameter("InstanceId", "repeat", exceeded_code="InstanceIdLimitExceeded")
HISTORY = (
    REGION,
    Parameter("InstanceId"),
    Parameter("ResourceId", "repeat"),
    Parameter("ResourceType", default="instance", allowed=("instance", "ddh", "managedhost")),
    Parameter("InstanceEventCycleStatus", "repeat", limit=7),
    Parameter("InstanceEventType", "repeat", limit=30),
    Parameter("EventId", "repeat", exceeded_code="EventIdLimitExceeded"),
    Parameter("MaxResults", "integer", default=_PAGE, minimum=10, maximum=_PAGE),
    Parameter("NextToken"),
    *(Parameter(name, "refused") for name in (
        "EventCycleStatus", "EventPublishTime", "EventType", "ImpactLevel", "NotBefore", "PageNumber", "PageSize",
        "ResourceGroupId", "Tag")),
)  # fmt: skip
FULL_STATUS = (
    REGION,
    _IDS,
    Parameter("HealthStatus"),
    Parameter("Status", allowed=("Starting", "Running", "Stopped")),
    Parameter("PageNumber", "integer", default=1),
    Parameter("PageSize", "integer", default=10, maximum=_PAGE),
    *(Parameter(name, "refused") for name in (
        "EventId", "EventPublishTime", "EventType", "InstanceEventType", "NotBefore")),
)  # fmt: skip
SIMULATE = (
    REGION,
    Parameter("InstanceId", "repeat", required=True, exceeded_code="InstanceIdLimitExceeded"),
    Parameter("EventType", required=True, allowed=_SIMULATED),
    Parameter("NotBefore", required=True),
    Parameter("TriggerRealOps", "refused"),
)
CANCEL = (REGION, Parameter("EventId", "repeat", required=True, exceeded_code="EventIdLimitExceeded"))
#: Names the reference's examples have for a code; of the others none is known.
_CODES = {"Running": 1, "Warning": 64, "Scheduled": 24}


class _Page(NamedTuple):
    rows: list[PlatformEvent]
    token: str


def describe_history(call: EcsCall) -> Outcome:
    """Answer with events of instances; without a cycle status only with those that have ended."""
    arguments = call.arguments
    _check(call)
    unknown = [cycle for cycle in arguments.texts("InstanceEventCycleStatus") if cycle not in _CYCLES]
    if unknown:
        raise ApiError("InvalidParameter", f"InstanceEventCycleStatus is {unknown[0]!r}: one of {', '.join(_CYCLES)}")
    wanted = arguments.texts("ResourceId") or tuple(filter(None, (arguments.text("InstanceId"),)))
    cycles = arguments.texts("InstanceEventCycleStatus") or _ENDED
    types, ids = arguments.texts("InstanceEventType"), arguments.texts("EventId")
    found = [
        event
        for event in call.cloud.platform.events(call.cloud.clock.now())
        if _visible(call, event.instance_id)
        and (not wanted or event.instance_id in wanted)
        and event.cycle in cycles
        and (not types or event.type in types)
        and (not ids or event.event_id in ids)
    ]
    page = _paged(found, arguments.text("NextToken"), arguments.number("MaxResults"))
    rows = [{**_row(event), "InstanceId": event.instance_id, "ResourceType": "instance"} for event in page.rows]
    return Outcome({"NextToken": page.token, "InstanceSystemEventSet": {"InstanceSystemEventType": rows}})


def describe_full_status(call: EcsCall) -> Outcome:
    """Answer with status, health and the scheduled events of instances. Executing ones are not in it."""
    arguments = call.arguments
    _check(call)
    wanted, health = arguments.texts("InstanceId"), arguments.text("HealthStatus")
    status = arguments.text("Status")
    events = [
        event
        for event in call.cloud.platform.events(call.cloud.clock.now())
        if event.cycle in ("Scheduled", "Inquiring")
    ]
    found = [
        instance
        for instance in call.cloud.fleet.in_region(arguments.text("RegionId"))
        if instance.spec.visible
        and (not wanted or instance.spec.instance_id in wanted)
        and status in ("", call.state(instance).status)
        and health in ("", health_of(instance))
    ]
    number, size = arguments.number("PageNumber"), arguments.number("PageSize")
    rows = [
        {
            "InstanceId": instance.spec.instance_id,
            "Status": _named(call.state(instance).status),
            "HealthStatus": _named(health_of(instance)),
            "ScheduledSystemEventSet": {
                "ScheduledSystemEventType": [
                    _row(event) for event in events if event.instance_id == instance.spec.instance_id
                ]
            },
        }
        for instance in found[(number - 1) * size : number * size]
    ]
    return Outcome(
        {
            "TotalCount": len(found),
            "PageNumber": number,
            "PageSize": size,
            "InstanceFullStatusSet": {"InstanceFullStatusType": rows},
        }
    )


def create_simulated(call: EcsCall) -> Outcome:
    """Make an event that does nothing by itself: maintenance is Scheduled, a failure is Executing."""
    due = _time(call.arguments.text("NotBefore"))
    if due <= call.cloud.clock.now():
        raise ApiError("InvalidNotBefore.Passed", api_time(due))
    ids = call.arguments.texts("InstanceId")
    instances = [_found(call, instance_id) for instance_id in ids]
    kind = call.arguments.text("EventType")
    made = [call.cloud.platform.simulate(instance.spec.instance_id, kind, due) for instance in instances]
    return Outcome({"EventIdSet": {"EventId": [event.event_id for event in made]}}, effect=True)


def cancel_simulated(call: EcsCall) -> Outcome:
    """End simulated events that are open."""
    open_ = {
        event.event_id: event for event in call.cloud.platform.events(call.cloud.clock.now()) if event.cycle in OPEN
    }
    for event_id in call.arguments.texts("EventId"):
        if event_id not in open_:
            raise ApiError("InvalidParameter", f"EventId {event_id[:100]!r}: no open simulated event has it")
        _found(call, open_[event_id].instance_id)
    for event_id in call.arguments.texts("EventId"):
        call.cloud.platform.cancel(event_id)
    return Outcome({}, effect=True)


def health_of(instance: EcsInstance) -> str:
    """Return the health state: the declared one until the next start."""
    if instance.status != "Running":
        return "NotApplicable"
    return "OK" if instance.started_again else instance.spec.health


def _check(call: EcsCall) -> None:
    if not call.may_list(call.arguments.text("RegionId")):
        raise ApiError("Forbidden.RAM", f"ecs:{call.action}")


def _visible(call: EcsCall, instance_id: str) -> bool:
    return call.find(instance_id, call.arguments.text("RegionId")) is not None


def _found(call: EcsCall, instance_id: str) -> EcsInstance:
    instance = call.find(instance_id, call.arguments.text("RegionId"))
    if instance is None:
        raise ApiError("InvalidInstanceId.NotFound", instance_id)
    if not call.may(instance):
        raise ApiError("Forbidden.RAM", f"ecs:{call.action} on {instance_id}")
    return instance


def _row(event: PlatformEvent) -> Body:
    return {
        "EventId": event.event_id,
        "EventType": _named(event.type),
        "EventCycleStatus": _named(event.cycle),
        "NotBefore": _seconds(event.not_before),
        "EventPublishTime": _seconds(event.published),
        "EventFinishTime": _seconds(event.finished),
        "Reason": "simulated" if event.simulated else "declared",
        "ImpactLevel": 100,
        "ExtendedAttribute": {},
    }


def _named(name: str) -> Body:
    return {"Name": name, "Code": _CODES.get(name, 0)}


def _seconds(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise ApiError("InvalidParameter", f"NotBefore is {text[:50]!r}: write it like 2026-12-01T06:00:00Z") from None


def _paged(events: Iterable[PlatformEvent], token: str, size: int) -> _Page:
    rows = list(events)
    if token and not token.removeprefix("event:").isdigit():
        raise ApiError("InvalidParameter", f"NextToken is {token[:100]!r}: send the one of the page before")
    start = int(token.removeprefix("event:")) if token else 0
    more = f"event:{start + size}" if len(rows) > start + size else ""
    return _Page(rows[start : start + size], more)
