"""A process killed at any of its calls: never a second reboot, and Function Compute's retry brings the first."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from wire_stage import NO_FACTS, STORES, Wire, alarm, ids, outcomes

(ONLY,) = ids(1)
REQUEST_ID = "5e2f1c9a-0000-4000-8000-000000000777"
SERVICES = ("ecs", "ots")
#: A run makes no more calls than this.
MOST_CALLS = 10
FINAL = {"accepted", "cooldown", "recently_started", "not_running"}


def killed_at(step: int, store: str, directory: Path) -> tuple[list[str], list[str], list[str]]:
    """Kill a run at its call of this number; return its calls, what its retry said, and what really went down."""
    seen: list[str] = []

    def reached(entry: dict[str, Any]) -> bool:
        if entry["kind"] == "api" and entry["service"] in SERVICES:
            seen.append(entry["action"])
        return len(seen) == step

    directory.mkdir()
    with ExitStack() as stack:
        here = Wire(stack, directory, count=1, faults=[], store=store, **NO_FACTS)
        here.crash(alarm(ONLY), reached, request_id=REQUEST_ID)
        calls = seen[:step]
        # Function Compute calls again with the same request ID.
        again = here.send(alarm(ONLY), timeout=60, request_id=REQUEST_ID)
        return calls, outcomes(again), here.rebooted()


@pytest.mark.parametrize("store", STORES)
def test_a_run_killed_at_any_call_is_finished_by_its_retry_and_never_done_twice(tmp_path: Path, store: str) -> None:
    with ThreadPoolExecutor(MOST_CALLS) as pool:
        steps = range(1, MOST_CALLS + 1)
        ends = list(pool.map(lambda step: killed_at(step, store, tmp_path / str(step)), steps))
    for calls, codes, rebooted in ends:
        assert rebooted == [ONLY], (calls, codes)
        assert set(codes) <= FINAL, (calls, codes)
    longest = max((calls for calls, _, _ in ends), key=len)
    assert "RebootInstances" in longest
    assert len(longest) < MOST_CALLS, "so the last of them were never killed"
