"""What a decision rests on: the operator's policy, and the facts about one instance.

``Facts`` holds everything a guard may read, and the record holds all of it, so that any decision can be explained and
replayed.
"""

from datetime import datetime, timedelta
from typing import Literal

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.entry import History
from ecs_reboot.model import Decision, Instance, RebootRequest, Target, Value
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.policy.blast_radius import Limit, RegionState
from ecs_reboot.policy.findings import Findings
from ecs_reboot.policy.pause import Pause
from ecs_reboot.policy.windows import Freeze, Window


class Policy(Value):
    """What the operator chose about when and how to reboot (docs/operate/settings.md); times in seconds."""

    force_reboot: Literal["never", "always", "escalate"]
    paused: Pause | None
    opt_in_tag: tuple[str, str] | None
    grace_seconds: int
    maintenance_windows: tuple[Window, ...]
    freezes: tuple[Freeze, ...]
    time_zone: str
    window_triggers: tuple[str, ...]
    cooldown_seconds: int
    max_attempts: int
    attempt_window_seconds: int
    max_reboots: Limit | None
    max_reboots_window_seconds: int
    group_tag: str
    storm_factor: int
    suspend_after: int
    ledger: Literal["tags", "tablestore"] = "tags"
    # What was recorded before these settings existed was decided without them.
    managed: Literal["refuse", "protect", "allow"] = "allow"
    platform_events: Literal["refuse", "ignore"] = "ignore"
    responsive: Literal["off", "any", "all"] = "off"
    responsive_triggers: tuple[str, ...] = ()
    busy_seconds: int = 0
    mode: Literal["act", "observe"] = "act"
    hung_after_seconds: int = 0


class Facts(Value):
    """All that a decision about one instance rests on.

    ``instance`` is None where DescribeInstances showed none; ``region_state`` is None where the region's ledger has
    not been read yet, ``findings`` where the facts that cost calls of their own were not asked for. ``claim`` is the
    request's own claim: not an earlier attempt. ``history`` is what the ledger says about the instance; None in records
    from before it stood there: then the instance's tag says it. A run is over ``claim_holds_seconds`` after it claimed,
    whatever became of it.
    """

    request: RebootRequest
    target: Target
    instance: Instance | None
    policy: Policy
    now: datetime
    region_state: RegionState | None = None
    findings: Findings | None = None
    claim: str = ""
    history: History | None = None
    claim_holds_seconds: int = 900


class ApprovedReboot(NamedTuple):
    """An instance that policy lets be rebooted, with the facts that this rests on."""

    facts: Facts
    decision: Decision

    @property
    def instance_id(self) -> str:
        """The instance's ID."""
        return self.facts.target.instance_id


def history_of(facts: Facts, instance: Instance) -> History:
    """Return what the ledger says about the instance."""
    return ledger.of(instance, facts.now) if facts.history is None else facts.history


def attempts(facts: Facts, instance: Instance) -> tuple[datetime, ...]:
    """Return the times of our earlier attempts, oldest first; none where the ledger can't be read."""
    entry = history_of(facts, instance).entry
    # An observing run asks nobody: its claim is an attempt as soon as it stands.
    acts = facts.policy.mode == "act"
    idle = acts and ledger.never_asked(entry, instance, facts.now, timedelta(seconds=facts.claim_holds_seconds))
    return ledger.attempts(entry, facts.now, ours=facts.claim, never_asked=idle)


def waits_for_a_run(facts: Facts) -> bool:
    """Return whether another run holds the instance and nobody knows whether ECS ever gets its request."""
    if facts.instance is None:
        return False
    entry = history_of(facts, facts.instance).entry
    return (
        entry is not None
        and entry.state in ledger.UNKNOWN_TO_ECS
        and not ledger.restarted(entry, facts.instance.start_time)
    )


def in_window(facts: Facts) -> int:
    """Return how many attempts fell into the escalation window that ends now."""
    if facts.instance is None:
        return 0
    window = timedelta(seconds=facts.policy.attempt_window_seconds)
    return sum(facts.now - time < window for time in attempts(facts, facts.instance))


def group_of(instance: Instance, policy: Policy) -> str:
    """Return the digest of the instance's group, '0' where there is none."""
    return ledger.group_digest(dict(instance.tags).get(policy.group_tag, "") if policy.group_tag else "")
