"""Which hung reboots may be finished, how that goes on whatever ECS answers, and what the ledger says meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from scripted_ecs import (
    FORBIDDEN,
    LOST,
    NOW,
    ONE,
    REGION,
    THROTTLED,
    TWO,
    JumpingClock,
    ScriptedEcs,
    deadline,
    entry,
    facts,
    instance,
    request,
    settings,
)

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.errors import NotSent, Refused
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.tag_ledger import TagLedger, TagSettings
from ecs_reboot.ledger.tag_maintenance import TagMaintenance
from ecs_reboot.model import Instance, LedgerCommand
from ecs_reboot.policy.decide import decide
from ecs_reboot.policy.hung import finishes
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.ledger_commands import LedgerCommands
from ecs_reboot.remediation.lifecycle import transition
from ecs_reboot.remediation.reboot_state import Patience, Swept, from_ledger
from ecs_reboot.remediation.remediate import Remediation

HOLDS = timedelta(seconds=330)
WRONG_STATUS = Refused("Any", code="IncorrectInstanceStatus", message="not now", status=403, request_id="r-403")
ESCALATE = {"FORCE_REBOOT": "escalate", "MANAGED": "allow", "PLATFORM_EVENTS": "ignore", "CLAIM_SETTLE_SECONDS": "0"}
SWEEP = LedgerCommand(verb="verify", trigger="timer", region_id=REGION)
PERSON = request(force=True, by_hand=True, reason="seen on VNC")


def hanging(state: str = "hung", ago: float = 1500, *, status: str = "Stopping", **fields: Any) -> Instance:
    tags = {"ecs-reboot": "enabled", ledger.KEY: entry(state, ago=ago, **fields)}
    return instance(ONE, status=status, tags=tags)


def tagged(shown: Instance, key: str, value: str) -> Instance:
    return shown.model_copy(update={"tags": (*shown.tags, (key, value))})


@pytest.mark.parametrize(
    ("shown", "asked", "policy", "may"),
    [
        (hanging(), request(), "escalate", True),
        (hanging(status="Starting"), request(), "escalate", True),
        (hanging("accepted", 1200), request(), "escalate", True),
        (hanging("in_doubt", 1200), request(), "escalate", True),
        (hanging("claimed", 1200), request(), "escalate", True),
        (hanging("accepted", 1199), request(), "escalate", False),
        (tagged(hanging(), "ecs-reboot.hung-after-seconds", "1501"), request(), "escalate", False),
        (tagged(hanging("accepted", 61), "ecs-reboot.hung-after-seconds", "60"), request(), "escalate", True),
        (tagged(hanging("accepted", 1199), "ecs-reboot.hung-after-seconds", "soon"), request(), "escalate", False),
        (tagged(hanging("accepted", 1199), "ecs-reboot.hung-after-seconds", "59"), request(), "escalate", False),
        (hanging(), request(), "always", False),
        (hanging(), request(), "never", False),
        (hanging(), request(force=False), "escalate", False),
        (hanging(force=True), request(), "escalate", False),
        (hanging("start_due"), request(), "escalate", False),
        # A run that was about to finish it: over, and surely not asked; of a person's request only a person's goes on.
        (hanging("finishing", 901, force=True, earlier=(1500,)), request(), "escalate", True),
        (hanging("finishing", 901, force=True, earlier=(1500,)), PERSON, "always", True),
        (hanging("finishing", 901, force=True, earlier=(1500,)), request(), "always", False),
        (hanging("finishing", 900, force=True, earlier=(1500,)), request(), "escalate", False),
        (hanging("finishing", 900, force=True, earlier=(1500,)), PERSON, "escalate", False),
        (tagged(hanging("finishing", 900), "ecs-reboot.hung-after-seconds", "60"), request(), "escalate", False),
        (hanging("start_due"), PERSON, "escalate", False),
        (hanging("back"), request(), "escalate", False),
        (hanging("void"), request(), "escalate", False),
        (hanging(status="Stopped"), request(), "escalate", False),
        (hanging(status="Stopped"), PERSON, "escalate", False),
        # It came up after our attempt: who stops it now is not us.
        (hanging().model_copy(update={"start_time": NOW - timedelta(seconds=900)}), request(), "escalate", False),
        (instance(status="Stopping"), request(), "escalate", False),
        (instance(status="Stopping"), PERSON, "escalate", True),
        (hanging(), PERSON, "always", True),
        (hanging(force=True), PERSON, "escalate", True),
        (hanging("accepted", 1199), PERSON, "always", False),
        (hanging(), PERSON, "never", False),
        (hanging(), request(force=True, by_hand=True), "always", False),
        (hanging(), request(force=True, reason="no person"), "always", False),
    ],
)
def test_not_running_makes_way_for_what_hangs_and_may_be_forced(
    shown: Instance, asked: object, policy: str, *, may: bool
) -> None:
    environment = {"FORCE_REBOOT": policy, "MANAGED": "allow"}
    of = facts(shown, asked, environment=environment)  # type: ignore[arg-type]
    assert bool(finishes(of, shown)) is may
    decision = decide(of)
    assert (decision.action, decision.force) == (("reboot", True) if may else ("skip", False))
    if not may:
        assert decision.code == "not_running"


def test_a_record_from_before_is_decided_as_it_was() -> None:
    of = facts(hanging(), environment={"FORCE_REBOOT": "escalate", "MANAGED": "allow"})
    old = of.model_copy(update={"policy": of.policy.model_copy(update={"hung_after_seconds": 0})})
    assert decide(old).code == "not_running"


class Sweep:
    """One hung instance, and a sweep over it that finishes what it may."""

    def __init__(self, *instances: Instance, **environment: str) -> None:
        self.ecs = ScriptedEcs(*(instances or (hanging(),)))
        self.clock = JumpingClock()
        self.settings = settings(**{**ESCALATE, **environment})
        self.intents: list[Result] = []

    def run(self, seconds: float = 100) -> list[tuple[str, str]]:
        until = deadline(seconds, self.clock)
        commands = LedgerCommands(
            self.ecs, TagMaintenance(self.ecs, until, 0), until, self.settings.policy, holds=HOLDS
        )
        done = commands.run(SWEEP)
        self.results = self._remediation(until).run(commands.to_finish())
        return [(result.instance_id, result.code) for result in (*done, *self.results) if result.instance_id]

    def retry(self) -> list[str]:
        """Ask for the instance once more, as the same request."""
        return [result.code for result in self._remediation(deadline(100, self.clock)).run([request()])]

    def _remediation(self, until: Deadline) -> Remediation:
        return Remediation(
            self.ecs,
            TagLedger(self.ecs, until, TagSettings("sweep", 3600, 0)),
            self.settings,
            until,
            request_id="sweep",
            holds=HOLDS,
            log_intent=self.intents.append,
        )

    def power(self) -> list[str]:
        return [call for call in self.ecs.calls if call in ("reboot", "stop", "start")]

    def entry(self) -> ledger.Entry:
        return ledger.parse(self.ecs.entry(ONE), self.clock.now())


def test_a_forced_reboot_that_ecs_takes_ends_it_as_one_attempt_of_its_own() -> None:
    sweep = Sweep()
    assert sweep.run() == [(ONE, "accepted")]
    assert [(call["force"], call["dry_run"], call["batch_optimization"]) for call in sweep.ecs.asked] == [
        (True, True, "AllTogether"),
        (True, False, "AllTogether"),
    ]
    assert (sweep.entry().state, sweep.entry().force, sweep.entry().earlier) == ("accepted", True, (1500,))
    assert [intent.code for intent in sweep.intents] == ["intended"]
    assert sweep.run() == []
    assert sweep.power() == ["reboot", "reboot"]


def cut_off(state: str, ago: float = 20) -> Instance:
    """Return the instance as a run of the same request left it that died while it finished what hangs."""
    return hanging(state, ago, force=True, claim=ledger.claim_digest("sweep"), earlier=(1500,))


def test_the_retry_of_a_run_that_died_before_it_asked_goes_on_as_the_one_attempt() -> None:
    sweep = Sweep(cut_off("finishing"))
    assert sweep.retry() == ["accepted"]
    assert [call["dry_run"] for call in sweep.ecs.asked] == [True, False]
    assert (sweep.entry().state, sweep.entry().earlier) == ("accepted", (1520,))


@pytest.mark.parametrize(("patience", "ago", "policy"), [("60", 120, "escalate"), ("1200", 1190, "always")])
def test_a_sweep_in_between_does_not_say_that_it_was_asked(patience: str, ago: float, policy: str) -> None:
    sweep = Sweep(tagged(cut_off("finishing", ago), "ecs-reboot.hung-after-seconds", patience), FORCE_REBOOT=policy)
    assert sweep.run() == []
    assert sweep.entry().state == "finishing"
    assert sweep.retry() == ["accepted"]


@pytest.mark.parametrize(("policy", "told"), [("escalate", "accepted"), ("always", "hung")])
def test_what_nobody_finished_for_long_is_finished_or_pages(policy: str, told: str) -> None:
    sweep = Sweep(cut_off("finishing", 5000), FORCE_REBOOT=policy)
    assert sweep.run() == [(ONE, told)]
    assert (sweep.entry().state, bool(sweep.power())) == (told, policy == "escalate")


def test_what_was_stopped_and_does_not_stop_pages_and_says_whose_its_start_is() -> None:
    shown = hanging("start_due", 1201, force=True)
    owed = ledger.of(shown, NOW).entry
    assert owed
    step = transition(from_ledger(owed), Swept(shown, Patience(HOLDS, timedelta(seconds=1200), finishes=True)), NOW)
    assert (step.code, step.do) == ("hung", "wait")
    assert "once it is Stopped, start it by hand" in step.reason


@pytest.mark.parametrize("state", ["claimed", "in_doubt", "start_due"])
def test_the_retry_of_a_run_that_may_have_asked_neither_asks_again_nor_says_that_it_is_accepted(state: str) -> None:
    sweep = Sweep(cut_off(state))
    assert sweep.retry() == ["not_running"]
    assert sweep.power() == []


def test_what_is_asked_for_by_force_is_in_the_ledger_before() -> None:
    sweep, seen = Sweep(), []
    sweep.ecs.before["reboot"] = [None, lambda: seen.append(sweep.entry().state)]
    assert sweep.run() == [(ONE, "accepted")]
    assert seen == ["in_doubt"]


def test_what_nobody_retries_a_later_sweep_finishes_once_that_run_is_over() -> None:
    sweep = Sweep(hanging("finishing", 120, force=True, earlier=(1500,)))
    assert sweep.run() == []
    assert sweep.power() == []
    sweep.clock.sleep(800)
    assert sweep.run() == [(ONE, "accepted")]
    assert sweep.entry().earlier == (2420,)


def test_what_has_no_attempts_left_is_not_finished() -> None:
    sweep = Sweep(hanging(earlier=(3000, 6000)), MAX_ATTEMPTS="3")
    assert sweep.run() == [(ONE, "attempts_exhausted")]
    assert sweep.power() == []


@pytest.mark.parametrize("dry_runs", [[WRONG_STATUS], [None, WRONG_STATUS]], ids=["dry-run", "for-real"])
def test_where_a_reboot_is_refused_it_is_stopped_and_started(dry_runs: list[Refused | None]) -> None:
    sweep = Sweep()
    sweep.ecs.before["reboot"] = list(dry_runs)
    states = []
    sweep.ecs.before["stop"] = [lambda: states.append(sweep.entry().state)]
    sweep.ecs.before["start"] = [lambda: states.append(sweep.entry().state)]
    assert sweep.run() == [(ONE, "accepted")]
    assert sweep.power() == [*("reboot" for _ in dry_runs), "stop", "start"]
    assert states == ["start_due", "start_due"]
    assert (sweep.entry().state, sweep.entry().force) == ("accepted", True)


def _comes_up(ecs: ScriptedEcs) -> Callable[[], None]:
    return lambda: ecs.change(ONE, status="Running")


@pytest.mark.parametrize("late", [False, True], ids=["before-the-reboot", "before-the-stop"])
def test_what_comes_up_by_itself_is_not_powered_off(*, late: bool) -> None:
    sweep = Sweep()
    comes_up = _comes_up(sweep.ecs)
    # Late: up between the two looks, with a forced reboot refused in between.
    sweep.ecs.before["reboot"] = [None, lambda: (comes_up(), _raise(WRONG_STATUS))] if late else [comes_up]
    assert sweep.run() == [(ONE, "recently_started")]
    assert "stop" not in sweep.power()
    # The claim is taken back: the hung one is the sweep's to end.
    assert (sweep.entry().state, sweep.entry().force) == ("hung", False)
    assert sweep.run() == [(ONE, "recovered")]


def _raise(error: Exception) -> NoReturn:
    raise error


@pytest.mark.parametrize(
    ("call", "step", "code", "state"),
    [
        ("reboot", [FORBIDDEN], "Forbidden.RAM", "hung"),
        ("reboot", [NotSent("RebootInstances", "no route")] * 40, "not_sent", "hung"),
        ("reboot", [None, LOST], "accepted_unconfirmed", "in_doubt"),
        ("reboot", [None, FORBIDDEN], "Forbidden.RAM", "hung"),
        ("reboot", [None, THROTTLED], "accepted", "accepted"),
        ("stop", [FORBIDDEN], "Forbidden.RAM", "hung"),
        ("stop", [THROTTLED], "accepted", "accepted"),
        ("stop", [NotSent("StopInstances", "no route")] * 40, "not_sent", "hung"),
        ("stop", [LOST], "start_due", "start_due"),
        ("start", [FORBIDDEN] * 40, "start_due", "start_due"),
        ("start", [LOST], "accepted", "accepted"),
    ],
)
def test_trouble_with_a_call_never_loses_a_start_and_never_repeats_what_may_have_acted(
    call: str, step: list[Exception | None], code: str, state: str
) -> None:
    sweep = Sweep()
    sweep.ecs.before[call] = list(step)  # type: ignore[arg-type]
    if call != "reboot":
        sweep.ecs.before["reboot"] = [WRONG_STATUS]
    assert sweep.run() == [(ONE, code)]
    assert sweep.entry().state == state
    if LOST in step:
        assert sweep.power().count(call) == len(step) + (call == "start")


def test_neither_is_the_end_and_is_not_tried_again() -> None:
    sweep = Sweep()
    sweep.ecs.before["reboot"] = [WRONG_STATUS]
    sweep.ecs.refusals[f"stop:{ONE}"] = "IncorrectInstanceStatus"
    assert sweep.run() == [(ONE, "hung")]
    assert (sweep.entry().state, sweep.entry().force) == ("hung", True)
    assert sweep.run() == []


def test_what_takes_long_to_stop_is_started_by_the_next_sweep_and_only_once() -> None:
    sweep = Sweep()
    sweep.ecs.before["reboot"] = [WRONG_STATUS]
    sweep.ecs.after["stop"] = [lambda: sweep.ecs.change(ONE, status="Stopping")]
    assert sweep.run() == [(ONE, "start_due")]
    sweep.clock.sleep(120)
    assert sweep.run() == []
    sweep.ecs.change(ONE, status="Stopped")
    assert sweep.run() == [(ONE, "started")]
    assert sweep.entry().state == "accepted"
    sweep.ecs.change(ONE, status="Running", start_time=sweep.clock.now())
    assert sweep.run() == [(ONE, "recovered")]
    assert sweep.power() == ["reboot", "stop", "start"]


@pytest.mark.parametrize(
    ("code", "told", "state"),
    [
        ("IncorrectInstanceStatus", "started", "accepted"),
        ("OperationDenied.NoStock", "stayed_down", "down"),
        ("Throttling", "Throttling", "start_due"),
    ],
)
def test_a_start_that_is_refused_is_paid_later_or_a_person_is_called(code: str, told: str, state: str) -> None:
    sweep = Sweep(hanging("start_due", 120, status="Stopped", force=True))
    sweep.ecs.refusals[f"start:{ONE}"] = code
    assert sweep.run() == [(ONE, told)]
    assert sweep.entry().state == state


def test_a_reset_does_not_forget_that_a_start_is_due() -> None:
    sweep = Sweep(hanging("start_due", 120, status="Stopped", force=True, earlier=(1500,)))
    until = deadline(100, sweep.clock)
    reset = SWEEP.model_copy(update={"verb": "reset", "instance_ids": (ONE,), "reason": "seen"})
    LedgerCommands(sweep.ecs, TagMaintenance(sweep.ecs, until, 0), until, sweep.settings.policy, holds=HOLDS).run(reset)
    assert (sweep.entry().state, sweep.entry().earlier) == ("start_due", ())
    assert sweep.run() == [(ONE, "started")]


def test_a_start_that_is_due_holds_the_group_however_long_it_takes() -> None:
    group = ledger.group_digest("web")
    shown = hanging("start_due", 90_000, force=True, group=group)
    other = instance(TWO, tags={"ecs-reboot": "enabled", "app": "web"})
    sweep = Sweep(shown, other, GROUP_TAG="app")
    until = deadline(100, sweep.clock)
    remediation = Remediation(
        sweep.ecs,
        TagLedger(sweep.ecs, until, TagSettings("alarm", 3600, 0)),
        sweep.settings,
        until,
        request_id="alarm",
        holds=HOLDS,
        log_intent=sweep.intents.append,
    )
    assert [result.code for result in remediation.run([request(TWO)])] == ["blast_radius"]


def test_a_dry_run_says_how_and_does_nothing() -> None:
    sweep = Sweep(DRY_RUN="true")
    sweep.ecs.before["reboot"] = [WRONG_STATUS]
    assert sweep.run() == [(ONE, "DRYRUN.SUCCESS")]
    assert sweep.power() == ["reboot"]
    assert sweep.entry().state == "hung"
