"""``serve`` and the function it serves: started with mistakes, and ended while the function runs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from roa_requests import call

from cli.program import main
from localcloud.account.credentials import Credential, Identity

SLEEPER = """
import os, time
def initialize(context):
    pass
def handle(event, context):
    with open(os.environ["TOLD"], "w") as told:
        told.write(str(os.getpid()))
    time.sleep(600)
"""


def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "cli", "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--set", "WORD"], "write KEY=VALUE"),
        (["--set", "FC_REGION=x"], "FC_REGION"),
        (["--code", "/nowhere"], "CODE='/nowhere' does not exist"),
    ],
)
def test_a_mistake_in_the_function_is_told_before_anything_starts(
    arguments: list[str], part: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert part in err


def test_it_ends_at_once_and_leaves_no_process_while_a_function_runs(tmp_path: Path) -> None:
    (tmp_path / "index.py").write_text(SLEEPER, encoding="utf-8")
    told = tmp_path / "told"
    answers: list[Any] = []
    with start(CODE=str(tmp_path), SET=f"TOLD={told}") as process:
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        root = Credential(
            identity=Identity(kind="root", name="root"),
            access_key_id=where["access_key_id"],
            access_key_secret=where["access_key_secret"],
        )

        def invoke() -> None:
            try:
                path = f"/2023-03-30/functions/{where['function']}/invocations"
                answers.append(call(where["fc"].removeprefix("http://"), root, "InvokeFunction", "POST", path))
            except OSError as error:
                answers.append(error)

        caller = Thread(target=invoke)
        caller.start()
        end = time.monotonic() + 60
        while not (told.is_file() and told.read_text()) and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        caller.join(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
    assert len(answers) == 1
    assert not Path(f"/proc/{told.read_text()}").exists()
