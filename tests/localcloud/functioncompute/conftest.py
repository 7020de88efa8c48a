"""Instances of small functions, each in a real process that ends with its test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.functioncompute.function import Function, RoleCredentials
from localcloud.functioncompute.instance import FunctionInstance

ROLE = RoleCredentials("STS.key", "secret", "token")


@pytest.fixture
def instance_of(tmp_path: Path) -> Iterator[Callable[..., FunctionInstance]]:
    """Make an instance of code in ``index.py``; other arguments are the function's settings."""
    made: list[FunctionInstance] = []

    def make(code: str, **settings: Any) -> FunctionInstance:
        (tmp_path / "index.py").write_text(code, encoding="utf-8")
        settings = {"timeout": 20, **settings}
        instance = FunctionInstance(Function("reboot", tmp_path, settings.pop("credentials", lambda: ROLE), **settings))
        made.append(instance)
        return instance

    yield make
    for instance in made:
        instance.close()
