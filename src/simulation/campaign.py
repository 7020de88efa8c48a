"""Many episodes, one after the other, until enough deliveries were made or a promise is broken."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from simulation.assumptions import Assumptions
from simulation.conditions import VARIED, Profile
from simulation.episode import Episode, EpisodeEnd
from simulation.plan import Plan, draw

#: Deliveries that an episode is drawn for; retries and sweeps come on top.
EPISODE = 300


STORES = ("tags", "tablestore")


class Tale(NamedTuple):
    """What a campaign came to. ``broken``: the plan that broke a promise, and how it ended."""

    episodes: int
    deliveries: int
    reboots: int
    crashes: int
    codes: Counter[str]
    broken: tuple[Plan, EpisodeEnd] | None


def campaign(
    seed: int,
    deliveries: int,
    assumptions: Assumptions,
    tell: Callable[[int], None],
    stores: tuple[str, ...] = STORES,
    *,
    profile: Profile = VARIED,
    first: int = 0,
) -> Tale:
    """Run episodes over the stores in turn, each seed its own; ``tell`` hears of the deliveries so far.

    ``first``: the number of episodes of this seed to pass over.
    """
    codes: Counter[str] = Counter()
    made = reboots = crashes = episodes = 0
    while made < deliveries:
        number = first + episodes
        plan = draw(seed * 1_000_000 + number, EPISODE, assumptions, stores[number % len(stores)], profile)
        ended = Episode(plan, assumptions).run()
        episodes += 1
        made += ended.deliveries
        reboots += ended.reboots
        crashes += ended.crashes
        codes += ended.codes
        if ended.violation:
            return Tale(episodes, made, reboots, crashes, codes, (plan, ended))
        tell(made)
    return Tale(episodes, made, reboots, crashes, codes, None)
