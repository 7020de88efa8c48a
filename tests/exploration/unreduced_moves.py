"""The moves without their reductions: a run may die between any two of its steps, with its request on its way or not,
and that a retry is due is a move of its own."""

from collections.abc import Iterator

from exploration.asking import CHANGING, Call
from exploration.moves import Rules
from exploration.state import Doing, InFlight, Move, State


class UnreducedRules(Rules):
    """Every move by itself."""

    def moves(self, state: State) -> Iterator[Move]:
        """Yield everything that may happen next."""
        yield from super().moves(state)
        for place in range(len(state.runs)):
            yield from self._dies(state, place)

    def _or_dies(self, before: State, move: Move, place: int) -> Iterator[Move]:  # noqa: ARG002 - it dies by itself here
        yield move

    def _dies(self, state: State, place: int) -> Iterator[Move]:
        doing = state.runs[place]
        if not state.left.crashes or doing.point is None:
            return
        left = state.left._replace(crashes=state.left.crashes - 1)
        dead = state.with_run(place, Doing(doing.request, doing.attempt, "dead"))._replace(left=left)
        yield Move(dead, self._line(state, place, "dies"), price=1)
        step = doing.point.step
        if doing.kind == "asks" and isinstance(step, Call) and step.action in CHANGING:
            flying = (*state.in_flight, InFlight(place, doing.at, doing.point))
            yield Move(dead._replace(in_flight=flying), self._line(state, place, "dies on its way"), price=1)

    def _redelivered(self, state: State, doing: Doing, after: float) -> Iterator[Move]:
        at = round(state.now + after, 6)
        due = state._replace(runs=(*state.runs, Doing(doing.request, 1, "waits", at=at)))
        yield Move(due, self._line(due, len(state.runs), "is due again"), price=1)
