"""The documented errors of Tablestore: a code and its HTTP status."""

# Source: "Error codes" in the developer reference. That of OTSOperationThrottled is known from the official clients,
# its status is not documented.
STATUS = {
    "OTSAuthFailed": 403,
    "OTSCapacityUnitExhausted": 403,
    "OTSConditionCheckFail": 403,
    "OTSInternalServerError": 500,
    "OTSInvalidPK": 400,
    "OTSMethodNotAllowed": 405,
    "OTSNoPermissionAccess": 403,
    "OTSNotEnoughCapacityUnit": 403,
    "OTSObjectAlreadyExist": 409,
    "OTSObjectNotExist": 404,
    "OTSOperationThrottled": 403,
    "OTSParameterInvalid": 400,
    "OTSPartitionUnavailable": 503,
    "OTSQuotaExhausted": 403,
    "OTSRequestBodyTooLarge": 413,
    "OTSRequestTimeout": 408,
    "OTSRowOperationConflict": 409,
    "OTSServerBusy": 503,
    "OTSServerUnavailable": 503,
    "OTSTableNotReady": 404,
    "OTSTimeout": 503,
}
UNKNOWN_STATUS = 500


class OtsError(Exception):
    """A request, or one row of it, that the service refuses; ``code`` is one of ``STATUS``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = STATUS[code]


def invalid(message: str) -> OtsError:
    """Return the error of a parameter that is wrong."""
    return OtsError("OTSParameterInvalid", message)
