"""Each guard by itself, their order, overrides, and how a reboot is forced."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from scripted_ecs import ALARM, NOW, TWO, entry, facts, instance, request

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.policy.blast_radius import RegionState
from ecs_reboot.policy.decide import decide
from ecs_reboot.policy.facts import group_of, in_window, waits_for_a_run
from ecs_reboot.policy.findings import Agent, Findings, Reading, ScalingMember, Snapshot, SystemEvent
from ecs_reboot.policy.guards import GUARDS, Guard

LEDGER = ledger.KEY
CALM: dict[str, Any] = {"limit": 3, "rebooted": 0, "asked_for": 0}
OPTED = {"ecs-reboot": "enabled"}


def opted(**tags: str) -> dict[str, str]:
    return {**OPTED, **{name.replace("_", "-"): value for name, value in tags.items()}}


def with_ledger(text: str, **fields: Any) -> Any:
    return instance(tags={**OPTED, LEDGER: text}, **fields)


def code(**fields: Any) -> str:
    return decide(facts(**fields)).code


MEMBER = ScalingMember(
    group_id="asg-1",
    lifecycle_state="InService",
    creation_type="AutoCreated",
    health_checks=("ECS",),
)


def event(kind: str, cycle: str) -> SystemEvent:
    return SystemEvent(event_id="e-1", type=kind, cycle=cycle, not_before=NOW + timedelta(days=1))


def spoke(seconds: float, **fields: Any) -> Agent:
    return Agent(heartbeat=NOW - timedelta(seconds=seconds), **fields)


def measured(value: float, seconds: float = 60) -> Reading:
    return Reading(at=NOW - timedelta(seconds=seconds), value=value)


#: For each guard: facts that it alone objects to, nearest to what it must still let pass.
OBJECTIONS: dict[str, dict[str, Any]] = {
    "paused": {"environment": {"PAUSED": "migration; by=Li; until=2026-03-02T12:01Z"}},
    "not_found": {"instance": None},
    "locked": {"shown": instance(operation_locks=("security",))},
    "not_running": {"shown": instance(status="Stopping")},
    "unavailable": {"shown": instance(expired_time=NOW)},
    "not_opted_in": {"shown": instance(tags={"ecs-reboot": "Enabled"})},
    "outside_window": {
        "environment": {"MAINTENANCE_WINDOWS": "Mon 12:01-13:00"},
        "asked": request(trigger="timer"),
    },
    "recently_started": {"shown": instance(start_time=NOW - timedelta(seconds=599))},
    "force_not_allowed": {"asked": request(force=True)},
    "kubernetes_node": {"shown": instance(tags={**OPTED, "ack.aliyun.com": "c1"})},
    "tags_full": {"shown": instance(tags={**OPTED, **{f"t{number}": "" for number in range(19)}})},
    "ledger_unavailable": {"shown": with_ledger("v9 something")},
    "cooldown": {"shown": with_ledger(entry("back", ago=1799))},
    "attempts_exhausted": {"shown": with_ledger(entry("back", ago=2000, earlier=(40_000, 86_400)))},
    "suspended": {"region_state": RegionState(**CALM, down_in_a_row=3)},
    "storm": {"region_state": RegionState(limit=3, rebooted=0, asked_for=30)},
    "blast_radius": {"region_state": RegionState(limit=3, rebooted=3, asked_for=3)},
    "managed": {"findings": Findings(asked=("scaling",), scaling=MEMBER)},
    "platform_repairing": {"findings": Findings(system_events=(event("SystemFailure.Reboot", "Executing"),))},
    "platform_event": {"findings": Findings(system_events=(event("SystemMaintenance.Redeploy", "Scheduled"),))},
    "responsive": {"asked": ALARM, "findings": Findings(agent=spoke(120), reading=measured(94.9))},
    "busy": {
        "asked": request(trigger="timer"),
        "environment": {"BUSY_SECONDS": "600"},
        "findings": Findings(snapshots=(Snapshot(snapshot_id="s-1", began=NOW - timedelta(hours=9)),)),
    },
}
#: The same, moved just so far that nothing objects any more.
CLEAR: dict[str, dict[str, Any]] = {
    "paused": {"environment": {"PAUSED": "migration; by=Li; until=2026-03-02T12:00Z"}},
    "locked": {"shown": instance()},
    "not_running": {"shown": instance(status="Running")},
    "unavailable": {"shown": instance(expired_time=NOW + timedelta(seconds=1))},
    "not_opted_in": {"shown": instance(tags={"ecs-reboot": "enabled"})},
    "outside_window": {
        "environment": {"MAINTENANCE_WINDOWS": "Mon 12:00-13:00"},
        "asked": request(trigger="timer"),
    },
    "recently_started": {"shown": instance(start_time=NOW - timedelta(seconds=600))},
    "force_not_allowed": {"asked": request(force=True), "environment": {"FORCE_REBOOT": "always"}},
    "tags_full": {"shown": instance(tags={**OPTED, **{f"t{number}": "" for number in range(18)}})},
    "ledger_unavailable": {"shown": with_ledger(entry("refused"))},
    "cooldown": {"shown": with_ledger(entry("back", ago=1800))},
    "attempts_exhausted": {"shown": with_ledger(entry("back", ago=2000, earlier=(40_000, 86_401)))},
    "suspended": {"region_state": RegionState(**CALM, down_in_a_row=2)},
    "storm": {"region_state": RegionState(limit=3, rebooted=0, asked_for=29)},
    "blast_radius": {"region_state": RegionState(limit=3, rebooted=2, asked_for=2)},
    "kubernetes_node": {"shown": instance(tags={**OPTED, "ack.aliyun.com.mine": "c1"})},
    "managed": {"findings": Findings(asked=("scaling",), scaling=None)},
    "platform_repairing": {"findings": Findings(system_events=(event("SystemMaintenance.Reboot", "Scheduled"),))},
    "platform_event": {"findings": Findings(system_events=(event("InstanceExpiration.Stop", "Scheduled"),))},
    "responsive": {"asked": ALARM, "findings": Findings(agent=spoke(121), reading=measured(94.9))},
    "busy": {
        "asked": ALARM.model_copy(update={"event_time": NOW - timedelta(seconds=600)}),
        "environment": {"BUSY_SECONDS": "600"},
        "findings": Findings(snapshots=(Snapshot(snapshot_id="s-1"),)),
    },
}


def test_the_guards_stand_in_this_order() -> None:
    assert [guard.code for guard in GUARDS] == list(OBJECTIONS)


@pytest.mark.parametrize("guard", OBJECTIONS)
def test_each_guard_objects_at_its_boundary(guard: str) -> None:
    decision = decide(facts(**OBJECTIONS[guard]))
    assert (decision.action, decision.code) == ("skip", guard)
    assert decision.reason


@pytest.mark.parametrize("guard", CLEAR)
def test_and_lets_pass_just_beyond_it(guard: str) -> None:
    assert code(**CLEAR[guard]) == "allowed"


@pytest.mark.parametrize("guard", [guard for guard in GUARDS if guard.kind == "soft"])
def test_a_person_can_override_a_soft_guard_by_name_and_with_a_reason(guard: Guard) -> None:
    case = {**OBJECTIONS[guard.code]}
    asked = case.pop("asked", request())
    given_ = {
        "by_hand": True,
        "override": (guard.code,),
        "reason": "seen",
        "trigger": asked.trigger,
        "metric": asked.metric,
    }
    decision = decide(facts(**case, asked=request(**given_)))
    assert decision.action == "reboot"
    assert f"{guard.code} overridden by hand" in decision.reason
    for missing in ({"by_hand": False}, {"override": ()}, {"reason": ""}):
        assert code(**case, asked=request(**{**given_, **missing})) == guard.code


@pytest.mark.parametrize("guard", [guard for guard in GUARDS if guard.kind == "hard"])
def test_nobody_overrides_a_hard_guard(guard: Guard) -> None:
    case = {**OBJECTIONS[guard.code]}
    asked = case.pop("asked", request())
    by_hand = {"by_hand": True, "override": tuple(guard.code for guard in GUARDS), "reason": "seen"}
    assert code(**case, asked=asked.model_copy(update=by_hand)) == guard.code


def test_the_first_objection_wins() -> None:
    shown = instance(status="Stopped", operation_locks=("financial",), tags={})
    assert code(shown=shown) == "locked"


def test_an_owner_pauses_one_instance_with_who_and_until_when() -> None:
    tag = "paused; by=Li; until=2026-03-02T12:01Z"
    decision = decide(facts(shown=instance(tags={"ecs-reboot": tag})))
    assert decision.code == "not_opted_in"
    assert tag in decision.reason
    assert code(shown=instance(tags={"ecs-reboot": "paused; until=soon"})) == "not_opted_in"


def test_without_an_opt_in_tag_a_pause_still_holds() -> None:
    environment = {"OPT_IN_TAG": ""}
    assert code(shown=instance(tags={"ecs-reboot": "paused"}), environment=environment) == "not_opted_in"
    assert code(shown=instance(tags={}), environment=environment) == "allowed"


def test_no_start_time_is_no_proof_of_grace() -> None:
    assert code(shown=instance(start_time=None)) == "recently_started"
    assert code(shown=instance(start_time=None), environment={"GRACE_SECONDS": "0"}) == "allowed"


def test_alarms_are_not_bound_by_windows_unless_the_setting_says_so() -> None:
    environment = {"MAINTENANCE_WINDOWS": "Sun 00:00-01:00"}
    assert code(environment=environment, asked=request(trigger="cms_threshold")) == "allowed"
    bound = {**environment, "WINDOW_TRIGGERS": "alarm"}
    assert code(environment=bound, asked=request(trigger="http>cms_threshold")) == "outside_window"


def test_our_own_claim_is_no_cooldown_and_anothers_is() -> None:
    claimed = with_ledger(entry("claimed", claim="0badcafe"))
    assert code(shown=claimed, claim="0badcafe") == "allowed"
    assert code(shown=claimed, claim="00000001") == "cooldown"


def test_a_restart_after_a_refusal_is_left_alone_for_the_cooldown_but_is_no_attempt() -> None:
    refused = with_ledger(entry("refused", ago=1200), start_time=NOW - timedelta(seconds=1190))
    environment = {"FORCE_REBOOT": "escalate", "GRACE_SECONDS": "0"}
    assert code(shown=refused, environment=environment) == "cooldown"
    later = facts(shown=refused, environment=environment, now=NOW + timedelta(seconds=1800))
    assert not decide(later).force


def test_exhausted_stays_exhausted_for_seven_days_without_an_attempt() -> None:
    week = 7 * 86_400
    assert code(shown=with_ledger(entry("back", ago=week - 1, earlier=(40_000, 80_000)))) == "attempts_exhausted"
    assert code(shown=with_ledger(entry("back", ago=week, earlier=(40_000, 80_000)))) == "allowed"
    assert code(shown=with_ledger(entry("reset", ago=week - 1))) == "allowed"


def test_a_storm_mark_holds_without_counting_again() -> None:
    assert code(region_state=RegionState(**CALM, storm_at=NOW)) == "storm"
    assert code(region_state=RegionState(**CALM, storm_at=NOW), environment={"STORM_FACTOR": "0"}) == "allowed"


def test_one_of_the_group_not_back_holds_without_any_limit() -> None:
    around = RegionState(limit=None, rebooted=99, asked_for=99, group_member=TWO)
    decision = decide(facts(region_state=around))
    assert decision.code == "blast_radius"
    assert TWO in decision.reason
    assert "reset" in decision.reason
    since = decide(facts(region_state=around.model_copy(update={"group_since": NOW - timedelta(days=9)})))
    assert f"{NOW - timedelta(days=9):%Y-%m-%dT%H:%MZ}" in since.reason
    assert code(region_state=around.model_copy(update={"group_member": ""})) == "allowed"


@pytest.mark.parametrize(
    ("setting", "asked", "earlier", "expected"),
    [
        ("never", None, (), False),
        ("always", None, (), True),
        ("always", False, (), False),
        ("escalate", None, (), False),
        ("escalate", None, (5000,), True),
        ("escalate", None, (90_000,), False),
        ("escalate", False, (5000,), False),
        ("escalate", True, (), True),
    ],
)
def test_force(*, setting: str, asked: bool | None, earlier: tuple[int, ...], expected: bool) -> None:
    text = entry("refused", earlier=earlier)
    decision = decide(facts(shown=with_ledger(text), asked=request(force=asked), environment={"FORCE_REBOOT": setting}))
    assert decision.action == "reboot"
    assert decision.force is expected
    assert f"FORCE_REBOOT={setting}" in decision.reason


@given(
    status=some.sampled_from(("Running", "Stopped", "Stopping", "Starting", "Pending", "")),
    opted_in=some.booleans(),
    up=some.integers(0, 5000),
    override=some.lists(some.sampled_from([guard.code for guard in GUARDS]), max_size=len(GUARDS)),
    by_hand=some.booleans(),
)
def test_nothing_but_a_running_instance_is_ever_allowed(
    *, status: str, opted_in: bool, up: int, override: list[str], by_hand: bool
) -> None:
    tags = OPTED if opted_in else {}
    shown = instance(status=status, tags=tags, start_time=NOW - timedelta(seconds=up))
    decision = decide(facts(shown=shown, asked=request(by_hand=by_hand, override=tuple(override), reason="x")))
    if decision.action == "reboot":
        assert status == "Running"
        assert opted_in or (by_hand and "not_opted_in" in override)
        assert up >= 600 or (by_hand and "recently_started" in override)


def test_the_group_of_an_instance_is_its_tags_digest() -> None:
    given_ = facts(environment={"GROUP_TAG": "app"})
    assert group_of(instance(tags=opted(app="web")), given_.policy) == ledger.group_digest("web")
    assert group_of(instance(), given_.policy) == "0"
    assert group_of(instance(tags=opted(app="web")), facts().policy) == "0"


@pytest.mark.parametrize(("seconds", "expected"), [(0, "unavailable"), (1, "allowed")])
def test_what_is_being_released_is_not_rebooted(seconds: float, expected: str) -> None:
    assert code(shown=instance(auto_release_time=NOW + timedelta(seconds=seconds))) == expected


@pytest.mark.parametrize(
    ("until", "expected"), [("2026-03-02T12:01Z", "not_opted_in"), ("2026-03-02T12:00Z", "allowed")]
)
def test_a_pause_of_the_owner_ends_by_itself(until: str, expected: str) -> None:
    paused = instance(tags={"ecs-reboot": f"paused; by=Li; until={until}"})
    assert code(shown=paused, environment={"OPT_IN_TAG": ""}) == expected


def test_of_an_instance_that_is_not_there_nothing_is_counted() -> None:
    gone = facts(instance=None)
    assert (in_window(gone), waits_for_a_run(gone)) == (0, False)
