"""The registry: real child processes running one small function, alone, at once, and through the queue."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from function_of_tests import NAME, Worker, worker

from localcloud.account.faults import parse
from localcloud.functioncompute.api.async_invoke import AsyncConfig, read_config
from localcloud.functioncompute.api.errors import FcError, Throttled
from localcloud.functioncompute.function import Function

FAILING = b'{"raise": "no"}'


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Worker]:
    with worker(tmp_path) as made:
        yield made


def wait_for(condition: Callable[[], Any], seconds: float = 10) -> Any:
    end = time.monotonic() + seconds
    while not (result := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return result


def test_a_warm_instance_is_used_again(platform: Worker) -> None:
    finished = [platform.functions.invoke(NAME, b"a") for _ in range(3)]
    assert [each.invocation.payload for each in finished] == [b"a"] * 3
    assert len({each.instance_id for each in finished}) == 1
    assert [entry["type"] for entry in platform.kinds("invocation")] == ["Sync"] * 3


def test_requests_at_once_have_an_instance_each(platform: Worker) -> None:
    event = b'{"sleep": 0.5}'
    with ThreadPoolExecutor(3) as threads:
        finished = list(threads.map(lambda _: platform.functions.invoke(NAME, event), range(3)))
    assert len({each.instance_id for each in finished}) == 3
    assert [each.invocation.error for each in finished] == [""] * 3


def test_an_instance_that_ended_is_not_used_again(platform: Worker) -> None:
    first = platform.functions.invoke(NAME, b'{"exit": true}')
    second = platform.functions.invoke(NAME, b"a")
    assert "Process exited" in first.invocation.payload.decode()
    assert second.invocation.error == ""
    assert first.instance_id != second.instance_id


def test_a_machine_that_fails_ends_the_run_that_is_on_it(platform: Worker) -> None:
    assert not platform.functions.crash(NAME)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(platform.functions.invoke, NAME, b'{"sleep": 30}')
        assert wait_for(lambda: platform.functions.crash(NAME))
        assert "Process exited" in running.result().invocation.payload.decode()
    assert not platform.functions.crash(NAME)
    assert platform.functions.invoke(NAME, b"a").invocation.error == ""


def test_reserved_concurrency_throttles(platform: Worker) -> None:
    functions = platform.functions
    functions.reserve(NAME, 1)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(functions.invoke, NAME, b'{"sleep": 1}')
        assert wait_for(platform.runs)
        with pytest.raises(Throttled, match="reserved concurrency is 1"):
            functions.invoke(NAME, b"a")
        assert running.result().invocation.error == ""
    assert functions.invoke(NAME, b"a").invocation.error == ""


def test_what_is_not_there_is_refused(platform: Worker) -> None:
    functions = platform.functions
    for name, qualifier, code in (("none", "", "FunctionNotFound"), (NAME, "prod", "VersionNotFound")):
        for call in (functions.invoke, functions.enqueue):
            with pytest.raises(FcError) as refusal:
                call(name, b"", qualifier=qualifier)
            assert refusal.value.code == code
    functions.invoke(NAME, b"", qualifier="LATEST")
    functions.remove(NAME)
    assert functions.names() == ()


def test_an_asynchronous_payload_is_limited(platform: Worker) -> None:
    platform.functions.enqueue(NAME, b"x" * 131_072)
    with pytest.raises(FcError) as refusal:
        platform.functions.enqueue(NAME, b"x" * 131_073)
    assert refusal.value.code == "EntityTooLarge"


def test_an_asynchronous_request_runs_once_where_it_succeeds(platform: Worker) -> None:
    request_id = platform.functions.enqueue(NAME, b"a")
    assert platform.functions.wait_until_idle(10)
    assert [(run.request_id, run.event) for run in platform.runs()] == [(request_id, "a")]
    (end,) = platform.kinds("async_end")
    assert (end["condition"], end["attempts"]) == ("", 1)


def test_a_failing_request_is_repeated_in_time_and_then_told_of(platform: Worker) -> None:
    """The clock is held: each repetition comes when its time has come, and not before."""
    functions = platform.functions
    told: list[tuple[str, bytes]] = []
    functions.on_destination("mns", lambda _name, arn, message: told.append((arn, message)))
    arn = "acs:mns:cn-hangzhou:1234567890123456:/queues/failed/messages"
    functions.configure(
        NAME,
        async_config=read_config(
            {"maxAsyncRetryAttempts": 2, "destinationConfig": {"onFailure": {"destination": arn}}}
        ),
    )
    platform.cloud.clock.hold()
    request_id = functions.enqueue(NAME, FAILING)
    for number, seconds in enumerate((0.5, 1.0), start=1):

        def begun(number: int = number) -> bool:
            return len(platform.kinds("invocation")) == number

        def repeated(number: int = number) -> bool:
            return len(platform.runs()) > number

        assert wait_for(begun)
        platform.cloud.clock.step(seconds - 0.01)
        assert not wait_for(repeated, seconds=0.2)
        platform.cloud.clock.step(0.02)
    assert functions.wait_until_idle(10)
    assert [run.request_id for run in platform.runs()] == [request_id] * 3
    ((where, message),) = told
    assert where == arn
    assert json.loads(message)["requestContext"]["condition"] == "RetriesExhausted"
    assert json.loads(message)["requestContext"]["approximateInvokeCount"] == 3
    assert "no" in json.loads(message)["responsePayload"]


def test_back_off_is_scaled_by_the_clock(tmp_path: Path) -> None:
    with worker(tmp_path, time_scale=1000) as platform:
        platform.functions.configure(NAME, async_config=AsyncConfig(max_async_retry_attempts=8))
        platform.functions.enqueue(NAME, FAILING)
        # 0.5 + 1 + ... + 64 s of cloud time; real time is what nine runs take.
        assert platform.functions.wait_until_idle(20)
        assert len(platform.runs()) == 9


def test_a_request_grows_too_old(platform: Worker) -> None:
    functions = platform.functions
    functions.configure(NAME, async_config=AsyncConfig(max_async_event_age_in_seconds=60))
    platform.cloud.clock.hold()
    functions.enqueue(NAME, FAILING)
    assert wait_for(lambda: platform.kinds("invocation"))
    platform.cloud.clock.step(61)
    assert functions.wait_until_idle(10)
    (end,) = platform.kinds("async_end")
    assert (end["condition"], end["attempts"]) == ("EventAgeExceeded", 1)


def test_a_throttled_request_waits_and_does_not_use_up_its_attempts(platform: Worker) -> None:
    functions = platform.functions
    functions.reserve(NAME, 0)
    functions.configure(NAME, async_config=AsyncConfig(max_async_retry_attempts=0))
    functions.enqueue(NAME, b"a")
    assert not wait_for(platform.runs, seconds=0.3)
    functions.reserve(NAME, None)
    assert functions.wait_until_idle(10)
    (end,) = platform.kinds("async_end")
    assert (end["condition"], end["attempts"]) == ("", 1)


def test_another_function_is_a_destination(platform: Worker) -> None:
    functions = platform.functions
    other = Function(
        "other", platform.function.code_path, platform.function.credentials, environment=platform.function.environment
    )
    functions.register(other)
    failure = {"destination": "acs:fc:cn-hangzhou:1234567890123456:functions/other"}
    functions.configure(
        NAME, async_config=read_config({"maxAsyncRetryAttempts": 0, "destinationConfig": {"onFailure": failure}})
    )
    functions.enqueue(NAME, FAILING)
    assert functions.wait_until_idle(10)
    first, second = platform.runs()
    assert json.loads(second.event)["requestContext"]["requestId"] == first.request_id
    assert json.loads(second.event)["requestPayload"] == FAILING.decode()


def test_a_destination_that_refuses_is_told_in_the_audit(platform: Worker) -> None:
    functions = platform.functions

    def refuse(_name: str, _arn: str, _message: bytes) -> None:
        raise LookupError("no such queue")

    functions.on_destination("mns", refuse)
    for arn, trouble in (("acs:mns:r:a:/queues/q/messages", "no such queue"), ("acs:kafka:r:a:t", "no destination")):
        success = {"destinationConfig": {"onSuccess": {"destination": arn}}}
        functions.configure(NAME, async_config=read_config(success))
        functions.enqueue(NAME, b"a")
        assert functions.wait_until_idle(10)
        assert trouble in platform.kinds("async_end")[-1]["undelivered"]


@pytest.mark.parametrize("how", ["stop", "reset"])
def test_what_runs_is_ended_and_what_waits_is_forgotten(platform: Worker, how: str) -> None:
    functions = platform.functions
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(functions.invoke, NAME, b'{"sleep": 600}')
        functions.enqueue(NAME, FAILING)
        assert wait_for(lambda: len(platform.runs()) == 2)
        (platform.cloud.reset if how == "reset" else functions.stop)()
        assert "Process exited" in running.result(timeout=60).invocation.payload.decode()
    assert functions.wait_until_idle(60)
    assert len(platform.runs()) == 2
    assert functions.invoke(NAME, b"a").invocation.error == ""


def test_whoever_registers_a_function_gets_its_log(platform: Worker) -> None:
    logged: list[bytes] = []
    platform.functions.register(platform.function, logged=lambda invocation: logged.append(invocation.logs))
    platform.functions.invoke(NAME, b'{"print": 3}')
    platform.functions.enqueue(NAME, b'{"print": 5}')
    assert platform.functions.wait_until_idle(10)
    assert [b"xxxxx" in logs for logs in logged] == [False, True]


def test_a_log_that_can_not_be_written_fails_no_invocation(platform: Worker) -> None:
    def refuse(_invocation: object) -> None:
        raise PermissionError("no")

    platform.functions.register(platform.function, logged=refuse)
    assert platform.functions.invoke(NAME, b"a").invocation.error == ""
    assert platform.kinds("unlogged")[0]["reason"] == "no"


def test_a_function_that_is_removed_meanwhile_drops_its_queue(platform: Worker) -> None:
    platform.functions.enqueue(NAME, FAILING)
    assert wait_for(lambda: platform.kinds("invocation"))
    platform.functions.remove(NAME)
    assert platform.functions.wait_until_idle(10)
    assert len(platform.kinds("dropped")) == 1


def test_a_reset_brings_back_the_registered_settings(platform: Worker) -> None:
    functions = platform.functions
    functions.reserve(NAME, 0)
    functions.configure(NAME, async_config=AsyncConfig())
    platform.cloud.reset()
    assert functions.find(NAME).async_config is None
    assert functions.invoke(NAME, b"a").invocation.error == ""


def test_another_version_of_the_code_lets_the_old_one_finish(platform: Worker, tmp_path: Path) -> None:
    functions = platform.functions
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "index.py").write_text("def handle(event, context):\n    return 'newer'\n", encoding="utf-8")
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(functions.invoke, NAME, b'{"sleep": 0.5}')
        assert wait_for(platform.runs)
        functions.register(Function(NAME, newer, platform.function.credentials))
        assert functions.invoke(NAME, b"").invocation.payload == b"newer"
        assert running.result().invocation.error == ""


class TestDelivery:
    def test_without_a_fault_an_event_comes_once_and_as_it_is(self, platform: Worker) -> None:
        platform.functions.delivery(NAME, source="timer")(b"a")
        assert platform.functions.wait_until_idle(10)
        assert [run.event for run in platform.runs()] == ["a"]
        (entry,) = platform.kinds("delivery")
        assert (entry["source"], entry["fault"]) == ("timer", "")

    def test_a_duplicate_is_a_request_of_its_own(self, platform: Worker) -> None:
        platform.cloud.faults.add(parse({"service": "fc", "kind": "duplicate", "times": 1}))
        deliver = platform.functions.delivery(NAME)
        deliver(b"a")
        deliver(b"b")
        assert platform.functions.wait_until_idle(10)
        assert sorted(run.event for run in platform.runs()) == ["a", "a", "b"]
        assert len({run.request_id for run in platform.runs()}) == 3

    def test_a_late_one_is_overtaken(self, platform: Worker) -> None:
        platform.functions.invoke(NAME, b"warm")  # a start can take longer than the delay on a busy machine
        platform.cloud.faults.add(parse({"service": "fc", "kind": "late", "seconds": 2, "times": 1}))
        deliver = platform.functions.delivery(NAME)
        deliver(b"first")
        deliver(b"second")
        assert platform.functions.wait_until_idle(60)
        assert [run.event for run in platform.runs()] == ["warm", "second", "first"]

    def test_a_batch_is_an_array_of_what_came_in_its_window(self, platform: Worker) -> None:
        platform.cloud.faults.add(parse({"service": "fc", "kind": "batch", "seconds": 1}))
        deliver = platform.functions.delivery(NAME)
        for event in (b'{"a": 1}', b"not json", '"é"'.encode()):
            deliver(event)
        assert platform.functions.wait_until_idle(10)
        (run,) = platform.runs()
        assert json.loads(run.event) == [{"a": 1}, "not json", "é"]

    def test_a_stop_forgets_what_is_under_way(self, platform: Worker) -> None:
        platform.cloud.faults.add(parse([{"service": "fc", "kind": "batch", "seconds": 60}]))
        deliver = platform.functions.delivery(NAME)
        deliver(b"a")
        platform.functions.stop()
        platform.cloud.faults.remove()
        platform.cloud.faults.add(parse([{"service": "fc", "kind": "batch", "seconds": 0.1}]))
        deliver(b"b")
        assert platform.functions.wait_until_idle(10)
        assert [json.loads(run.event) for run in platform.runs()] == [["b"]]

    def test_who_delivers_to_nobody_is_told(self, platform: Worker) -> None:
        with pytest.raises(FcError):
            platform.functions.delivery("none")(b"a")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "duplicate"},
        {"service": "sls", "kind": "late", "seconds": 1},
        {"service": "fc", "kind": "late"},
        {"service": "fc", "kind": "batch"},
        {"service": "fc", "kind": "duplicate", "action": "InvokeFunction"},
        {"service": "fc", "kind": "error", "code": "X", "action": "Delivery"},
    ],
)
def test_delivery_faults_that_make_no_sense_are_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"faults\[0\]"):
        parse(fault)


def test_faults_of_calls_do_not_meet_deliveries_and_the_other_way_round(platform: Worker) -> None:
    platform.cloud.faults.add(
        parse([{"service": "fc", "kind": "throttle"}, {"service": "fc", "kind": "duplicate", "times": 1}])
    )
    assert [fault.kind for fault in platform.cloud.faults.take("fc", "InvokeFunction")] == ["throttle"]
    assert [fault.kind for fault in platform.cloud.faults.take("fc", "Delivery")] == ["duplicate"]


def test_the_age_is_of_cloud_time(tmp_path: Path) -> None:
    with worker(tmp_path, time_scale=100) as platform:
        functions = platform.functions
        functions.configure(NAME, async_config=AsyncConfig(max_async_event_age_in_seconds=60))
        platform.cloud.clock.hold()
        functions.enqueue(NAME, FAILING)
        assert wait_for(lambda: platform.kinds("invocation"))
        platform.cloud.clock.step(timedelta(seconds=0.61).total_seconds())
        assert functions.wait_until_idle(10)
        assert platform.kinds("async_end")[0]["condition"] == "EventAgeExceeded"
