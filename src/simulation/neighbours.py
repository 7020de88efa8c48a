"""Instances that must not be down together: those of one group, and those that one rolling reboot goes through."""

from collections.abc import Iterator

from simulation.machine import Machine
from simulation.violation import Violation

#: How long a claim of which nobody knows the end holds back its group (ledger.memory.UNKNOWN), less its own time.
UNKNOWN_SECONDS = 3600 - 10


class Neighbours:
    """Knows all instances, and which of them a person has looked at. Each check raises Violation."""

    def __init__(
        self, machines: dict[str, Machine], group_tag: str, hung_after_seconds: float, *, sweeps: bool
    ) -> None:
        self._machines, self._group_tag, self._hung_after = machines, group_tag, hung_after_seconds
        self._sweeps = sweeps
        #: When a person last took an instance over.
        self.looked_at: dict[str, float] = {}
        #: By region, when a sweep last came to its end.
        self.swept: dict[str, float] = {}

    def group(self, machine: Machine, who: str, now: float) -> None:
        """Check that no other of its group that the function rebooted is still to come back."""
        group = machine.tags_at(now).get(self._group_tag) if self._group_tag else None
        for other in self._rebooted(machine):
            of_group = group is not None and other.tags_at(now).get(self._group_tag) == group
            if of_group and _is_out(other, now) and not self._unseen(other, now):
                raise Violation("never two of one group at once", f"{who}, and {other.instance_id} is not back")

    def _unseen(self, machine: Machine, now: float) -> bool:
        """Return whether no sweep got through for an hour after a claim: then it holds back nobody (assumption 5)."""
        at, swept = machine.reboots[-1], self.swept.get(machine.region_id, -1.0)
        return self._sweeps and swept < at + self._hung_after + 60 and at <= now - UNKNOWN_SECONDS

    def campaign(self, machine: Machine, who: str, now: float, reach: float) -> None:
        """Check that a rolling reboot starts nothing while one that it saw (before ``reach``) hangs, or stayed down."""
        for other in self._rebooted(machine):
            selected = all(other.tags_at(at).get("ecs-reboot") == "enabled" for at in (reach, now))
            if selected and other.reboots[-1] < reach and _is_out(other, now):
                raise Violation("no next of a campaign while one is not back", f"{who}, and {other.instance_id} is not")

    def _rebooted(self, machine: Machine) -> Iterator[Machine]:
        """Yield the others of its region that the function rebooted and no person has taken over since."""
        for other in self._machines.values():
            near = other is not machine and other.region_id == machine.region_id
            if near and other.reboots and self.looked_at.get(other.instance_id, -1.0) < other.reboots[-1]:
                yield other


def _is_out(machine: Machine, now: float) -> bool:
    return machine.at(now).status != "Running" and not machine.was_up(machine.reboots[-1], now)
