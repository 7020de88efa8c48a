"""The guards, in the order in which they are asked: each is one reason not to reboot.

A hard guard can't be overridden; a soft one can, by a request made by hand that names its code and gives a reason.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Literal

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.model import Instance
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.outcomes import Code
from ecs_reboot.policy import finding_guards
from ecs_reboot.policy.facts import Facts, attempts, history_of
from ecs_reboot.policy.hung import finishes
from ecs_reboot.policy.pause import Pause, parse_pause
from ecs_reboot.policy.seconds_by_tag import GRACE
from ecs_reboot.policy.trigger_kinds import trigger_kind
from ecs_reboot.policy.windows import closed


class Guard(NamedTuple):
    """One reason not to reboot: ``objection`` returns '' or the sentence that says why not.

    ``prevents`` is the accident that would happen without it; a fact that costs calls stands in ``facts.sources``.
    """

    code: Code
    kind: Literal["hard", "soft"]
    reads: str
    objection: Callable[[Facts, Instance], str]
    prevents: str


def _paused(facts: Facts, _: Instance) -> str:
    pause = facts.policy.paused
    return f"the function is paused: {pause.sentence()}" if pause and pause.in_force(facts.now) else ""


def _not_found(facts: Facts, _: Instance) -> str:
    if facts.instance is not None:
        return ""
    return (
        f"DescribeInstances in {facts.target.region_id} shows no such instance: it does not exist there, or this "
        "function's role may not see it (a missing permission looks the same)"
    )


def _locked(_: Facts, instance: Instance) -> str:
    if not instance.operation_locks:
        return ""
    locks = ", ".join(instance.operation_locks)
    return f"the instance has the operation lock {locks}; ECS prohibits the operation until the lock is lifted"


def _not_running(facts: Facts, instance: Instance) -> str:
    if instance.status == "Running" or finishes(facts, instance):
        return ""
    return f"the instance is {instance.status or 'in no known status'}; only a Running instance can be rebooted"


def _unavailable(facts: Facts, instance: Instance) -> str:
    if instance.expired_time and instance.expired_time <= facts.now:
        return f"the subscription expired at {instance.expired_time:%Y-%m-%dT%H:%MZ}; renew it first"
    if instance.auto_release_time and instance.auto_release_time <= facts.now:
        return f"the instance is being released (automatic release time {instance.auto_release_time:%Y-%m-%dT%H:%MZ})"
    return ""


def _not_opted_in(facts: Facts, instance: Instance) -> str:
    key, value = facts.policy.opt_in_tag or ("ecs-reboot", "")
    found = dict(instance.tags).get(key)
    if found is not None and found.split(";")[0].strip() == "paused":
        pause = _pause_of(found)
        if pause is None or pause.in_force(facts.now):
            return f"tag {key}={found} says that the owner paused reboots of this instance"
    if facts.policy.opt_in_tag is None or found == value:
        return ""
    has = f"has {key}={found}" if found is not None else f"has no tag {key}"
    return f"the owner did not opt in: the instance {has}; tag it {key}={value} to allow reboots"


def _outside_window(facts: Facts, _: Instance) -> str:
    if trigger_kind(facts.request.trigger) not in facts.policy.window_triggers:
        return ""
    policy = facts.policy
    return closed(policy.maintenance_windows, policy.freezes, policy.time_zone, facts.now)


def _recently_started(facts: Facts, instance: Instance) -> str:
    grace = GRACE.of(instance, facts.policy.grace_seconds)
    if not grace:
        return ""
    if instance.start_time is None:
        return f"ECS gives no start time, so nothing shows that it has been up for the {grace} s of grace"
    up = facts.now - instance.start_time
    if up >= timedelta(seconds=grace):
        return ""
    return (
        f"it started at {instance.start_time:%Y-%m-%dT%H:%MZ}, {max(0, int(up.total_seconds()))} s ago; "
        f"it gets {grace} s of grace to come up"
    )


def _tags_full(facts: Facts, instance: Instance) -> str:
    if facts.policy.ledger != "tags":
        return ""
    # What only observes leaves room for the tag of a function that acts.
    keys = {ledger.KEY} if facts.policy.mode == "act" else {ledger.KEY, ledger.OBSERVED_KEY}
    if len(dict(instance.tags).keys() | keys) <= ledger.MOST_TAGS:
        return ""
    return (
        f"the instance has {len(instance.tags)} tags, as many as ECS allows, so an attempt could not be remembered "
        f"in the tag {' and '.join(sorted(keys))}; remove one"
    )


def _ledger_unavailable(facts: Facts, instance: Instance) -> str:
    return history_of(facts, instance).unreadable


def _cooldown(facts: Facts, instance: Instance) -> str:
    entry = history_of(facts, instance).entry
    hidden = ledger.hidden_attempt(entry, instance.start_time, ours=facts.claim)
    times = (*attempts(facts, instance), *((hidden,) if hidden else ()))
    cooldown = timedelta(seconds=facts.policy.cooldown_seconds)
    if not times or facts.now - times[-1] >= cooldown or finishes(facts, instance):
        return ""
    unfinished = entry and entry.state in ledger.ABOUT_TO_ASK and not ledger.restarted(entry, instance.start_time)
    cut_off = "; it has not restarted since, so that run may have been cut off" if unfinished else ""
    return (
        f"our last attempt was at {times[-1]:%Y-%m-%dT%H:%M:%SZ}{cut_off}; "
        f"the cooldown ends at {times[-1] + cooldown:%Y-%m-%dT%H:%M:%SZ}"
    )


def _attempts_exhausted(facts: Facts, instance: Instance) -> str:
    times = attempts(facts, instance)
    most, window = facts.policy.max_attempts, timedelta(seconds=facts.policy.attempt_window_seconds)
    if not ledger.exhausted(times, most, window):
        return ""
    listed = ", ".join(f"{time:%Y-%m-%dT%H:%MZ}" for time in times[-most:])
    return (
        f"{most} attempts ({listed}) did not help; manual investigation required, then reset it "
        "(docs/operate/runbook.md). "
        f"Without an attempt for {ledger.FORGOTTEN.days} days the count starts again"
    )


def _suspended(facts: Facts, _: Instance) -> str:
    around, most = facts.region_state, facts.policy.suspend_after
    if around is None or not most or around.down_in_a_row < most:
        return ""
    return (
        f"the last {around.down_in_a_row} reboots in this region left their instances down; "
        "manual investigation required, then a resume (docs/operate/runbook.md)"
    )


def _storm(facts: Facts, _: Instance) -> str:
    around, factor = facts.region_state, facts.policy.storm_factor
    if around is None or not factor or around.limit is None:
        return ""
    if around.storm_at:
        return (
            f"a storm was seen at {around.storm_at:%Y-%m-%dT%H:%M:%SZ}: no new reboots in this region for this window"
        )
    if around.asked_for + 1 <= around.limit * factor:
        return ""
    return (
        f"storm: {around.asked_for + 1} instances of this region are asked for within "
        f"{facts.policy.max_reboots_window_seconds} s, over {factor} times the limit of {around.limit}; "
        "this looks like one fault elsewhere, so nothing more is rebooted for this window"
    )


def _blast_radius(facts: Facts, _: Instance) -> str:
    around = facts.region_state
    if around is None:
        return ""
    if around.group_member:
        since = f" at {around.group_since:%Y-%m-%dT%H:%MZ}" if around.group_since else ""
        return (
            f"{around.group_member} of the same {facts.policy.group_tag} was rebooted{since} and is not back yet; "
            f'{{"reset": ["{around.group_member}"], "reason": "..."}} releases the group (docs/operate/runbook.md)'
        )
    if around.limit is None or around.rebooted < around.limit:
        return ""
    return (
        f"{around.rebooted} of at most {around.limit} instances of this region were rebooted within "
        f"{facts.policy.max_reboots_window_seconds} s (MAX_REBOOTS)"
    )


def _force_not_allowed(facts: Facts, _: Instance) -> str:
    if facts.request.force and facts.policy.force_reboot == "never":
        return "the request asks for force and the policy is FORCE_REBOOT=never; set always or escalate to allow it"
    return ""


#: In the order they are asked. `not_found` stands before all that read the instance.
GUARDS: tuple[Guard, ...] = (
    Guard("paused", "soft", "PAUSED, time", _paused, "reboots in the middle of a person's work"),
    Guard("not_found", "hard", "DescribeInstances", _not_found, "a decision about nothing"),
    Guard("locked", "hard", "OperationLocks", _locked, "a call that ECS prohibits"),
    Guard(
        "not_running",
        "hard",
        "Status, ledger entry, FORCE_REBOOT, HUNG_AFTER_SECONDS, force asked for, time",
        _not_running,
        "a second reboot of one that is rebooting; only one that hangs may be finished by force",
    ),
    Guard("unavailable", "hard", "ExpiredTime, AutoReleaseTime", _unavailable, "an instance that does not come back"),
    Guard("not_opted_in", "soft", "Tags, OPT_IN_TAG", _not_opted_in, "a reboot that the owner never agreed to"),
    Guard(
        "outside_window",
        "soft",
        "MAINTENANCE_WINDOWS, FREEZES, TIME_ZONE, trigger, time",
        _outside_window,
        "planned reboots by day",
    ),
    Guard(
        "recently_started",
        "soft",
        "StartTime, GRACE_SECONDS, time",
        _recently_started,
        "a reboot of one that is still coming up",
    ),
    Guard("force_not_allowed", "hard", "FORCE_REBOOT, force asked for", _force_not_allowed, "lost writes"),
    Guard(
        "kubernetes_node",
        "soft",
        "system tags, MANAGED",
        finding_guards.kubernetes_node,
        "two repairers for one node: a reboot in the middle of a drain, or pods killed without one",
    ),
    Guard("tags_full", "hard", "Tags", _tags_full, "an attempt that nobody remembers"),
    Guard("ledger_unavailable", "hard", "ledger entry, time", _ledger_unavailable, "a decision without memory"),
    Guard("cooldown", "soft", "ledger entry, StartTime, COOLDOWN_SECONDS, time", _cooldown, "one fault, two reboots"),
    Guard(
        "attempts_exhausted",
        "soft",
        "ledger entry, MAX_ATTEMPTS, ATTEMPT_WINDOW_SECONDS",
        _attempts_exhausted,
        "reboots for ever that do not help",
    ),
    Guard("suspended", "soft", "region's ledger, SUSPEND_AFTER", _suspended, "one machine after the other left down"),
    Guard("storm", "soft", "region's ledger, STORM_FACTOR, MAX_REBOOTS", _storm, "a fault elsewhere reboots the fleet"),
    Guard(
        "blast_radius",
        "soft",
        "region's ledger, MAX_REBOOTS, MAX_REBOOTS_WINDOW_SECONDS, GROUP_TAG",
        _blast_radius,
        "too many, or all of one group, down at once",
    ),
    Guard(
        "managed",
        "hard",
        "Auto Scaling's members and groups, system tags, MANAGED",
        finding_guards.managed,
        "the scaling group finds the instance unhealthy while it restarts, and releases it with its disks",
    ),
    Guard(
        "platform_repairing",
        "hard",
        "open system events, PLATFORM_EVENTS",
        finding_guards.platform_repairing,
        "a restart into the platform's own repair",
    ),
    Guard(
        "platform_event",
        "soft",
        "open system events, PLATFORM_EVENTS",
        finding_guards.platform_event,
        "reboots against broken hardware, which fix nothing, while the deadline of the real cure passes",
    ),
    Guard(
        "responsive",
        "soft",
        "heartbeat, health state, the metric that fired, RESPONSIVE, RESPONSIVE_TRIGGERS, trigger, time",
        finding_guards.responsive,
        "a working machine is rebooted for an alarm that is over",
    ),
    Guard(
        "busy",
        "soft",
        "snapshots in progress, running commands, BUSY_SECONDS, trigger, time",
        finding_guards.busy,
        "a snapshot or somebody's command is cut off",
    ),
)

#: Codes that a request made by hand may override.
SOFT = tuple(guard.code for guard in GUARDS if guard.kind == "soft")


def _pause_of(tag_value: str) -> Pause | None:
    """Read the pause in `paused[; by=NAME][; until=TIME]`; None where its end can't be read: then it holds."""
    try:
        return parse_pause(tag_value)
    except ValueError:
        return None
