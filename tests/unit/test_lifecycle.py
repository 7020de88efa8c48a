"""The life of a reboot under any sequence of looks: what is never said, and what is always said in the end."""

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_ecs import FORBIDDEN, INTERNAL, LOST, NOW, ONE, REGION, THROTTLED, UNAVAILABLE, instance

from ecs_reboot.cloud.errors import CloudError, NoAnswer, NotSent, Refused
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.entry import Entry, State
from ecs_reboot.model import Decision, InstanceAnswer
from ecs_reboot.outcomes import BY_CODE
from ecs_reboot.policy.findings import Agent
from ecs_reboot.remediation.lifecycle import AskedTwice, transition
from ecs_reboot.remediation.reboot_state import (
    CLAIMED,
    Answered,
    Asked,
    DecidedAgain,
    Ended,
    Failed,
    Heard,
    Looked,
    Patience,
    Reboot,
    Seen,
    Step,
    Swept,
    TimeUp,
    Watched,
    from_ledger,
)

PATIENCE = Patience(holds=timedelta(seconds=330), hung_after=timedelta(seconds=1200))
LIVING: tuple[State, ...] = (*ledger.OPEN, *ledger.UNRESOLVED)
#: Seconds since the look before, the status seen, and whether the start time has moved since.
LOOKS = st.lists(
    st.tuples(st.integers(0, 2000), st.sampled_from(("Running", "Stopping", "Starting", "Stopped", "")), st.booleans()),
    max_size=12,
)


def entries() -> st.SearchStrategy[Entry]:
    return st.builds(
        lambda state, force: Entry(at=NOW, state=state, force=force, claim="0badcafe"),
        st.sampled_from(LIVING),
        st.booleans(),
    )


@given(entries(), LOOKS)
def test_any_sequence_of_looks_keeps_the_promises(entry: Entry, looks: list[tuple[int, str, bool]]) -> None:
    now, started = NOW, NOW - timedelta(days=1)
    told: list[Step] = []
    for seconds, status, moved in looks:
        now += timedelta(seconds=seconds)
        started = now if moved and status == "Running" else started
        shown = instance(status=status, start_time=started)
        step = transition(from_ledger(entry), Swept(shown, PATIENCE), now)
        assert step.state in get_args(State)
        # Only what is Running is back, and what is Running neither hangs nor is down.
        assert (step.state == "back") <= (status == "Running")
        assert (step.do in ("start", "finish")) <= (status != "Running")
        # A start is owed until it is paid or the machine is seen in another status.
        if entry.state == ledger.START_DUE and status == "Stopped":
            assert (step.state, step.do) == (ledger.START_DUE, "start")
        # Force is for our own graceful reboot that hangs, and only in time.
        if step.do == "finish":
            assert status in ("Stopping", "Starting")
            if step.state == "finishing":  # its run ended before it asked
                assert now - entry.at > PATIENCE.holds
            else:
                assert step.state == "hung"
                assert not entry.force
                assert now - entry.at >= PATIENCE.hung_after or entry.state == "hung"
        # What the row of the outcome says is what the ledger is to say.
        if step.code:
            told.append(step)
            after = BY_CODE[step.code].state_after
            assert step.state in (after, "void")
        else:
            assert step.state == entry.state
        if step.state not in LIVING:
            return
        entry = entry.model_copy(update={"state": step.state})
    # A bad end is reported once: the next sweep pages nobody again.
    bad = [step.code for step in told if step.code in ("hung", "stayed_down")]
    assert len(bad) <= 1


@given(entries(), st.sampled_from(("Running", "Stopping", "Starting", "Stopped", "")))
def test_nothing_stays_open_for_ever(entry: Entry, status: str) -> None:
    shown = instance(status=status, start_time=NOW - timedelta(days=1))
    step = transition(from_ledger(entry), Swept(shown, PATIENCE), NOW + PATIENCE.hung_after)
    assert step.state not in ("claimed", "finishing", "accepted", "in_doubt")
    assert step.state != ledger.START_DUE or step.do == "start"


#: Calls that had no effect for certain, those of which nobody knows, and the one that may be repeated after a look.
WRONG_STATUS = Refused("Any", code="IncorrectInstanceStatus", message="not now", status=403, request_id="r")
WITHOUT_EFFECT: tuple[CloudError, ...] = (THROTTLED, NotSent("RebootInstances", "no route"), FORBIDDEN, WRONG_STATUS)
UNKNOWN: tuple[CloudError, ...] = (LOST, INTERNAL)
BEFORE = instance()
SHOWN = st.sampled_from((BEFORE, instance(status="Stopping"), instance(start_time=NOW + timedelta(minutes=1)), None))
ROWS = st.sampled_from(
    ("200", "IncorrectInstanceStatus", "InternalError", "ServiceUnavailable", "InstanceNotReady", "")
)


def row(code: str) -> InstanceAnswer | None:
    """Return the row of an answer, None where it leaves the instance out."""
    answer = InstanceAnswer(instance_id=ONE, code=code, message="m", previous_status="", current_status="")
    return answer if code else None


def decided(action: str) -> Decision:
    return Decision(
        instance_id=ONE,
        region_id=REGION,
        action="reboot" if action == "reboot" else "skip",
        code="allowed" if action == "reboot" else "locked",
        reason="why",
    )


def answers() -> st.SearchStrategy[Answered | Failed]:
    """Return what may come back after ECS was asked."""
    failed = st.builds(
        Failed,
        st.sampled_from((*WITHOUT_EFFECT, *UNKNOWN, UNAVAILABLE)),
        st.booleans(),
        st.booleans(),
        st.just(False),  # noqa: FBT003 - not a dry run
    )
    return st.builds(lambda code: Answered(row(code), "r-1"), ROWS) | failed


def looks() -> st.SearchStrategy[Looked]:
    return st.builds(Looked, SHOWN, st.booleans(), st.booleans())


def rereads() -> st.SearchStrategy[DecidedAgain]:
    return st.builds(DecidedAgain, st.just(BEFORE), SHOWN, st.sampled_from(("reboot", "skip")).map(decided))


def anything() -> st.SearchStrategy[Seen]:
    watched = st.builds(Watched, SHOWN.filter(bool)) | st.just(Heard(Agent(heartbeat=NOW))) | st.just(TimeUp(NOW))
    return answers() | looks() | rereads() | st.just(Ended("deadline", "no time")) | watched


def is_known_to_have_had_no_effect(seen: Answered | Failed) -> bool:
    return isinstance(seen, Failed) and not isinstance(seen.error, NoAnswer) and seen.error is not INTERNAL


@given(st.data())
def test_a_run_never_asks_twice_without_a_word_that_nothing_happened_and_ends_as_it_knows(data: st.DataObject) -> None:
    """A run that does as each transition says, against any answers: each call but the first follows a plain refusal."""
    reboot, do, calls, signs = CLAIMED, "ask", list[Answered | Failed](), 0
    for _ in range(12):
        seen: Seen
        if do == "ask" and data.draw(st.booleans(), "facts are old"):
            seen = data.draw(rereads())
        elif do == "ask":
            reboot = transition(reboot, Asked(BEFORE), NOW).reboot
            assert all(is_known_to_have_had_no_effect(call) for call in calls)
            seen = data.draw(answers())
            calls.append(seen)
        else:
            afterwards: st.SearchStrategy[Seen] = rereads() if do == "decide" else looks()
            seen = data.draw(afterwards)
        step = transition(reboot, seen, NOW)
        signs += isinstance(seen, Looked | DecidedAgain) and seen.instance not in (None, BEFORE)
        reboot, do = step.reboot, step.do
        assert (step.code is None) == (do != "rest")
        assert reboot.may_ask == (do in ("ask", "decide"))
        if step.code:
            check_end(step, calls, signs)
            with pytest.raises(AskedTwice):
                transition(reboot, Asked(BEFORE), NOW)
            return


def check_end(step: Step, calls: list[Answered | Failed], signs: int) -> None:
    """Accepted is what ECS said or a look showed; what may have happened is denied only after a look late enough."""
    said_yes = any(isinstance(call, Answered) and call.row and call.row.code == "200" for call in calls)
    assert (step.code == "accepted") <= (said_yes or signs > 0)
    assert (step.code == "accepted") == (step.state == "accepted")
    assert (step.code == "accepted_unconfirmed") == (step.state == "in_doubt")
    lost = [call for call in calls if isinstance(call, Failed) and isinstance(call.error, NoAnswer)]
    lost_row = [call for call in calls if isinstance(call, Answered) and call.row is None]
    if lost or lost_row:
        assert step.code in ("accepted", "accepted_unconfirmed")
    assert BY_CODE[step.code or "accepted"].keeps_claim >= (step.state in ("accepted", "in_doubt"))


@given(st.lists(anything(), max_size=8))
def test_whatever_is_seen_in_whatever_order_only_a_plain_no_lets_ecs_be_asked_again(told: list[Seen]) -> None:
    reboot = transition(CLAIMED, Asked(BEFORE), NOW).reboot
    for seen in told:
        if reboot.may_ask and isinstance(seen, Answered | Failed):
            reboot = transition(reboot, Asked(BEFORE), NOW).reboot  # ECS says nothing to who does not ask
        before, reboot = reboot, transition(reboot, seen, NOW).reboot
        if reboot.may_ask and not before.may_ask:
            plain_no = isinstance(seen, Failed) and seen.error in WITHOUT_EFFECT
            unavailable = isinstance(seen, Looked) and before.lost is UNAVAILABLE and seen.instance == BEFORE
            assert plain_no or unavailable
        if not reboot.may_ask:
            with pytest.raises(AskedTwice):
                transition(reboot, Asked(BEFORE), NOW)


@pytest.mark.parametrize(
    ("code", "do"),
    [
        ("InternalError", "look"), ("InternalError.Reboot", "look"), ("ServiceUnavailable", "look"),
        ("LimitedOperation.ServiceUnavailable", "look"),
        ("IncorrectInstanceStatus", "rest"), ("InstanceNotReady", "rest"), ("Throttling.User", "rest"),
        ("NobodyKnowsThisCode", "rest"),
    ],
)  # fmt: skip
def test_a_row_that_says_ecs_failed_inside_is_looked_after_and_a_refusal_ends(code: str, do: str) -> None:
    asked = transition(CLAIMED, Asked(BEFORE), NOW).reboot
    step = transition(asked, Answered(row(code), "r-1"), NOW)
    assert (step.do, step.state) == (do, "in_doubt" if do == "look" else "refused")
    seen = transition(step.reboot, Looked(instance(status="Stopping"), room=True, last=True), NOW)
    assert do == "rest" or seen.code == "accepted"


@pytest.mark.parametrize("seen", [Looked(BEFORE, room=True, last=False), Ended("deadline", "no time")])
def test_a_dry_run_is_never_in_doubt(seen: Seen) -> None:
    asked = transition(CLAIMED, Asked(BEFORE), NOW).reboot
    failed = transition(asked, Failed(LOST, room=True, ambiguous=False, dry_run=True), NOW)
    assert (failed.do, failed.state) == ("ask", "claimed")
    assert transition(failed.reboot, seen, NOW).state != "in_doubt"


def test_a_reboot_that_no_run_read_from_the_ledger_is_not_swept() -> None:
    with pytest.raises(ValueError, match="from_ledger"):
        transition(Reboot("accepted"), Swept(BEFORE, PATIENCE), NOW)
