"""What an open event of the platform means for a reboot: the real cure where a reboot is none."""

from collections.abc import Mapping

_REDEPLOY = "redeploy it (RedeployInstance) after saving what is on local disks, which that erases"
_REPAIR = "answer the event in the console: the platform stops and repairs the host"
_DISK = "unmount the bad local disk and answer the event: the disk is isolated or replaced"
_ITSELF = "wait: the platform restarts it by itself"

#: Events that a reboot doesn't fix -> what does. The platform may have types that are not here.
CURES: Mapping[str, str] = {
    "SystemMaintenance.Redeploy": _REDEPLOY,
    "SystemFailure.Redeploy": _REDEPLOY,
    "SystemMaintenance.Stop": "move its work elsewhere: the platform is going to stop it",
    "SystemFailure.Stop": "move its work elsewhere: the platform is going to stop it",
    "SystemMaintenance.StopAndRepair": _REPAIR,
    "SystemMaintenance.RebootAndIsolateErrorDisk": _DISK,
    "SystemMaintenance.RebootAndReInitErrorDisk": _DISK,
    "SystemMaintenance.IsolateErrorDisk": _DISK,
    "SystemMaintenance.ReInitErrorDisk": _DISK,
    "SystemMaintenance.CleanInactiveDisks": _DISK,
    "SystemFailure.Reboot": _ITSELF,
    "InstanceFailure.Reboot": _ITSELF,
    "SystemFailure.Delete": "replace it: the platform is going to release it",
}

#: A reboot does what this event announces, and so settles it.
SETTLED_BY_A_REBOOT = "SystemMaintenance.Reboot"
#: Kinds of event about hardware and host: of these an unknown type is taken as one that a reboot doesn't fix.
_ABOUT_THE_HOST = ("SystemMaintenance.", "SystemFailure.", "InstanceFailure.")


def cure(event_type: str) -> str:
    """Return what fixes an event that a reboot doesn't, '' for an event that doesn't stand against a reboot."""
    if event_type == SETTLED_BY_A_REBOOT:
        return ""
    if event_type.startswith(_ABOUT_THE_HOST):
        return CURES.get(event_type, "look it up: this function does not know the event")
    return ""
