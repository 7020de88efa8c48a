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
    return subprocess.run(
        [sys.executable, "-m", "bundle", "--runtime", "host", "--out", str(out), "--cache", str(WHEELS), *options],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'packaging'}:{ROOT / 'src'}", **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
