"""Warm instances of the function, and the queue of events in front of them."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from queue import SimpleQueue
from typing import NamedTuple

from console.invocations import InvocationLog
from localcloud.account.cloud import Cloud
from localcloud.commands.project_function import ROLE_NAME, project_function
from localcloud.functioncompute.function import RoleCredentials
from localcloud.functioncompute.instance import FunctionInstance, InstanceUnavailable
from localcloud.functioncompute.own_function import OwnFunction

#: Instances at once, each of which takes one event at a time; more events wait. As many as the template reserves: most
#: of a storm's time goes to those few that watch a reboot, and holds nobody else back.
MOST = 10


class PooledEvent(NamedTuple):
    """An event to be handed to the function under the given variables."""

    number: int
    request_id: str
    payload: bytes
    environment: Mapping[str, str]


class FunctionPool:
    """Runs events on instances of the function, warm ones first. What comes of each goes into the log.

    Each event has a role session of its own, so that the audit tells whose a call is. ``own``: the function that the
    server was started with, whose code, size and role these have.
    """

    def __init__(self, cloud: Cloud, log: InvocationLog, own: OwnFunction | None = None) -> None:
        self._cloud, self._log, self._own = cloud, log, own
        self._waiting: SimpleQueue[PooledEvent | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._all: list[_Warm] = []
        self._idle: list[_Warm] = []
        self._closed = False
        for number in range(MOST):
            threading.Thread(target=self._work, name=f"function {number}", daemon=True).start()

    def run(self, event: PooledEvent) -> None:
        """Queue an event."""
        self._waiting.put(event)

    def warm_up(self, environment: Mapping[str, str]) -> None:
        """Have one instance ready; raises InvalidFunction where Function Compute would not take the variables."""
        with self._lock:
            if not any(warm.environment == environment for warm in self._all):
                self._idle.append(self._start(environment))

    def close(self) -> None:
        """End all instances; events that wait are never run."""
        with self._lock:
            self._closed = True
            for warm in self._all:
                warm.instance.kill()  # who serves a busy one closes it
            for warm in self._idle:
                warm.instance.close()
            self._all.clear()
            self._idle.clear()
        for _ in range(MOST):
            self._waiting.put(None)

    def _work(self) -> None:
        while (event := self._waiting.get()) is not None and not self._closed:
            try:
                self._run(event)
            except (InstanceUnavailable, OSError, ValueError) as error:
                self._log.fail(event.number, self._cloud.clock.now(), str(error))

    def _run(self, event: PooledEvent) -> None:
        warm, cold = self._taken(event.environment)
        warm.serving = event.number
        self._log.begin(event.number, self._cloud.clock.now(), cold=cold)
        try:
            finished = warm.instance.invoke(event.payload, event.request_id)
            self._log.finish(event.number, self._cloud.clock.now(), finished)
        finally:
            self._given_back(warm)

    def _taken(self, environment: Mapping[str, str]) -> "tuple[_Warm, bool]":
        """Return an instance with these variables, and whether it is fresh."""
        with self._lock:
            for warm in self._idle:
                if warm.environment == environment:
                    self._idle.remove(warm)
                    return warm, False
            if len(self._all) >= MOST and self._idle:
                self._end(self._idle.pop(0))
            return self._start(environment), True

    def _given_back(self, warm: "_Warm") -> None:
        with self._lock:
            if warm in self._all and warm.instance.alive:
                self._idle.append(warm)
            else:
                self._end(warm)

    def _start(self, environment: Mapping[str, str]) -> "_Warm":
        warm = _Warm(self._cloud, environment, self._own)
        self._all.append(warm)
        return warm

    def _end(self, warm: "_Warm") -> None:
        if warm in self._all:
            self._all.remove(warm)
        warm.instance.close()


class _Warm:
    """One instance, its variables, and the number of the event it serves."""

    def __init__(self, cloud: Cloud, environment: Mapping[str, str], own: OwnFunction | None) -> None:
        self._cloud, self._role = cloud, own.role_name if own else ROLE_NAME
        self.environment = dict(environment)
        self.serving = 0
        function = own.function if own else project_function(cloud, environment["ECS_ENDPOINT"], environment)
        self.instance = FunctionInstance(replace(function, environment=self.environment, credentials=self._credentials))

    def _credentials(self) -> RoleCredentials:
        with self._cloud.lock:
            session = self._cloud.credentials.assume_role(f"{self._role}/{self.serving}")
        return RoleCredentials(session.access_key_id, session.access_key_secret, session.security_token)
