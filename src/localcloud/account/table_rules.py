"""What Tablestore takes as an instance and as a table."""

from collections.abc import Sequence
from typing import Literal

from cloud_languages.resource_names import RULES, TABLE, TABLE_INSTANCE

Network = Literal["INTERNET", "VPC", "CLASSIC"]

MOST_TABLES, MOST_KEY_COLUMNS = 64, 4


def instance_mistake(name: str) -> str:
    """Return what is wrong with the name of an instance; empty if nothing is."""
    mistake = RULES[TABLE_INSTANCE].mistake(name)
    return f"Instance name {name!r}: {mistake}." if mistake else ""


def is_name(name: str) -> bool:
    """Return whether a table or a column can have this name."""
    return not RULES[TABLE].mistake(name)


def table_mistake(name: str, columns: Sequence[str]) -> str:
    """Return what is wrong with a table and the columns of its key; empty if nothing is."""
    if not 0 < len(columns) <= MOST_KEY_COLUMNS or len(set(columns)) < len(columns):
        return f"A table has 1 to {MOST_KEY_COLUMNS} different primary key columns, not {list(columns)}."
    wrong = next((part for part in (name, *columns) if not is_name(part)), None)
    return "" if wrong is None else f"Invalid name of a table or column: {wrong!r}."
