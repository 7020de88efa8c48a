"""The simulation as a command: is any promise of docs/understand/safety.md ever broken? Status 1 if so."""

import sys
import time
from typing import NamedTuple

from simulation.assumptions import LESS, Assumptions, less, profile_without
from simulation.campaign import EPISODE, STORES, campaign
from simulation.episode import Episode, EpisodeEnd
from simulation.plan import Plan, draw
from simulation.shrink import Shrinker


class UnknownAssumption(ValueError):
    """There is no assumption of that name."""


class SimulateRequest(NamedTuple):
    """What to run: the one episode of that number, or None: a whole campaign. ``less``: what is not assumed.

    ``ledger``: over one of the stores only; a campaign takes both in turn.
    """

    seed: int = 1
    deliveries: int = 100_000
    episode: int | None = None
    less: str = ""
    ledger: str = ""


def main(asked: SimulateRequest) -> int:
    """Run what is asked for; return the exit status. Raises UnknownAssumption."""
    names = [name for name in asked.less.split(",") if name]
    if unknown := [name for name in names if name not in LESS]:
        raise UnknownAssumption(f"--assume-less {unknown[0]}: is no assumption; these are: {', '.join(LESS)}")
    assumptions, profile = less(names), profile_without(names)
    if asked.episode is not None:
        plan = draw(asked.episode, EPISODE, assumptions, asked.ledger or STORES[0], profile)
        return _judged(plan, Episode(plan, assumptions).run(), assumptions, asked.less)
    noun = "delivery" if asked.deliveries == 1 else "deliveries"
    sys.stderr.write(f"simulating at least {asked.deliveries:,} {noun} ...\n")
    began = time.monotonic()
    stores = (asked.ledger,) if asked.ledger else STORES
    tale = campaign(
        asked.seed,
        asked.deliveries,
        assumptions,
        lambda made: _progress(made, asked.deliveries),
        stores,
        profile=profile,
    )
    seconds = time.monotonic() - began
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    _say(
        f"seed {asked.seed}: {tale.deliveries} deliveries in {tale.episodes} episodes, {tale.reboots} reboots, "
        f"{tale.crashes} crashes, {seconds:.0f} s, {tale.deliveries / seconds:.0f} deliveries/s\n"
    )
    _say("records: " + ", ".join(f"{count} {code}" for code, count in tale.codes.most_common()) + "\n")
    if tale.broken:
        return _judged(*tale.broken, assumptions, asked.less)
    _say("every promise was kept\n")
    return 0


def _judged(plan: Plan, ended: EpisodeEnd, assumptions: Assumptions, without: str) -> int:
    """Say whether a promise was broken, and by which shortest story."""
    if ended.violation is None:
        _say(f"episode {plan.seed}: every promise was kept in {ended.deliveries} deliveries\n")
        return 0
    small = Shrinker(plan, assumptions, ended.violation.promise).run()
    story = Episode(small, assumptions, trace=True).run()
    _say(f"BROKEN: {ended.violation.promise}\n")
    _say(f"settings: {' '.join(f'{name}={value}' for name, value in plan.environment if value)}\n")
    _say(f"shortest story found, {len(small.arrivals)} of {len(plan.arrivals)} arrivals:\n")
    _say("".join(f"{line}\n" for line in story.trace))
    _say(f"{story.violation}\n")
    option = f" --assume-less {without}" if without else ""
    ledger = dict(plan.environment)["LEDGER"]
    _say(f"again: ecs-reboot simulate --episode {plan.seed} --ledger {ledger}{option}\n")
    return 1


def _progress(made: int, wanted: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{min(made, wanted)} of {wanted} deliveries")


def _say(text: str) -> None:
    sys.stdout.write(text)
