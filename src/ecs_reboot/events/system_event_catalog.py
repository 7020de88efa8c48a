"""Every documented system event and whether it may lead to a reboot: by default none does.

A system event says what the platform does or will do, so the cure is mostly not ours. Each name with its status is
one of

* ``echo``: a reboot causes it; acting on it would loop for ever;
* ``information``: nothing is at fault, or the fault is not one of the instance;
* ``alarm_over``: it is over;
* ``never``: a fault with another cure, or one that the platform is curing;
* ``switchable``: a reboot may be the cure; the operator decides
  (``EventSettings.actionable_events``).

The names are those of CloudMonitor's lists; EventBridge says the same without the status.
"""

from collections.abc import Iterator

from ecs_reboot.events.state_words import RECOVERY
from ecs_reboot.named_tuple import NamedTuple


class CatalogEntry(NamedTuple):
    """One event as documented: its full name (with status), its verdict as above, and why."""

    name: str
    status: str
    verdict: str
    why: str


class _Family(NamedTuple):
    base: str
    statuses: str
    why: str
    verdict: str = "never"
    switchable: str = ""
    switchable_why: str = ""


_OVER = "it is over"
_UNKNOWN = "this event is not in the catalogue"
_OWED = "the cure is to pay, not to reboot"
_REDEPLOY = "the cure is a redeployment to another host, which deletes local disks"
_BAD_DISK = "the cure is to agree to the disk's repair and to care for its data"
_PLATFORM = "the platform restarts the instance itself, and a restart by hand is refused meanwhile"
_BILLING = "Avoided Canceled Executed Executing Failed Scheduled"
_REPAIR = "Avoided Canceled Executed Executing Failed Inquiring"
_REPAIR_AND_REBOOT = "Avoided Canceled Executed Executing Inquiring"

_FAMILIES = (
    _Family(
        "Agent_Status_Stopped",
        "",
        "",
        switchable="stopped",
        switchable_why="the monitoring agent is silent: the instance may hang, or only the agent",
    ),
    _Family("Agent_Status_Running", "running", _OVER),
    _Family("Disk:ConvertToPostpaidCompleted", "Normal", "a disk is billed otherwise", "information"),
    _Family("Disk:DiskIOHang", "", "", switchable="WillExecute", switchable_why="a disk's I/O hangs"),
    _Family("Disk:DiskIONo4kAligned", "WillExecute", "the cure is to align partitions"),
    _Family("Disk:DiskOperationCompleted", "Normal", "a disk was attached or detached", "information"),
    _Family("Disk:ErrorDetected", "Executed Executing", _BAD_DISK),
    _Family("Disk:OverduePaymentRelease", "Normal", "a disk was released; " + _OWED, "information"),
    _Family(
        "Disk:Stalled",
        "Executed",
        "",
        switchable="Executing",
        switchable_why="a disk stalls: a reboot may free the instance, or meet the same disk",
    ),
    _Family("Disk:StateChange", "Normal", "a disk changed its state", "information"),
    _Family("Group_AddResourcesFailed_QuotaReached", "failed", "a quota of CloudMonitor is used up"),
    _Family("Image:StateChange", "Normal", "an image changed its state", "information"),
    _Family("Instance:AccountUnbalanced.Delete", _BILLING, _OWED),
    _Family("Instance:AccountUnbalanced.PerformanceAffect", _BILLING, _OWED),
    _Family("Instance:AccountUnbalanced.Stop", _BILLING, _OWED),
    _Family(
        "Instance:BurstablePerformanceRestricted",
        "Normal",
        "CPU credits are used up; a reboot gives none",
        "information",
    ),
    _Family("Instance:InstanceExpiration.Delete", _BILLING, "the cure is to renew"),
    _Family("Instance:InstanceExpiration.Stop", _BILLING, "the cure is to renew"),
    _Family(
        "Instance:InstanceFailure.Reboot",
        "Executed Executing",
        "the guest crashed and the platform restarts it; look at its logs afterwards",
    ),
    _Family("Instance:LiveMigrationAcrossDDH", "N/A", "a live migration; the instance keeps running", "information"),
    _Family("Instance:PerformanceModeChange", "Normal", "the burst mode changed", "information"),
    _Family(
        "Instance:PreemptibleInstanceInterruption",
        "Normal",
        "the spot instance is released within minutes",
        "information",
    ),
    _Family("Instance:Security.TpmAlert", "Executed Executing", "trusted boot failed: a person must look first"),
    _Family("Instance:StateChange", "Normal", "a reboot causes it, so acting on it would loop", "echo"),
    _Family("Instance:SystemFailure.Delete", "Avoided Executed Executing", "the instance could not be created"),
    _Family(
        "Instance:SystemFailure.Reboot",
        "Executed Executing",
        _PLATFORM,
        switchable="Failed",
        switchable_why="the platform's own restart failed; a reboot needs the instance to be Running",
    ),
    _Family("Instance:SystemFailure.Redeploy", "Avoided Canceled Executed Executing Scheduled", _REDEPLOY),
    _Family("Instance:SystemFailure.Stop", "Executed Executing", "the platform stops the instance"),
    _Family("Instance:SystemMaintenance.IsolateErrorDisk", _REPAIR, _BAD_DISK),
    _Family("Instance:SystemMaintenance.PerformanceImpact", "Executed Executing", "slower for a while, no fault"),
    _Family("Instance:SystemMaintenance.ReInitErrorDisk", _REPAIR, _BAD_DISK),
    _Family(
        "Instance:SystemMaintenance.Reboot",
        "Avoided Canceled Executed Executing Failed Inquiring",
        "the platform's maintenance is under way or waits for an answer",
        switchable="Scheduled",
        switchable_why="the documented cure is a reboot by the owner before notBefore",
    ),
    _Family("Instance:SystemMaintenance.RebootAndIsolateErrorDisk", _REPAIR_AND_REBOOT, _BAD_DISK),
    _Family("Instance:SystemMaintenance.RebootAndReInitErrorDisk", _REPAIR_AND_REBOOT, _BAD_DISK),
    _Family(
        "Instance:SystemMaintenance.Redeploy", "Avoided Canceled Executed Executing Inquiring Scheduled", _REDEPLOY
    ),
    _Family("Instance:SystemMaintenance.Stop", _BILLING, "the platform stops the instance for maintenance"),
    _Family("NetworkInterface:StateChange", "Normal", "a network interface changed its state", "information"),
    _Family("Snapshot:CreateSnapshotCompleted", "Normal", "a snapshot was made", "information"),
)


def entries() -> Iterator[CatalogEntry]:
    """Give every event of the catalogue: the table in docs/understand/events.md, in the order of their names."""
    rows = [row for family in _FAMILIES for row in _rows(family)]
    yield from sorted(rows)


def switchable() -> tuple[str, ...]:
    """Return the events that ``EventSettings.actionable_events`` may name, as it names them (``name:status``)."""
    return tuple(qualified(row.name, row.status) for row in entries() if row.verdict == "switchable")


def look_up(base: str, status: str) -> CatalogEntry:
    """Return the entry of an event name without its status part, and a status; letters' case does not matter.

    A name all of whose entries tell of no fault keeps that verdict whatever the status says.
    """
    family = _BY_BASE.get(base.casefold())
    if not family:
        return CatalogEntry(base, status, "never", _UNKNOWN)
    rows = _rows(family)
    if family.verdict != "never":
        return rows[0]
    fallback = CatalogEntry(base, status, "never", "this status of the event is not in the catalogue")
    return next((row for row in rows if row.status.casefold() == status.casefold()), fallback)


def qualified(name: str, status: str) -> str:
    """Return the name with its status behind it, once."""
    return name if name.casefold().endswith(f":{status.casefold()}") else f"{name}:{status}"


def _rows(family: _Family) -> list[CatalogEntry]:
    rows = [CatalogEntry(family.base, status, *_verdict(family, status)) for status in family.statuses.split()]
    rows += [CatalogEntry(family.base, name, "switchable", family.switchable_why) for name in family.switchable.split()]
    with_part = ":" in family.base and family.verdict == "never"
    return [row._replace(name=qualified(row.name, row.status)) if with_part else row for row in rows]


def _verdict(family: _Family, status: str) -> tuple[str, str]:
    return ("alarm_over", _OVER) if status.casefold() in RECOVERY else (family.verdict, family.why)


_BY_BASE = {family.base.casefold(): family for family in _FAMILIES}
