"""Proof that an instance went down and came back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from scripted_ecs import NOW, ONE, REGION, TWO, JumpingClock, deadline, facts, instance

from ecs_reboot.cloud.errors import NoAnswer
from ecs_reboot.model import Instance
from ecs_reboot.policy.facts import Facts
from ecs_reboot.policy.findings import Agent, Findings
from ecs_reboot.records import result as records
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.lifecycle import transition
from ecs_reboot.remediation.reboot_state import Observation, Reboot, Watched
from ecs_reboot.remediation.verification import Listen, watch

RUNNING, STOPPING, STOPPED = instance(), instance(status="Stopping"), instance(status="Stopped")
RESTARTED = instance(start_time=NOW + timedelta(minutes=1))


def quiet(_region: str, _ids: tuple[str, ...]) -> dict[str, Agent]:
    return {}


def watched(
    shown: Sequence[Instance | None],
    seconds: float = 30.0,
    left: float = 100.0,
    listen: Listen = quiet,
    before: Facts | None = None,
) -> Result:
    """Watch one instance, of which one after the other is shown; None is a look that fails, the last one stays."""
    looks = list(shown)

    def describe(_region: str, _ids: tuple[str, ...]) -> tuple[Instance, ...]:
        found = looks.pop(0) if len(looks) > 1 else looks[0]
        if found is None:
            raise NoAnswer("DescribeInstances", "lost")
        return (found,)

    accepted = records.of_decision(before or facts(), "reboot", "accepted", "asked")
    (result,) = watch(describe, listen, deadline(left, JumpingClock()), [(accepted, seconds)])
    return result


def observed(*looks: tuple[Instance, float]) -> list[Observation]:
    """Return what is known after each look, given the seconds since ECS accepted."""
    reboot, known = Reboot("accepted", before=RUNNING), []
    for shown, seconds in looks:
        reboot = transition(reboot, Watched(shown), NOW + timedelta(seconds=seconds)).reboot
        known.append(reboot.watched)
    return known


@pytest.mark.parametrize(
    ("shown", "code", "status"),
    [
        ((RUNNING,), "unproven", "Running"),
        ((STOPPING, RUNNING), "recovered", "Running"),
        ((RESTARTED,), "recovered", "Running"),
        ((STOPPING, RESTARTED), "recovered", "Running"),
        ((RUNNING, STOPPING), "still_rebooting", "Stopping"),
        ((STOPPING, STOPPED), "stayed_down", "Stopped"),
        ((None, STOPPING, None, RUNNING), "recovered", "Running"),
        ((None,), "unproven", "Running"),
    ],
)
def test_what_is_seen_is_what_is_told(shown: Sequence[Instance | None], code: str, status: str) -> None:
    result = watched(shown)
    assert result.code == code
    if shown != (None,):
        assert result.current_status == status


def test_running_once_after_down_may_be_an_old_picture() -> None:
    assert watched((STOPPING, RUNNING, STOPPING)).code == "still_rebooting"
    first, second, third = observed((STOPPING, 0), (RUNNING, 1), (RUNNING, 3))
    assert (first.back_at, second.back_at) == (None, None)
    assert third.back_at == NOW + timedelta(seconds=1)


def test_running_that_never_went_down_proves_nothing() -> None:
    *_, observation = observed((RUNNING, 0), (RUNNING, 0))
    assert not observation.went_down
    assert observation.back_at is None


def test_the_downtime_is_until_it_was_first_seen_up() -> None:
    result = watched((STOPPING, STOPPING, RUNNING))
    assert result.downtime_seconds == pytest.approx(1 + 1.5 + 2.25, abs=0.1)


def test_watching_ends_with_the_deadline() -> None:
    assert watched((STOPPING,), seconds=3600, left=5).code == "still_rebooting"
    assert watched((RESTARTED,), left=0.5).code == "unproven"


def test_one_call_looks_at_all_that_are_not_back() -> None:
    asked: list[tuple[str, ...]] = []

    def describe(_region: str, ids: tuple[str, ...]) -> tuple[Instance, ...]:
        asked.append(ids)
        shown = {ONE: RESTARTED, TWO: instance(TWO, status="Stopping" if len(asked) < 3 else "Running")}
        return tuple(shown[instance_id] for instance_id in ids)

    accepted = [
        records.of_decision(facts(instance(instance_id)), "reboot", "accepted", "") for instance_id in (ONE, TWO)
    ]
    results = watch(describe, lambda *_: {}, deadline(100), [(result, 30) for result in accepted])
    assert [result.code for result in results] == ["recovered", "recovered"]
    assert asked[:2] == [(ONE, TWO), (TWO,)]
    assert results[0].region_id == REGION


WITH_AGENT = facts(findings=Findings(asked=("agent",), agent=Agent(heartbeat=NOW - timedelta(seconds=20))))


@pytest.mark.parametrize(
    ("heard", "seconds", "code"),
    [
        (NOW + timedelta(seconds=60), 30, "recovered"),
        (NOW - timedelta(seconds=20), 30, "still_rebooting"),
        (NOW - timedelta(seconds=20), 400, "running_silent"),
        (None, 400, "running_silent"),
    ],
)
def test_a_guest_whose_agent_spoke_before_must_speak_again(heard: datetime | None, seconds: float, code: str) -> None:
    def listen(_region: str, ids: tuple[str, ...]) -> dict[str, Agent]:
        return {instance_id: Agent(heartbeat=heard) for instance_id in ids}

    result = watched((STOPPING, RUNNING), seconds, 1000, listen, WITH_AGENT)
    assert result.code == code
    # Without an agent before, nobody waits for one.
    assert watched((STOPPING, RUNNING), seconds, 1000, listen).code == "recovered"


def test_an_agent_that_can_not_be_asked_is_silent_and_one_that_speaks_late_is_waited_for() -> None:
    assert watched((STOPPING, RUNNING), 30, 100, quiet, WITH_AGENT).code == "still_rebooting"
    beats = [None, None, NOW + timedelta(seconds=90)]

    def listen(_region: str, ids: tuple[str, ...]) -> dict[str, Agent]:
        return {instance_id: Agent(heartbeat=beats.pop(0) if len(beats) > 1 else beats[0]) for instance_id in ids}

    assert watched((STOPPING, RUNNING), 100, 1000, listen, WITH_AGENT).code == "recovered"
