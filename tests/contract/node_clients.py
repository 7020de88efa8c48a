"""Clients for Node, installed into ``build/node`` from the lock file in ``node/``, once for each version of it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from installed_once import install_once

SOURCES = Path(__file__).parent / "node"
PLACE = Path(__file__).parents[2] / "build" / "node"
INSTALL_SECONDS = 300

NodeProgram = Callable[..., Any]
"""(file in ``node/``, arguments ...) -> what the program wrote as JSON."""


def installed() -> NodeProgram:
    """Install the clients unless they are there, and return how to run a program with them; skip without Node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("no Node.js here (node and npm): the Node clients are not tried")
    install_once(PLACE, (SOURCES / "package-lock.json").read_bytes(), partial(_install, npm))
    return _run


def _install(npm: str) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(SOURCES / name, PLACE / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    ended = subprocess.run(command, cwd=PLACE, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    assert ended.returncode == 0, f"npm ci failed:\n{ended.stderr[-2000:]}"


def _run(program: str, *arguments: str) -> Any:
    environment = {"PATH": os.environ["PATH"], "NODE_PATH": str(PLACE / "node_modules")}
    command = ["node", str(SOURCES / program), *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return json.loads(ended.stdout)
