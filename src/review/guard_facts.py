"""What each guard read, as text: one row for each of ``policy.GUARDS``. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime

from ecs_reboot.facts.sources import read_by
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.model import Instance
from ecs_reboot.policy import finding_guards
from ecs_reboot.policy.blast_radius import RegionState
from ecs_reboot.policy.facts import Facts, attempts, history_of
from ecs_reboot.policy.hung import IN_BETWEEN, finishes, hung_after
from ecs_reboot.policy.seconds_by_tag import GRACE
from ecs_reboot.policy.signs_of_life import asks_for_signs, signs_of_life
from ecs_reboot.policy.trigger_kinds import FINISH, trigger_kind
from ecs_reboot.policy.windows import zone
from review.text import ago, counted, utc

NOT_READ = "the region's ledger was not read for this decision"
#: A trigger's kind as a noun (`WINDOW_TRIGGERS`).
_NOUNS = {
    "alarm": "an alarm",
    "event": "a system event",
    "timer": "a timer",
    "manual": "a manual request",
    FINISH: "what finishes a hung reboot",
}


def _paused(facts: Facts, _: Instance) -> str:
    pause = facts.policy.paused
    if pause is None:
        return "PAUSED is empty"
    return f"PAUSED: {pause.sentence()}" + ("" if pause.in_force(facts.now) else ", which has passed")


def _not_found(facts: Facts, _: Instance) -> str:
    if facts.instance is None:
        return f"DescribeInstances in {facts.target.region_id} did not show it"
    return f"DescribeInstances showed it at {facts.instance.read_at:%H:%M:%SZ}"


def _locked(_: Facts, instance: Instance) -> str:
    return f"OperationLocks: {', '.join(instance.operation_locks) or 'none'}"


def _not_running(facts: Facts, instance: Instance) -> str:
    if instance.status not in IN_BETWEEN:
        return f"Status: {instance.status or 'none given'}"
    after = int(hung_after(instance, facts.policy).total_seconds())
    hangs = f"; {finishes(facts, instance)}" if finishes(facts, instance) else ""
    policy = f"FORCE_REBOOT {facts.policy.force_reboot}, HUNG_AFTER_SECONDS {after}"
    return f"Status: {instance.status}, {_ledger_unavailable(facts, instance)}, {policy}{hangs}"


def _unavailable(_: Facts, instance: Instance) -> str:
    return f"ExpiredTime {utc(instance.expired_time)}, AutoReleaseTime {utc(instance.auto_release_time)}"


def _not_opted_in(facts: Facts, instance: Instance) -> str:
    wanted = facts.policy.opt_in_tag
    key = wanted[0] if wanted else "ecs-reboot"
    found = dict(instance.tags).get(key)
    has = f"no tag {key}" if found is None else f"tag {key}={found}"
    return f"{has}, OPT_IN_TAG {'='.join(wanted) if wanted else 'is empty'}"


def _outside_window(facts: Facts, _: Instance) -> str:
    policy = facts.policy
    noun = _NOUNS[trigger_kind(facts.request.trigger)]
    if trigger_kind(facts.request.trigger) not in policy.window_triggers:
        return f"{noun} is not bound by windows (WINDOW_TRIGGERS {','.join(policy.window_triggers) or 'is empty'})"
    windows = "; ".join(map(str, policy.maintenance_windows)) or "is empty"
    freezes = "; ".join(map(str, policy.freezes)) or "is empty"
    local = facts.now.astimezone(zone(policy.time_zone))
    return (
        f"{noun} is bound by windows; it is {local:%a %Y-%m-%d %H:%M} {policy.time_zone}, "
        f"MAINTENANCE_WINDOWS {windows}, FREEZES {freezes}"
    )


def _recently_started(facts: Facts, instance: Instance) -> str:
    grace = GRACE.of(instance, facts.policy.grace_seconds)
    return f"StartTime {ago(instance.start_time, facts.now)}, GRACE_SECONDS {grace}"


def _force_not_allowed(facts: Facts, _: Instance) -> str:
    asked = {None: "nothing said", True: "yes", False: "no"}[facts.request.force]
    return f"force asked for: {asked}, FORCE_REBOOT {facts.policy.force_reboot}"


def _tags_full(facts: Facts, instance: Instance) -> str:
    if facts.policy.ledger != "tags":
        return f"LEDGER {facts.policy.ledger}: no tag is written"
    room = ", one of them the ledger" if ledger.KEY in dict(instance.tags) else ""
    return f"{counted(len(instance.tags), 'tag')} of at most {ledger.MOST_TAGS}{room}"


def _ledger_unavailable(facts: Facts, instance: Instance) -> str:
    history = history_of(facts, instance)
    if history.unreadable:
        return history.unreadable
    if history.entry is None:
        return "no ledger entry"
    own = " (this request's own claim)" if facts.claim == history.entry.claim else ""
    return f"ledger entry: {history.entry}{own}"


def _cooldown(facts: Facts, instance: Instance) -> str:
    times = attempts(facts, instance)
    last = f"last attempt {ago(times[-1], facts.now)}" if times else "no earlier attempt"
    hidden = _hidden(facts, instance)
    perhaps = f", perhaps one hidden at {ago(hidden, facts.now)}" if hidden else ""
    return f"{last}{perhaps}, COOLDOWN_SECONDS {facts.policy.cooldown_seconds}"


def _hidden(facts: Facts, instance: Instance) -> datetime | None:
    entry = history_of(facts, instance).entry
    return ledger.hidden_attempt(entry, instance.start_time, ours=facts.claim)


def _attempts_exhausted(facts: Facts, instance: Instance) -> str:
    times = attempts(facts, instance)
    listed = f" ({', '.join(utc(time) for time in times)})" if times else ""
    policy = facts.policy
    return (
        f"{counted(len(times), 'earlier attempt')}{listed}, MAX_ATTEMPTS {policy.max_attempts} "
        f"within ATTEMPT_WINDOW_SECONDS {policy.attempt_window_seconds}"
    )


def _suspended(facts: Facts, _: Instance) -> str:
    if facts.region_state is None:
        return NOT_READ
    down = facts.region_state.down_in_a_row
    return f"reboots in a row that left their instance down: {down}, SUSPEND_AFTER {facts.policy.suspend_after}"


def _storm(facts: Facts, _: Instance) -> str:
    around = facts.region_state
    if around is None:
        return NOT_READ
    seen = f"a storm was seen at {utc(around.storm_at)}" if around.storm_at else "no storm seen"
    return (
        f"{seen}, {counted(around.asked_for, 'other')} asked for within {facts.policy.max_reboots_window_seconds} s, "
        f"limit {_limit(around)} times STORM_FACTOR {facts.policy.storm_factor}"
    )


def _blast_radius(facts: Facts, _: Instance) -> str:
    around, policy = facts.region_state, facts.policy
    if around is None:
        return NOT_READ
    set_to = f"{policy.max_reboots.number}{'%' if policy.max_reboots.share else ''}" if policy.max_reboots else "off"
    busy = f"{around.group_member} is not back yet" if around.group_member else "none of it under way"
    group = f", GROUP_TAG {policy.group_tag}: {busy}" if policy.group_tag else ""
    return (
        f"{counted(around.rebooted, 'other')} rebooted within {policy.max_reboots_window_seconds} s, "
        f"limit {_limit(around)} (MAX_REBOOTS {set_to}){group}"
    )


def _kubernetes_node(facts: Facts, instance: Instance) -> str:
    found = [f"{key}={value}" for key, value in instance.tags if key in finding_guards.KUBERNETES_TAGS]
    return f"{', '.join(found) or 'no tag of a Kubernetes node'}, MANAGED {facts.policy.managed}"


def _managed(facts: Facts, instance: Instance) -> str:
    said = _not_asked(facts, "managed") or _member(facts)
    tag = dict(instance.tags).get(finding_guards.SCALING_TAG)
    return f"{said}{f', tag {finding_guards.SCALING_TAG}={tag}' if tag else ''}, MANAGED {facts.policy.managed}"


def _member(facts: Facts) -> str:
    member = facts.findings.scaling if facts.findings else None
    if member is None:
        return "in no Auto Scaling group"
    checks = ", ".join(member.health_checks) or "unknown"
    return f"{member.lifecycle_state} in Auto Scaling group {member.group_id}, health checks: {checks}"


def _platform_event(facts: Facts, _: Instance) -> str:
    said = _not_asked(facts, "platform_event")
    if not said and facts.findings:
        events = [
            f"{event.type} {event.cycle}{f', due {utc(event.not_before)}' if event.not_before else ''}"
            for event in facts.findings.system_events
        ]
        said = f"open system events: {'; '.join(events) or 'none'}"
    return f"{said}, PLATFORM_EVENTS {facts.policy.platform_events}"


def _responsive(facts: Facts, instance: Instance) -> str:
    policy = facts.policy
    bound = f"RESPONSIVE {policy.responsive}, RESPONSIVE_TRIGGERS {','.join(policy.responsive_triggers) or 'is empty'}"
    if not asks_for_signs(facts.request, policy):
        return f"{_NOUNS[trigger_kind(facts.request.trigger)]} that it does not bind, {bound}"
    opinion = {"for": "for a reboot", "against": "against it", "nothing": "no opinion", "unread": "unknown"}
    signs = [f"{sign.sentence} ({opinion[sign.says]})" for sign in signs_of_life(facts, instance)]
    return f"{_not_asked(facts, 'responsive') or '; '.join(signs)}, {bound}"


def _busy(facts: Facts, _: Instance) -> str:
    said = _not_asked(facts, "busy")
    if not said and facts.findings:
        running = facts.findings.agent.running_commands if facts.findings.agent else 0
        making = counted(len(facts.findings.snapshots), "snapshot")
        said = f"{making} in progress, {counted(running, 'command')} running"
    return f"{said}, BUSY_SECONDS {facts.policy.busy_seconds}"


def _not_asked(facts: Facts, guard: str) -> str:
    """Say that a guard's facts were not asked for, or could not be read; '' where they were read."""
    sources = {source.name for source in read_by(guard)}
    if facts.findings is None:
        return "not asked, since a cheaper guard decides first"
    unread = [note.error for note in facts.findings.unread if note.source in sources]
    if unread:
        return f"could not be read: {'; '.join(unread)}"
    return "" if sources & set(facts.findings.asked) else "not asked"


def _limit(around: RegionState) -> str:
    return "none" if around.limit is None else str(around.limit)


#: Guard code -> what it read.
FACTS: Mapping[str, Callable[[Facts, Instance], str]] = {
    "paused": _paused,
    "not_found": _not_found,
    "locked": _locked,
    "not_running": _not_running,
    "unavailable": _unavailable,
    "not_opted_in": _not_opted_in,
    "outside_window": _outside_window,
    "recently_started": _recently_started,
    "force_not_allowed": _force_not_allowed,
    "kubernetes_node": _kubernetes_node,
    "tags_full": _tags_full,
    "ledger_unavailable": _ledger_unavailable,
    "cooldown": _cooldown,
    "attempts_exhausted": _attempts_exhausted,
    "suspended": _suspended,
    "storm": _storm,
    "blast_radius": _blast_radius,
    "managed": _managed,
    "platform_repairing": _platform_event,
    "platform_event": _platform_event,
    "responsive": _responsive,
    "busy": _busy,
}
