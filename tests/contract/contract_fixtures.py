"""One ``serve`` for all tests of a process, set back before each, and clients that may be absent but in CI."""

import importlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_modules import AnsibleModules
from ansible_modules import installed as ansible_installed
from client_marks import SOURCES, Tried, answered_calls
from node_clients import NodeProgram, installed
from serving import Served, serving

from localcloud.account.cloud import Cloud
from localcloud.account.fleet import Fleet
from localcloud.server.server import Running, running


@pytest.fixture(scope="session")
def shared_serve() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture
def served(shared_serve: Served) -> Served:
    shared_serve.reset()
    return shared_serve


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    """A local cloud without instances; modules that need some have a fixture of this name themselves."""
    with running(Cloud.from_fleet(Fleet())) as server:
        yield server


@pytest.fixture
def server(shared: Running) -> Running:
    shared.cloud.reset()
    return shared


@pytest.fixture(autouse=True)
def claimed_calls(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let a test's ``client`` marks, from which the docs' table of clients is made, name only what it had answered."""
    marks = [Tried.of(mark) for mark in request.node.iter_markers("client")]
    source = request.getfixturevalue(name) if marks and (name := _source(request)) else None
    yield
    if marks:
        assert source is not None, f"a test with a client mark takes one of the fixtures {', '.join(SOURCES)}"
        answered = answered_calls(source)
        for tried in marks:
            assert set(tried.calls) <= answered, f"{tried.client} was not seen to make all the calls that it is said to"


def _source(request: pytest.FixtureRequest) -> str:
    return next((name for name in SOURCES if name in request.fixturenames), "")


@pytest.fixture(scope="session")
def package() -> Callable[[str], Any]:
    """Import a client; where it is not installed, skip and say so, but fail in CI, which must not skip it."""
    return importlib.import_module if os.environ.get("CI") else pytest.importorskip


@pytest.fixture(scope="session")
def node_program() -> NodeProgram:
    """Run a program of ``node/`` with the official clients for Node."""
    return installed()


@pytest.fixture(scope="session")
def ansible_modules() -> AnsibleModules:
    """Run Ansible's modules for Alibaba Cloud."""
    return ansible_installed()
