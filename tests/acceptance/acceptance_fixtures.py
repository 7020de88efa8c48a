from collections.abc import Iterator
from pathlib import Path

import pytest
from acceptance_cloud import fleet
from local_deployment import light_package

from ecs_reboot.cloud import ecs
from ecs_reboot.cloud.tablestore import client as tablestore
from localcloud.account.cloud import Cloud
from localcloud.server.server import Running
from localcloud.server.server import running as running_cloud


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return light_package(tmp_path_factory.mktemp("package") / "function.zip")


@pytest.fixture(scope="module")
def whole() -> Iterator[Running]:
    with running_cloud(Cloud.from_fleet(fleet())) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def _no_kept_connections() -> Iterator[None]:
    """The run's writers each have a connection to the ledger's table, which is kept for the next call."""
    yield
    ecs._connections.close()
    tablestore._connections.close()
