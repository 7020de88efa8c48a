"""What goes wrong between the function and ECS, call by call."""

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, TypeVar

from ecs_reboot.cloud.errors import CloudError, NoAnswer, NotSent, Refused
from simulation.run import Run

T = TypeVar("T")

#: How long the function waits for an answer (ECS_TIMEOUT_SECONDS).
TIMEOUT = 10.0
#: It waits for so long, however little time is left, seconds.
LEAST_SECONDS = 0.5
#: Kinds of fault and their weights among the faults of a call.
KINDS = (
    ("not_sent", 2), ("lost_before", 2), ("lost_after", 3), ("late", 2), ("cut_off", 2), ("slow", 4),
    ("throttled", 4), ("500_before", 2), ("500_after", 2), ("503_before", 2), ("503_after", 2),
)  # fmt: skip
_BAG = tuple(kind for kind, weight in KINDS for _ in range(weight))


class FaultProfile(NamedTuple):
    """How bad the network is: the chance of a fault in each call, and the longest time to an effect, seconds.

    ``latency``: of a call on the way there and back, times a number from the ``spread``. ``left``: what the run may
    still wait.
    """

    faults: float
    request: float
    latency: float = 0.1
    left: Callable[[], float] = lambda: TIMEOUT
    spread: tuple[float, float] = (0.1, 1.1)

    def patience(self) -> float:
        """Return how long the function waits for an answer, seconds."""
        return min(TIMEOUT, max(LEAST_SECONDS, self.left()))

    def one_way(self, chance: float) -> float:
        """Return how long a call, or its answer, is on its way, seconds."""
        least, most = self.spread
        return self.latency * (least / 2 + (most - least) / 2 * chance)


def exchange(run: Run, profile: FaultProfile, action: str, effect: Callable[[], T]) -> T:
    """Carry one call to ECS, and its answer back, or fail as networks and services fail."""
    random = run.random
    chance = random.random()
    if chance >= profile.faults:
        run.step(profile.one_way(random.random()))
        answer = effect()
        run.step(profile.one_way(random.random()))
        return answer
    kind, run.troubled = _BAG[int(chance / profile.faults * len(_BAG))], True
    run.step(0.01)
    if kind == "slow":
        run.step(random.uniform(0, profile.request - 0.01))
        answer = effect()
        seconds, patience = random.uniform(0, 2), profile.patience()
        run.step(min(seconds, patience))
        if seconds > patience:
            raise NoAnswer(action, "timed out")
        return answer
    if kind == "late":
        # On its way when the function has given up: it takes effect, and nobody is told.
        due = run.scheduler.now + random.uniform(0, profile.request - 0.01)
        run.scheduler.at(due, lambda: _unheard(effect))
        run.step(profile.patience())
        raise NoAnswer(action, "timed out")
    if kind in ("lost_after", "cut_off", "500_after", "503_after"):
        effect()
    raise _failure(run, profile, kind, action)


def _unheard(effect: Callable[[], object]) -> None:
    with suppress(CloudError):  # a refusal that never arrives
        effect()


def _failure(run: Run, profile: FaultProfile, kind: str, action: str) -> CloudError:
    if kind in ("lost_before", "lost_after"):
        run.step(profile.patience())
        return NoAnswer(action, "timed out")
    run.step(0.02)
    if kind == "cut_off":
        return NoAnswer(action, "the connection broke")
    if kind == "not_sent":
        return NotSent(action, "connection refused")
    if kind == "throttled":
        wait = run.random.choice((0, 0, 500, 3000, 20_000))
        return Refused(
            action, code="Throttling.User", message="slow down", status=400, request_id="", retry_after_ms=wait
        )
    if kind.startswith("503"):
        return Refused(action, code="ServiceUnavailable", message="try later", status=503, request_id="")
    return Refused(action, code="InternalError", message="an internal error", status=500, request_id="")
