"""The analysis half of a GetLogs query, in one form: how many rows there are of each value of some fields.

``select FIELD, ..., count(1) as NAME group by FIELD, ... [limit N]``; every other statement is refused by name.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from localcloud.sls.query import QueryError

_NAMES = r"[a-z_]+(?:\s*,\s*[a-z_]+)*"
_FORM = re.compile(
    rf"select\s+(?P<shown>{_NAMES})\s*,\s*count\(1\)\s+as\s+(?P<name>[a-z_]+)"
    rf"\s+group\s+by\s+(?P<grouped>{_NAMES})(?:\s+limit\s+(?P<limit>[0-9]+))?",
    re.IGNORECASE,
)
#: Rows of an analysis that names no limit.
ROWS_DEFAULT = 100


class Analysis(NamedTuple):
    """A statement that was understood."""

    fields: tuple[str, ...]
    name: str
    limit: int

    def rows(self, logs: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
        """Count the logs that have all the fields."""
        keys = (tuple(log[field] for field in self.fields) for log in logs if all(f in log for f in self.fields))
        counted = sorted(Counter(keys).items())[: self.limit]
        return [{**dict(zip(self.fields, key, strict=True)), self.name: str(count)} for key, count in counted]


def parse(statement: str) -> Analysis:
    """Read a statement; raises QueryError."""
    match = _FORM.fullmatch(statement.strip())
    if match is None:
        raise QueryError(
            f"the statement {statement.strip()!r} is not known here: "
            "select FIELDS, count(1) as NAME group by FIELDS [limit N]"
        )
    shown, grouped = (_fields(match[name]) for name in ("shown", "grouped"))
    if set(shown) != set(grouped):
        raise QueryError(f"the statement shows {', '.join(shown)} and groups by {', '.join(grouped)}")
    return Analysis(shown, match["name"], int(match["limit"] or ROWS_DEFAULT))


def _fields(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))
