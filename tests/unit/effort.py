"""How many examples the longer property tests draw: few in `make test`, ten times as many in `make evidence`."""

import os

from hypothesis import settings

TIMES = int(os.environ.get("TIMES", "1"))


def examples(count: int) -> settings:
    """Return the settings for a property test that draws ``count`` examples, times the variable TIMES."""
    return settings(max_examples=count * TIMES)
