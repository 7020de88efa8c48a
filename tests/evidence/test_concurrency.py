"""Fifty real processes at once against one local cloud, over HTTP, with the real SDK."""

from collections import Counter

import pytest
from wire_stage import Wired, alarm, ids

CROWD = 50


def told(answers: list[dict]) -> Counter[str]:  # type: ignore[type-arg]
    return Counter(result["code"] for answer in answers for result in answer.get("results", [{"code": "raised"}]))


@pytest.mark.parametrize("settle", ["1", "0"])
def test_fifty_deliveries_of_one_alarm_are_one_reboot(wire: Wired, settle: str) -> None:
    here = wire(1, CLAIM_SETTLE_SECONDS=settle)
    (one,) = ids(1)
    answers = here.crowd([alarm(one)] * CROWD)
    assert len(here.rebooted()) <= 1
    codes = told(answers)
    assert sum(codes.values()) == CROWD, "every delivery ends in a record"
    if settle != "0":
        accepted = [call for call in here.cloud.audit.calls("RebootInstances") if call["effect"]]
        assert len(accepted) == codes["accepted"] == 1, codes
        assert here.entry(one).state in ("claimed", "accepted", "in_doubt")  # type: ignore[union-attr]


def test_fifty_instances_under_a_limit_of_three_are_at_most_three_and_at_least_one(wire: Wired) -> None:
    here = wire(CROWD, MAX_REBOOTS="3", STORM_FACTOR="0")
    answers = here.crowd([alarm(one) for one in ids(CROWD)])
    codes = told(answers)
    if not here.rebooted():  # all withdrew: what Function Compute or the alarm sends again gets its turn
        answers = here.send(alarm(ids(1)[0]))  # type: ignore[assignment]
    assert 1 <= len(here.rebooted()) <= 3, codes
    assert len(set(here.rebooted())) == len(here.rebooted())
    assert sum(codes.values()) >= CROWD


def test_fifty_instances_at_once_are_a_storm(wire: Wired) -> None:
    here = wire(CROWD, MAX_REBOOTS="2", STORM_FACTOR="5")
    codes = told(here.crowd([alarm(one) for one in ids(CROWD)]))
    assert len(here.rebooted()) <= 2
    again = here.send(alarm(ids(CROWD)[-1]))
    assert b"storm" in again.payload, (codes, again.payload)


def test_no_two_of_one_group_go_down_together(wire: Wired) -> None:
    here = wire(10, MAX_REBOOTS="off", GROUP_TAG="ecs-reboot")
    here.crowd([alarm(one) for one in ids(10)])
    assert len(here.rebooted()) <= 1
