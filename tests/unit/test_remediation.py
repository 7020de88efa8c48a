"""The order of all I/O: one pass over what an event asks for."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from scripted_ecs import (
    FORBIDDEN,
    INTERNAL,
    LOST,
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
    request,
    settings,
)

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.tag_ledger import TagLedger, TagSettings
from ecs_reboot.model import Instance, Rolling, Selector
from ecs_reboot.remediation.claims import was_asked
from ecs_reboot.remediation.remediate import Remediation


class Stage:
    """A remediation over a scripted ECS."""

    def __init__(self, ecs: ScriptedEcs, **environment: str) -> None:
        self.ecs, self.clock = ecs, JumpingClock()
        self.intents: list[str] = []
        chosen = settings(**{"CLAIM_SETTLE_SECONDS": "2", **environment})
        self.number = 0
        self.ecs, self.chosen = ecs, chosen
        self.begin()

    def begin(self, request_id: str = "") -> None:
        """Begin another run, of a request of its own unless it is named."""
        self.number += 1
        request_id = request_id or f"request-{self.number}"
        until = deadline(200, self.clock)
        window, settle = self.chosen.policy.max_reboots_window_seconds, self.chosen.claim_settle_seconds
        self.remediation = Remediation(
            self.ecs,
            TagLedger(self.ecs, until, TagSettings(request_id, window, settle)),
            self.chosen,
            until,
            request_id=request_id,
            holds=timedelta(seconds=230),
            log_intent=lambda result: self.intents.append(result.instance_id),
        )

    def run(self, *requests: Any) -> list[tuple[str, str]]:
        self.results = self.remediation.run(requests)
        return [(result.instance_id, result.code) for result in self.results]


def test_a_reboot_is_claimed_and_announced_before_ecs_is_asked() -> None:
    ecs = ScriptedEcs(instance())
    stage = Stage(ecs)
    seen: list[tuple[str, list[str]]] = []
    ecs.before["reboot"] = [lambda: seen.append((ledger.parse(ecs.entry(ONE), NOW).state, list(stage.intents)))]
    assert stage.run(request()) == [(ONE, "accepted")]
    assert seen == [("claimed", [ONE])]


@pytest.mark.parametrize(("refusal", "retriable"), [("OperationDenied", True), ("200", False)])
def test_who_is_refused_because_of_one_of_the_same_event_that_is_not_rebooted_after_all_comes_again(
    refusal: str, *, retriable: bool
) -> None:
    ecs = ScriptedEcs(instance(), instance(TWO))
    ecs.refusals[ONE] = refusal
    stage = Stage(ecs, MAX_REBOOTS="1")
    assert (TWO, "blast_radius") in stage.run(request(ONE, TWO))
    (result,) = (result for result in stage.results if result.instance_id == TWO)
    assert (result.retriable, "try again" in result.reason) == (retriable, retriable)


def test_what_ecs_refused_for_good_takes_its_claim_back_and_what_was_done_leaves_it() -> None:
    for refusal, left in (("OperationDenied", "refused"), ("IncorrectInstanceStatus", "claimed"), ("200", "accepted")):
        ecs = ScriptedEcs(instance())
        ecs.refusals[ONE] = refusal
        Stage(ecs).run(request())
        assert ledger.parse(ecs.entry(ONE), NOW).state == left, refusal


def test_a_lost_answer_leaves_the_claim_whatever_is_seen() -> None:
    for error, code in ((LOST, "accepted_unconfirmed"), (INTERNAL, "InternalError")):
        ecs = ScriptedEcs(instance())
        ecs.before["reboot"] = [error]
        assert Stage(ecs).run(request()) == [(ONE, code)]
        assert (ledger.parse(ecs.entry(ONE), NOW).state == "in_doubt") is (error is LOST)


def test_the_retry_of_a_lost_request_looks_and_asks_again_where_nothing_shows() -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["reboot"] = [LOST]
    stage = Stage(ecs)
    stage.begin("r-1")
    (lost,) = stage.remediation.run([request()])
    assert (lost.code, lost.retriable) == ("accepted_unconfirmed", True)
    stage.clock.sleep(60)
    stage.begin("r-2")
    assert stage.run(request()) == [(ONE, "cooldown")], "nobody else takes the claim for nothing"
    assert len(ecs.asked) == 1
    stage.begin("r-1")
    assert [result.code for result in stage.remediation.run([request()])] == ["accepted"]
    assert len(ecs.asked) == 2


def test_the_retry_of_a_lost_request_does_not_ask_again_what_was_restarted() -> None:
    ecs = ScriptedEcs(instance())
    ecs.on_reboot = lambda _: None  # nothing is to be seen of it while the first run looks
    ecs.after["reboot"] = [LOST]
    stage = Stage(ecs, GRACE_SECONDS="10")
    stage.begin("r-1")
    assert [result.code for result in stage.remediation.run([request()])] == ["accepted_unconfirmed"]
    stage.clock.sleep(60)
    ecs.change(ONE, start_time=stage.clock.now() - timedelta(seconds=30))
    stage.begin("r-1")
    assert [result.code for result in stage.remediation.run([request()])] == ["accepted"]
    assert len(ecs.asked) == 1


def test_no_page_of_a_selector_is_read_after_the_deadline_and_the_request_has_its_record() -> None:
    ecs = ScriptedEcs(instance(), instance(TWO))
    stage = Stage(ecs)
    read: list[str] = []

    def select(_selector: Selector) -> Iterator[tuple[Instance, ...]]:
        for instance_id in (ONE, TWO) * 50:
            stage.clock.sleep(30)
            read.append(instance_id)
            yield (ecs.instances[instance_id],)

    ecs.select = select  # type: ignore[method-assign,assignment]  # more pages than there is time for
    selector = Selector(region_id=REGION, tags=(("ecs-reboot", "enabled"),))
    assert stage.run(request(targets=(), selector=selector)) == [("", "no_answer")]
    assert stage.results[0].retriable
    assert len(read) == 7, "200 s at 30 s a page"


def test_one_instance_asked_for_twice_is_rebooted_once() -> None:
    ecs = ScriptedEcs(instance())
    assert sorted(Stage(ecs).run(request(), request())) == [(ONE, "accepted"), (ONE, "repeated")]
    assert len(ecs.asked) == 1


def test_skips_need_no_ledger() -> None:
    ecs = ScriptedEcs(instance(status="Stopped"))
    assert Stage(ecs).run(request(ONE, TWO)) == [(ONE, "not_running"), (TWO, "not_found")]
    assert ecs.calls == ["describe"]


def test_a_look_up_that_fails_is_a_result_for_each_instance() -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["describe"] = [FORBIDDEN]
    stage = Stage(ecs)
    assert stage.run(request(ONE, TWO)) == [(ONE, "Forbidden.RAM"), (TWO, "Forbidden.RAM")]
    assert all(result.retriable for result in stage.results)


def test_a_dry_run_claims_nothing() -> None:
    ecs = ScriptedEcs(instance())
    assert Stage(ecs).run(request(dry_run=True)) == [(ONE, "DRYRUN.SUCCESS")]
    assert not ecs.written


def test_escalation_forces_the_second_attempt() -> None:
    ecs = ScriptedEcs(instance(), instance(TWO))
    ecs.tag(ONE, entry("back", ago=5000))
    Stage(ecs, FORCE_REBOOT="escalate").run(request(ONE, TWO))
    assert sorted((call["ids"], call["force"]) for call in ecs.asked) == sorted([((ONE,), True), ((TWO,), False)])


def test_the_facts_are_read_again_after_the_claim_has_settled() -> None:
    ecs = ScriptedEcs(instance())
    ecs.before["describe"] = [None, lambda: ecs.change(ONE, operation_locks=("security",))]
    stage = Stage(ecs, CLAIM_SETTLE_SECONDS="6")
    assert stage.run(request()) == [(ONE, "locked")]
    assert ledger.parse(ecs.entry(ONE), NOW).state == "refused"


def test_proof_is_written_into_the_ledger() -> None:
    for end, state in (("Running", "back"), ("Stopped", "down")):
        ecs = ScriptedEcs(instance())
        stage = Stage(ecs, VERIFY_SECONDS="60")
        stage.run(request())
        ecs.after["describe"] = [None, partial(ecs.change, ONE, status=end)]
        proven = stage.remediation.prove(stage.results)
        assert [result.code for result in proven] == ["recovered" if state == "back" else "stayed_down"]
        assert ledger.parse(ecs.entry(ONE), stage.clock.now()).state == state


ROLLING = request().model_copy(
    update={
        "targets": (),
        "selector": Selector(region_id=REGION, tags=(("ecs-reboot", "enabled"),)),
        "rolling": Rolling(limit=1, older_than_seconds=86_400),
    }
)


def test_a_rolling_tick_takes_the_next_few_that_policy_allows() -> None:
    ecs = ScriptedEcs(instance(operation_locks=("security",)), instance(TWO), instance(THREE))
    stage = Stage(ecs)
    found = stage.run(ROLLING)
    assert found[0] == ("", "rolling_progress")
    assert [code for _, code in found[1:]] == ["accepted"]
    assert stage.results[0].reason.startswith("asking for the next 1")
    stage.begin()
    assert stage.run(ROLLING) == [("", "rolling_progress")]
    assert len(ecs.asked) == 1


def test_a_selector_that_finds_nothing_says_so() -> None:
    assert Stage(ScriptedEcs()).run(ROLLING) == [("", "no_match")]


def test_a_retry_of_the_same_request_goes_on_where_a_dead_run_had_only_claimed() -> None:
    ecs = ScriptedEcs(instance())
    ecs.tag(ONE, entry("claimed", ago=30, claim=ledger.claim_digest("again")))
    stage = Stage(ecs)
    assert stage.run(request()) == [(ONE, "cooldown")]
    assert stage.results[0].retriable
    stage.begin("again")
    assert stage.run(request()) == [(ONE, "accepted")]
    assert len(ecs.asked) == 1


@pytest.mark.parametrize(("grace", "code"), [("60", "accepted"), ("0", "accepted_unconfirmed")])
def test_a_retry_of_the_same_request_asks_no_second_time_where_the_dead_run_had_asked(grace: str, code: str) -> None:
    """Without grace an instance that has just started is claimed: then two clocks can't tell which was first."""
    ecs = ScriptedEcs(instance(start_time=NOW))
    ecs.tag(ONE, entry("claimed", ago=30, claim=ledger.claim_digest("again")))
    stage = Stage(ecs, GRACE_SECONDS=grace)
    stage.clock.sleep(60)
    stage.begin("again")
    assert stage.run(request()) == [(ONE, code)]
    assert not ecs.asked


@pytest.mark.parametrize(
    ("started", "skew", "grace", "code"),
    [
        (-60, 0, 0, None), (0, 0, 0, "accepted_unconfirmed"), (60, 0, 0, "accepted"), (0, 0, 60, "accepted"),
        (-300, 300, 0, "accepted_unconfirmed"), (300, 300, 0, "accepted_unconfirmed"), (360, 300, 0, "accepted"),
    ],
)  # fmt: skip
def test_who_restarted_in_the_minute_of_a_claim_nobody_knows_but_from_what_may_be_claimed(
    started: int, skew: int, grace: int, code: str | None
) -> None:
    """ECS gives the minute of a start, and the claim was made 30 s into one."""
    minute = NOW.replace(second=0, microsecond=0)
    claim = ledger.following(
        (), at=minute + timedelta(seconds=30), state="claimed", force=False, claim="0badcafe", group="0"
    )
    seen = instance(start_time=minute + timedelta(seconds=started))
    assert was_asked(claim, seen, timedelta(seconds=skew), timedelta(seconds=grace)) == code


def test_a_claim_whose_run_is_over_and_never_asked_is_no_attempt_for_anybody() -> None:
    ecs = ScriptedEcs(instance())
    ecs.tag(ONE, entry("claimed", ago=231))
    assert Stage(ecs).run(request()) == [(ONE, "accepted")]
    ecs = ScriptedEcs(instance())
    ecs.tag(ONE, entry("accepted", ago=231))
    stage = Stage(ecs)
    assert stage.run(request()) == [(ONE, "cooldown")]
    assert not stage.results[0].retriable
