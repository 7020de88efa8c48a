"""One package for this interpreter, built by the real command and shared by all tests, whichever worker they run in."""

import fcntl
import os
from pathlib import Path

import pytest
from packaged import build


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the built package; its zip lies beside it."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    out = shared / "package" / "function"
    out.parent.mkdir(exist_ok=True)
    with (shared / "package.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not out.with_name("function.zip").exists():
            done = build(out)
            assert done.returncode == 0, done.stderr
    return out
