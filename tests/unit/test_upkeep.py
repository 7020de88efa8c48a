"""Reset, resume, and the sweep that finds out what became of unwatched reboots."""

from datetime import timedelta

import pytest
from scripted_ecs import (
    FORBIDDEN,
    NOW,
    ONE,
    REGION,
    THREE,
    TWO,
    JumpingClock,
    ScriptedEcs,
    deadline,
    entry,
    instance,
    policy,
)

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger import memory as memories
from ecs_reboot.ledger.tag_maintenance import TagMaintenance
from ecs_reboot.model import Instance, LedgerCommand
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.ledger_commands import LedgerCommands
from ecs_reboot.remediation.lifecycle import transition
from ecs_reboot.remediation.reboot_state import Patience, Swept, from_ledger

HOLDS = timedelta(seconds=330)
PATIENCE = Patience(HOLDS, hung_after=timedelta(seconds=1200))


def run(ecs: ScriptedEcs, verb: str, *ids: str, clock: JumpingClock | None = None) -> list[Result]:
    request = LedgerCommand.model_validate(
        {"verb": verb, "trigger": "manual", "region_id": REGION, "instance_ids": ids, "reason": "seen"}
    )
    until = deadline(50, clock)
    return LedgerCommands(ecs, TagMaintenance(ecs, until, 2.0), until, policy(), holds=HOLDS).run(request)


def codes(results: list[Result]) -> list[tuple[str, str]]:
    return [(result.instance_id, result.code) for result in results]


def shown(instance_id: str, text: str, **fields: object) -> Instance:
    return instance(instance_id, tags={"ecs-reboot": "enabled", ledger.KEY: text}, **fields)


def state(ecs: ScriptedEcs, instance_id: str) -> str:
    return ledger.parse(ecs.entry(instance_id), NOW).state


def test_a_reset_clears_attempts_and_keeps_the_time_that_the_region_counts() -> None:
    ecs = ScriptedEcs(shown(ONE, entry("back", ago=600, earlier=(5000, 9000))))
    (result,) = run(ecs, "reset", ONE)
    assert result.code == "reset"
    assert "-5000s" in result.reason
    cleared = ledger.parse(ecs.entry(ONE), NOW)
    assert (cleared.state, cleared.earlier, cleared.at) == ("reset", (), NOW - timedelta(seconds=600))
    assert ledger.attempts(cleared, NOW) == ()


@pytest.mark.parametrize(("earlier", "expected"), [((), "void"), ((5000,), "reset")])
def test_a_reset_of_an_instance_that_was_only_refused_takes_no_place_in_the_limit(
    earlier: tuple[int, ...], expected: str
) -> None:
    ecs = ScriptedEcs(shown(ONE, entry("refused", ago=600, earlier=earlier)))
    run(ecs, "reset", ONE)
    assert state(ecs, ONE) == expected
    text = ecs.entry(ONE)
    counted = memories.of_entries({ONE: ledger.parse(text, NOW)}, timedelta(hours=1), NOW).rebooted
    assert counted == ({ONE} if earlier else set())


def test_a_reset_makes_an_unreadable_entry_readable_and_it_takes_no_place_in_the_limit() -> None:
    ecs = ScriptedEcs(shown(ONE, "v9 from the future"))
    assert codes(run(ecs, "reset", ONE)) == [(ONE, "reset")]
    assert state(ecs, ONE) == "void"
    counted = memories.of_entries({ONE: ledger.parse(ecs.entry(ONE), NOW)}, timedelta(hours=1), NOW)
    assert not counted.rebooted


def test_a_reset_says_what_there_was_nothing_to_do_for() -> None:
    ecs = ScriptedEcs(instance())
    assert codes(run(ecs, "reset", ONE, TWO)) == [(ONE, "nothing_to_do"), (TWO, "not_found")]
    assert not ecs.written


def test_resume_has_seen_what_was_down_and_lifts_a_storm() -> None:
    ecs = ScriptedEcs(
        shown(ONE, entry("down", ago=60)), shown(TWO, entry("storm", ago=60)), shown(THREE, entry("back", ago=60))
    )
    assert sorted(codes(run(ecs, "resume"))) == sorted([(ONE, "resumed"), (TWO, "resumed")])
    assert [state(ecs, instance_id) for instance_id in (ONE, TWO, THREE)] == ["seen", "refused", "back"]
    assert codes(run(ecs, "resume")) == [("", "nothing_to_do")]


MINUTE = NOW.replace(second=0)


@pytest.mark.parametrize(
    ("before", "age", "status", "started", "expected"),
    [
        ("claimed", 120, "Running", 60, "back"),
        ("claimed", 330, "Running", 7200, None),
        ("claimed", 331, "Running", 7200, "void"),
        ("claimed", 1200, "Stopping", 7200, "hung"),
        ("accepted", 120, "Stopping", 7200, None),
        ("accepted", 1199, "Running", 7200, None),
        ("accepted", 1200, "Running", 7200, "unproven"),
        ("in_doubt", 1200, "Running", 7200, "unproven"),
        ("accepted", 1199, "Stopped", 7200, None),
        ("accepted", 1200, "Stopped", 7200, "down"),
        ("accepted", 1199, "Stopping", 7200, None),
        ("accepted", 1200, "Stopping", 7200, "hung"),
        ("accepted", 1200, "Starting", 7200, "hung"),
        ("down", 90_000, "Stopped", 7200, None),
        ("down", 90_000, "Running", 60, "back"),
        ("hung", 90_000, "Stopped", 7200, None),
        ("hung", 90_000, "Running", 60, "back"),
        # Running again ends them where nothing else shows that it was restarted, too.
        ("down", 90_000, "Running", 100_000, "back"),
        ("hung", 90_000, "Running", 100_000, "back"),
    ],
)
def test_what_became_of_a_reboot(before: str, age: float, status: str, started: float, expected: str | None) -> None:
    known = ledger.parse(entry(before, ago=age), NOW)
    shown = instance(status=status, start_time=MINUTE - timedelta(seconds=started))
    step = transition(from_ledger(known), Swept(shown, PATIENCE), NOW)
    assert (step.state if step.code else None) == expected


def test_the_sweep_ends_down_when_the_instance_was_restarted() -> None:
    ecs = ScriptedEcs(shown(ONE, entry("down", ago=90_000), start_time=NOW - timedelta(days=1)))
    assert codes(run(ecs, "verify")) == [(ONE, "recovered")]
    assert state(ecs, ONE) == "back"


def test_the_sweep_leaves_to_a_run_what_it_may_still_be_watching() -> None:
    young = shown(ONE, entry(ago=59), start_time=NOW)
    ecs = ScriptedEcs(young)
    assert codes(run(ecs, "verify")) == [("", "nothing_to_do")]
    assert codes(run(ecs, "verify", ONE)) == [(ONE, "recovered")]


def test_the_sweep_writes_down_what_it_found() -> None:
    ecs = ScriptedEcs(
        shown(ONE, entry(ago=300), start_time=NOW - timedelta(seconds=200)),
        shown(TWO, entry(ago=1200), status="Stopped"),
        shown(THREE, "garbage"),
    )
    assert sorted(codes(run(ecs, "verify"))) == sorted([(ONE, "recovered"), (TWO, "stayed_down")])
    assert [state(ecs, instance_id) for instance_id in (ONE, TWO)] == ["back", "down"]


def test_the_sweep_does_not_write_over_a_newer_claim() -> None:
    ecs = ScriptedEcs(shown(ONE, entry(ago=300), start_time=NOW - timedelta(seconds=200)))
    newer = entry(claim="12345678")
    ecs.after["describe"] = [lambda: ecs.tag(ONE, newer)]
    assert codes(run(ecs, "verify")) == [("", "nothing_to_do")]
    assert ecs.entry(ONE) == newer


def test_many_entries_are_written_a_few_to_each_reading() -> None:
    clock = JumpingClock()
    ecs = ScriptedEcs(*(shown(f"i-bp1many{number:06d}", entry("down", ago=number)) for number in range(6)))
    ecs.before["remember"] = [lambda: clock.sleep(0.6)] * 6
    assert len(run(ecs, "resume", clock=clock)) == 6
    assert ecs.calls.count("describe") > 2


@pytest.mark.parametrize("verb", ["reset", "resume", "verify"])
def test_trouble_is_a_result_for_each_instance_named_and_may_be_tried_again(verb: str) -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["describe"] = ecs.before["entries"] = [FORBIDDEN]
    results = run(ecs, verb, *((ONE, TWO) if verb == "reset" else ()))
    assert codes(results) == (
        [(ONE, "Forbidden.RAM"), (TWO, "Forbidden.RAM")] if verb == "reset" else [("", "Forbidden.RAM")]
    )
    assert all(result.retriable for result in results)


@pytest.mark.parametrize(
    ("spoke", "ago", "code"),
    [(30, 600, "recovered"), (900, 600, "running_silent"), (900, 200, None), (None, 600, "recovered")],
)
def test_the_sweep_asks_whether_the_guest_speaks_again(spoke: float | None, ago: float, code: str | None) -> None:
    ecs = ScriptedEcs(shown(ONE, entry("accepted", ago=ago + 60), start_time=NOW - timedelta(seconds=ago)))
    if spoke is not None:
        beat = (NOW - timedelta(seconds=spoke)).strftime("%Y-%m-%dT%H:%M:%SZ")
        row = {"InstanceId": ONE, "CloudAssistantStatus": "false", "LastHeartbeatTime": beat}
        ecs.answers["DescribeCloudAssistantStatus"] = {
            "InstanceCloudAssistantStatusSet": {"InstanceCloudAssistantStatus": [row]}
        }
    assert codes(run(ecs, "verify")) == ([(ONE, code)] if code else [("", "nothing_to_do")])
    assert state(ecs, ONE) == ("back" if code else "accepted")


def test_where_the_guest_can_not_be_asked_the_sweep_goes_by_the_status() -> None:
    ecs = ScriptedEcs(shown(ONE, entry("accepted", ago=660), start_time=NOW - timedelta(seconds=600)))
    ecs.answers["DescribeCloudAssistantStatus"] = FORBIDDEN
    assert codes(run(ecs, "verify")) == [(ONE, "recovered")]
