"""Ansible's modules for Alibaba Cloud, installed into ``build/ansible`` from the pins in ``ansible/``."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from installed_once import install_once

SOURCES = Path(__file__).parent / "ansible"
PLACE = Path(__file__).parents[2] / "build" / "ansible" / f"python3.{sys.version_info.minor}"
INSTALL_SECONDS = 300

AnsibleModules = Callable[..., list[dict[str, Any]]]
"""(environment, (module, arguments) ...) -> what each module told."""


def installed() -> AnsibleModules:
    """Install the modules unless they are there, and return how to run some of them in one process."""
    install_once(PLACE, (SOURCES / "requirements.txt").read_bytes(), _install)
    return _run


def _install() -> None:
    # Without what they need: footmark and the libraries of the modules' side are in the environment of these tests.
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--upgrade",
        "--disable-pip-version-check", "--target", str(PLACE), "--requirement", str(SOURCES / "requirements.txt"),
    ]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    assert ended.returncode == 0, f"pip install failed:\n{ended.stderr[-2000:]}"


def _run(environment: Mapping[str, str], *tasks: tuple[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", str(SOURCES / "run_modules.py")],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PLACE), "HOME": str(PLACE), **environment},
        input=json.dumps(tasks),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert not ended.returncode, ended.stderr[-2000:]
    answers: list[dict[str, Any]] = json.loads(ended.stdout)
    return answers
