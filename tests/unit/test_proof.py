"""Proof that an instance went down and came back."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from scripted_ecs import NOW, ONE, REGION, TWO, JumpingClock, deadline, facts, instance

from ecs_reboot.cloud.errors import NoAnswer
from ecs_reboot.model import Instance
from ecs_reboot.records import result as records
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.verification import Observation, look, watch

RUNNING, STOPPING, STOPPED = instance(), instance(status="Stopping"), instance(status="Stopped")
ANEW = instance(start_time=NOW + timedelta(minutes=1))


def watched(shown: Sequence[Instance | None], seconds: float = 30.0, left: float = 100.0) -> Result:
    """Watch one instance, of which one after the other is shown; None is a look that fails, the last one stays."""
    looks = list(shown)

    def describe(_region: str, _ids: tuple[str, ...]) -> tuple[Instance, ...]:
        found = looks.pop(0) if len(looks) > 1 else looks[0]
        if found is None:
            raise NoAnswer("DescribeInstances", "lost")
        return (found,)

    accepted = records.of_decision(facts(), "reboot", "accepted", "asked")
    (result,) = watch(describe, deadline(left, JumpingClock()), [(accepted, seconds)])
    return result


@pytest.mark.parametrize(
    ("shown", "code", "status"),
    [
        ((RUNNING,), "unproven", "Running"),
        ((STOPPING, RUNNING), "recovered", "Running"),
        ((ANEW,), "recovered", "Running"),
        ((STOPPING, ANEW), "recovered", "Running"),
        ((RUNNING, STOPPING), "still_rebooting", "Stopping"),
        ((STOPPING, STOPPED), "stayed_down", "Stopped"),
        ((None, STOPPING, None, RUNNING), "recovered", "Running"),
        ((None,), "unproven", "Running"),
    ],
)
def test_what_is_seen_is_what_is_told(shown: Sequence[Instance | None], code: str, status: str):
    result = watched(shown)
    assert result.code == code
    if shown != (None,):
        assert result.current_status == status


def test_running_once_after_down_may_be_an_old_picture():
    assert watched((STOPPING, RUNNING, STOPPING)).code == "still_rebooting"
    first = look(RUNNING, STOPPING, Observation(), NOW)
    second = look(RUNNING, RUNNING, first, NOW + timedelta(seconds=1))
    third = look(RUNNING, RUNNING, second, NOW + timedelta(seconds=3))
    assert (first.back_at, second.back_at) == (None, None)
    assert third.back_at == NOW + timedelta(seconds=1)


def test_running_that_never_went_down_proves_nothing():
    observation = look(RUNNING, RUNNING, look(RUNNING, RUNNING, Observation(), NOW), NOW)
    assert not observation.went_down
    assert observation.back_at is None


def test_the_downtime_is_until_it_was_first_seen_up():
    result = watched((STOPPING, STOPPING, RUNNING))
    assert result.downtime_seconds == pytest.approx(1 + 1.5 + 2.25, abs=0.1)


def test_watching_ends_with_the_deadline():
    assert watched((STOPPING,), seconds=3600, left=5).code == "still_rebooting"
    assert watched((ANEW,), left=0.5).code == "unproven"


def test_one_call_looks_at_all_that_are_not_back():
    asked: list[tuple[str, ...]] = []

    def describe(_region: str, ids: tuple[str, ...]) -> tuple[Instance, ...]:
        asked.append(ids)
        shown = {ONE: ANEW, TWO: instance(TWO, status="Stopping" if len(asked) < 3 else "Running")}
        return tuple(shown[one] for one in ids)

    accepted = [records.of_decision(facts(instance(one)), "reboot", "accepted", "") for one in (ONE, TWO)]
    results = watch(describe, deadline(100), [(one, 30) for one in accepted])
    assert [result.code for result in results] == ["recovered", "recovered"]
    assert asked[:2] == [(ONE, TWO), (TWO,)]
    assert results[0].region_id == REGION
