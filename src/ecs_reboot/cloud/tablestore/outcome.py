"""What an error means for the call that met it: whether it was done, and whether the same call may be repeated.

Reads may be repeated after ``not_done`` and ``unknown`` alike. A conditional write that moves its row's version may be
repeated unchanged after both, too: it takes effect at most once. Only what follows differs: after ``unknown`` a failed
condition may be one's own success.
"""

from typing import Literal

from ecs_reboot.cloud.errors import CloudError, NotSent, Refused

Outcome = Literal["not_done", "unknown", "condition_failed", "final"]
"""``not_done``: nothing happened, the same call may succeed soon. ``unknown``: it may have been carried out.
``condition_failed``: nothing happened, and the row is not as the write wanted it. ``final``: nothing happened, and the
same call will fail again."""

CONDITION_FAILED = "OTSConditionCheckFail"

#: The codes that are not final; sources: the service's error page, and the retry rules of its official clients.
OF_CODE: dict[str, Outcome] = {
    CONDITION_FAILED: "condition_failed",
    "OTSServerBusy": "not_done",
    "OTSPartitionUnavailable": "not_done",
    "OTSRowOperationConflict": "not_done",
    "OTSOperationConflict": "not_done",
    "OTSTableNotReady": "not_done",
    "OTSNotEnoughCapacityUnit": "not_done",
    "OTSCapacityUnitExhausted": "not_done",
    "OTSOperationThrottled": "not_done",
    "OTSTimeout": "unknown",
    "OTSServerUnavailable": "unknown",
    "OTSInternalServerError": "unknown",
    "OTSRequestTimeout": "unknown",
}

#: The one message with which OTSQuotaExhausted passes by itself; else it is a quota that somebody has to raise.
_PASSING_QUOTA = ("OTSQuotaExhausted", "Too frequent table operations.")


def of_code(code: str, message: str = "", status: int = 0) -> Outcome:
    """Return what an error code means, of a call or of one row of a batch; ``status`` is the call's HTTP status."""
    if (code, message) == _PASSING_QUOTA:
        return "not_done"
    return OF_CODE.get(code) or ("unknown" if status >= 500 else "final")  # noqa: PLR2004 - server errors


def of_error(error: CloudError) -> Outcome:
    """Return what the error of a whole call means."""
    if isinstance(error, Refused):
        return of_code(error.code, error.message, error.status)
    return "not_done" if isinstance(error, NotSent) else "unknown"
