"""Everything that can go wrong between us and Alibaba Cloud.

CloudError
 +-- Refused       the service answered, and said no: code, message, HTTP status, request ID
 +-- NotSent       the request never left: no connection, no certificate. Nothing can have happened
 |    +-- Unresolved   the endpoint has no address: asked again for seconds only, not until the deadline
 +-- NoAnswer      the request left and no readable answer came: it may have taken effect
"""

from ecs_reboot import outcomes
from ecs_reboot.outcomes import Code


class CloudError(Exception):
    """One call that did not succeed. ``action`` is the API's name; ``code`` goes into the record."""

    code = "error"
    #: The row of the outcome table that a result of this error has.
    outcome: Code = "no_answer"

    def __init__(self, action: str, message: str) -> None:
        self.action = action
        super().__init__(f"{action}: {message}")


class Refused(CloudError):
    """The service answered with an error of its own."""

    def __init__(
        self, action: str, *, code: str, message: str, status: int, request_id: str, retry_after_ms: int = 0
    ) -> None:
        self.code, self.message, self.status = code, message, status
        self.request_id, self.retry_after_ms = request_id, retry_after_ms
        self.outcome = outcomes.of_service(code)
        super().__init__(action, f"{code} (HTTP {status}, request {request_id or 'unknown'}): {message}")

    @property
    def throttled(self) -> bool:
        """Refused before it was carried out, so safe to repeat. The code tells, never the status."""
        return self.code == "Throttling" or self.code.startswith("Throttling.")

    @property
    def about_the_caller(self) -> bool:
        """Credentials or permissions are wrong: no instance is at fault, and every call will go the same way."""
        return outcomes.BY_CODE[self.outcome].about == "caller"

    @property
    def unsettled(self) -> bool:
        """The service itself failed (5xx): for a call with an effect, its word that nothing happened needs checking."""
        return self.status >= 500 and not self.throttled  # noqa: PLR2004 - server errors


class NotSent(CloudError):
    """Nothing reached the service."""

    code = "not_sent"
    outcome: Code = "not_sent"


class Unresolved(NotSent):
    """The endpoint's name does not resolve: there is no such region, or the name service is down."""

    code = "unresolved"
    outcome = "unresolved"


class NoAnswer(CloudError):
    """Sent, but the answer is missing or unreadable: what happened is unknown."""

    code = "no_answer"
