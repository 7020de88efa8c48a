"""One event, run through the function on a fresh local cloud that is asked for a dry run."""

from localcloud.account.cloud import Cloud
from localcloud.commands.invoke import event_of, fleet_of
from localcloud.commands.project_function import project_function
from localcloud.functioncompute.instance import FunctionInstance
from localcloud.server.server import running
from review.exported import Export, read
from terminal.key_values import key_values


def dry_run(event: str, fleet_path: str, settings: str) -> tuple[Export, str]:
    """Run the function once in dry run; return its records, and its error ('' where it returned). Raises UsageError."""
    payload = event_of(event)
    cloud = Cloud.from_fleet(fleet_of(fleet_path))
    with running(cloud, port=0) as server:
        function = project_function(cloud, server.url, {**key_values("SET", settings), "DRY_RUN": "true"})
        with FunctionInstance(function) as instance:
            invocation = instance.invoke(payload)
    return read(invocation.logs.decode(errors="replace")), invocation.payload.decode() if invocation.error else ""
