"""Conditions on a row's columns, and filters, which have the same form: parsed strictly, then put to a row."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.tablestore import protobuf
from localcloud.tablestore.errors import invalid
from localcloud.tablestore.plain_buffer import Value, read_value
from localcloud.tablestore.protobuf import Enum, Field, Schema

#: A condition may compare this many columns.
MOST_COMPARISONS = 32

Test = Callable[[Mapping[str, Value]], bool]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "EQUAL": operator.eq,
    "NOT_EQUAL": operator.ne,
    "GREATER_THAN": operator.gt,
    "GREATER_EQUAL": operator.ge,
    "LESS_THAN": operator.lt,
    "LESS_EQUAL": operator.le,
}
_COMPARATOR = Enum(dict(enumerate(_COMPARE, 1)))
_FILTER = Schema(
    "Filter",
    {
        1: Field("type", Enum({1: "single", 2: "composite"}), "required"),
        2: Field("filter", "bytes", "required"),
    },
)
_SINGLE = Schema(
    "SingleColumnValueFilter",
    {
        1: Field("comparator", _COMPARATOR, "required"),
        2: Field("column_name", "text", "required"),
        3: Field("column_value", read_value, "required"),
        4: Field("filter_if_missing", "bool", "required"),
        5: Field("latest_version_only", "bool", "required"),
    },
    unmodelled={6: "value_trans_rule"},
)
_COMPOSITE = Schema(
    "CompositeColumnValueFilter",
    {
        1: Field("combinator", Enum({1: "NOT", 2: "AND", 3: "OR"}), "required"),
        2: Field("sub_filters", _FILTER, "repeated"),
    },
)


def parse(data: bytes) -> Test:
    """Return the test that the bytes of a Filter ask for; raises OtsError."""
    test, comparisons = _parsed(protobuf.read(_FILTER, data))
    if comparisons > MOST_COMPARISONS:
        raise invalid(f"The number of conditions is {comparisons}; the limit is {MOST_COMPARISONS}.")
    return test


def _parsed(message: protobuf.Message) -> tuple[Test, int]:
    if message["type"] == "single":
        return _single(protobuf.read(_SINGLE, message["filter"])), 1
    inner = protobuf.read(_COMPOSITE, message["filter"])
    parts = [_parsed(part) for part in inner["sub_filters"]]
    tests = [test for test, _ in parts]
    combinator = inner["combinator"]
    if not tests or (combinator == "NOT" and len(tests) > 1):
        raise invalid(f"{combinator} of {len(tests)} conditions.")
    combined: dict[str, Test] = {
        "NOT": lambda row: not tests[0](row),
        "AND": lambda row: all(test(row) for test in tests),
        "OR": lambda row: any(test(row) for test in tests),
    }
    return combined[combinator], sum(count for _, count in parts)


def _single(message: protobuf.Message) -> Test:
    name, wanted, compare = message["column_name"], message["column_value"], _COMPARE[message["comparator"]]

    def test(row: Mapping[str, Value]) -> bool:
        if name not in row:
            return not message["filter_if_missing"]
        # Values of unlike types have no order, and a bool is no number here.
        return type(row[name]) is type(wanted) and compare(row[name], wanted)

    return test
