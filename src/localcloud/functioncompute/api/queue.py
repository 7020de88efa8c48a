"""The queue of asynchronous requests: tries each until it succeeds or is given up, and then tells its destination."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from localcloud.account.cloud import Cloud
from localcloud.functioncompute.api import async_invoke
from localcloud.functioncompute.api.async_invoke import AsyncConfig, Done, Queued
from localcloud.functioncompute.api.errors import FcError, Throttled
from localcloud.functioncompute.api.schedule import Schedule
from localcloud.functioncompute.invocation import Invocation


class Runner(Protocol):
    """What the queue needs of the functions; each raises FcError where the function is gone."""

    def config_of(self, name: str) -> AsyncConfig:
        """Return the function's configuration."""

    def run(self, queued: Queued) -> Invocation:
        """Run the function once and wait; Throttled if there is no instance for it."""

    def tell(self, queued: Queued, condition: str, last: Invocation | None, arn: str) -> None:
        """Tell a destination of the end; raises where that can't be delivered."""


class Queue:
    """The queue of one cloud. ``threads`` bounds how many requests are tried at once."""

    def __init__(self, cloud: Cloud, runner: Runner, threads: int) -> None:
        self._cloud = cloud
        self._runner = runner
        self._schedule = Schedule(cloud.clock, threads)
        self._spread = cloud.random("throttled requests")
        self._generation = 0

    def put(self, name: str, payload: bytes, request_id: str) -> None:
        """Accept a request."""
        queued = Queued(name, payload, request_id, self._cloud.clock.now())
        generation = self._generation
        self._schedule.soon(lambda: self._attempt(queued, generation, None))

    def later(self, seconds: float, put: Callable[[], object]) -> None:
        """Call ``put`` after ``seconds`` of real time, unless all is forgotten by then."""
        generation = self._generation

        def unless_forgotten() -> None:
            if generation == self._generation:
                put()

        self._schedule.at(self._cloud.clock.now() + timedelta(seconds=seconds), unless_forgotten)

    def forget(self) -> None:
        """Drop all requests; of those that run, whatever comes of them."""
        self._generation += 1
        self._schedule.forget()

    def wait_until_empty(self, seconds: float) -> bool:
        """Wait until all is over, what is put later included; False if that takes longer."""
        return self._schedule.wait_until_empty(seconds)

    def _attempt(self, queued: Queued, generation: int, last: Invocation | None) -> None:
        """Try a request once, and see to what follows."""
        if generation != self._generation:
            return
        try:
            config = self._runner.config_of(queued.function_name)
            if async_invoke.is_too_old(config, self._age(queued)):
                self._end(queued, config, async_invoke.TOO_OLD, last)
                return
            last = self._runner.run(queued)
        except Throttled:
            queued = queued._replace(throttled=queued.throttled + 1)
            step = async_invoke.after_throttling(queued, self._age(queued), self._spread.random())
        except FcError as error:  # the function was removed while its request waited
            self._cloud.audit.record(
                "dropped", function=queued.function_name, request_id=queued.request_id, reason=str(error)
            )
            return
        else:
            queued = queued._replace(attempts=queued.attempts + 1, throttled=0)
            step = async_invoke.after_attempt(config, queued, last.error)
        if generation != self._generation:
            return
        if isinstance(step, Done):
            self._end(queued, config, step.condition, last)
            return
        moment = self._cloud.clock.after(step.seconds, self._cloud.clock.now())
        self._schedule.at(moment, lambda: self._attempt(queued, generation, last))

    def _age(self, queued: Queued) -> float:
        clock = self._cloud.clock
        return (clock.now() - queued.accepted_at).total_seconds() * clock.time_scale

    def _end(self, queued: Queued, config: AsyncConfig, condition: str, last: Invocation | None) -> None:
        arn = async_invoke.destination_of(config, condition)
        trouble = ""
        if arn:
            try:
                self._runner.tell(queued, condition, last, arn)
            except Exception as error:  # noqa: BLE001 - whatever a destination refuses with goes into the audit
                trouble = f"{type(error).__name__}: {error}"
        self._cloud.audit.record(
            "async_end",
            function=queued.function_name,
            request_id=queued.request_id,
            condition=condition,
            attempts=queued.attempts,
            destination=arn,
            undelivered=trouble,
        )
