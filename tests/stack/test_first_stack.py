"""docs/operate/first-stack.md, run as it stands: each command, and each line that it shows."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from local_deployment import ROOT

from localcloud.account import fleet

PAGE = (ROOT / "docs" / "operate" / "first-stack.md").read_text("utf-8")
#: How long events may take to become records, on a machine that is busy with much else.
PATIENCE_SECONDS = 120.0
#: make passes its variables on to the command of the same name (tests/cli/test_makefile.py); installing is left out.
MAKE = f"""#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
    -*) ;;
    *=*) export "$1";;
    *) target=$1;;
  esac
  shift
done
exec "{sys.executable}" -m cli "$target" ${{PORT:+--port "$PORT"}}
"""

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on PATH")


class Step(NamedTuple):
    """Commands of the page, and what it shows of their output."""

    commands: str
    shown: tuple[str, ...]


def steps() -> list[Step]:
    blocks = re.findall(r"^```(sh|text)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    found: list[Step] = []
    for kind, text in blocks:
        if kind == "sh":
            found.append(Step(text, ()))
        else:
            found[-1] = found[-1]._replace(shown=tuple(text.splitlines()))
    return found


def missing(step: Step, output: str) -> list[str]:
    return [line for line in step.shown if not re.search(re.escape(line).replace("…", ".*"), output)]


@pytest.fixture
def environment(large: Path, tmp_path: Path) -> Mapping[str, str]:
    make = tmp_path / "make"
    make.write_text(MAKE, "utf-8")
    make.chmod(0o755)
    return {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PACKAGE": str(large),  # as large as the one that is built: it goes into a bucket
        "HOME": "/nonexistent",
    }


@pytest.fixture
def quick_fleet(tmp_path: Path) -> Path:
    """The fleet of the page, whose reboots take three seconds instead of half a minute."""
    path = tmp_path / "fleet.json"
    path.write_text(fleet.default().model_copy(update={"time_scale": 10}).model_dump_json(exclude_defaults=True))
    return path


@pytest.fixture
def port() -> str:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return str(free.getsockname()[1])


@pytest.fixture
def served(environment: Mapping[str, str], quick_fleet: Path, port: str) -> Iterator[None]:
    """The first block of the page, in a terminal of its own, until Ctrl-C."""
    command = ["bash", "-c", steps()[0].commands.replace("8080", port)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**environment, "FLEET": str(quick_fleet)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as serving:
        assert serving.stdout
        assert serving.stderr
        assert json.loads(serving.stdout.readline())["ecs"] == f"http://127.0.0.1:{port}"
        yield
        serving.send_signal(signal.SIGINT)
        assert serving.stderr.read() == ""
    assert serving.returncode == 0


def test_the_page_from_serve_to_remove(served: None, environment: Mapping[str, str], port: str) -> None:
    del served
    exported = ""
    for step in steps()[1:]:
        if "export " in step.commands:
            exported += step.commands
            continue
        commands = (exported + step.commands).replace("8080", port)
        wanted = step._replace(shown=tuple(line.replace("8080", port) for line in step.shown))
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            ran = subprocess.run(
                ["bash", "-ec", commands], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
            )
            output = ran.stdout + ran.stderr
            # Only what a page asks for again and again anyway is asked for again.
            again = step.commands == "make logs\n" and time.monotonic() < end
            if not (lacking := missing(wanted, output)) or not again:
                break
            time.sleep(1)
        assert (lacking, ran.returncode) == ([], 0), f"{step.commands}\n{output}"


def test_the_page_fires_every_kind_of_trigger() -> None:
    commands = "".join(step.commands for step in steps())
    for place in ("/_world/topics/", "/_world/events", "/_world/alarms/", "/_http/", "/_world/time"):
        assert place in commands
    for target in ("serve", "deploy", "logs", "doctor", "remove"):
        assert re.search(rf"make (-s )?{target}\b", commands)
