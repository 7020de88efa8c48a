"""For what an alarm may be refused for good: for reboots that were, and machines that are down, never for what is over.

The promises of liveness, judged by the truth (docs/understand/safety.md).
"""

from collections import defaultdict

from ecs_reboot.settings.settings import Settings
from simulation.assumptions import Assumptions
from simulation.machine import Machine
from simulation.run import Run
from simulation.scheduler import Scheduler
from simulation.violation import Violation


class Refusals:
    """Knows the truth, who was asked for and claimed, and what nobody knows. Each check raises Violation."""

    def __init__(
        self, machines: dict[str, Machine], settings: Settings, assumptions: Assumptions, scheduler: Scheduler
    ) -> None:
        self._machines, self._policy, self._scheduler = machines, settings.policy, scheduler
        self._window_by_stack = settings.policy.ledger == "tablestore"
        self._sweep = assumptions.sweep
        #: No call fails and no run crashes.
        self.calm = False
        #: From a claim to its reboot, plus the difference of two clocks.
        self.slack = 0.0
        #: By place, the instances that were claimed there, and when each was last asked for.
        self.claimed_in: dict[str, set[str]] = defaultdict(set)
        self.asked_in: dict[str, dict[str, float]] = defaultdict(dict)
        #: When a person rebooted an instance, or was told that nobody knows whether we did: it may count as an attempt.
        self.doubts: dict[str, list[float]] = {instance_id: [] for instance_id in machines}

    def final(self, run: Run, machine: Machine, place: str, code: str, who: str) -> None:
        """Check that an alarm that is not tried again was refused for reboots that were, not for what a dead run left.

        What is in doubt for good a person was told of; it counts.
        """
        now, policy = self._scheduler.now, self._policy
        since = now - policy.cooldown_seconds - self.slack - 60  # ECS gives the time of a start in whole minutes
        if code == "cooldown" and not self._restarted(machine, since):
            raise Violation("a claim that never asked ECS ends no alarm", who)
        tried = len(machine.reboots) + len(self.doubts[machine.instance_id])
        if code == "attempts_exhausted" and tried < policy.max_attempts and not run.overrides:
            raise Violation("only attempts that were made are counted", f"{who} after {machine.reboots}")
        if code == "blast_radius":
            self._limited(machine, place, who)
        if code == "suspended" and self.calm and self._sweep:
            self._suspended(machine, who)
        if code == "storm" and policy.max_reboots and "storm" not in run.overrides:
            reach = now - 2 * policy.max_reboots_window_seconds - self.slack - 60
            asked = [name for name, at in self.asked_in[place].items() if at > reach and name != machine.instance_id]
            # How many opted in is not known of that moment, but of a share it is at least one.
            limit = policy.max_reboots.of(0)
            if len(asked) < limit * policy.storm_factor:
                raise Violation("only those who ask too much are stopped by a storm", f"{who}: {asked} were asked for")

    def _limited(self, machine: Machine, place: str, who: str) -> None:
        """Check that others were rebooted, and in calm weather as many as the limit, or one of the group."""
        policy = self._policy
        reach = self._scheduler.now - max(policy.max_reboots_window_seconds, 3600) - self.slack - 60
        # A group is one for all stacks, a window is not.
        claimed = self.claimed_in[place] if self._window_by_stack and not policy.group_tag else self._machines
        others = [self._machines[instance_id] for instance_id in claimed if instance_id != machine.instance_id]
        near = [other for other in others if other.region_id == machine.region_id]
        busy = [other for other in near if self._restarted(other, reach) or _is_down(other, self._scheduler.now)]
        if not busy:
            raise Violation("a place that nobody used ends no alarm", who)
        full = policy.max_reboots is not None and len(busy) >= policy.max_reboots.of(0)
        if self.calm and self._sweep and not full and not any(self._of_one_group(machine, other) for other in busy):
            raise Violation("what is back holds nobody of its group", f"{who}; rebooted were {len(busy)}")

    def _suspended(self, machine: Machine, who: str) -> None:
        """Check that so many were down until the last sweeps: who came back after its verdict counts no more."""
        now = self._scheduler.now
        since = now - 2 * self._sweep - self.slack - 60
        near = [other for other in self._machines.values() if other.region_id == machine.region_id and other.reboots]
        down = [other.instance_id for other in near if other.was_down(since, now)]
        if len(down) < self._policy.suspend_after:
            raise Violation("what is back suspends no region", f"{who}; down were {down}")

    def _of_one_group(self, machine: Machine, other: Machine) -> bool:
        tag, now = self._policy.group_tag, self._scheduler.now
        return bool(tag) and machine.tags_at(now).get(tag) == other.tags_at(now).get(tag)

    def _restarted(self, machine: Machine, since: float) -> bool:
        """Return whether an instance was restarted since, by whomever, or may have been."""
        doubts = self.doubts[machine.instance_id]
        moments = [*machine.reboots, *doubts, *(spell.started for spell in machine.spells)]
        return any(at >= since for at in moments) or _is_down(machine, self._scheduler.now)


def _is_down(machine: Machine, now: float) -> bool:
    return machine.at(now).status != "Running"
