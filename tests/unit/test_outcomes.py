"""The table of outcomes: one row for each code, and rows that do not contradict themselves."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_reboot.outcomes import BY_CODE, OUTCOMES, Code, Outcome, of_service
from ecs_reboot.policy.guards import GUARDS


def test_every_code_has_one_row_and_every_row_a_code():
    assert sorted(outcome.code for outcome in OUTCOMES) == sorted(get_args(Code))


def test_every_guard_is_an_outcome():
    assert {guard.code for guard in GUARDS} <= BY_CODE.keys()


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.code)
def test_a_row_does_not_contradict_itself(outcome: Outcome):
    assert outcome.meaning
    assert outcome.chinese
    assert outcome.cure or not outcome.pages, "whoever is paged must be told what to do"
    assert outcome.keeps_claim or outcome.denies_reboot, "a reboot that may have happened keeps its claim"
    assert not (outcome.retriable and outcome.keeps_claim), "what may have happened is never asked for again"
    assert not (outcome.state_after and outcome.denies_reboot)


@given(st.text())
def test_whatever_the_service_answers_has_a_row(code: str):
    assert of_service(code) in BY_CODE


@pytest.mark.parametrize(
    ("answered", "outcome"),
    [
        ("IncorrectInstanceStatus", "IncorrectInstanceStatus"), ("Throttling.User", "Throttling.User"),
        ("Throttling.Resource", "Throttling"), ("Forbidden.Unauthorized", "Forbidden.RAM"),
        ("InvalidAccessKeyId.NotFound", "caller_refused"), ("SomethingNew", "refused"),
    ],
)  # fmt: skip
def test_a_family_is_told_by_its_beginning(answered: str, outcome: Code):
    assert of_service(answered) == outcome
