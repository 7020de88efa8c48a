"""The Node SDK ``@alicloud/ecs20140526``, unchanged, against the process that ``make serve`` runs."""

import json

import pytest
from node_clients import SOURCES, NodeProgram
from serving import DB, WEB, Served


def test_the_lock_file_names_no_registry() -> None:
    packages = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert len(packages) > 1
    assert all("integrity" in package and "resolved" not in package for name, package in packages.items() if name)


@pytest.mark.client(
    "@alicloud/ecs20140526",
    "ecs:DescribeInstances",
    "ecs:TagResources",
    "ecs:ListTagResources",
    "ecs:UntagResources",
    "ecs:RebootInstances",
)
def test_the_node_sdk_reads_tags_and_reboots(node_program: NodeProgram, served: Served) -> None:
    told = node_program("ecs.js", served.host_port, served.key, served.secret, WEB, DB)
    assert told == {
        "described": [
            {"id": WEB, "status": "Running", "locks": [], "tags": {"ecs-reboot": "enabled", "app": "web"}},
            {"id": DB, "status": "Running", "locks": ["security"], "tags": {"ecs-reboot": "enabled", "app": "db"}},
        ],
        "tagKept": True,
        "dryRun": {"code": "DRYRUN.SUCCESS", "status": 400},
        "rebooted": [[WEB, "200", "Stopping"], [DB, "InstanceLockedForSecurity", "Running"]],
        "again": {"code": "IncorrectInstanceStatus", "status": 403},
        "forged": {"code": "SignatureDoesNotMatch", "status": 400},
    }
    calls = served.audit(service="ecs", action="RebootInstances")
    assert [(call["code"], call["effect"]) for call in calls] == [
        ("DRYRUN.SUCCESS", False),
        ("", True),
        ("IncorrectInstanceStatus", False),
    ]
