"""Others to whom an instance belongs, its Auto Scaling group and the platform: what is promised about them."""

from ecs_reboot.policy.facts import Policy
from simulation.machine import Machine
from simulation.violation import Violation

FOR_GOOD = "no protection stays behind for good"


class Owners:
    """Knows who owns what, and what the ledger owes. Each check raises Violation."""

    def __init__(self, machines: dict[str, Machine], policy: Policy) -> None:
        self._machines, self._policy = machines, policy
        #: By instance, the group in which the ledger says that the function protects it.
        self._duties: dict[str, str] = {}

    def powering(self, machine: Machine, who: str, now: float, *, began: float) -> None:
        """Check what is about to take an instance down, in a run that ``began`` then."""
        if machine.in_scaling_group and not machine.protected:
            raise Violation("no reboot that a scaling group answers with a release", who)
        if machine.under_repair(began) and machine.under_repair(now):
            raise Violation("no reboot while the platform repairs", who)

    def protecting(self, machine: Machine, who: str, now: float, *, protected: bool) -> None:
        """Check a change of a protection that is about to take effect."""
        if self._policy.managed != "protect" or self._policy.mode != "act":
            raise Violation("a protection is set only where the policy says so", who)
        if protected and not self._duties.get(machine.instance_id):
            raise Violation(FOR_GOOD, f"{who} protects {machine.instance_id}, and the ledger owes nothing")
        is_back = not machine.reboots or machine.was_up(machine.reboots[-1], now)
        if not protected and not is_back:
            raise Violation("what is down stays protected", f"{who} lifts that of {machine.instance_id}")
        machine.protected = protected

    def wrote(self, instance_id: str, protects: str, who: str) -> None:
        """Take note of what an entry that is about to be written owes."""
        machine = self._machines[instance_id]
        if machine.protected and not protects:
            raise Violation(FOR_GOOD, f"{who} forgets that {instance_id} is protected")
        self._duties[instance_id] = protects

    def over(self, now: float) -> None:
        """Check what is left once the sweeps have had their time."""
        for machine in self._machines.values():
            if machine.protected and machine.at(now).status == "Running":
                raise Violation(FOR_GOOD, f"{machine.instance_id} is Running and still protected at {now:.0f} s")
