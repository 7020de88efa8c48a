"""The simulation finds nothing under its assumptions, and finds what breaks without them.

24,000 deliveries over four seeds; `make simulate` is 100,000 of one. What was found once is an episode of its own.
"""

import pytest

from cli.program import main
from simulation.assumptions import Assumptions, less, profile_without
from simulation.campaign import EPISODE, campaign
from simulation.conditions import CLOSE
from simulation.episode import Episode
from simulation.plan import draw
from simulation.shrink import Shrinker


@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_no_promise_is_broken_in_6_000_deliveries(seed: int) -> None:
    tale = campaign(seed, 6_000, Assumptions(), lambda _: None)
    assert tale.broken is None, f"ecs-reboot simulate --episode {tale.broken and tale.broken[0].seed}"
    assert tale.deliveries >= 6_000
    assert tale.reboots > 120
    assert tale.crashes > 120
    missing = {"accepted", "recovered", "cooldown", "claimed_elsewhere", "blast_radius", "storm"} - set(tale.codes)
    assert not missing, "there were too few faults to prove anything"


@pytest.mark.parametrize("episode", [1, 5, 19, 24, 29, 42, 240, 546, 1_001_116])
def test_what_was_found_once_stays_away(episode: int) -> None:
    ended = Episode(draw(episode, EPISODE, Assumptions(), profile=CLOSE), Assumptions()).run()
    assert ended.violation is None


def test_the_same_seed_is_the_same_story() -> None:
    plan = draw(7, EPISODE, Assumptions())
    first, second = (Episode(plan, Assumptions(), trace=True).run() for _ in range(2))
    assert first.trace == second.trace
    assert first.codes == second.codes


# Each begins where the break was found: a break is rare, and each episode costs half a second.
@pytest.mark.parametrize(
    ("names", "seed", "first"), [("skew", 1, 0), ("own_key", 1, 0), ("sweep", 7, 1), ("settle", 7, 0)]
)
def test_without_an_assumption_a_promise_breaks_and_the_story_is_short(names: str, seed: int, first: int) -> None:
    assumptions = less(names.split(","))
    profile = profile_without(names.split(","))
    tale = campaign(seed, 30_000, assumptions, lambda _: None, ("tags",), profile=profile, first=first)
    assert tale.broken, f"nothing depends on {names}"
    plan, ended = tale.broken
    assert ended.violation
    small = Shrinker(plan, assumptions, ended.violation.promise).run()
    assert len(small.arrivals) < len(plan.arrivals) / 4
    assert Episode(small, assumptions).run().violation is not None


def test_the_command_tells_the_seed_and_the_story(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--seed", "3", "--deliveries", "300"]) == 0
    assert "every promise was kept" in capsys.readouterr().out
    assert main(["simulate", "--seed", "1", "--deliveries", "5000", "--ledger", "tags", "--assume-less", "skew"]) == 1
    told = capsys.readouterr().out
    assert "BROKEN" in told
    assert "again: ecs-reboot simulate --episode 1000" in told
