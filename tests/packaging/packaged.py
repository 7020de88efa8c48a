"""The build as a command, for tests."""

import os
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
