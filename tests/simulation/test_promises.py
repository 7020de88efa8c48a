"""What the simulation checks about owners and neighbours can fail; and nobody who is told changes anything."""

from collections.abc import Callable
from functools import partial
from random import Random

import pytest

from ecs_reboot.records.notices.composition import Frame
from ecs_reboot.records.notices.delivery import NoticeDelivery
from ecs_reboot.records.notices.memory import OwnMemory
from ecs_reboot.settings.settings import load
from simulation.assumptions import Assumptions
from simulation.campaign import EPISODE
from simulation.episode import Episode
from simulation.machine import Machine
from simulation.neighbours import Neighbours
from simulation.owners import Owners
from simulation.plan import draw
from simulation.refusals import Refusals
from simulation.run import Run
from simulation.scheduler import Scheduler
from simulation.violation import Violation

TABLE = {"LEDGER": "tablestore", "TABLESTORE_INSTANCE": "simulated"}


def machine(instance_id: str, *, rebooted: bool = False) -> Machine:
    made = Machine(instance_id, "cn-hangzhou", {"ecs-reboot": "enabled", "app": "a"}, "hangs", Random(1), started=-1e6)  # noqa: S311
    if rebooted:
        made.reboot(100.0, force=False, assumptions=Assumptions())
        made.reboots.append(100.0)
    return made


def owners(owned: Machine, **environment: str) -> Owners:
    return Owners({owned.instance_id: owned}, load({**TABLE, "MANAGED": "protect", **environment}).policy)


broken = partial(pytest.raises, Violation)


def test_what_a_group_would_release_and_what_the_platform_repairs_is_left_alone() -> None:
    owned = machine("i-one")
    checks = owners(owned)
    checks.powering(owned, "a run", 10.0, began=5.0)
    owned.in_scaling_group = True
    with broken(match="answers with a release"):
        checks.powering(owned, "a run", 10.0, began=5.0)
    owned.protected, owned.repair = True, (6.0, 20.0)
    checks.powering(owned, "a run", 10.0, began=5.0)
    with broken(match="while the platform repairs"):
        checks.powering(owned, "a run", 10.0, began=7.0)


def test_a_protection_rests_on_a_duty_stands_while_its_instance_is_down_and_goes_in_the_end() -> None:
    hung = machine("i-one")
    checks = owners(hung)
    with broken(match="for good"):
        checks.protecting(hung, "a run", 10.0, protected=True)
    checks.wrote("i-one", "asg-1", "a run")
    checks.protecting(hung, "a run", 10.0, protected=True)
    with broken(match="for good"):
        checks.wrote("i-one", "", "a run")
    with broken(match="for good"):
        checks.over(20.0)
    hung.reboot(30.0, force=False, assumptions=Assumptions())
    hung.reboots.append(30.0)
    checks.over(40.0)
    with broken(match="what is down stays protected"):
        checks.protecting(hung, "a run", 40.0, protected=False)
    hung.bring_up(50.0)
    checks.protecting(hung, "a run", 100.0, protected=False)
    checks.over(100.0)


@pytest.mark.parametrize("environment", [{"MODE": "observe"}, {"MANAGED": "refuse"}])
def test_nobody_protects_who_observes_or_was_not_told_to(environment: dict[str, str]) -> None:
    refused = machine("i-one")
    with broken(match="only where the policy says so"):
        owners(refused, **environment).protecting(refused, "a run", 10.0, protected=True)


def test_a_group_and_a_campaign_wait_for_what_hangs_until_a_person_takes_it_over() -> None:
    first, other = machine("i-one"), machine("i-other", rebooted=True)
    neighbours = Neighbours({"i-one": first, "i-other": other}, "app", 1200, sweeps=True)
    neighbours.group(first, "a run", 5000.0)  # no sweep has found out within the hour what became of it
    neighbours.swept[first.region_id] = 4000.0
    with broken(match="of one group"):
        neighbours.group(first, "a run", 5000.0)
    with broken(match="no next of a campaign"):
        neighbours.campaign(first, "a run", 5000.0, 4990.0)
    neighbours.campaign(first, "a run", 5000.0, 100.0)  # it could not know of it
    neighbours.looked_at["i-other"] = 200.0
    neighbours.group(first, "a run", 5000.0)
    neighbours.campaign(first, "a run", 5000.0, 4990.0)
    Neighbours({"i-one": first, "i-other": other}, "", 1200, sweeps=False).group(first, "a run", 5000.0)


def refused(now: float, *others: Machine, calm: bool = True, **environment: str) -> Callable[[str], None]:
    """Return what checks that an alarm for an instance of group a was refused for good with a code."""
    asked = machine("i-asked")
    machines = {known.instance_id: known for known in (asked, *others)}
    scheduler = Scheduler()
    scheduler.now = now
    refusals = Refusals(machines, load({**TABLE, **environment}), Assumptions(), scheduler)
    refusals.calm = calm
    refusals.claimed_in["here"].update(machines)
    run = Run("1", scheduler, Random(1), ends=now + 60, skew=0.0, crash=0.0)  # noqa: S311
    return lambda code: refusals.final(run, asked, "here", code, "a run")


def test_in_calm_weather_who_is_back_suspends_no_region() -> None:
    down, back = machine("i-down", rebooted=True), machine("i-back", rebooted=True)
    refused(5000.0, down, back, SUSPEND_AFTER="2")("suspended")
    back.bring_up(200.0)
    refused(1000.0, down, back, SUSPEND_AFTER="2")("suspended")  # the next sweep tells
    refused(5000.0, down, back, calm=False, SUSPEND_AFTER="2")("suspended")
    with broken(match="what is back suspends no region"):
        refused(5000.0, down, back, SUSPEND_AFTER="2")("suspended")


def test_in_calm_weather_a_limit_is_used_up_or_one_of_the_group_is_not_back() -> None:
    others = [machine("i-one", rebooted=True), machine("i-two", rebooted=True)]
    refused(5000.0, *others, MAX_REBOOTS="2")("blast_radius")
    with broken(match="holds nobody of its group"):
        refused(5000.0, *others, MAX_REBOOTS="3")("blast_radius")
    refused(5000.0, *others, calm=False, MAX_REBOOTS="3")("blast_radius")
    refused(5000.0, *others, MAX_REBOOTS="off", GROUP_TAG="app")("blast_radius")
    for other in others:
        other.tags = [(-1e6, {"app": "b"})]
    with broken(match="holds nobody of its group"):
        refused(5000.0, *others, MAX_REBOOTS="off", GROUP_TAG="app")("blast_radius")


def test_a_run_that_works_until_it_is_killed_breaks_a_promise() -> None:
    plan = draw(5000, EPISODE, Assumptions(), "tags")
    short = plan._replace(conditions=plan.conditions._replace(timeout=0.05, latency=1.0))
    ended = Episode(short, Assumptions()).run()
    assert ended.violation
    assert ended.violation.promise == "a run that does not crash ends in time"


@pytest.mark.parametrize("ledger", ["tags", "tablestore"])
def test_who_is_told_changes_no_decision(ledger: str) -> None:
    plan, memory, frame = draw(5001, EPISODE, Assumptions(), ledger), OwnMemory(), Frame("en", "", "", "/here", "r-1")

    def notices(run: Run) -> NoticeDelivery:
        return NoticeDelivery((), frame, run, memory)

    quiet = Episode(plan, Assumptions(), trace=True).run()
    told = Episode(plan, Assumptions(), trace=True, notices=notices).run()
    assert memory.outbox.told, "somebody would have been told"
    assert told.trace == quiet.trace


def test_protections_and_observing_runs_are_drawn() -> None:
    plans = [draw(seed, EPISODE, Assumptions(), "tablestore") for seed in range(5000, 5030)]
    assert {plan.conditions.observes for plan in plans} == {plan.protects for plan in plans} == {False, True}
    plan = next(plan for plan in plans if plan.protects and not plan.conditions.observes and plan.seed > 5002)
    ended = Episode(plan, Assumptions(), trace=True).run()
    assert ended.violation is None
    assert any(" PROTECTS " in line for line in ended.trace)
