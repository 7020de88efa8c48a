"""What a fleet file declares around an instance: its guest, its metrics, what others do with it. All of it optional."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from localcloud.account.fleet_times import Moment

EventType = Literal[
    "SystemMaintenance.Reboot",
    "SystemMaintenance.Stop",
    "SystemMaintenance.Redeploy",
    "SystemMaintenance.StopAndRepair",
    "SystemMaintenance.RebootAndIsolateErrorDisk",
    "SystemMaintenance.RebootAndReInitErrorDisk",
    "SystemMaintenance.IsolateErrorDisk",
    "SystemFailure.Reboot",
    "SystemFailure.Stop",
    "SystemFailure.Redeploy",
    "SystemFailure.Delete",
    "InstanceFailure.Reboot",
    "InstanceExpiration.Stop",
    "AccountUnbalanced.Stop",
    "SystemUpgrade.Migrate",
]
Cycle = Literal["Inquiring", "Scheduled", "Executing", "Avoided", "Executed", "Canceled", "Failed"]
Health = Literal["OK", "Impaired", "Warning", "Maintaining", "Initializing", "InsufficientData", "NotApplicable"]


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AgentSpec(_Declared):
    """The Cloud Assistant agent in the guest: it speaks once a minute while the instance is Running.

    ``silent_since``: the guest hangs since then, until its next start. ``stays_silent``: also after a start.
    ``running_commands`` run until the next start.
    """

    silent_since: Moment | None = None
    stays_silent: bool = False
    running_commands: Annotated[int, Field(ge=0, le=100)] = 0
    last_invoked: Moment | None = None


class MetricSpec(_Declared):
    """The value of a metric, and another from the next start on. ``at``: when it was last measured, else now."""

    value: float
    after_reboot: float | None = None
    at: Moment | None = None


class EventSpec(_Declared):
    """An event of the platform about the instance."""

    type: EventType
    cycle: Cycle = "Scheduled"
    not_before: Moment | None = None


class SnapshotSpec(_Declared):
    """A snapshot of the instance's disk that is being made, until ``done`` (never, if that is not given)."""

    began: Moment
    done: Moment | None = None
    progress: Annotated[int, Field(ge=0, le=99)] = 37


class ScalingGroupSpec(_Declared):
    """An Auto Scaling group with its members by instance ID.

    ``auto_created``: Auto Scaling made them, so that it releases what it removes; else they were attached, and are
    released only where they are ``entrusted``. A member that is not Running is removed after ``patience_seconds`` of
    cloud time: how long the real service waits is documented nowhere. ``lifecycle_state`` holds for all members.
    """

    scaling_group_id: Annotated[str, Field(pattern=r"^asg-[0-9a-z]{1,60}$")]
    instance_ids: tuple[str, ...] = ()
    health_check_type: Literal["NONE", "ECS", "LOAD_BALANCER"] = "ECS"
    suspended_processes: tuple[
        Literal["ScaleIn", "ScaleOut", "HealthCheck", "AlarmNotification", "ScheduledAction"], ...
    ] = ()
    lifecycle_state: Literal["InService", "Pending", "Protected", "Standby"] = "InService"
    auto_created: bool = True
    entrusted: bool = False
    patience_seconds: Annotated[float, Field(ge=0, le=3600)] = 5.0
