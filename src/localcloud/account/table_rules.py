"""What Tablestore takes as an instance and as a table."""

import re
from collections.abc import Sequence
from typing import Literal

Network = Literal["INTERNET", "VPC", "CLASSIC"]

MOST_TABLES, MOST_KEY_COLUMNS = 64, 4
_INSTANCE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,14}[A-Za-z0-9]")
_RESERVED_WORDS = ("ali", "ay", "ots", "taobao", "admin")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")


def instance_mistake(name: str) -> str:
    """Say what is wrong with the name of an instance; empty if nothing is."""
    if _INSTANCE_NAME.fullmatch(name) and not any(word in name.lower() for word in _RESERVED_WORDS):
        return ""
    return (
        f"Instance name {name!r}: 3 to 16 letters, digits and '-', first a letter, last no '-', without "
        f"{', '.join(_RESERVED_WORDS)}."
    )


def is_name(name: str) -> bool:
    """Whether a table or a column can have this name."""
    return bool(_NAME.fullmatch(name))


def table_mistake(name: str, columns: Sequence[str]) -> str:
    """Say what is wrong with a table and the columns of its key; empty if nothing is."""
    if not 0 < len(columns) <= MOST_KEY_COLUMNS or len(set(columns)) < len(columns):
        return f"A table has 1 to {MOST_KEY_COLUMNS} different primary key columns, not {list(columns)}."
    wrong = next((part for part in (name, *columns) if not is_name(part)), None)
    return "" if wrong is None else f"Invalid name of a table or column: {wrong!r}."
