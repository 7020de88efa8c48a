"""Remove: delete the stack. Logs and ledger stay unless their deletion is asked for, and so does the code's bucket."""

from collections.abc import Callable

from stack.clients import Clients
from stack.ledger import TABLE, LedgerTable
from stack.logstores import LogStores, names
from stack.stacks import Found, Stacks


def remove(
    clients: Clients,
    stacks: Stacks,
    found: Found,
    account: str,
    say: Callable[[str], None],
    *,
    logs: bool,
    forget: bool,
) -> None:
    """Delete a stack and follow it.

    With ``logs`` its logstores go too, and its log project if it made that itself; with ``forget`` the table that
    remembers, for all stacks of the region.
    """
    instance = str(found.outputs.get("LedgerInstance") or "")
    project = str(found.outputs.get("LogProject") or found.parameters.get("ExistingLogProject") or "")
    function = str(found.outputs.get("FunctionName") or found.parameters.get("FunctionName") or "")
    if found.busy:
        say(f"the stack {found.name} is {found.status}: following what is under way first")
        found = stacks.follow(found.stack_id, stacks.newest_event(found.stack_id))
    mark = stacks.newest_event(found.stack_id)
    stacks.delete(found)
    stacks.follow(found.stack_id, mark)
    if instance:
        _memory(clients, instance, say, delete=forget)
    if not project or not function:
        return
    own = names(function, account, clients.region)
    if logs:
        LogStores(clients).delete(project, own.logstores, whole_project=project == own.project)
        say(f"the logs are gone: {', '.join(own.logstores)} in {project}")
    else:
        say(f"the logs stay: {', '.join(own.logstores)} in {project}; the next deployment takes them up")


def _memory(clients: Clients, instance: str, say: Callable[[str], None], *, delete: bool) -> None:
    if not delete:
        say(f"the ledger stays: table {TABLE} in {instance}; the next deployment takes it up, other stacks use it")
        return
    LedgerTable(clients, instance).delete()
    say(f"the ledger is gone: table {TABLE} in {instance}; the empty instance costs nothing and stays")
