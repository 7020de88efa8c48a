"""Asynchronous invocation as pure decisions: its configuration, when to try again, what a destination gets.

After "Configure a retry mechanism" and "Result callback" of the Function Compute help, and PutAsyncInvokeConfig.
"""

import json
from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from localcloud.account.audit import utc_text
from localcloud.functioncompute.api.errors import FcError
from localcloud.functioncompute.invocation import Invocation

#: Of the queue: the payload of an asynchronous request.
PAYLOAD_BYTES = 128 * 1024
#: Seconds before the first repetition; each further wait is twice the one before. Documented for throttling; for errors
#: of the function the pages name no interval, and the same is used.
FIRST_WAIT_SECONDS = 0.5
#: A throttled request is repeated for five hours.
THROTTLED_SECONDS = 5 * 3600.0

SUCCESS, RETRIES_EXHAUSTED, TOO_OLD, THROTTLED = "", "RetriesExhausted", "EventAgeExceeded", "Throttled"


class _Setting(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
    )


class Destination(_Setting):
    """Where a message goes: the ARN of a function, queue, topic or event bus."""

    destination: str = Field(default="", max_length=500)


class Destinations(_Setting):
    """Where a message goes after a request that succeeded, and after one that was given up."""

    on_success: Destination | None = None
    on_failure: Destination | None = None


class AsyncConfig(_Setting):
    """A function's asynchronous invocation: repetitions after an error, greatest age in seconds, destinations."""

    max_async_retry_attempts: int = Field(default=3, ge=0, le=8)
    max_async_event_age_in_seconds: int = Field(default=86_400, ge=1, le=604_800)
    destination_config: Destinations = Destinations()
    async_task: Literal[False] = False


class Queued(NamedTuple):
    """One request in the queue: ``attempts`` is how often the function ran, ``throttled`` how often it could not."""

    function_name: str
    payload: bytes
    request_id: str
    accepted_at: datetime
    attempts: int = 0
    throttled: int = 0


class Again(NamedTuple):
    """Try again after ``seconds`` of cloud time."""

    seconds: float


class Done(NamedTuple):
    """The request has come to its end; ``condition`` is empty for a success and else says why it was given up."""

    condition: str


def read_config(document: Any) -> AsyncConfig:
    """Read the body of PutAsyncInvokeConfig; raises FcError (InvalidArgument) that names the field."""
    try:
        return AsyncConfig.model_validate(document)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in detail["loc"]) or "the body"
        raise FcError("InvalidArgument", f"{where} is {str(detail['input'])[:100]!r}: {detail['msg']}") from None


def is_too_old(config: AsyncConfig, age_seconds: float) -> bool:
    """Return whether a request of this age is no longer to be tried."""
    return age_seconds > config.max_async_event_age_in_seconds


def after_attempt(config: AsyncConfig, queued: Queued, error: str) -> Again | Done:
    """Decide what follows an attempt; ``queued`` counts it already, ``error`` is empty for a success."""
    if not error:
        return Done(SUCCESS)
    if queued.attempts > config.max_async_retry_attempts:
        return Done(RETRIES_EXHAUSTED)
    return Again(_wait(queued.attempts))


def after_throttling(queued: Queued, age_seconds: float, chance: float) -> Again | Done:
    """Decide what follows a throttled attempt; ``queued`` counts it already.

    ``chance``, in [0, 1), spreads the repetitions over the wait and half of it more or less. The pages name the
    doubling only; repeated all at one moment, requests of a crowd would be throttled again but for a handful.
    """
    if age_seconds > THROTTLED_SECONDS:
        return Done(THROTTLED)
    return Again(_wait(queued.throttled) * (0.5 + chance))


def destination_of(config: AsyncConfig, condition: str) -> str:
    """Return the ARN of the destination for this end, empty if there is none."""
    destinations = config.destination_config
    chosen = destinations.on_failure if condition else destinations.on_success
    return chosen.destination if chosen else ""


def format_destination_body(
    queued: Queued, function_arn: str, condition: str, last: Invocation | None, now: datetime
) -> bytes:
    """Write what a destination gets; the fields are those of the help page's sample."""
    response: dict[str, Any] = {"statusCode": 200, "functionError": last.error} if last else {"statusCode": 429}
    return json.dumps(
        {
            "timestamp": utc_text(now),
            "requestContext": {
                "requestId": queued.request_id,
                "functionArn": function_arn,
                "condition": condition,
                "approximateInvokeCount": queued.attempts,
            },
            "requestPayload": queued.payload.decode(errors="replace"),
            "responseContext": response,
            "responsePayload": last.payload.decode(errors="replace") if last else "",
        },
        ensure_ascii=False,
    ).encode()


def _wait(repetition: int) -> float:
    return float(FIRST_WAIT_SECONDS * 2 ** (repetition - 1))
