"""Ctrl-C in the middle of long work, and a reader that goes away: a word, a status, and no traceback."""

import contextlib
import fcntl
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from cli import exit_status

ROOT = Path(__file__).resolve().parents[2]


def test_a_closed_pipe_is_no_error() -> None:
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "plain"], env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def interrupted(*arguments: str, until: str, **environment: str) -> tuple[int, str]:
    """Press Ctrl-C in a terminal once it shows ``until``; returns the status and what was shown after that."""
    ours, theirs = pty.openpty()
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1", **environment}
    with subprocess.Popen(
        [sys.executable, "-m", "cli", *arguments],
        env=given, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one call of the system
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = ""
        while until not in shown:
            shown += os.read(ours, 4096).decode()
        os.write(ours, b"\x03")
        after = ""
        with contextlib.suppress(OSError):  # the end of a terminal
            while told := os.read(ours, 4096).decode():
                after += told
    os.close(ours)
    return process.returncode, after


@pytest.mark.parametrize(
    ("arguments", "until"),
    [
        (("demo",), "1. CloudMonitor"),
        (("simulate",), "of 100000 deliveries"),
        (("bench", "--deployed"), "1 of 3: the package for this Python"),
    ],
    ids=["demo", "simulate", "bench"],
)
def test_long_work_shows_progress_and_is_interrupted_by_a_word(arguments: tuple[str, ...], until: str) -> None:
    status, after = interrupted(*arguments, until=until)
    assert status == exit_status.INTERRUPTED
    assert after.split("^C")[-1].strip() == "interrupted"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_exploration_shows_its_states_and_ends_in_the_same_word(jobs: str) -> None:
    status, after = interrupted("explore", "--jobs", jobs, until=" states")
    assert status == exit_status.INTERRUPTED
    # Before it says what it has explored, where it had begun.
    assert after.rstrip().endswith("interrupted")
    assert "Traceback" not in after


def test_an_interrupted_deployment_says_that_it_goes_on(tmp_path: Path) -> None:
    package = tmp_path / "function.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.py", "")
    keys = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI-test", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "no-secret"}
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        silent.settimeout(60)
        given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), **keys}
        command = [sys.executable, "-m", "cli", "deploy", "--package", str(package)]
        command += ["--endpoint", f"http://127.0.0.1:{silent.getsockname()[1]}"]
        with subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr
            with closing(silent.accept()[0]):
                process.send_signal(signal.SIGINT)
                told = process.stderr.read()
    assert process.returncode == exit_status.INTERRUPTED
    assert told == "stopped looking; what is under way goes on by itself: the same command again takes it up\n"
