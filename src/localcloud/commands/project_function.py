"""This project's own function, wired to a local cloud as the template wires it to the real one."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from localcloud.account.cloud import Cloud
from localcloud.account.fleet import EVIDENCE_BUCKET
from localcloud.functioncompute.function import ENDPOINTS, Function, InvalidFunction, RoleCredentials

if TYPE_CHECKING:
    from localcloud.commands.deployed import Deployment

NAME = "ecs-reboot"
ROLE_NAME = "ecs-reboot-function"
REGION = "cn-hangzhou"
TIMEOUT_SECONDS = 60
MEMORY_MB = 512
# The source tree that holds this package holds the function beside it.
SOURCE = Path(__file__).resolve().parents[2]
# A built package has its entry points at the top; the source tree has them inside the package.
PACKAGED_ENTRIES = ("index.handle", "index.initialize")
SOURCE_ENTRIES = ("ecs_reboot.handler.handle", "ecs_reboot.handler.initialize")


def project_function(
    cloud: Cloud,
    url: str,
    settings: Mapping[str, str],
    *,
    code: Path | None = None,
    timeout: int | None = None,
    runtime: str = "python3.10",
    entries: tuple[str, str] | None = None,
    deployed: "Deployment | None" = None,
) -> Function:
    """Make the function for a cloud that answers at ``url``.

    ``code`` is a built package; without it the variable CODE names one, and without that the source runs.
    ``deployed`` is what the template makes of it, whose role the cloud then has; ``timeout`` and ``settings`` go first.
    Raises InvalidFunction for code that holds no function, and what the service would refuse.
    """
    place = code or _package_of_environment() or SOURCE
    handler, initializer = _entries(place, entries)
    project, logstore = (deployed.log_project, deployed.logstores[0]) if deployed else _logstore(cloud)
    given = deployed.environment if deployed else {}
    role_name = deployed.role_name if deployed else ROLE_NAME

    def role_credentials() -> RoleCredentials:
        session = cloud.credentials.assume_role(role_name)
        return RoleCredentials(session.access_key_id, session.access_key_secret, session.security_token)

    wiring = dict.fromkeys(ENDPOINTS, url)
    logs = {"LOG_PROJECT": project, "LOGSTORE": logstore}
    return Function(
        name=NAME,
        code_path=place.resolve(),
        credentials=role_credentials,
        handler=handler,
        initializer=initializer,
        timeout=timeout if timeout is not None else deployed.timeout if deployed else TIMEOUT_SECONDS,
        memory_mb=deployed.memory_mb if deployed else MEMORY_MB,
        cpu=deployed.cpu if deployed else 1.0,
        environment={
            **given,
            **wiring,
            **logs,
            **({} if deployed else {"EVIDENCE_BUCKET": EVIDENCE_BUCKET}),
            **settings,
        },
        runtime=runtime,
        account_id=cloud.account,
        region=REGION,
        log_project=project,
        log_store=logstore,
    )


def _entries(code: Path, named: tuple[str, str] | None) -> tuple[str, str]:
    """Return handler and initializer: those that are named, else those of a built package or of a source tree.

    Raises InvalidFunction for any other place: the installed source would run instead, and nobody would notice.
    """
    if named and code.is_dir():
        return named
    if (code / "index.py").is_file():
        return PACKAGED_ENTRIES
    if (code / "ecs_reboot" / "handler.py").is_file():
        return SOURCE_ENTRIES
    what = "holds no function (no index.py)" if code.is_dir() else "is a file" if code.exists() else "does not exist"
    raise InvalidFunction(f"CODE={str(code)!r} {what}: give the folder that `ecs-reboot build` makes, build/function")


def _package_of_environment() -> Path | None:
    named = os.environ.get("CODE")
    return Path(named) if named else None


def _logstore(cloud: Cloud) -> tuple[str, str]:
    """Choose the first logstore of the first project that has one; none leaves the records on standard output alone."""
    projects = cloud.declared.log_projects
    return next(((project, logstores[0]) for project, logstores in projects.items() if logstores), ("", ""))
