"""The search half of a GetLogs query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.sls import analysis
from localcloud.sls.query import QueryError, parse

RECORD = {
    "__topic__": "ecs-reboot",
    "action": "reboot",
    "code": "accepted",
    "instance_id": "i-bp1a2b3c",
    "reason": "Status check failed: disk (cloud_essd)",
}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "*",
        "reboot",
        "REBOOT",
        "action: reboot",
        "action:reboot",
        "action: re*",
        "i-bp1*",
        '"status check"',
        'reason: "check, failed"',
        "action: reboot and code: accepted",
        "action: reboot code: accepted",
        "action: skip or code: accepted",
        "not action: skip",
        "reboot not skip",
        "not (action: skip or code: locked)",
        "__topic__: ecs-reboot",
        "action: *",
        "action: skip or action: reboot and code: accepted",
    ],
)
def test_a_query_that_finds_the_record(query: str) -> None:
    assert parse(query)(RECORD)


@pytest.mark.parametrize(
    "query",
    [
        "boot",
        "action: boot",
        "Action: reboot",
        "absent: *",
        "code: reboot",
        "action: reboot and code: locked",
        "not reboot",
        "action: skip or code: locked",
        "(action: skip or reboot) and code: locked",
    ],
)
def test_a_query_that_does_not_find_the_record(query: str) -> None:
    assert not parse(query)(RECORD)


@pytest.mark.parametrize(
    "query",
    ["* | select 1", "code > 5", "a and", "or", "(a", "a)", "key:", ":", '"open', "not", "a: (b)", "x in [1 2]", "a=b"],
)
def test_what_is_not_understood_is_refused_and_not_ignored(query: str) -> None:
    with pytest.raises(QueryError):
        parse(query)


@given(st.text(alphabet='ab:()*" \tandornot|', max_size=30))
def test_any_text_is_understood_or_refused(query: str) -> None:
    try:
        predicate = parse(query)
    except QueryError:
        return
    assert isinstance(predicate({"a": "b"}), bool)


def test_an_analysis_counts_the_values_of_fields() -> None:
    statement = analysis.parse(" select code, action, count(1) as results group by action, code limit 2")
    logs = [{"code": code, "action": "skip"} for code in ("storm", "cooldown", "storm")] + [{"code": "lost"}]
    assert statement.rows(logs) == [
        {"code": "cooldown", "action": "skip", "results": "1"},
        {"code": "storm", "action": "skip", "results": "2"},
    ]


@pytest.mark.parametrize(
    "statement",
    ["select *", "select code, count(1) as n", "select code, count(1) as n group by action", "drop table records"],
)
def test_another_analysis_is_refused_by_name(statement: str) -> None:
    with pytest.raises(QueryError, match=r"statement"):
        analysis.parse(statement)
