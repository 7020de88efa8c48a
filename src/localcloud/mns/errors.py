"""The documented errors of the message service: a code, its HTTP status, and the XML that they travel in."""

# Source: "Error codes" of Simple Message Queue (2026-02-27); what has no row there is refused with 400.
STATUS = {
    "AccessDenied": 403,
    "InternalError": 500,
    "InvalidAccessKeyId": 403,
    "MessageNotExist": 404,
    "QpsLimitExceeded": 403,
    "QueueAlreadyExist": 409,
    "QueueNotExist": 404,
    "SignatureDoesNotMatch": 403,
    "TimeExpired": 408,
    "TopicAlreadyExist": 409,
    "TopicNotExist": 404,
}


class MessageError(Exception):
    """The service refuses; ``code`` is as documented."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return STATUS.get(self.code, 400)
