"""How many examples a property test draws: as many as it says, or TIMES as many in `make properties`."""

import os

from hypothesis import settings

#: 0 where the variable TIMES is not given, as in `make test`: then the examples are the same each time (`conftest.py`).
TIMES = int(os.environ.get("TIMES") or 0)


def examples(count: int) -> settings:
    """Return the settings for a property test that draws ``count`` examples, times the variable TIMES."""
    return settings(max_examples=count * max(TIMES, 1))
