"""Checks of the account as it is: the clocks, and how long answers take. They only read."""

import statistics
import time
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from acceptance.check import CheckFinding, differs, holds, unknown
from acceptance.stage import Stage
from stack.doctor import SKEW_NOTED

_CALLS = 5
#: The function's own patience with one answer (EcsTimeoutSeconds), in seconds.
_TOO_LONG = 10.0


def clocks(stage: Stage) -> CheckFinding:
    """Compare this machine's clock with that of the services."""
    told = stage.clients.sts.get_caller_identity().headers.get("date", "")
    if not told:
        return unknown("the answer had no date")
    skew = (datetime.now(timezone.utc) - parsedate_to_datetime(told)).total_seconds()
    saw = f"this machine is {skew:+.0f} s from the service's time"
    return holds(saw) if abs(skew) <= SKEW_NOTED else differs(saw)


def latency(stage: Stage) -> CheckFinding:
    """Measure how long DescribeInstances takes to answer."""
    taken = []
    for _ in range(_CALLS):
        began = time.perf_counter()
        stage.described()
        taken.append(time.perf_counter() - began)
    saw = f"DescribeInstances answered in {statistics.median(taken):.3f} s, at most {max(taken):.3f} s"
    return holds(saw) if max(taken) < _TOO_LONG else differs(saw)
