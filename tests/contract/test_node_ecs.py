"""The Node SDK ``@alicloud/ecs20140526``, unchanged, against the process that ``make serve`` runs.

It is installed into ``build/node`` from the lock file beside this test, once for each version of that file.
"""

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from serving import DB, WEB, Served

SOURCES = Path(__file__).parent / "node"
PLACE = Path(__file__).parents[2] / "build" / "node"
INSTALL_SECONDS = 300


@pytest.fixture(scope="session")
def program() -> Path:
    """The installed client program; skips where there is no Node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("no Node.js here (node and npm): the Node SDK is not tried")
    PLACE.mkdir(parents=True, exist_ok=True)
    lock = (SOURCES / "package-lock.json").read_bytes()
    installed = PLACE / "installed-lock.json"
    # Several test processes may want it at once.
    with (PLACE / ".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not installed.is_file() or installed.read_bytes() != lock:
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(SOURCES / name, PLACE / name)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(
                command, cwd=PLACE, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
            )
            assert done.returncode == 0, f"npm ci failed:\n{done.stderr[-2000:]}"
            installed.write_bytes(lock)
    return SOURCES / "ecs.js"


def test_the_lock_file_names_no_registry() -> None:
    packages = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert len(packages) > 1
    assert all("integrity" in one and "resolved" not in one for name, one in packages.items() if name)


def test_the_node_sdk_reads_tags_and_reboots(program: Path, served: Served) -> None:
    environment = {"PATH": os.environ["PATH"], "NODE_PATH": str(PLACE / "node_modules")}
    command = ["node", str(program), served.host_port, served.key, served.secret, WEB, DB]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
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
