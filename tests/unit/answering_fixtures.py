"""The fixtures around ``answering_server``: one server for each module, which begins each test with no answers."""

from collections.abc import Iterator

import pytest
from answering_server import AnsweringServer, answering

from ecs_reboot.cloud import ecs
from ecs_reboot.records import logstore


@pytest.fixture(scope="module")
def shared() -> Iterator[AnsweringServer]:
    with answering() as server:
        yield server
    for kept in (ecs._connections, logstore._connections):
        kept.close()


@pytest.fixture
def server(shared: AnsweringServer) -> AnsweringServer:
    shared.answers.clear()
    shared.sent.clear()
    return shared
