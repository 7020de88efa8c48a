import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from acceptance_cloud import fleet
from local_deployment import ROOT

from ecs_reboot.cloud import ecs
from ecs_reboot.cloud.tablestore import client as tablestore
from localcloud.account.cloud import Cloud
from localcloud.server.server import Running
from localcloud.server.server import running as running_cloud


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of the source alone: what it needs beside itself is the interpreter's."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.py", "from ecs_reboot.handler import handle, initialize\n")
        for path in sorted((ROOT / "src" / "ecs_reboot").rglob("*.py")):
            archive.write(path, path.relative_to(ROOT / "src"))
    path = tmp_path_factory.mktemp("package") / "function.zip"
    path.write_bytes(made.getvalue())
    return path


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
