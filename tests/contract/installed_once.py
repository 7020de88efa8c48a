"""What a test installs for itself: once for each state of its pins, by whichever test process comes first."""

import fcntl
from collections.abc import Callable
from pathlib import Path


def install_once(place: Path, pins: bytes, install: Callable[[], None]) -> None:
    """Install into ``place`` unless these very pins are there already; other processes wait for their turn."""
    place.mkdir(parents=True, exist_ok=True)
    done = place / "installed"
    with (place / ".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not done.is_file() or done.read_bytes() != pins:
            install()
            done.write_bytes(pins)
