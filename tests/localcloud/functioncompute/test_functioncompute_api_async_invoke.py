"""What follows an asynchronous attempt: pure decisions."""

import json
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.functioncompute.api import async_invoke
from localcloud.functioncompute.api.async_invoke import Again, AsyncConfig, Done, Queued
from localcloud.functioncompute.api.errors import FcError
from localcloud.functioncompute.invocation import Invocation

AT = datetime(2026, 11, 23, tzinfo=timezone.utc)


def queued(attempts: int = 1, throttled: int = 0) -> Queued:
    return Queued("f", b"{}", "r", AT, attempts, throttled)


@given(limit=st.integers(0, 8))
def test_a_function_that_always_fails_runs_once_and_then_as_often_as_allowed(limit: int) -> None:
    config = AsyncConfig(max_async_retry_attempts=limit)
    attempts = 1
    while isinstance(async_invoke.after_attempt(config, queued(attempts), "UnhandledInvocationError"), Again):
        attempts += 1
    assert attempts == limit + 1


def test_success_ends_it() -> None:
    assert async_invoke.after_attempt(AsyncConfig(), queued(), "") == Done(async_invoke.SUCCESS)


def test_three_repetitions_are_the_default() -> None:
    assert async_invoke.after_attempt(AsyncConfig(), queued(3), "e") == Again(2.0)
    assert async_invoke.after_attempt(AsyncConfig(), queued(4), "e") == Done(async_invoke.RETRIES_EXHAUSTED)


def test_a_throttled_request_waits_half_a_second_and_then_twice_as_long_each_time() -> None:
    steps = [async_invoke.after_throttling(queued(0, times), 0, 0.5) for times in range(1, 6)]
    assert steps == [Again(0.5), Again(1.0), Again(2.0), Again(4.0), Again(8.0)]
    # A crowd does not come back at one moment.
    assert [async_invoke.after_throttling(queued(0, 3), 0, chance) for chance in (0.0, 0.5)] == [Again(1.0), Again(2.0)]


def test_a_throttled_request_is_given_up_after_five_hours() -> None:
    assert isinstance(async_invoke.after_throttling(queued(0, 9), 5 * 3600, 0.5), Again)
    assert async_invoke.after_throttling(queued(0, 9), 5 * 3600 + 1, 0.5) == Done(async_invoke.THROTTLED)


def test_the_greatest_age() -> None:
    config = AsyncConfig(max_async_event_age_in_seconds=60)
    assert [async_invoke.is_too_old(config, age) for age in (0, 60, 60.1)] == [False, False, True]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"maxAsyncRetryAttempts": 9}, "maxAsyncRetryAttempts"),
        ({"maxAsyncRetryAttempts": -1}, "maxAsyncRetryAttempts"),
        ({"maxAsyncRetryAttempts": "3"}, "maxAsyncRetryAttempts"),
        ({"maxAsyncEventAgeInSeconds": 0}, "maxAsyncEventAgeInSeconds"),
        ({"maxAsyncEventAgeInSeconds": 604_801}, "maxAsyncEventAgeInSeconds"),
        ({"maxRetries": 1}, "maxRetries"),
        ({"asyncTask": True}, "asyncTask"),
        ({"destinationConfig": {"onFailure": {"arn": "a"}}}, "destinationConfig.onFailure.arn"),
        ([], "the body"),
    ],
)
def test_a_wrong_configuration_is_refused_by_its_field(document: object, field: str) -> None:
    with pytest.raises(FcError) as refusal:
        async_invoke.read_config(document)
    assert refusal.value.code == "InvalidArgument"
    assert str(refusal.value).startswith(f"{field} is ")


def test_who_is_told_depends_on_the_end() -> None:
    config = async_invoke.read_config(
        {"destinationConfig": {"onFailure": {"destination": "acs:fc:f"}, "onSuccess": {"destination": "acs:fc:s"}}}
    )
    assert async_invoke.destination_of(config, async_invoke.SUCCESS) == "acs:fc:s"
    assert async_invoke.destination_of(config, async_invoke.TOO_OLD) == "acs:fc:f"
    assert async_invoke.destination_of(AsyncConfig(), async_invoke.TOO_OLD) == ""


def test_what_a_destination_is_told() -> None:
    last = Invocation(
        "r", b'{"errorMessage": "no"}', "UnhandledInvocationError", b"", 0.1, timed_out=False, max_memory_mb=1
    )
    told = json.loads(
        async_invoke.format_destination_body(queued(4), "acs:fc:f", async_invoke.RETRIES_EXHAUSTED, last, AT)
    )
    assert told == {
        "timestamp": "2026-11-23T00:00:00.000Z",
        "requestContext": {
            "requestId": "r",
            "functionArn": "acs:fc:f",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 4,
        },
        "requestPayload": "{}",
        "responseContext": {"statusCode": 200, "functionError": "UnhandledInvocationError"},
        "responsePayload": '{"errorMessage": "no"}',
    }


def test_a_request_that_never_ran_has_no_answer_to_tell_of() -> None:
    told = json.loads(async_invoke.format_destination_body(queued(0, 9), "a", async_invoke.THROTTLED, None, AT))
    assert (told["responseContext"], told["responsePayload"]) == ({"statusCode": 429}, "")
