"""What the checks share: clients, the throwaway instance, the stack once it stands, and how long to wait."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from acceptance.outside import LiveAccount, LocalCloud, Outside
from stack.clients import Clients
from stack.logstores import LogStores
from stack.stacks import FoundStack

#: The value of the opt-in tag in a run: nothing else in the account carries it.
OPT_IN_VALUE = "acceptance"


@dataclass(frozen=True)
class Patience:
    """How long to wait for what should come, and how often to look. Seconds.

    ``event``: from a trigger to its record. ``alarm``: the same for a threshold rule. ``reboot``: until an instance is
    Running again. ``next_minute``: whether to wait for the minute after a throttled call.
    """

    event: float = 180.0
    alarm: float = 900.0
    reboot: float = 1800.0
    look: float = 2.0
    next_minute: bool = True


#: A local cloud does at once what an account takes minutes for.
LOCAL = Patience(event=60.0, alarm=60.0, reboot=60.0, look=0.05, next_minute=False)


class Before(NamedTuple):
    """When a check began (Unix seconds), and the records that were there."""

    since: float
    record_ids: frozenset[str]


@dataclass
class Stage:
    """One run. ``say`` gets a line for each step; ``stack`` and ``role`` are there where a check needs them.

    ``update`` has the tools give parameters to the stack, ``change`` gives them to ROS without the tools' own checks.
    """

    clients: Clients
    account: str
    instance: str
    name: str
    patience: Patience
    say: Callable[[str], None]
    contact_group: str = ""
    token: str = ""
    stack: FoundStack | None = None
    role: Clients | None = None
    update: Callable[[Mapping[str, str]], None] = field(default=lambda _given: None)
    change: Callable[[Mapping[str, str]], None] = field(default=lambda _given: None)

    @property
    def region(self) -> str:
        """The region of the run."""
        return self.clients.region

    @property
    def outside(self) -> Outside:
        """How to have triggers go off."""
        endpoint = self.clients.endpoint
        return LocalCloud(endpoint, self.account, self.region) if endpoint else LiveAccount()

    @property
    def deployed(self) -> FoundStack:
        """The stack under test. Raises LookupError where it was not made."""
        if self.stack is None:
            raise LookupError(f"the stack {self.name} is not there")
        return self.stack

    def ecs(self, action: str, parameters: Mapping[str, str], *, clients: Clients | None = None) -> Mapping[str, Any]:
        """Make one call of ECS and return its answer as it came, types and all. Raises TeaException."""
        return (clients or self.clients).rpc("ecs", action, {"RegionId": self.region, **parameters})

    def described(self) -> Mapping[str, Any]:
        """Return the instance as DescribeInstances has it now. Raises LookupError where it is not there."""
        answer = self.ecs("DescribeInstances", {"InstanceIds": f'["{self.instance}"]'})
        found = answer["Instances"]["Instance"]
        if not found:
            raise LookupError(f"there is no instance {self.instance} in {self.region}")
        return dict(found[0])

    def before(self) -> Before:
        """Return what is there before a trigger goes off: its record is another one."""
        since = time.time()
        return Before(since, frozenset(str(record["record_id"]) for record in self._records(since)))

    def await_record(self, before: Before, wanted: Callable[[Mapping[str, Any]], bool], seconds: float) -> Any:
        """Wait for a new record that is wanted; None where none comes."""
        until = time.monotonic() + seconds
        while True:
            last = time.monotonic() >= until
            new = (record for record in self._records(before.since) if record["record_id"] not in before.record_ids)
            found = next(filter(wanted, new), None)
            if found is not None or last:
                return found
            time.sleep(self.patience.look)

    def _records(self, since: float) -> Iterator[Mapping[str, Any]]:
        """Return the records since then, with a minute before it: clocks differ."""
        project = str(self.deployed.outputs["LogProject"])
        return LogStores(self.clients).read(project, f"{self.name}-records", int(since) - 60, int(time.time()) + 60)
