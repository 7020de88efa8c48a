"""The stage of each end-to-end test."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime, timezone
from typing import Any

import pytest
from inline_function import InlineInstance
from staging import Stage, Staged

from localcloud.account import fleet
from localcloud.account.cloud import Cloud
from localcloud.commands.project_function import project_function
from localcloud.functioncompute.instance import FunctionInstance
from localcloud.server.server import running


@pytest.fixture
def stage() -> Iterator[Staged]:
    """Set up a fleet and the function's settings; everything is taken down at the end of the test."""
    with ExitStack() as stack:

        def set_up(
            declared: list[dict[str, Any]] | None = None,
            *,
            timeout: int = 30,
            wiring: Callable[[str], dict[str, str]] = lambda _: {},
            **settings: str,
        ) -> Stage:
            if declared is None:
                spec = fleet.default()
            else:
                document = {"instances": declared} | {
                    name: settings.pop(name) for name in ("faults", "deviations", "scaling_groups") if name in settings
                }
                spec = fleet.parse(document, name="test", now=datetime.now(timezone.utc))
            cloud = Cloud.from_fleet(spec)
            server = stack.enter_context(running(cloud, port=0))
            settings |= wiring(server.url)  # what is known only once the server answers
            function = project_function(cloud, server.url, settings, timeout=timeout)
            if os.environ.get("FUNCTION") == "inline":  # `make coverage` counts what runs in its own process
                return Stage(cloud, server, stack.enter_context(closing(InlineInstance(function))))
            return Stage(cloud, server, stack.enter_context(FunctionInstance(function)))

        yield set_up
