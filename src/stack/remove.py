"""Remove: delete the stack, or what an earlier one left. Logs, ledger and packages stay unless they are asked for."""

from collections.abc import Callable

from stack import code
from stack.clients import Clients
from stack.ledger import TABLE, LedgerTable
from stack.logstores import LogStores
from stack.retained import Retained, Users, of
from stack.stacks import FoundStack, Stacks

Say = Callable[[str], None]


class Removal:
    """Removes what belongs to one account and region. ``logs``, ``forget``: what outlives a stack goes too.

    What a stack that stands still uses is never taken away. The packages go where both are asked for.
    """

    def __init__(self, clients: Clients, stacks: Stacks, account: str, say: Say, *, logs: bool, forget: bool) -> None:
        self._clients, self._stacks, self._account, self._say = clients, stacks, account, say
        self._logs, self._forget = logs, forget
        self._used = self._found = False

    def stack(self, found: FoundStack) -> bool:
        """Delete a stack and follow it; return whether all that was asked for is gone. Raises StackFailed."""
        gone = of(found, self._account, self._clients.region)
        if found.busy:
            self._say(f"the stack {found.name} is {found.status}: following what is under way first")
            found = self._stacks.follow(found.stack_id, self._stacks.newest_event(found.stack_id))
            gone = of(found, self._account, self._clients.region)
        mark = self._stacks.newest_event(found.stack_id)
        self._stacks.delete(found)
        self._stacks.follow(found.stack_id, mark)
        all_gone = self.rest(gone)
        if not all_gone:
            self._say(f"the stack {found.name} itself is removed; not all that was asked for with it could be, as said")
        return all_gone

    def rest(self, gone: Retained) -> bool:
        """Take away what a stack left, as far as it is asked for; return whether all of that is gone."""
        asked = self._logs or self._forget
        users = Users(self._stacks.standing() if asked else (), self._account, self._clients.region)
        if gone.ledger:
            self._ledger(gone.ledger, users)
        self._logstores(gone, users)
        if gone.bucket:
            self._packages(gone.bucket, users)
        if asked and not self._found:
            self._say("nothing was left of what was to be removed")
        return not self._used

    def _ledger(self, instance: str, users: Users) -> None:
        named = f"table {TABLE} in {instance}"
        if not self._forget:
            self._say(f"the ledger stays: {named}; the next deployment takes it up, other stacks use it (FORGET=1)")
        elif not self._in_use(f"the ledger stays: {named}", users.of_ledger(instance)):
            table = LedgerTable(self._clients, instance)
            if table.look().found == "table":
                table.delete()
                self._tell(f"the ledger is gone: {named}; the empty instance costs nothing and stays")

    def _logstores(self, gone: Retained, users: Users) -> None:
        named = f"{', '.join(gone.own.logstores)} in {gone.project}"
        if not self._logs:
            self._say(f"the logs stay: {named}; the next deployment takes them up (LOGS=1)")
        elif not self._in_use(f"the logs stay: {named}", users.of_logs(gone), "them"):
            shared = users.of_project(gone.project)
            if LogStores(self._clients).delete(
                gone.project, gone.own.logstores, whole_project=gone.project_is_own and not shared
            ):
                self._tell(f"the logs are gone: {named}")
            if gone.project_is_own:
                self._in_use(f"the log project {gone.project} stays", shared)

    def _packages(self, bucket: str, users: Users) -> None:
        by_hand = f"to remove them by hand: ossutil rm -r oss://{bucket}/{code.PREFIX}/"
        if bucket != code.default_bucket(self._account, self._clients.region):
            self._say(f"the packages stay in your bucket {bucket}; {by_hand}")
        elif not (self._logs and self._forget):
            self._say(f"the packages stay in the bucket {bucket}, for all stacks of the region (LOGS=1 FORGET=1)")
        elif not self._in_use(f"the packages stay in the bucket {bucket}", users.of_bucket(bucket), "them"):
            why = code.discard(self._clients, bucket)
            if why is not None:
                self._tell(f"the bucket {bucket} stays: {why}; {by_hand}" if why else f"the bucket {bucket} is gone")
            self._used |= bool(why)

    def _tell(self, line: str) -> None:
        """Say what became of something that was there."""
        self._found = True
        self._say(line)

    def _in_use(self, stays: str, users: tuple[str, ...], it: str = "it") -> bool:
        """Say that something stays for the stacks that use it; return whether there are any."""
        if users:
            self._used = True
            user = f"the stack {users[0]} uses" if len(users) == 1 else f"the stacks {', '.join(users)} use"
            first = "that" if len(users) == 1 else "those"
            self._tell(f"{stays}: {user} {it}. Remove {first}, then the same command takes {it} away")
        return bool(users)
