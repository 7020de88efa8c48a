"""The functions of one account: registered by name, invoked synchronously or through the queue."""

import uuid
from collections.abc import Callable
from datetime import datetime
from threading import RLock
from typing import NamedTuple

from localcloud.account.cloud import Cloud
from localcloud.account.faults import DELIVERY
from localcloud.functioncompute.api import async_invoke, deliveries
from localcloud.functioncompute.api.async_invoke import AsyncConfig, Queued
from localcloud.functioncompute.api.errors import FcError
from localcloud.functioncompute.api.pool import ACCOUNT_INSTANCES, Capacity, Pool
from localcloud.functioncompute.api.queue import Queue
from localcloud.functioncompute.function import Function
from localcloud.functioncompute.invocation import Invocation

LATEST = "LATEST"
DEFAULT_REGION = "cn-hangzhou"
#: The payload of a synchronous request.
PAYLOAD_BYTES = 32 * 1024 * 1024

Tell = Callable[[str, str, bytes], None]
"""(name of the function, ARN of its destination, message); raises where that can't be delivered."""


class Registered(NamedTuple):
    """A function and its settings; ``async_config`` is None where none was put, ``logged`` gets each invocation.

    ``provided``: the local cloud came with it, and a stack's function of this name takes its place.
    """

    function: Function
    registered_at: datetime
    async_config: AsyncConfig | None = None
    reserved: int | None = None
    logged: Callable[[Invocation], None] | None = None
    provided: bool = False


class Finished(NamedTuple):
    """A synchronous invocation and where it ran."""

    invocation: Invocation
    instance_id: str


class Functions:
    """The functions of a cloud, safe to use from several threads.

    What was registered outlives ``stop`` and a reset of the cloud; instances, queue and settings put since do not.
    ``on_destination`` adds a service that can be told of the ends of asynchronous requests; functions can be without.
    Stop it at the end: requests that run would hold the process until they are done.
    """

    def __init__(self, cloud: Cloud, *, instance_limit: int = ACCOUNT_INSTANCES) -> None:
        self._cloud = cloud
        self._lock = RLock()
        self._capacity = Capacity(instance_limit)
        self._registered: dict[str, Registered] = {}
        self._now: dict[str, Registered] = {}
        self._pools: dict[str, Pool] = {}
        self._destinations: dict[str, Tell] = {"fc": self._tell_function}
        # One thread for each instance there can be, and some for what does not wait for one.
        self._queue = Queue(cloud, self, instance_limit + 8)
        self._batches = deliveries.Batches()
        cloud.on_reset(self.reset)

    def register(
        self,
        function: Function,
        *,
        async_config: AsyncConfig | None = None,
        reserved: int | None = None,
        logged: Callable[[Invocation], None] | None = None,
        provided: bool = False,
    ) -> None:
        """Add a function, or put another in its place: then requests that run end on the old instances.

        ``logged`` is called with each invocation, in the thread that ran it: where the function's log goes.
        """
        with self._lock:
            entry = Registered(function, self._cloud.clock.now(), async_config, reserved, logged, provided)
            self._registered[function.name] = self._now[function.name] = entry
            self._replace_pool(function.name)

    def remove(self, name: str) -> None:
        """Take a function away; FcError if there is none."""
        with self._lock:
            self.find(name)
            for known in (self._registered, self._now):
                known.pop(name, None)
            self._pools.pop(name).retire()

    def configure(self, name: str, *, async_config: AsyncConfig | None) -> None:
        """Put the configuration of asynchronous invocation, None for none; FcError if there is no such function."""
        with self._lock:
            self._now[name] = self.find(name)._replace(async_config=async_config)

    def reserve(self, name: str, instances: int | None) -> None:
        """Put the reserved concurrency, None for none; FcError if there is no such function."""
        with self._lock:
            self._now[name] = self.find(name)._replace(reserved=instances)
            self._pools[name].reserved = instances

    def find(self, name: str, qualifier: str = "") -> Registered:
        """Return a function; FcError if it, or the version or alias, is not there."""
        with self._lock:
            entry = self._now.get(name)
        if entry is None:
            raise FcError("FunctionNotFound", f"function '{name[:100]}' does not exist")
        if qualifier not in ("", LATEST):
            raise FcError(
                "VersionNotFound", f"'{qualifier[:100]}' of function '{name}' does not exist: only {LATEST} does"
            )
        return entry

    def names(self) -> tuple[str, ...]:
        """Return the names, sorted."""
        with self._lock:
            return tuple(sorted(self._now))

    def arn(self, name: str) -> str:
        """Return the ARN of a function, whether it is there or not; without a name, of all of the account."""
        entry = self._now.get(name)
        region = entry.function.region if entry else DEFAULT_REGION
        return f"acs:fc:{region}:{self._cloud.account}:functions/{name or '*'}"

    def invoke(self, name: str, payload: bytes, *, qualifier: str = "", request_id: str = "") -> Finished:
        """Run a function and wait for it: FcError if it is not there, the payload is too long or instances are busy.

        What goes wrong inside the function is an ``Invocation`` with ``error``.
        """
        self.find(name, qualifier)
        _check_size(payload, PAYLOAD_BYTES)
        return self._run(name, payload, request_id or new_request_id(), "Sync", 1)

    def enqueue(self, name: str, payload: bytes, *, qualifier: str = "", request_id: str = "") -> str:
        """Accept an asynchronous request and return its ID; FcError if it is refused."""
        self.find(name, qualifier)
        _check_size(payload, async_invoke.PAYLOAD_BYTES)
        request_id = request_id or new_request_id()
        self._queue.put(name, payload, request_id)
        return request_id

    def delivery(self, name: str, *, source: str = "") -> Callable[[bytes], None]:
        """Return what a trigger calls with each event: asynchronous, met by the delivery faults declared for ``fc``."""

        def deliver(event: bytes) -> None:
            self.find(name)
            _check_size(event, async_invoke.PAYLOAD_BYTES)
            met = self._cloud.faults.take("fc", DELIVERY)
            plan = deliveries.plan(next(iter(met), None))
            self._cloud.audit.record("delivery", function=name, source=source, fault=plan.kind, event_bytes=len(event))
            if plan.window is not None and self._batches.add(name, event):
                self._later(name, plan.window, lambda: self._batches.take(name))
            for seconds in plan.delays:
                if seconds:
                    self._later(name, seconds, lambda: event)
                else:
                    self.enqueue(name, event)

        return deliver

    def config_of(self, name: str) -> AsyncConfig:
        """Return the configuration of asynchronous invocation, the default where none was put; FcError."""
        return self.find(name).async_config or AsyncConfig()

    def run(self, queued: Queued) -> Invocation:
        """Run a queued request once and wait; FcError."""
        return self._run(
            queued.function_name, queued.payload, queued.request_id, "Async", queued.attempts + 1
        ).invocation

    def tell(self, queued: Queued, condition: str, last: Invocation | None, arn: str) -> None:
        """Tell a destination of the end of a request; raises where that can't be delivered."""
        service = arn.split(":")[1] if arn.count(":") > 1 else arn
        deliver = self._destinations.get(service)
        if deliver is None:
            raise FcError("InvalidArgument", f"the local cloud has no destination {arn}")
        name = queued.function_name
        deliver(
            name,
            arn,
            async_invoke.format_destination_body(queued, self.arn(name), condition, last, self._cloud.clock.now()),
        )

    def on_destination(self, service: str, tell: Tell) -> None:
        """Have ``tell`` called for destinations of a service: ``mns``, ``eventbridge``."""
        self._destinations[service] = tell

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait until every queued request, late delivery and repetition is over; False if that takes longer."""
        return self._queue.wait_until_empty(seconds)

    def crash(self, name: str) -> bool:
        """End an instance of a function under its request, as a machine that fails; False where none is busy."""
        with self._lock:
            pool = self._pools.get(name)
        return pool is not None and pool.crash()

    def reset(self) -> None:
        """End all instances, forget the queue, and go back to the settings that were registered."""
        with self._lock:
            self._now = dict(self._registered)
            self.stop()

    def stop(self) -> None:
        """End all instances and forget the queue; a later request starts a new one."""
        with self._lock:
            self._queue.forget()
            self._batches.clear()
            for name in self._now:
                self._replace_pool(name, kill=True)

    def _replace_pool(self, name: str, *, kill: bool = False) -> None:
        old = self._pools.get(name)
        if old is not None:
            (old.kill if kill else old.retire)()
        entry = self._now[name]
        self._pools[name] = Pool(entry.function, self._capacity, entry.reserved)

    def _run(self, name: str, payload: bytes, request_id: str, kind: str, attempt: int) -> Finished:
        with self._lock:
            logged = self.find(name).logged
            pool = self._pools[name]
        invocation, instance_id = pool.invoke(payload, request_id, attempt - 1)
        self._cloud.audit.record(
            "invocation",
            function=name,
            request_id=request_id,
            type=kind,
            attempt=attempt,
            instance_id=instance_id,
            error=invocation.error,
            duration_ms=round(invocation.duration * 1000),
        )
        if logged:
            try:
                logged(invocation)
            except Exception as error:  # noqa: BLE001 - a log that can't be written fails no invocation
                self._cloud.audit.record("unlogged", function=name, request_id=request_id, reason=str(error))
        return Finished(invocation, instance_id)

    def _tell_function(self, _name: str, arn: str, message: bytes) -> None:
        name, _, qualifier = arn.rpartition(":functions/")[2].partition("/")
        self.enqueue(name, message, qualifier=qualifier)

    def _later(self, name: str, seconds: float, event: Callable[[], bytes]) -> None:
        """Enqueue an event after that many real seconds."""

        def enqueue() -> None:
            try:
                self.enqueue(name, event())
            except FcError as error:  # gone by now, or too long as an array: nobody is left to be told
                self._cloud.audit.record("dropped", function=name, request_id="", reason=str(error))

        self._queue.later(seconds, enqueue)


def new_request_id() -> str:
    """Make a request ID in the form of Function Compute's own."""
    return str(uuid.uuid4())


def _check_size(payload: bytes, limit: int) -> None:
    if len(payload) > limit:
        raise FcError("EntityTooLarge", f"payload size exceeds maximum allowed size ({limit} bytes)")
