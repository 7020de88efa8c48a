"""The errors of the Function Compute API: a code, its HTTP status, and the JSON body they travel in."""

# Source: the error code table of the API reference. Our choices: ResourceExhausted for the documented status 429, and
# AsyncConfigNotExists and ConcurrencyConfigNotFound, for which the pages at hand name no code.
STATUS = {
    "AccessDenied": 403,
    "AsyncConfigNotExists": 404,
    "ConcurrencyConfigNotFound": 404,
    "EntityTooLarge": 400,
    "FunctionNotFound": 404,
    "InternalServerError": 500,
    "InvalidAccessKeyID": 403,
    "InvalidArgument": 400,
    "MissingRequiredHeader": 400,
    "PathNotSupported": 400,
    "ResourceExhausted": 429,
    "ServiceUnavailable": 503,
    "SignatureNotMatch": 403,
    "VersionNotFound": 404,
}


class FcError(Exception):
    """A request that the service refuses; ``code`` is one of ``STATUS``, the text is the ``Message``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = STATUS[code]


class OlderVersion(FcError):
    """A call of an older version of the API, which is answered in that version's form."""

    def __init__(self, called: str, supported: str) -> None:
        super().__init__(
            "PathNotSupported",
            f"API version {called} is not supported here: the local cloud has {supported} "
            f"(SDKs named fc{supported.replace('-', '')})",
        )


class Throttled(FcError):
    """All instances that the function or the account may have are busy."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceExhausted", message)


def body_of(code: str, message: str, request_id: str) -> dict[str, str]:
    """Write the error's JSON body."""
    return {"Code": code, "Message": message, "RequestId": request_id}


def older_body_of(code: str, message: str) -> dict[str, str]:
    """Write the error's JSON body as API versions 2016-08-15 and 2021-04-06 have it."""
    return {"ErrorCode": code, "ErrorMessage": message}
