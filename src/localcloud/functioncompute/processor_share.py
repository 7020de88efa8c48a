"""A function's share of a processor: held to by a control group where the system lets this process make one.

On Function Compute a function of 0.35 vCPU gets 35 ms of processor in each 100 ms: whatever it computes takes three
times as long. Without that a local run says nothing about a deployed one.
"""

import contextlib
import itertools
import os
import time
from pathlib import Path

_PERIOD_MICROSECONDS = 100_000
_ROOTS = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))
_numbers = itertools.count(1)


class Quota:
    """A control group of one function instance. Close it when its processes are gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, process_id: int) -> bool:
        """Put a process, and what it will start, into the group; False where the system refuses."""
        return _written(self._folder / "cgroup.procs", str(process_id))

    def close(self) -> None:
        """Take the group away."""
        for _ in range(20):
            try:
                self._folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:  # its last process is still on its way out
                time.sleep(0.01)
            else:
                return


def quota(share: float) -> Quota | None:
    """Make a control group with a share of one processor; None for a whole one, or where none can be made."""
    if share >= 1:
        return None
    for root in _ROOTS:
        folder = root / f"localcloud-{os.getpid()}-{next(_numbers)}"
        try:
            folder.mkdir()
        except OSError:
            continue
        limit = str(round(share * _PERIOD_MICROSECONDS))
        # Version 1 of the kernel's interface, then version 2.
        if _written(folder / "cpu.cfs_quota_us", limit) or _written(
            folder / "cpu.max", f"{limit} {_PERIOD_MICROSECONDS}"
        ):
            return Quota(folder)
        with contextlib.suppress(OSError):
            folder.rmdir()
    return None


def used(process_id: int) -> float:
    """Return the seconds of processor that a process has used; 0 where the system does not say."""
    nanoseconds = 0
    with contextlib.suppress(OSError, ValueError, IndexError):
        for task in Path(f"/proc/{process_id}/task").iterdir():
            nanoseconds += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return nanoseconds / 1e9


def stretched(seconds: float, processor_seconds: float, share: float) -> float:
    """Return how long something would take under a share: what it waits stays, what it computes takes longer."""
    return seconds + processor_seconds * (1 / share - 1)


def _written(path: Path, text: str) -> bool:
    # A file that is not there must not be made: on a plain folder that would look like success.
    if not path.exists():
        return False
    try:
        path.write_text(text, encoding="ascii")
    except OSError:
        return False
    return True
