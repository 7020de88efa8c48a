"""Each fault of the table service, at each of a run's calls to it: at most one reboot, a record, and no alarm lost."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from wire_stage import NO_FACTS, Wire, alarm, ids, outcomes, records

(ONLY,) = ids(1)
#: The reading, the place in the window, the claim, and what became of it.
CALLS = (("BatchGetRow", 0), ("PutRow", 0), ("PutRow", 1), ("PutRow", 2))
PASSING: tuple[dict[str, Any], ...] = (
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "truncate"},
    {"kind": "not_json"},
    {"kind": "delay", "seconds": 3, "before": False},
    {"kind": "late_effect", "seconds": 0.4},
    {"kind": "throttle"},
    {"kind": "error", "status": 503, "code": "OTSServerBusy"},
    {"kind": "error", "status": 503, "code": "OTSServerUnavailable", "before": False},
    {"kind": "error", "status": 409, "code": "OTSRowOperationConflict"},
)
LASTING: tuple[dict[str, Any], ...] = (
    {"kind": "drop_before", "times": None},
    {"kind": "error", "status": 403, "code": "OTSNoPermissionAccess", "times": None},
    {"kind": "error", "status": 403, "code": "OTSQuotaExhausted", "times": None},
    {"kind": "error", "status": 404, "code": "OTSObjectNotExist", "times": None},
)


def _run(number: int, fault: dict[str, Any], seconds: int, directory: Path, **settings: str) -> dict[str, Any]:
    with ExitStack() as stack:
        home = directory / str(number)
        home.mkdir()
        here = Wire(stack, home, count=1, faults=[fault], store="tablestore", **NO_FACTS, **settings)
        invocation = here.send(alarm(ONLY), timeout=seconds)
        met = [call for call in here.cloud.audit.calls(service="ots") if "faults" in call]
        asked = [call for call in here.cloud.audit.calls("RebootInstances") if call["effect"]]
        return {
            "fault": json.dumps(fault),
            "met": len(met),
            "codes": outcomes(invocation),
            "retriable": [record["retriable"] for record in records(invocation)],
            "raised": bool(invocation.error),
            "asked": len(asked),
        }


def _of_each(
    faults: tuple[dict[str, Any], ...], seconds: int, directory: Path, **settings: str
) -> list[dict[str, Any]]:
    declared = [
        {"service": "ots", "action": action, "skip": skip, "times": 1, **fault}
        for action, skip in CALLS
        for fault in faults
    ]
    with ThreadPoolExecutor(8) as pool:
        numbers = range(len(declared))
        return list(pool.map(lambda number: _run(number, declared[number], seconds, directory, **settings), numbers))


def test_a_passing_fault_at_any_call_is_one_reboot_and_one_record(tmp_path: Path) -> None:
    for end in _of_each(PASSING, 60, tmp_path):
        assert end["met"] == 1, end
        assert (end["codes"], end["asked"]) == (["accepted"], 1), end


def test_a_lasting_fault_before_the_reboot_is_none_and_is_tried_again(tmp_path: Path) -> None:
    for end in _of_each(LASTING, 15, tmp_path, DEADLINE_MARGIN_SECONDS="5"):
        assert end["met"] >= 1, end
        assert len(end["codes"]) == 1, end
        if '"PutRow", "skip": 2' in end["fault"]:  # only what became of it can't be written down
            assert (end["codes"], end["asked"]) == (["accepted"], 1), end
        else:
            assert end["asked"] == 0, end
            assert end["retriable"] == [True] or end["raised"], end
