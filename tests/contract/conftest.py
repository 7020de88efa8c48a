"""One ``serve`` for all tests of a process, set back before each, and clients that may be absent but in CI."""

import importlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from node_clients import NodeProgram, installed
from serving import Served, serving


@pytest.fixture(scope="session")
def shared_serve() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture
def served(shared_serve: Served) -> Served:
    shared_serve.reset()
    return shared_serve


@pytest.fixture(scope="session")
def package() -> Callable[[str], Any]:
    """Import a client; where it is not installed, skip and say so, but fail in CI, which must not skip it."""
    return importlib.import_module if os.environ.get("CI") else pytest.importorskip


@pytest.fixture(scope="session")
def node_program() -> NodeProgram:
    """Run a program of ``node/`` with the official clients for Node."""
    return installed()
