"""The shortest story of a violation: arrivals and faults are left out as long as the same promise is still broken.

Sweeps stay while their timer is an assumption: without them, promises are broken that nobody gave.
"""

from collections.abc import Callable

from simulation.assumptions import Assumptions
from simulation.conditions import Conditions
from simulation.episode import Episode
from simulation.plan import Arrival, Plan

#: Episodes run again at most; the best found by then is shown.
TRIES = 300


class Shrinker:
    """Looks for a smaller plan that breaks the same promise."""

    def __init__(self, plan: Plan, assumptions: Assumptions, promise: str) -> None:
        self._best, self._assumptions, self._promise = plan, assumptions, promise
        self._tries = 0

    def run(self) -> Plan:
        """Return the smallest plan that was found."""
        self._drop_halves()
        self._offer(self._best._replace(retries=0))
        self._offer(self._best._replace(skew=0.0))
        for name, usual in Conditions()._asdict().items():
            plan = self._best._replace(conditions=self._best.conditions._replace(**{name: usual}))
            stacks = plan.conditions.stacks
            arrivals = tuple(arrival._replace(stack=min(arrival.stack, stacks - 1)) for arrival in plan.arrivals)
            self._offer(plan._replace(arrivals=arrivals))
        for change in (_calm, _alone):
            for number in [arrival.number for arrival in self._best.arrivals]:
                self._offer(self._best._replace(arrivals=_changed(self._best.arrivals, number, change)))
        self._drop_halves()
        return self._best

    def _offer(self, plan: Plan) -> bool:
        """Take the plan for the best where it breaks the promise too."""
        self._tries += 1
        if plan == self._best or self._tries > TRIES:
            return False
        ended = Episode(plan, self._assumptions).run()
        if ended.violation is None or ended.violation.promise != self._promise:
            return False
        # What arrives after the violation has no part in it.
        self._best = plan._replace(
            arrivals=tuple(arrival for arrival in plan.arrivals if arrival.moment <= ended.moment)
        )
        return True

    def _stays(self, arrival: Arrival) -> bool:
        return arrival.kind == "verify" and self._assumptions.sweep > 0

    def _drop_halves(self) -> None:
        """Leave out runs of arrivals, half of all first, then shorter ones (delta debugging)."""
        size = len(self._best.arrivals)
        while size:
            start = 0
            while start < len(self._best.arrivals):
                arrivals = self._best.arrivals
                kept = tuple(arrival for arrival in arrivals[start : start + size] if self._stays(arrival))
                if not self._offer(self._best._replace(arrivals=arrivals[:start] + kept + arrivals[start + size :])):
                    start += size
                else:
                    start += len(kept)
            size = min(size // 2, len(self._best.arrivals))


def _calm(arrival: Arrival) -> Arrival:
    return arrival._replace(calm=True)


def _alone(arrival: Arrival) -> Arrival:
    return arrival._replace(targets=arrival.targets[:1])


def _changed(arrivals: tuple[Arrival, ...], number: int, change: Callable[[Arrival], Arrival]) -> tuple[Arrival, ...]:
    return tuple(change(arrival) if arrival.number == number else arrival for arrival in arrivals)
