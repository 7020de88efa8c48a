"""Where the benchmark reads and writes: it needs the project's source tree."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: What it builds, and its figures as JSON.
PLACE = ROOT / "build" / "bench"
