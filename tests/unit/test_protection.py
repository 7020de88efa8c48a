"""The duty to take a protection back: it stands in the table with the claim, and nothing but paying ends it."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from scripted_ecs import (
    FORBIDDEN,
    LOST,
    NOW,
    ONE,
    REGION,
    JumpingClock,
    ScriptedEcs,
    deadline,
    instance,
    request,
    settings,
)
from scripted_table import HOLDS, ScriptedTable, maintenance, store

from ecs_reboot.cloud.ecs_api import Question
from ecs_reboot.cloud.errors import Refused
from ecs_reboot.ledger import instance_row
from ecs_reboot.ledger.entry import Entry, claim_digest
from ecs_reboot.ledger.window_row import moment
from ecs_reboot.model import LedgerCommand, RebootRequest
from ecs_reboot.remediation.ledger_commands import LedgerCommands
from ecs_reboot.remediation.remediate import Remediation
from ecs_reboot.settings.settings import SettingsError

PROTECT = {"MANAGED": "protect", "LEDGER": "tablestore", "TABLESTORE_INSTANCE": "table", "PLATFORM_EVENTS": "ignore"}
MEMBER = {"InstanceId": ONE, "ScalingGroupId": "asg-1", "LifecycleState": "InService", "CreationType": "AutoCreated"}
SWEEP = LedgerCommand(verb="verify", trigger="timer", region_id=REGION, instance_ids=(ONE,))


class Stage:
    def __init__(self, **member: Any) -> None:
        self.ecs, self.clock = ScriptedEcs(instance()), JumpingClock()
        self.table = ScriptedTable(self.clock)
        self.settings = settings(**PROTECT, VERIFY_SECONDS="30")
        self.ecs.answers = {
            "DescribeScalingInstances": {"ScalingInstances": [{**MEMBER, **member}]},
            "DescribeScalingGroups": {"ScalingGroups": [{"ScalingGroupId": "asg-1", "HealthCheckType": "ECS"}]},
            "SetInstancesProtection": {},
        }

    def reboot(self, *, watch: bool = False, name: str = "r-1", asked: RebootRequest | None = None) -> list[str]:
        until = deadline(100, self.clock)
        remediation = Remediation(
            self.ecs, store(self.table, name, f"run of {name}", stack="one", seconds=100), self.settings, until,
            request_id=name, holds=HOLDS, log_intent=lambda _: None,
        )  # fmt: skip
        results = remediation.run([asked or request()])
        if watch:
            results = remediation.prove(results)
        return [result.code for result in results]

    def command(self, **update: Any) -> list[str]:
        until = deadline(100, self.clock)
        commands = LedgerCommands(self.ecs, maintenance(self.table), until, self.settings.policy, holds=HOLDS)
        return [result.code for result in commands.run(SWEEP.model_copy(update=update))]

    def entry(self) -> Entry:
        row = self.table.row(f"i#{ONE}")
        assert row
        found = instance_row.read(ONE, row.columns, self.clock.now()).history.entry
        assert found
        return found

    def protections(self) -> list[str]:
        asked = [question for question in self.ecs.questions if question.api.action == "SetInstancesProtection"]
        return [question.parameters["ProtectedFromScaleIn"] for question in asked]

    def comes_back(self) -> None:
        self.clock.sleep(60)
        self.ecs.change(ONE, status="Running", start_time=self.clock.now())


def test_the_duty_stands_in_the_table_before_the_call_and_goes_when_it_is_paid() -> None:
    stage = Stage()
    seen = []
    stage.ecs.before["reboot"] = [lambda: seen.append((stage.entry().protects, stage.protections()))]
    assert stage.reboot() == ["accepted"]
    assert seen == [("asg-1", ["true"])]
    stage.comes_back()
    assert stage.command() == ["recovered"]
    assert stage.protections() == ["true", "false"]
    assert (stage.entry().state, stage.entry().protects) == ("back", "")


def test_what_stays_down_stays_protected_until_it_is_back_whatever_a_person_clears() -> None:
    stage = Stage()
    assert stage.reboot() == ["accepted"]
    stage.ecs.change(ONE, status="Stopped")
    stage.clock.sleep(1300)
    assert stage.command() == ["stayed_down"]
    assert stage.command(verb="resume", reason="seen", instance_ids=()) == ["resumed"]
    assert stage.command(verb="reset", reason="seen") == ["reset"]
    assert (stage.entry().protects, stage.protections()) == ("asg-1", ["true"])
    stage.comes_back()
    # By the sweep of the region, which finds it by its place.
    assert stage.command(instance_ids=()) == ["recovered"]
    assert (stage.entry().protects, stage.protections()) == ("", ["true", "false"])


def test_whoever_finishes_what_hangs_takes_the_duty_over_and_pays_it_when_it_is_back() -> None:
    stage = Stage()
    stage.settings = settings(**PROTECT, VERIFY_SECONDS="30", FORCE_REBOOT="escalate")
    assert stage.reboot() == ["accepted"]
    stage.clock.sleep(1300)
    assert stage.command() == ["hung"]
    stage.ecs.answers["DescribeScalingInstances"] = {"ScalingInstances": [{**MEMBER, "LifecycleState": "Protected"}]}
    stage.ecs.on_reboot = lambda _: stage.comes_back()
    assert stage.reboot(watch=True, name="r-2") == ["recovered"]
    assert (stage.entry().state, stage.entry().force, stage.entry().protects) == ("back", True, "")
    assert stage.protections() == ["true", "false"]


def test_a_run_that_sees_it_back_and_can_not_free_it_leaves_that_to_the_sweep() -> None:
    stage = Stage()
    stage.ecs.on_reboot = lambda _: stage.comes_back()
    stage.ecs.answers["SetInstancesProtection"] = [{}, FORBIDDEN]
    assert stage.reboot(watch=True) == ["recovered"]
    assert (stage.entry().state, stage.entry().protects) == ("accepted", "asg-1")
    stage.ecs.answers["SetInstancesProtection"] = {}
    assert stage.command() == ["recovered"]
    assert (stage.entry().state, stage.entry().protects) == ("back", "")


def test_what_hangs_is_protected_before_it_is_stopped() -> None:
    stage = Stage()
    stage.settings = settings(**PROTECT, VERIFY_SECONDS="30", FORCE_REBOOT="escalate")
    stage.ecs.change(ONE, status="Stopping")
    stage.ecs.on_reboot = lambda _: stage.comes_back()
    insists = request(force=True, by_hand=True, reason="hangs in shutdown, ada")
    assert stage.reboot(watch=True, asked=insists) == ["recovered"]
    assert (stage.entry().protects, stage.protections()) == ("", ["true", "false"])


@pytest.mark.parametrize("error", [FORBIDDEN, LOST])
def test_where_it_can_not_be_taken_back_the_reboot_stays_open_and_the_next_sweep_tries(error: Exception) -> None:
    stage = Stage()
    assert stage.reboot() == ["accepted"]
    stage.comes_back()
    stage.ecs.answers["SetInstancesProtection"] = [error] * 60
    assert stage.command() == [error.outcome]  # type: ignore[attr-defined]
    assert (stage.entry().state, stage.entry().protects) == ("accepted", "asg-1")
    stage.ecs.answers["SetInstancesProtection"] = {}
    assert stage.command() == ["recovered"]
    assert stage.entry().protects == ""


@pytest.mark.parametrize("code", ["InvalidInstanceId.NotFound", "InvalidScalingGroupId.NotFound"])
def test_what_is_in_the_group_no_more_needs_nothing_taken_back(code: str) -> None:
    stage = Stage()
    assert stage.reboot() == ["accepted"]
    stage.comes_back()
    gone = Refused("SetInstancesProtection", code=code, message="gone", status=404, request_id="r-404")
    stage.ecs.answers["SetInstancesProtection"] = gone
    assert stage.command() == ["recovered"]
    assert stage.entry().protects == ""


def test_a_reboot_that_does_not_happen_is_unprotected_before_its_claim_is_taken_back() -> None:
    stage = Stage()
    stage.ecs.before["reboot"] = [FORBIDDEN]
    assert stage.reboot() == ["Forbidden.RAM"]
    assert stage.protections() == ["true", "false"]
    assert (stage.entry().state, stage.entry().protects) == ("void", "")


@pytest.mark.parametrize(("error", "protections"), [(FORBIDDEN, ["true", "false"]), (LOST, ["true", "false"])])
def test_what_can_not_be_protected_is_not_rebooted(error: Exception, protections: list[str]) -> None:
    stage = Stage()
    stage.ecs.answers["SetInstancesProtection"] = [error] * 60 if error is LOST else [error, {}]
    assert stage.reboot() == ["managed"]
    assert "reboot" not in stage.ecs.calls
    # Whether it is protected is not known for certain: it is taken back all the same, or stays the sweep's.
    assert [stage.protections()[0], stage.protections()[-1]] == protections
    assert stage.entry().state == ("claimed" if error is LOST and stage.entry().protects else "void")


def test_a_run_that_dies_after_protecting_is_paid_for_by_the_sweep() -> None:
    stage = Stage()
    stage.ecs.before["reboot"] = [lambda: (_ for _ in ()).throw(KeyboardInterrupt())]
    with pytest.raises(KeyboardInterrupt):
        stage.reboot()
    assert (stage.entry().state, stage.entry().protects) == ("claimed", "asg-1")
    stage.clock.sleep(400)
    assert stage.command() == ["unproven"]
    assert (stage.entry().state, stage.entry().protects) == ("void", "")
    assert stage.protections() == ["true", "false"]


@pytest.mark.parametrize("state", ["Protected", "Standby"])
def test_what_somebody_else_has_set_is_left_as_it_is(state: str) -> None:
    stage = Stage(LifecycleState=state)
    assert stage.reboot() == ["accepted"]
    stage.comes_back()
    assert stage.command() == ["recovered"]
    assert stage.protections() == []


def test_one_on_its_way_out_is_refused() -> None:
    assert Stage(LifecycleState="Removing").reboot() == ["managed"]


def test_a_watched_reboot_pays_by_itself() -> None:
    stage = Stage()
    stage.ecs.on_reboot = lambda instance_id: stage.ecs.change(instance_id, start_time=NOW.replace(hour=13))
    assert stage.reboot(watch=True) == ["recovered"]
    assert stage.protections() == ["true", "false"]
    assert (stage.entry().state, stage.entry().protects) == ("back", "")


LATER = 2_000


def test_nobody_claims_it_while_a_sweep_takes_its_protection_back_and_a_moment_after_that() -> None:
    stage = Stage()
    assert stage.reboot() == ["accepted"]
    stage.comes_back()
    stage.clock.sleep(LATER)
    assert stage.command() == ["recovered"]
    # What this alarm has read of the group may be from before.
    assert stage.reboot(name="r-2") == ["claimed_elsewhere"]
    stage.clock.sleep(31)
    assert stage.reboot(name="r-2") == ["accepted"]
    assert stage.protections() == ["true", "false", "true"]


def test_a_sweep_that_comes_second_leaves_the_protection_to_the_run_that_claims_it() -> None:
    stage = Stage()
    assert stage.reboot() == ["accepted"]
    stage.comes_back()
    stage.clock.sleep(LATER)
    meanwhile: list[str] = []
    stage.ecs.before["describe"] = [lambda: meanwhile.extend(stage.reboot(name="r-2"))]
    stage.command()
    assert meanwhile == ["accepted"]
    assert stage.protections() == ["true", "true"]
    assert (stage.entry().state, stage.entry().protects) == ("accepted", "asg-1")


def test_a_sweep_whose_hold_takes_long_takes_nothing_back() -> None:
    stage = Stage()
    assert stage.reboot() == ["accepted"]
    stage.comes_back()
    stage.table.before["i#"] = [lambda: stage.clock.sleep(11)]
    stage.command()
    assert stage.protections() == ["true"]
    assert stage.command() == ["recovered"]
    assert stage.protections() == ["true", "false"]


def test_what_a_run_has_just_unprotected_is_claimed_a_moment_later() -> None:
    stage = Stage()
    stage.ecs.before["reboot"] = [FORBIDDEN]
    assert stage.reboot() == ["Forbidden.RAM"]
    assert stage.reboot(name="r-2") == ["claimed_elsewhere"]
    stage.clock.sleep(31)
    assert stage.reboot(name="r-2") == ["accepted"]


def test_what_a_watching_run_has_just_unprotected_is_held_a_moment() -> None:
    stage = Stage()
    stage.ecs.on_reboot = lambda instance_id: stage.ecs.change(instance_id, start_time=NOW.replace(hour=13))
    assert stage.reboot(watch=True) == ["recovered"]
    row = stage.table.row(f"i#{ONE}")
    assert row
    now = stage.clock.now()
    held = moment(instance_row.read(ONE, row.columns, now).lift_by) - now
    assert 0 < held.total_seconds() <= instance_row.LIFT_SECONDS


def _overrides() -> RebootRequest:
    return request(override=("cooldown", "recently_started"), by_hand=True, reason="now, ada")


def _watched(stage: Stage, at_the_lift: Callable[[], object]) -> None:
    """Have a watched reboot come back, and something happen just as its protection is to be taken back."""
    stage.ecs.on_reboot = lambda instance_id: stage.ecs.change(instance_id, start_time=NOW.replace(hour=13))
    ask, once = stage.ecs.ask, [at_the_lift]

    def asked(questions: Sequence[Question], *of_call: Any, **named: Any) -> Any:
        lifts = any(question.parameters.get("ProtectedFromScaleIn") == "false" for question in questions)
        if lifts and once:
            once.pop()()
        return ask(questions, *of_call, **named)

    stage.ecs.ask = asked  # type: ignore[method-assign]


def test_nobody_claims_it_while_a_watching_run_takes_its_protection_back() -> None:
    stage = Stage()
    meanwhile: list[str] = []
    _watched(stage, lambda: meanwhile.extend(stage.reboot(name="r-2", asked=_overrides())))
    assert stage.reboot(watch=True) == ["recovered"]
    assert meanwhile == ["claimed_elsewhere"]
    assert (stage.entry().state, stage.entry().protects) == ("back", "")
    stage.clock.sleep(31)
    assert stage.reboot(name="r-2", asked=_overrides()) == ["accepted"]


def test_nobody_claims_it_while_a_run_that_does_not_reboot_takes_its_protection_back() -> None:
    stage = Stage()
    meanwhile: list[str] = []
    _watched(stage, lambda: meanwhile.extend(stage.reboot(name="r-2", asked=_overrides())))
    stage.ecs.before["reboot"] = [FORBIDDEN]
    assert stage.reboot() == ["Forbidden.RAM"]
    assert meanwhile == ["claimed_elsewhere"]


def test_a_watching_run_that_comes_second_leaves_the_protection_to_who_has_claimed_it() -> None:
    stage = Stage()
    stage.ecs.on_reboot = lambda instance_id: stage.ecs.change(instance_id, start_time=NOW.replace(hour=13))
    meanwhile: list[str] = []

    def another() -> None:
        stage.ecs.before["describe"] = []
        meanwhile.extend(stage.reboot(name="r-2", asked=_overrides()))

    stage.ecs.before["reboot"] = [lambda: stage.ecs.before.update(describe=[another])]
    stage.reboot(watch=True)
    assert meanwhile == ["accepted"]
    # No one takes back what the second run needs: it watches nothing, so that is the sweep's.
    assert stage.protections() == ["true", "true"]
    assert (stage.entry().claim, stage.entry().protects) == (claim_digest("r-2"), "asg-1")


def test_a_watching_run_whose_hold_takes_long_takes_nothing_back() -> None:
    stage = Stage()
    stage.ecs.on_reboot = lambda instance_id: stage.ecs.change(instance_id, start_time=NOW.replace(hour=13))
    stage.ecs.after["reboot"] = [
        lambda: stage.table.before.update({"i#": [lambda: None, lambda: stage.clock.sleep(11)]})
    ]
    assert stage.reboot(watch=True) == ["recovered"]
    assert stage.protections() == ["true"]
    assert (stage.entry().state, stage.entry().protects) == ("accepted", "asg-1")
    assert stage.command() == ["recovered"]
    assert stage.protections() == ["true", "false"]


def test_a_retry_of_a_dead_run_does_not_claim_what_a_sweep_is_unprotecting() -> None:
    stage = Stage()
    stage.ecs.before["reboot"] = [lambda: (_ for _ in ()).throw(KeyboardInterrupt())]
    with pytest.raises(KeyboardInterrupt):
        stage.reboot()
    stage.clock.sleep(400)
    meanwhile: list[str] = []
    _watched(stage, lambda: meanwhile.extend(stage.reboot()))
    assert stage.command() == ["unproven"]
    assert meanwhile == ["claimed_elsewhere"]
    assert stage.protections() == ["true", "false"]


def test_a_tag_has_no_room_for_the_duty() -> None:
    with pytest.raises(SettingsError, match="LEDGER=tablestore"):
        settings(MANAGED="protect", LEDGER="tags")
