"""`python -m simulation`: is any promise of docs/safety.md ever broken? Exit status 1 and the shortest trace if so."""

import argparse
import sys
import time

from simulation.assumptions import LESS, Assumptions, less
from simulation.campaign import EPISODE, campaign
from simulation.episode import Ended, Episode
from simulation.plan import Plan, draw
from simulation.shrink import Shrinker


def main(arguments: list[str]) -> int:
    """Run the campaign that the arguments ask for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="where all chance comes from")
    parser.add_argument("--deliveries", type=int, default=100_000, help="how many, at least")
    parser.add_argument("--episode", type=int, help="run the one episode with this number, as a violation names it")
    parser.add_argument(
        "--assume-less", default="", metavar="NAME", help=f"take assumptions away: some of {', '.join(LESS)}, by commas"
    )
    asked = parser.parse_args(arguments)
    names = [name for name in asked.assume_less.split(",") if name]
    if unknown := [name for name in names if name not in LESS]:
        parser.error(f"--assume-less {unknown[0]}: is no assumption; these are: {', '.join(LESS)}")
    assumptions = less(names)
    if asked.episode is not None:
        plan = draw(asked.episode, EPISODE, assumptions)
        return _judged(plan, Episode(plan, assumptions).run(), assumptions, asked.assume_less)
    began = time.monotonic()
    tale = campaign(asked.seed, asked.deliveries, assumptions, lambda made: _progress(made, asked.deliveries))
    seconds = time.monotonic() - began
    _say(
        f"seed {asked.seed}: {tale.deliveries} deliveries in {tale.episodes} episodes, {tale.reboots} reboots, "
        f"{tale.crashes} crashes, {seconds:.0f} s, {tale.deliveries / seconds:.0f} deliveries/s\n"
    )
    _say("records: " + ", ".join(f"{count} {code}" for code, count in tale.codes.most_common()) + "\n")
    if tale.broken:
        return _judged(*tale.broken, assumptions, asked.assume_less)
    _say("every promise was kept\n")
    return 0


def _judged(plan: Plan, ended: Ended, assumptions: Assumptions, without: str) -> int:
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
    _say(f"again: python -m simulation --episode {plan.seed}{option}\n")
    return 1


def _progress(made: int, wanted: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{min(made, wanted)} of {wanted} deliveries")


def _say(text: str) -> None:
    sys.stdout.write(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
