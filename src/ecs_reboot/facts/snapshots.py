"""The snapshots of the instance's disks that are being made: meanwhile its state must not change (the reference)."""

from collections.abc import Sequence

from ecs_reboot import utc_time
from ecs_reboot.cloud.ecs_api import Api, Question
from ecs_reboot.facts.answers import Inquiry, rows, text
from ecs_reboot.policy.facts import Facts
from ecs_reboot.policy.findings import Snapshot

_API = Api("ecs", "DescribeSnapshots")


def inquire(region_id: str, wanted: Sequence[Facts]) -> Inquiry:
    """Ask for each instance by itself: the call takes one."""
    ids = [facts.target.instance_id for facts in wanted]
    answers = yield [
        Question(
            _API,
            region_id,
            {"RegionId": region_id, "InstanceId": instance_id, "Status": "progressing", "MaxResults": 100},
        )
        for instance_id in ids
    ]
    return {
        instance_id: tuple(
            Snapshot(
                snapshot_id=text(row, "SnapshotId"),
                began=utc_time.parse(text(row, "CreationTime")),
                progress=text(row, "Progress"),
            )
            for row in rows(_API.action, body, "Snapshots", "Snapshot")
        )
        for instance_id, body in zip(ids, answers, strict=True)
    }
