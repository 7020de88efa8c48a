"""The documented errors of Simple Log Service: a code, its HTTP status, and the JSON body they travel in."""

# Sources: "Common error codes" and the error tables of PutLogs and GetLogs in the Log Service API reference.
STATUS = {
    "InternalServerError": 500,
    "InvalidAPIVersion": 400,
    "InvalidBodyRawSize": 400,
    "InvalidCompressType": 400,
    "InvalidContentType": 415,
    "InvalidEncoding": 400,
    "InvalidHost": 400,
    "InvalidKey": 400,
    "InvalidQueryString": 400,
    "InvalidRequestTime": 400,
    "InvalidSignatureMethod": 400,
    "InvalidTimeRange": 400,
    "LogStoreAlreadyExist": 400,
    "LogStoreNotExist": 404,
    "MissAccessKeyId": 400,
    "MissingAPIVersion": 400,
    "MissingBodyRawSize": 400,
    "MissingContentType": 400,
    "MissingDate": 400,
    "MissingSignatureMethod": 400,
    "ParameterInvalid": 400,
    "PostBodyInvalid": 400,
    "PostBodyTooLarge": 400,
    "PostBodyUncompressError": 400,
    "ProjectAlreadyExist": 400,
    "ProjectNotExist": 404,
    "ProjectQuotaExceed": 403,
    "ReadQuotaExceed": 403,
    "RequestTimeExpired": 400,
    "SecurityTokenExpired": 401,
    "ServerBusy": 503,
    "ShardWriteQuotaExceed": 403,
    "SignatureNotMatch": 401,
    "Unauthorized": 401,
    "WriteQuotaExceed": 403,
}


class SlsError(Exception):
    """A request that the service refuses; ``code`` is one of ``STATUS``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = STATUS[code]


def body_of(code: str, message: str) -> dict[str, str]:
    """Write the error's JSON body."""
    return {"errorCode": code, "errorMessage": message}
