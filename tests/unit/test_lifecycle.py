"""The life of a reboot under any sequence of looks: what is never said, and what is always said in the end."""

from datetime import timedelta
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from scripted_ecs import NOW, instance

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.entry import Entry, State
from ecs_reboot.outcomes import BY_CODE
from ecs_reboot.remediation.lifecycle import Patience, Step, transition

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
        step = transition(entry, instance(status=status, start_time=started), now, PATIENCE)
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
    # A bad end is told once: the next sweep pages nobody again.
    bad = [step.code for step in told if step.code in ("hung", "stayed_down")]
    assert len(bad) <= 1


@given(entries(), st.sampled_from(("Running", "Stopping", "Starting", "Stopped", "")))
def test_nothing_stays_open_for_ever(entry: Entry, status: str) -> None:
    shown = instance(status=status, start_time=NOW - timedelta(days=1))
    step = transition(entry, shown, NOW + PATIENCE.hung_after, PATIENCE)
    assert step.state not in ("claimed", "finishing", "accepted", "in_doubt")
    assert step.state != ledger.START_DUE or step.do == "start"
