"""The instances of one function: a request takes a warm one or starts one, up to the limits."""

from threading import Lock

from localcloud.functioncompute.api.errors import Throttled
from localcloud.functioncompute.function import Function
from localcloud.functioncompute.instance import FunctionInstance
from localcloud.functioncompute.invocation import Invocation

#: On-demand instances that an account has in a region ("Limits of usage").
ACCOUNT_INSTANCES = 300
# The service keeps idle instances for minutes; here more than a few would only hold this machine's memory.
_KEPT_WARM = 10


class Capacity:
    """How many instances of an account may be busy at once."""

    def __init__(self, limit: int = ACCOUNT_INSTANCES) -> None:
        self.limit = limit
        self._busy = 0
        self._lock = Lock()

    def take(self) -> None:
        """Count one more; Throttled if the account has no more."""
        with self._lock:
            if self._busy >= self.limit:
                raise Throttled(f"the account's {self.limit} instances are busy: invoke again later")
            self._busy += 1

    def give_back(self) -> None:
        """Count one less."""
        with self._lock:
            self._busy -= 1


class Pool:
    """Runs requests of one function, each alone on its instance. ``reserved`` caps its instances, None is no cap."""

    def __init__(self, function: Function, capacity: Capacity, reserved: int | None = None) -> None:
        self.function = function
        self.reserved = reserved
        self._capacity = capacity
        self._lock = Lock()
        self._idle: list[FunctionInstance] = []
        self._busy: dict[FunctionInstance, None] = {}
        self._running = 0
        self._retired = self._killed = False

    def invoke(self, event: bytes, request_id: str, retry_count: int = 0) -> tuple[Invocation, str]:
        """Run one request and return what came of it and the ID of its instance. Blocks; raises Throttled."""
        self._count_in()
        try:
            instance = self._taken()
            try:
                return instance.invoke(event, request_id, retry_count), instance.instance_id
            finally:
                self._put_back(instance)
        finally:
            self._count_out()

    def retire(self) -> None:
        """Start nothing more on these instances: idle ones end now, a busy one after its request."""
        with self._lock:
            self._retired = True
            idle, self._idle = self._idle, []
        for instance in idle:
            instance.close()

    def kill(self) -> None:
        """End all instances now; a request that is running comes back as one whose process exited."""
        self.retire()
        with self._lock:
            self._killed = True
            busy = tuple(self._busy)
        for instance in busy:
            instance.kill()

    def crash(self) -> bool:
        """End the instance that has been busy for the longest, as a machine that fails; False where none is busy."""
        with self._lock:
            instance = next(iter(self._busy), None)
        if instance is None:
            return False
        instance.kill()
        return True

    def _count_in(self) -> None:
        with self._lock:
            if self.reserved is not None and self._running >= self.reserved:
                raise Throttled(
                    f"function {self.function.name} has {self._running} busy instances, its reserved concurrency is "
                    f"{self.reserved}: invoke again later"
                )
            self._capacity.take()
            self._running += 1

    def _count_out(self) -> None:
        with self._lock:
            self._running -= 1
        self._capacity.give_back()

    def _taken(self) -> FunctionInstance:
        with self._lock:
            instance = self._idle.pop() if self._idle else None
            if instance is not None:
                self._busy[instance] = None
        if instance is None:
            instance = FunctionInstance(self.function)
            with self._lock:
                self._busy[instance] = None
            if self._killed:
                instance.kill()
        return instance

    def _put_back(self, instance: FunctionInstance) -> None:
        with self._lock:
            self._busy.pop(instance, None)
            keep = instance.alive and not self._retired and len(self._idle) < _KEPT_WARM
            if keep:
                self._idle.append(instance)
        if not keep:
            instance.close()
