"""What may happen next in a state: a run goes on, time passes, a call in flight lands, or something goes wrong.

Calls take no time of their own, so time passes only while everybody waits for it, or where an answer is late. A call
that is on its way lands within ``Laws.effect``: time does not pass over it.
"""

from collections.abc import Iterator
from dataclasses import replace

from ecs_reboot.cloud.errors import NoAnswer
from exploration import promises
from exploration.asking import CHANGING, Call, End, Sleep
from exploration.behaviour import TIMEOUT, Point, Word
from exploration.scenarios import Scenario
from exploration.state import Doing, Happening, InFlight, Move, State, Told
from exploration.world import Effect, Sent, World, effects

#: How long the function waits for an answer (ECS_TIMEOUT_SECONDS), seconds.
ANSWER_SECONDS = 10.0
#: How long a run may be held up between an answer and its next step, by store: longer than each wait that a claim
#: rests on there. Seconds.
PAUSES = {"tags": (1.2, 3.0), "tablestore": (16.0,)}


#: How long after the end of a run its event is delivered again at the earliest, by store: Function Compute takes a
#: minute. `tags` need that what the run did can be seen; the table needs nothing. Seconds.
AGAIN_AFTER = {"tags": 1.0, "tablestore": 0.0}


class Rules:
    """What may happen in one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario, self._laws = scenario, scenario.laws
        self._effects: dict[tuple[object, ...], tuple[tuple[Effect, str], ...]] = {}
        self._worlds: dict[World, World] = {}

    def moves(self, state: State) -> Iterator[Move]:
        """Yield everything that may happen next."""
        for place, doing in enumerate(state.runs):
            if self._may_go_on(state, place):
                if doing.kind == "to_begin":
                    yield from self._or_dies(state, self._begins(state, place), place)
                elif doing.kind == "asks":
                    for move in self._answered(state, place):
                        yield from self._or_dies(state, move, place)
                    yield from self._lost(state, place)
                elif doing.kind == "waits" and self._may_pass(state, doing.at):
                    yield from self._or_dies(state, self._waited(state, place), place)
                    yield from self._overslept(state, place)
            yield from self._again(state, place)
        for flight in state.in_flight:
            yield self._lands(state, flight)

    # ---- what goes on

    def _may_go_on(self, state: State, place: int) -> bool:
        """Return whether the preemptions that are left let this run go on now."""
        return state.left.preemptions != 0 or not self._preempts(state, place)

    @staticmethod
    def _preempts(state: State, place: int) -> bool:
        return state.last not in (-1, place) and state.runs[state.last].kind == "asks"

    def _went_on(self, state: State, place: int, doing: Doing) -> State:
        left = state.left
        if left.preemptions is not None:
            if self._preempts(state, place):
                left = left._replace(preemptions=left.preemptions - 1)
            state = state._replace(last=place, left=left)
        return state.with_run(place, doing)

    def _begins(self, state: State, place: int) -> Move:
        doing = state.runs[place]
        point = self._scenario.behaviour(doing.request, doing.attempt).begun(state.now)
        begun = state.with_run(place, doing._replace(began=state.now))
        return self._reached(begun, place, point, "begins")

    def _answered(self, state: State, place: int) -> Iterator[Move]:
        doing = state.runs[place]
        for effect, key in self._effects_of(state, place):
            after = state.with_world(effect.world)
            if effect.old and state.left.preemptions is not None:
                # To be shown what was is to have read then, and to have been held up since.
                if not state.left.preemptions:
                    continue
                after = after._replace(left=state.left._replace(preemptions=state.left.preemptions - 1))
            word = Word(state.now, key, effect.answer)
            what = "is shown what was a moment ago" if effect.old else "asks"
            yield self._told(after, place, word, what, before=state)
            if state.left.pauses:
                left = after.left._replace(pauses=state.left.pauses - 1)
                for seconds in PAUSES[self._scenario.store]:
                    until = round(state.now + seconds, 6)
                    paused = doing._replace(kind="waits", at=until, word=replace(word, now=until))
                    move = self._held(after._replace(left=left), place, paused, f"{what}, and pauses {seconds:g} s")
                    yield self._checked(move, state, place)

    def _overslept(self, state: State, place: int) -> Iterator[Move]:
        """Yield the pauses of a run that has waited and would go on now: it wakes so much later."""
        doing = state.runs[place]
        if doing.point is None or doing.word is not None or not state.left.pauses:
            return
        state = self.at(state, doing.at)._replace(left=state.left._replace(pauses=state.left.pauses - 1))
        for seconds in PAUSES[self._scenario.store]:
            until = round(doing.at + seconds, 6)
            yield self._held(state, place, doing._replace(at=until), f"has waited, and pauses {seconds:g} s")

    def _waited(self, state: State, place: int) -> Move:
        doing = state.runs[place]
        state = self.at(state, doing.at)
        if doing.point is None:
            return self._begins(state, place)
        if doing.at >= doing.began + TIMEOUT:
            killed = _dead(doing)
            return Move(self._went_on(state, place, killed), self._line(state, place, "is killed: its time is over"))
        word = doing.word or Word(doing.at, "", None)
        return self._told(state, place, word, "goes on" if doing.word is None else "is told at last")

    def _lands(self, state: State, flight: InFlight) -> Move:
        call = _call(flight.point)
        rest = tuple(other for other in state.in_flight if other is not flight)
        effect = next(effects(state.world, Sent(call, flight.run, flight.sent), state.now, self._laws))
        after = state._replace(world=self._one(effect.world), in_flight=rest)
        run = state.runs[flight.run]
        line = Happening(state.now, run.request, run.attempt, "lands late", flight.point, effect.answer)
        return self._checked(Move(after, line), state, flight.run, call)

    # ---- what goes wrong

    def _lost(self, state: State, place: int) -> Iterator[Move]:
        """Yield the ways in which an answer is lost.

        The connection breaks and the request never arrives, or is still on its way and lands soon; or all is done, and
        the answer does not come within the time that the run waits.
        """
        if not state.left.losses:
            return
        doing = state.runs[place]
        point = _at(doing)
        call = _call(point)
        state = state._replace(left=state.left._replace(losses=state.left.losses - 1))
        word = Word(state.now, "broken", NoAnswer(call.action, "the connection broke"))
        yield self._told(state, place, word, "loses a request")._replace(price=1)
        if call.action in CHANGING:
            flying = state._replace(in_flight=(*state.in_flight, InFlight(place, doing.at, point)))
            yield self._told(flying, place, word, "loses the connection; the request is on its way")._replace(price=1)
            until = round(state.now + ANSWER_SECONDS, 6)
            late = Word(until, "timed out", NoAnswer(call.action, "timed out"))
            waiting = doing._replace(kind="waits", at=until, word=late)
            effect, _ = self._effects_of(state, place)[0]
            move = self._held(state._replace(world=effect.world), place, waiting, "has it done; the answer is lost")
            yield self._checked(move, state, place, call)

    def _or_dies(self, before: State, move: Move, place: int) -> Iterator[Move]:
        """Yield a move, and the same for a run that dies upon it: after it began, changed something, or waited.

        Between these nothing that a run does can be seen, so a death there is the same as one after the last of them.
        """
        yield move
        left, doing = move.state.left, before.runs[place]
        unseen = doing.kind == "asks" and _call(_at(doing)).action not in CHANGING
        if unseen or not left.crashes or move.state.runs[place].kind == "dead":
            return
        dead = _dead(doing)
        after = move.state.with_run(place, dead)._replace(left=left._replace(crashes=left.crashes - 1))
        did = {"to_begin": "begins", "asks": "asks"}.get(doing.kind, "has waited")
        line = move.happening._replace(what=f"{did}, and dies")
        yield self._checked(Move(after, line, price=move.price + 1), before, place)

    def _again(self, state: State, place: int) -> Iterator[Move]:
        """Yield the delivery of a run's event once more: a retry once it is over, a duplicate while it goes on."""
        doing, left = state.runs[place], state.left
        if doing.attempt or doing.kind == "to_begin":
            return
        over = doing.kind == "dead" or (doing.told is not None and doing.told.retriable)
        if over and left.retries and not any(flight.run == place for flight in state.in_flight):
            left = left._replace(retries=left.retries - 1)
        elif doing.kind in ("asks", "waits") and left.duplicates:
            left = left._replace(duplicates=left.duplicates - 1)
        else:
            return
        yield from self._redelivered(
            state._replace(left=left), doing, AGAIN_AFTER[self._scenario.store] if over else 0.0
        )

    def _redelivered(self, state: State, doing: Doing, after: float) -> Iterator[Move]:
        """Yield the delivery of a run's event once more; where that may be at once, the run begins in it."""
        at, place = round(state.now + after, 6), len(state.runs)
        due = state._replace(runs=(*state.runs, Doing(doing.request, 1, "waits", at=at)))
        if at == state.now:
            yield from self._or_dies(due, self._begins(due, place)._replace(price=1), place)
        else:
            yield Move(due, self._line(due, place, "is to be delivered again"), price=1)

    # ---- the parts of a move

    def _may_pass(self, state: State, until: float) -> bool:
        """Return whether time may pass until then: nobody waits for less, and no call is on its way for so long."""
        sent = [run.at for run in state.runs if run.kind == "asks"] + [flight.sent for flight in state.in_flight]
        first = min(run.at for run in state.runs if run.kind == "waits")
        return until <= first and all(until <= at + self._laws.effect for at in sent)

    def at(self, state: State, now: float) -> State:
        """Return the state when so much time has passed."""
        return state._replace(now=now, world=self._one(state.world.later(now, self._laws)))

    def _one(self, world: World) -> World:
        """Return the same object for equal worlds: then they need not be compared part by part."""
        return self._worlds.setdefault(world, world)

    def _effects_of(self, state: State, place: int) -> tuple[tuple[Effect, str], ...]:
        """Return the effects of the call that a run asks for, each with a key of its answer, no answer twice."""
        doing = state.runs[place]
        asked = id(state.world), doing.point, doing.at, state.now, place
        known = self._effects.get(asked)
        if known is None:
            call = _call(_at(doing))
            found: dict[str, Effect] = {}
            for effect in effects(state.world, Sent(call, place, doing.at), state.now, self._laws):
                found.setdefault(_key_of(effect.answer), effect._replace(world=self._one(effect.world)))
            known = self._effects[asked] = tuple((effect, key) for key, effect in found.items())
        return known

    def _told(self, state: State, place: int, word: Word, what: str, *, before: State | None = None) -> Move:
        """Tell a run something and let it go on."""
        doing = state.runs[place]
        point = self._scenario.behaviour(doing.request, doing.attempt).told(_at(doing), word)
        move = self._reached(state, place, point, what, answer=word.answer)
        return self._checked(move, before, place) if before else move

    def _reached(self, state: State, place: int, point: Point, what: str, *, answer: object = None) -> Move:
        """Return the move that takes a run to a point of its way."""
        doing, step = state.runs[place], point.step
        line = Happening(state.now, doing.request, doing.attempt, what, doing.point, answer)
        if isinstance(step, End):
            told = Told(tuple((result.instance_id, result.code) for result in step.results), step.retriable)
            after = self._went_on(state, place, Doing(doing.request, doing.attempt, "ended", told=told))
            said = "; ".join(f"{result.code}: {result.reason}" for result in step.results)
            line = line._replace(what=f"{what} and ends, {said}")
            return Move(after, line, broken=promises.of_end(self._scenario, after, place, told))
        if isinstance(step, Sleep):
            until = round(state.now + step.seconds, 6)
            further = Doing(doing.request, doing.attempt, "waits", until, point, None, doing.began)
        else:
            further = Doing(doing.request, doing.attempt, "asks", state.now, point, None, doing.began)
        return Move(self._went_on(state, place, further), line)

    def _held(self, state: State, place: int, doing: Doing, what: str) -> Move:
        return Move(self._went_on(state, place, doing), self._line(state, place, what), price=1)

    def _line(self, state: State, place: int, what: str) -> Happening:
        doing = state.runs[place]
        return Happening(state.now, doing.request, doing.attempt, what, doing.point)

    def _checked(self, move: Move, before: State, place: int, call: Call | None = None) -> Move:
        """Check what a move did to power and to protections, and what was asked for where somebody only observes."""
        doing = before.runs[place]
        if self._scenario.meeting.observes and doing.kind == "asks" and not move.broken:
            move = move._replace(broken=promises.of_call(self._scenario, doing.request, _call(_at(doing))))
        truth, then = move.state.world.truth, before.world.truth
        done = truth.power[len(then.power) :]
        if move.broken or not (done or truth.protected != then.protected):
            return move
        call = call or _call(_at(before.runs[place]))
        broken = promises.of_power(self._scenario, before.world, done, move.state, call)
        return move._replace(broken=broken or promises.of_protection(self._scenario, move.state))


def _key_of(answer: object) -> str:
    """Return a text that stands for an answer: a line for each row of a list."""
    return "\n".join(map(repr, answer)) if type(answer) is tuple else repr(answer)


def _dead(doing: Doing) -> Doing:
    """Return a run that dies, with what a person has heard of it."""
    point = doing.point
    while point and not isinstance(point.step, Call):
        point = point.before
    said = point.step.said if point and isinstance(point.step, Call) else ()
    told = Told(said, retriable=False) if said else None
    return Doing(doing.request, doing.attempt, "dead", told=told)


def _at(doing: Doing) -> Point:
    if doing.point is None:
        raise AssertionError(f"{doing} is nowhere on its way")
    return doing.point


def _call(point: Point) -> Call:
    if not isinstance(point.step, Call):
        raise AssertionError(f"{point.step} is no call")  # noqa: TRY004 - a mistake in here, not of a caller
    return point.step
