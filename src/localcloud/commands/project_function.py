"""This project's own function, wired to a local cloud as the template wires it to the real one."""

from collections.abc import Mapping
from pathlib import Path

from localcloud.account.cloud import Cloud
from localcloud.functioncompute.function import ENDPOINTS, Credentials, Function

NAME = "ecs-reboot"
ROLE_NAME = "ecs-reboot-function"
REGION = "cn-hangzhou"
TIMEOUT_SECONDS = 60
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
    timeout: int = TIMEOUT_SECONDS,
    runtime: str = "python3.10",
    entries: tuple[str, str] | None = None,
) -> Function:
    """Make the function for a cloud that answers at ``url``; ``code`` is a built package, else it is the source."""
    code_path = code or SOURCE
    handler, initializer = entries or (PACKAGED_ENTRIES if (code_path / "index.py").is_file() else SOURCE_ENTRIES)
    project, logstore = _logstore(cloud)

    def role_credentials() -> Credentials:
        session = cloud.credentials.assume_role(ROLE_NAME)
        return Credentials(session.access_key_id, session.access_key_secret, session.security_token)

    wiring = dict.fromkeys(ENDPOINTS, url)
    logs = {"LOG_PROJECT": project, "LOGSTORE": logstore}
    return Function(
        name=NAME,
        code_path=code_path,
        credentials=role_credentials,
        handler=handler,
        initializer=initializer,
        timeout=timeout,
        environment={**wiring, **logs, **settings},
        runtime=runtime,
        account_id=cloud.account,
        region=REGION,
        log_project=project,
        log_store=logstore,
    )


def _logstore(cloud: Cloud) -> tuple[str, str]:
    """Choose the first logstore of the first project that has one; none leaves the records on standard output alone."""
    projects = cloud.declared.log_projects
    return next(((project, logstores[0]) for project, logstores in projects.items() if logstores), ("", ""))
