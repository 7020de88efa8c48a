"""What the simulated table refuses: each code that Tablestore has for it, and nothing where nothing is drawn."""

import pytest

from ecs_reboot.cloud.tablestore.outcome import of_code
from simulation.assumptions import Assumptions
from simulation.campaign import EPISODE
from simulation.conditions import Conditions
from simulation.episode import Episode
from simulation.plan import draw
from simulation.table_limits import AWAY, CONFLICT, FULL, TableLimits


def test_a_table_takes_so_many_calls_a_second() -> None:
    limits = TableLimits(Conditions(capacity=2), "a seed")
    assert [limits.of_read(at) is None for at in (5.0, 5.1, 5.2, 6.0)] == [True, True, False, True]
    codes = {refusal.code for _ in range(200) if (refusal := limits.of_read(7.0))}
    assert codes == {refusal.code for refusal in FULL}


def test_a_second_write_to_a_row_in_the_same_moment_is_in_conflict() -> None:
    limits = TableLimits(Conditions(capacity=100), "a seed")
    assert limits.of_write("w#", 5.0) is None
    assert limits.of_write("i#", 5.001) is None
    assert limits.of_write("w#", 5.002) == CONFLICT
    assert limits.of_write("w#", 5.1) is None


@pytest.mark.parametrize("calm", [False, True])
def test_a_partition_is_away_now_and_then_and_for_long_only_where_calls_may_fail(*, calm: bool) -> None:
    limits = TableLimits(Conditions(away_every=50.0, calm=calm), "a seed")
    told = [(at, limits.of_read(at / 10)) for at in range(200_000)]
    assert {refusal for _, refusal in told if refusal} == set(AWAY)
    assert told.count((0, None)) == 1
    longest = row = 0
    for _, refusal in told:
        row = row + 1 if refusal else 0
        longest = max(longest, row)
    assert (longest > 100) is not calm  # in tenths of a second


def test_nothing_is_refused_where_nothing_is_drawn() -> None:
    limits = TableLimits(Conditions(), "a seed")
    assert not any(limits.of_write("w#", 1.0) for _ in range(1_000))


def test_only_a_quota_that_somebody_has_to_raise_is_final() -> None:
    meanings = {refusal: of_code(refusal.code, refusal.message, refusal.status) for refusal in (*FULL, *AWAY, CONFLICT)}
    assert [refusal for refusal, meaning in meanings.items() if meaning != "not_done"] == [AWAY[-1]]


def test_episodes_meet_a_table_that_refuses() -> None:
    plans = (draw(seed, EPISODE, Assumptions(), "tablestore") for seed in range(500))
    plan = next(plan for plan in plans if plan.conditions.capacity == 3 and plan.conditions.calm)
    assert Episode(plan, Assumptions()).run().violation is None
