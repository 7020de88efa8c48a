"""Rows, conditions and changes as callers give and get them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from ecs_reboot.named_tuple import NamedTuple

Value = int | str
"""What is written: a number of 64 bits, signed, or a text of at most 2 MB."""

Stored = int | str | float | bytes
"""What may be read; booleans come as ``bool``. Others may have written what this package never writes."""


class Bound:
    """The end of a range of keys in one key column: below or above every value."""

    __slots__ = ("tag",)

    def __init__(self, tag: int) -> None:
        self.tag = tag


LOWEST, HIGHEST = Bound(9), Bound(10)

Key = tuple[tuple[str, Value], ...]
"""A primary key: name and value of each key column, in the table's order."""

RangeEnd = tuple[tuple[str, Value | Bound], ...]
"""A key in which columns may be LOWEST or HIGHEST."""


class Row(NamedTuple):
    """One row. What is written holds numbers and texts only."""

    key: Key
    columns: Mapping[str, Stored]


class Condition(NamedTuple):
    """What must be so for a write to be carried out.

    ``exists``: whether the row must exist; None does not ask. ``column``: a name and the value that the row must have
    there; a row without the column does not pass.
    """

    exists: bool | None = None
    column: tuple[str, Value] | None = None


class Put(NamedTuple):
    """Replace the whole row, or make it."""

    row: Row
    condition: Condition


class Delete(NamedTuple):
    """Remove the row."""

    key: Key
    condition: Condition


Change = Put | Delete


class RowError(NamedTuple):
    """Why one row of a batch was not written; ``outcome.of_code`` says what that means."""

    code: str
    message: str


class Read(NamedTuple):
    """The rows in the order of the keys that were asked for, None for a row that does not exist."""

    rows: tuple[Row | None, ...]
    now: datetime


class Written(NamedTuple):
    """What came of one conditional write: done, or not because the condition did not hold (then without a clock)."""

    done: bool
    now: datetime | None = None


class BatchWritten(NamedTuple):
    """What came of each change, in the order given; None is success."""

    rows: tuple[RowError | None, ...]
    now: datetime


class Page(NamedTuple):
    """Rows in the order of their keys; ``rest`` is where the next page begins, None at the end."""

    rows: tuple[Row, ...]
    rest: Key | None
    now: datetime


class Table(NamedTuple):
    """What DescribeTable says: key columns with their types, seconds to live (-1: for ever), versions kept."""

    primary_key: tuple[tuple[str, Literal["INTEGER", "STRING", "BINARY"]], ...]
    time_to_live: int
    max_versions: int
    now: datetime
