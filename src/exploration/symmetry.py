"""States that differ in nothing but which run is which: alarms are alike, so one of such states stands for all.

Only those runs are alike whose exchange leaves everything as it is when the scenario begins: an alarm and a sweep are
not, nor are alarms for an instance that hangs and for one that does not.

A number stands for each thing that a state is made of. A permutation of the requests renames what belongs to them:
their instances, their IDs and those of their claims, the names of their runs. The key of a state is the least, over
all permutations, of the numbers of what it is made of.
"""

import re
from collections.abc import Callable, Hashable
from functools import partial
from itertools import permutations
from typing import NamedTuple

from ecs_reboot.ledger import entry as ledger
from exploration.asking import run_name
from exploration.behaviour import Point
from exploration.machines import Fleet
from exploration.scenarios import Scenario, request_id
from exploration.state import Doing, InFlight, State, Told
from exploration.world import Rows, Tags, Truth, World

Key = tuple[float | int, ...]
"""Two states have the same key if they are the same but for the names of requests."""


class Renaming(NamedTuple):
    """One permutation: ``of`` each request, the words to replace in a text, and where each place ``comes_from``."""

    of: tuple[int, ...]
    words: dict[str, str]
    comes_from: tuple[int, ...]

    def place(self, place: int) -> int:
        """Return the place of a run: those of the requests change it, those that came later do not."""
        return self.of[place] if 0 <= place < len(self.of) else place


class Symmetry:
    """The keys of one scenario's states; ``alone``: nothing is like anything else, for comparison."""

    def __init__(self, scenario: Scenario, *, alone: bool = False) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._images: dict[object, tuple[int, ...]] = {}
        self._worlds: dict[int, tuple[World, tuple[int, ...]]] = {}
        orders = [order for order in permutations(range(len(scenario.meeting.events))) if _is_alike(scenario, order)]
        renamings = [_renaming(scenario, order) for order in (orders[:1] if alone else orders)]
        self._pattern = re.compile("|".join(map(re.escape, renamings[0].words)))
        beginning = self._renamed_world(scenario.beginning.world, renamings[0])
        self._renamings = [
            renaming
            for renaming in renamings
            if self._renamed_world(scenario.beginning.world, renaming) == beginning
            and self._renamed_fleet(scenario.laws.fleet, renaming) == scenario.laws.fleet
        ]

    def key(self, state: State) -> Key:
        """Return the key of a state."""
        worlds, known = self._world(state.world), self._images
        doings = [known.get(doing) or self._doing(doing) for doing in state.runs]
        flights = [self._flight(state, flight) for flight in state.in_flight]
        left, keys = self._number(state.left), []
        for which, renaming in enumerate(self._renamings):
            runs = [doings[place][which] for place in renaming.comes_from]
            runs += [images[which] for images in doings[len(runs) :]]
            if flights:
                runs += sorted(images[which] for images in flights)
            keys.append((state.now, left, renaming.place(state.last), worlds[which], len(doings), *runs))
        return min(keys)

    def _number(self, thing: Hashable) -> int:
        return self._numbers.setdefault(thing, len(self._numbers))

    def _world(self, world: World) -> tuple[int, ...]:
        """Return the numbers of a world's images. The same object comes again and again."""
        known = self._worlds.get(id(world))
        if known is None:
            images = self._images.get(world)
            if images is None:
                images = self._images[world] = tuple(
                    self._number(("world", self._renamed_world(world, renaming))) for renaming in self._renamings
                )
            known = self._worlds[id(world)] = world, images
        return known[1]

    def _doing(self, doing: Doing) -> tuple[int, ...]:
        images = self._images.get(doing)
        if images is None:
            points = self._point(doing.request, doing.attempt, doing.point)
            images = self._images[doing] = tuple(
                self._number(
                    (
                        "doing", renaming.of[doing.request], doing.attempt, doing.kind, doing.at, points[which],
                        doing.began,
                        doing.word and (doing.word.now, self._lines(doing.word.key, renaming)),
                        doing.told and _renamed_told(doing.told, partial(self._text, renaming=renaming)),
                    )
                )
                for which, renaming in enumerate(self._renamings)
            )  # fmt: skip
        return images

    def _flight(self, state: State, flight: InFlight) -> tuple[int, ...]:
        run = state.runs[flight.run]
        points = self._point(run.request, run.attempt, flight.point)
        return tuple(
            self._number(("flight", renaming.place(flight.run), flight.sent, points[which]))
            for which, renaming in enumerate(self._renamings)
        )

    def _point(self, request: int, attempt: int, point: Point | None) -> tuple[int, ...]:
        """Return the numbers of a run's history under each renaming: what it was told, and when."""
        if point is None:
            return (-1,) * len(self._renamings)
        images = self._images.get(point)
        if images is None:
            before, word = self._point(request, attempt, point.before), point.word
            images = self._images[point] = tuple(
                self._number(
                    ("point", renaming.of[request], attempt, before[which], word.now, self._lines(word.key, renaming))
                )
                for which, renaming in enumerate(self._renamings)
            )
        return images

    def _lines(self, text: str, renaming: Renaming) -> str:
        """Rename in each line; their order is that of instance IDs, and says nothing."""
        return "\n".join(sorted(self._text(text, renaming).split("\n")))

    def _text(self, text: str, renaming: Renaming) -> str:
        return self._pattern.sub(lambda found: renaming.words[found[0]], text)

    def _renamed_world(self, world: World, renaming: Renaming) -> World:
        text = partial(self._text, renaming=renaming)

        def tags_of(tags: Tags) -> Tags:
            return tuple(sorted((text(name), text(value)) for name, value in tags))

        def truth_of(truth: Truth) -> Truth:
            power = tuple(
                change._replace(instance_id=text(change.instance_id), run=renaming.place(change.run))
                for change in truth.power
            )
            protected = tuple(sorted(map(text, truth.protected)))
            return Truth(tags_of(truth.tags), tags_of(truth.shadow), power, protected)

        rows: Rows = tuple(
            sorted(
                (
                    tuple((name, text(str(value))) for name, value in key),
                    tuple((name, text(value) if isinstance(value, str) else value) for name, value in columns),
                )
                for key, columns in world.rows
            )
        )
        return World(truth_of(world.truth), rows, tuple((until, truth_of(truth)) for until, truth in world.past))

    def _renamed_fleet(self, fleet: Fleet, renaming: Renaming) -> Fleet:
        text = partial(self._text, renaming=renaming)
        members, repaired = (tuple(sorted(map(text, of))) for of in (fleet.members, fleet.repaired))
        return fleet._replace(members=members, repaired=repaired)


def _renamed_told(told: Told, text: Callable[[str], str]) -> Told:
    return told._replace(codes=tuple((text(named), code) for named, code in told.codes))


def _is_alike(scenario: Scenario, order: tuple[int, ...]) -> bool:
    """Return whether the events that change places are alike but for their instances."""
    events = scenario.meeting.events
    return all(
        events[request]._replace(target="") == events[renamed]._replace(target="")
        and events[request].kind == events[renamed].kind
        for request, renamed in enumerate(order)
    )


def _renaming(scenario: Scenario, order: tuple[int, ...]) -> Renaming:
    targets = [event.target for event in scenario.meeting.events]
    words: dict[str, str] = {}
    for request, renamed in enumerate(order):
        if targets[request]:
            words |= {targets[request]: targets[renamed]}
            words |= {ledger.instance_digest(targets[request]): ledger.instance_digest(targets[renamed])}
        words |= {request_id(request): request_id(renamed)}
        words |= {ledger.claim_digest(request_id(request)): ledger.claim_digest(request_id(renamed))}
        for attempt in range(scenario.deliveries):
            name, of_other = (run_name(scenario.number(number, attempt)) for number in (request, renamed))
            words |= {name: of_other, ledger.of_run("", name): ledger.of_run("", of_other)}
    return Renaming(order, words, tuple(order.index(place) for place in range(len(order))))
