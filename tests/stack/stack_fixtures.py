import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_deployment import NOT_OPTED_IN, OPTED_IN, light_package, source_package

from localcloud.account.cloud import Cloud
from localcloud.account.fleet import Fleet, InstanceSpec
from localcloud.server.server import Running
from localcloud.server.server import running as running_cloud


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return light_package(tmp_path_factory.mktemp("package") / "function.zip")


@pytest.fixture(scope="session")
def whole_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of the source alone: what it needs beside itself is the interpreter's."""
    return source_package(tmp_path_factory.mktemp("package") / "function.zip")


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    for name in ("PARAMS", "REGION", "STACK", "ENDPOINT", "BUCKET", "PLAN", "LOGS", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    instances = tuple(
        InstanceSpec(instance_id=instance_id, tags={"ecs-reboot": "enabled", "app": "web"}, reboot_seconds=1)
        for instance_id in OPTED_IN
    )
    fleet = Fleet(instances=(*instances, InstanceSpec(instance_id=NOT_OPTED_IN)), time_scale=50)
    with running_cloud(Cloud.from_fleet(fleet)) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_kept_connections() -> Iterator[None]:
    """Where another test has loaded the function's transport into this process, the official clients use it too."""
    yield
    if "ecs_reboot.cloud.ecs" in sys.modules:
        sys.modules["ecs_reboot.cloud.ecs"]._connections.close()


@pytest.fixture
def large(package: Path, tmp_path: Path) -> Path:
    """A package that goes into a bucket, for it does not fit into a template."""
    path = tmp_path / "large.zip"
    path.write_bytes(package.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("padding", os.urandom(500_000))
    return path
