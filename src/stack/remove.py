"""Remove: delete the stack. Logs stay, and so does the code's bucket, unless their deletion is asked for."""

from collections.abc import Callable

from stack.clients import Clients
from stack.logstores import LogStores, names
from stack.stacks import Found, Stacks


def remove(
    clients: Clients, stacks: Stacks, found: Found, account: str, say: Callable[[str], None], *, logs: bool
) -> None:
    """Delete a stack and follow it; with ``logs`` its logstores too, and its log project if it made that itself."""
    project = str(found.outputs.get("LogProject") or found.parameters.get("ExistingLogProject") or "")
    function = str(found.outputs.get("FunctionName") or found.parameters.get("FunctionName") or "")
    if found.busy:
        say(f"the stack {found.name} is {found.status}: following what is under way first")
        found = stacks.follow(found.stack_id, stacks.newest_event(found.stack_id))
    mark = stacks.newest_event(found.stack_id)
    stacks.delete(found)
    stacks.follow(found.stack_id, mark)
    if not project or not function:
        return
    own = names(function, account, clients.region)
    if logs:
        LogStores(clients).delete(project, own.logstores, whole_project=project == own.project)
        say(f"the logs are gone: {', '.join(own.logstores)} in {project}")
    else:
        say(f"the logs stay: {', '.join(own.logstores)} in {project}; the next deployment takes them up")
