"""The facts that cost calls of their own, as values: what Auto Scaling, the platform and the guest say.

Everything here is written into the record, so that a decision can be explained and taken again.
"""

from datetime import datetime

from ecs_reboot.model import Value


class ScalingMember(Value):
    """The instance's place in an Auto Scaling group.

    ``lifecycle_state`` is Auto Scaling's word; ``health_checks`` are the kinds that the group uses, empty where it
    could not be seen; ``suspended`` are the group's suspended processes.
    """

    group_id: str
    lifecycle_state: str = ""
    creation_type: str = ""
    entrusted: bool = False
    health_checks: tuple[str, ...] = ()
    suspended: tuple[str, ...] = ()


class SystemEvent(Value):
    """One open event of the platform: ``type`` such as `SystemMaintenance.Redeploy`, ``cycle`` its state."""

    event_id: str
    type: str
    cycle: str
    not_before: datetime | None = None


class Agent(Value):
    """What Cloud Assistant last heard of the guest. ``heartbeat`` None: never, so no agent is known."""

    heartbeat: datetime | None = None
    alive: bool = False
    running_commands: int = 0
    last_invoked: datetime | None = None


class Reading(Value):
    """The newest value of the metric that the alarm fired on."""

    at: datetime
    value: float


class Snapshot(Value):
    """A snapshot of one of the instance's disks that is being made."""

    snapshot_id: str
    began: datetime | None = None
    progress: str = ""


class Unread(Value):
    """A fact source that could not be read, and whether asking again later can help."""

    source: str
    error: str
    retriable: bool = True


class Findings(Value):
    """The answers of the fact sources that were asked (``asked``); the others stay at their defaults.

    ``scaling`` None: in no scaling group. ``agent`` None: Cloud Assistant knows no agent. ``reading`` None: no data.
    """

    asked: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()
    scaling: ScalingMember | None = None
    system_events: tuple[SystemEvent, ...] = ()
    agent: Agent | None = None
    health: str = ""
    reading: Reading | None = None
    snapshots: tuple[Snapshot, ...] = ()
