"""The build as a command, for tests, and the package that most tests run."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Fetched packages; `make build` and `make bench` use the same ones.
WHEELS = ROOT / "build" / "wheels"


def build(out: Path, *options: str, environment: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run the build, for this interpreter unless the options say otherwise."""
    where = ("--runtime", "host", "--out", str(out), "--cache", str(WHEELS))
    return subprocess.run(
        [sys.executable, "-m", "cli", "build", *where, *options],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def function_package() -> Path:
    """Return the function as it is deployed, built for this Python, once for each state of what it is made from.

    From a package the function starts in a sixth of the time that it takes from its source.
    """
    state = hashlib.sha256(sys.version.encode())
    made_from = [ROOT / "constraints.txt", *(ROOT / "src/bundle").iterdir(), *(ROOT / "src/ecs_reboot").rglob("*.py")]
    for path in sorted(path for path in made_from if path.is_file()):
        state.update(path.read_bytes())
    place = ROOT / "build" / "tests"
    place.mkdir(parents=True, exist_ok=True)
    package = place / state.hexdigest()[:12] / "function"
    with place.with_name("tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the processes of one test run build it once
        if not package.with_name("function.zip").is_file():
            for older in place.iterdir():
                shutil.rmtree(older, ignore_errors=True)
            package.parent.mkdir()
            done = build(package)
            if done.returncode:
                raise RuntimeError(f"the function's package can't be built: {done.stderr}")
    return package
