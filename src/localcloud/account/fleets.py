"""The fleets that need no file, by name, and any other from its file."""

from datetime import datetime, timezone

from localcloud.account import fleet
from localcloud.account.declaration_errors import DeclarationError, nearest
from localcloud.account.fleet import Fleet

#: The name of the demo's fleet.
DEMO = "demo"

#: What the demo's fleet has beside the default one: a machine that hangs since a reboot, one of a scaling group, one
#: whose guest speaks and is busy no longer, and one that still is.
HUNG, MEMBER = "i-bp1hunghunghunghung1", "i-bp1asgasgasgasgasg1"
CALM, BUSY = "i-bp1calmcalmcalmcalm1", "i-bp1busybusybusybusy1"
_MORE = {
    "instances": [
        {
            "instance_id": HUNG, "instance_name": "batch-01", "region_id": "cn-beijing", "status": "Stopping",
            "hangs": True, "tags": {"ecs-reboot": "enabled"}, "attempts": [{"ago": "25m", "state": "accepted"}],
        },
        {
            "instance_id": MEMBER, "instance_name": "asg-01", "region_id": "cn-shanghai",
            "tags": {"ecs-reboot": "enabled", "acs:autoscaling:scalingGroupId": "asg-bp1demo"},
        },
        {
            "instance_id": CALM, "instance_name": "api-01", "region_id": "cn-shenzhen", "agent": {},
            "metrics": {"CPUUtilization": 12.4}, "tags": {"ecs-reboot": "enabled"},
        },
        {
            "instance_id": BUSY, "instance_name": "api-02", "region_id": "cn-shenzhen",
            "metrics": {"CPUUtilization": 98.6}, "tags": {"ecs-reboot": "enabled"},
        },
    ],
    "scaling_groups": [{"scaling_group_id": "asg-bp1demo", "instance_ids": [MEMBER], "patience_seconds": 5}],
}  # fmt: skip


def demo(now: datetime) -> Fleet:
    """Return the fleet of the demo's story: the default one, and a machine for each further guard that it shows."""
    more = fleet.parse(_MORE, name="demo", now=now)
    known = fleet.default()
    return known.model_copy(
        update={"instances": (*known.instances, *more.instances), "scaling_groups": more.scaling_groups}
    )


def built_in(name: str, now: datetime) -> Fleet | None:
    """Return the fleet that FLEET names without a file, '' being the default; None for a file, ./demo among them."""
    return fleet.default() if not name else demo(now) if name == DEMO else None


def chosen(name: str, now: datetime | None = None) -> Fleet:
    """Return the fleet of this name, else that of the file; relative times count from ``now``, or from now.

    Raises DeclarationError, also for a file that can't be read.
    """
    now = now or datetime.now(timezone.utc)
    try:
        return built_in(name, now) or fleet.load(name, now)
    except OSError as error:
        known = nearest(name, (DEMO,)) or f"; FLEET is a YAML or JSON file, or {DEMO}"
        raise DeclarationError([f"the fleet file {name!r} can't be read: {error.strerror}{known}"]) from error
    except UnicodeDecodeError as error:
        raise DeclarationError([f"the fleet file {name!r} is no text (UTF-8): write it in YAML or JSON"]) from error
