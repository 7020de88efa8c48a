"""The table of outcomes: one row for each code, and rows that do not contradict themselves."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_reboot.outcomes import BY_CODE, OUTCOMES, Code, Outcome, of_service
from ecs_reboot.policy.guards import GUARDS
from localcloud.openapi.errors import DOCUMENTED


def test_every_code_has_one_row_and_every_row_a_code() -> None:
    assert sorted(outcome.code for outcome in OUTCOMES) == sorted(get_args(Code))


def test_every_guard_is_an_outcome() -> None:
    assert {guard.code for guard in GUARDS} <= BY_CODE.keys()


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.code)
def test_a_row_does_not_contradict_itself(outcome: Outcome) -> None:
    assert outcome.meaning
    assert outcome.chinese
    assert outcome.cure or not outcome.pages, "whoever is paged must be told what to do"
    assert outcome.keeps_claim or outcome.denies_reboot, "a reboot that may have happened keeps its claim"
    assert not (outcome.retriable and outcome.keeps_claim), "what may have happened is never asked for again"
    assert not (outcome.state_after and outcome.denies_reboot)


@given(st.text())
def test_whatever_the_service_answers_has_a_row(code: str) -> None:
    assert of_service(code) in BY_CODE


@pytest.mark.parametrize(
    ("answered", "outcome"),
    [
        ("IncorrectInstanceStatus", "IncorrectInstanceStatus"), ("Throttling.User", "Throttling.User"),
        ("Throttling.Resource", "Throttling"), ("Forbidden.Unauthorized", "Forbidden.RAM"),
        ("InvalidAccessKeyId.NotFound", "caller_refused"), ("SomethingNew", "refused"),
    ],
)  # fmt: skip
def test_a_family_is_told_by_its_beginning(answered: str, outcome: Code) -> None:
    assert of_service(answered) == outcome


#: Every code of the pages of RebootInstances and RebootInstance of 2025-12-03: its status, and the row it comes to. The
#: bound of a batch is not here: no call of ours exceeds it.
PAGES: tuple[tuple[str, int, Code], ...] = (
    ("InvalidParameter.KMSKeyId.CMKNotEnabled", 400, "InvalidParameter.KMSKeyId"),
    ("InvalidParameter.KMSKeyId.KMSUnauthorized", 400, "InvalidParameter.KMSKeyId"),
    ("InvalidParameter.KMSKeyId.CMKUnauthorized", 403, "InvalidParameter.KMSKeyId"),
    ("InvalidParameter.KMSKeyId.NotFound", 404, "InvalidParameter.KMSKeyId"),
    ("DRYRUN.SUCCESS", 400, "DRYRUN.SUCCESS"),
    ("Abs.InvalidInstanceIds.MalFormed", 403, "InvalidInstanceId.NotFound"),
    ("InstanceLockedForSecurity", 403, "InstanceLockedForSecurity"),
    ("InstanceExpiredOrInArrears", 403, "InstanceExpiredOrInArrears"),
    ("IncorrectInstanceStatus", 403, "IncorrectInstanceStatus"),
    ("InvalidInstance.NotFoundSystemDisk", 403, "DiskError"),
    ("DiskError", 403, "DiskError"),
    ("InsufficientBalance", 403, "InsufficientBalance"),
    ("InstanceNotReady", 403, "InstanceNotReady"),
    ("InvalidInstanceId.NotFound", 404, "InvalidInstanceId.NotFound"),
    ("InvalidInstanceIds.NotFound", 404, "InvalidInstanceId.NotFound"),
    ("InvalidOperation.Conflict", 409, "InvalidOperation.Conflict"),
    ("InternalError", 500, "InternalError"),
    ("LimitedOperation.ServiceUnavailable", 503, "ServiceUnavailable"),
)


#: Those of them that say "try again later", or that a payment fixes.
LATER = {
    "InstanceExpiredOrInArrears", "InstanceNotReady", "InvalidOperation.Conflict", "InternalError",
    "LimitedOperation.ServiceUnavailable",
}  # fmt: skip


@pytest.mark.parametrize(("code", "status", "outcome"), PAGES, ids=[code for code, *_ in PAGES])
def test_every_code_of_the_reference_has_a_cure(code: str, status: int, outcome: Code) -> None:
    row = BY_CODE[of_service(code)]
    assert (row.code, row.retriable) == (outcome, code in LATER)
    assert row.cure or row.done
    assert DOCUMENTED[code].status == status, "the local cloud answers with it"
