"""The fixture of these tests: see ``wire_stage``."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from wire_stage import Wire, Wired


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wired]:
    with ExitStack() as stack:

        def make(count: int = 1, faults: list[dict[str, Any]] | None = None, **spec: Any) -> Wire:
            return Wire(stack, tmp_path, count=count, faults=faults or [], **spec)

        yield make
