"""Disks and their snapshots: DescribeDisks and DescribeSnapshots. Each instance has one disk, its system disk."""

from collections.abc import Iterator

from localcloud.account.instances import EcsInstance
from localcloud.ecs.call import Body, EcsCall, Outcome
from localcloud.ecs.describe import MAX_PAGE, REGION
from localcloud.ecs.parameters import Parameter
from localcloud.ecs.presentation import IMAGE, api_seconds, disk_id, zone
from localcloud.openapi.errors import ApiError

_SIZE_GIB = 40
_CATEGORY = "cloud_essd"
_PAGES = (
    Parameter("PageNumber", "integer", default=1),
    Parameter("PageSize", "integer", default=10, maximum=MAX_PAGE),
    Parameter("MaxResults", "refused"),
    Parameter("NextToken", "refused"),
)
_DISK_FILTERS_REFUSED = (
    "AdditionalAttributes",
    "AutoSnapshotPolicyId",
    "DeleteAutoSnapshot",
    "DeleteWithInstance",
    "DiskChargeType",
    "DiskName",
    "DryRun",
    "EnableAutoSnapshot",
    "EnableAutomatedSnapshotPolicy",
    "EnableShared",
    "Encrypted",
    "Filter",
    "KMSKeyId",
    "LockReason",
    "MultiAttach",
    "PerformanceLevel",
    "Portable",
    "ResourceGroupId",
    "SnapshotId",
    "Tag",
)
DISKS = (
    REGION,
    Parameter("InstanceId"),
    Parameter("DiskIds", "json_array"),
    Parameter("DiskType", default="all", allowed=("all", "system", "data")),
    Parameter("Category", default="all"),
    Parameter("Status", default="All", allowed=(
        "All", "In_use", "Available", "Attaching", "Detaching", "Creating", "ReIniting")),
    Parameter("ZoneId"),
    *_PAGES,
    *(Parameter(name, "refused") for name in _DISK_FILTERS_REFUSED),
)  # fmt: skip
SNAPSHOTS = (
    REGION,
    Parameter("InstanceId"),
    Parameter("DiskId"),
    Parameter("SnapshotIds", "json_array"),
    Parameter("Status", default="all", allowed=("progressing", "accomplished", "failed", "all"),
              invalid_code="InvalidStatus.NotFound"),
    Parameter("MaxResults", "integer", maximum=MAX_PAGE),
    *(page for page in _PAGES if page.name != "MaxResults"),
    *(Parameter(name, "refused") for name in (
        "Category", "DryRun", "Encrypted", "Filter", "KMSKeyId", "ResourceGroupId", "SnapshotLinkId", "SnapshotName",
        "SnapshotType", "SourceDiskType", "Tag", "Usage")),
)  # fmt: skip


def describe_disks(call: EcsCall) -> Outcome:
    """Answer with the system disk of each instance that the filters leave."""
    region_id = call.arguments.text("RegionId")
    _check_right(call, f"acs:ecs:{region_id}:{call.cloud.account}:disk/*")
    arguments = call.arguments
    wanted, zone_id = arguments.texts("DiskIds"), arguments.text("ZoneId")
    found = [
        _disk(instance)
        for instance in _instances(call)
        if (not wanted or disk_id(instance) in wanted) and zone_id in ("", zone(instance))
    ]
    passes = (
        arguments.text("DiskType") in ("all", "system")
        and arguments.text("Category") in ("all", _CATEGORY)
        and arguments.text("Status") in ("All", "In_use")
    )
    return _page(call, "Disk", found if passes else [])


def describe_snapshots(call: EcsCall) -> Outcome:
    """Answer with the snapshots that are being made, or that were made in the meantime."""
    region_id = call.arguments.text("RegionId")
    _check_right(call, f"acs:ecs:{region_id}:{call.cloud.account}:snapshot/*")
    status, of_disk = call.arguments.text("Status"), call.arguments.text("DiskId")
    wanted = call.arguments.texts("SnapshotIds")
    rows = [
        row
        for instance in _instances(call)
        if of_disk in ("", disk_id(instance))
        for row in _snapshots(call, instance)
        if status in ("all", row["Status"]) and (not wanted or row["SnapshotId"] in wanted)
    ]
    return _page(call, "Snapshot", rows)


def _check_right(call: EcsCall, arn: str) -> None:
    if not call.allowed(f"ecs:{call.action}", arn):
        raise ApiError("Forbidden.RAM", f"ecs:{call.action}")


def _instances(call: EcsCall) -> Iterator[EcsInstance]:
    """Return the visible instances of the region, or the one that is named."""
    named = call.arguments.text("InstanceId")
    for instance in call.cloud.fleet.in_region(call.arguments.text("RegionId")):
        if instance.spec.visible and named in ("", instance.spec.instance_id):
            yield instance


def _page(call: EcsCall, kind: str, rows: list[Body]) -> Outcome:
    arguments = call.arguments
    number = arguments.number("PageNumber")
    size = arguments.number("MaxResults" if "MaxResults" in arguments else "PageSize")
    paging = {"TotalCount": len(rows), "PageNumber": number, "PageSize": size, "NextToken": ""}
    return Outcome({**paging, f"{kind}s": {kind: rows[(number - 1) * size : number * size]}})


def _disk(instance: EcsInstance) -> Body:
    spec = instance.spec
    attached = api_seconds(instance.created)
    return {
        "DiskId": disk_id(instance),
        "DiskName": "",
        "Description": "",
        "RegionId": spec.region_id,
        "ZoneId": zone(instance),
        "InstanceId": spec.instance_id,
        "Type": "system",
        "Category": _CATEGORY,
        "PerformanceLevel": "PL0",
        "Size": _SIZE_GIB,
        "Status": "In_use",
        "Device": "/dev/xvda",
        "ImageId": IMAGE,
        "SourceSnapshotId": "",
        "ProductCode": "",
        "ResourceGroupId": spec.resource_group_id,
        "DiskChargeType": spec.instance_charge_type,
        "CreationTime": attached,
        "AttachedTime": attached,
        "DetachedTime": "",
        "Portable": False,
        "Encrypted": False,
        "DeleteWithInstance": True,
        "DeleteAutoSnapshot": True,
        "EnableAutoSnapshot": True,
        "OperationLocks": {"OperationLock": []},
        "Tags": {"Tag": []},
    }


def _snapshots(call: EcsCall, instance: EcsInstance) -> Iterator[Body]:
    now = call.cloud.clock.now()
    for number, snapshot in enumerate(instance.spec.snapshots, 1):
        accomplished = bool(snapshot.done and snapshot.done <= now)
        yield {
            "SnapshotId": f"s-local{instance.rank:08d}{number:02d}",
            "SnapshotName": "",
            "SourceDiskId": disk_id(instance),
            "SourceDiskSize": str(_SIZE_GIB),
            "SourceDiskType": "system",
            "Status": "accomplished" if accomplished else "progressing",
            "Progress": "100%" if accomplished else f"{snapshot.progress}%",
            "CreationTime": api_seconds(snapshot.began),
            "RemainTime": 0 if accomplished else 120,
        }
