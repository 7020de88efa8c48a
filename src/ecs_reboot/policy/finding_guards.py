"""The guards that read what costs calls of its own. They pass where nothing was asked yet.

A guard whose fact can't be read refuses: a fact that is missing never leads to a reboot that it would have prevented.
"""

from datetime import datetime, timedelta

from ecs_reboot.model import Instance
from ecs_reboot.policy.facts import Facts
from ecs_reboot.policy.findings import Findings, ScalingMember
from ecs_reboot.policy.platform_events import cure
from ecs_reboot.policy.signs_of_life import asks_for_signs, signs_of_life
from ecs_reboot.policy.trigger_kinds import trigger_kind

#: The system tag of an instance that Auto Scaling made.
SCALING_TAG = "acs:autoscaling:scalingGroupId"
#: Tags of Kubernetes nodes: of the cluster, its node pool and its autoscaler.
KUBERNETES_TAGS = (
    "ack.aliyun.com",
    "ack.alibabacloud.com/nodepool-id",
    "k8s.io/cluster-autoscaler",
    "k8s.aliyun.com",
)
#: In these states Auto Scaling leaves the instance alone while it is not Running.
LEFT_ALONE = ("Protected", "Standby")


class ForNow(str):
    """An objection that trying the same event again later can remove."""

    __slots__ = ()


def kubernetes_node(facts: Facts, instance: Instance) -> str:
    """Object to a node of a Kubernetes cluster: it has a repairer of its own, which also drains."""
    if facts.policy.managed == "allow":
        return ""
    found = next((f"{key}={value}" for key, value in instance.tags if key in KUBERNETES_TAGS), "")
    if not found:
        return ""
    return (
        f"tag {found} says that it is a node of a Kubernetes cluster, which drains and repairs its nodes itself; "
        "drain it first, then ask by hand with override kubernetes_node"
    )


def managed(facts: Facts, instance: Instance) -> str:
    """Object to a member of an Auto Scaling group that would release it for being down."""
    findings = facts.findings
    if facts.policy.managed == "allow" or findings is None:
        return ""
    if said := _unread(findings, "whether an Auto Scaling group owns it", "scaling"):
        return said
    member, tag = findings.scaling, dict(instance.tags).get(SCALING_TAG)
    if member is None:
        if tag is None or "scaling" not in findings.asked:
            return ""
        return (
            f"tag {SCALING_TAG}={tag} says that an Auto Scaling group owns it, and Auto Scaling shows no such member: "
            "it is on its way in or out, or this function's role may not see it"
        )
    if _is_left_alone(member) or to_protect(facts):
        return ""
    releases = member.creation_type == "AutoCreated" or member.entrusted
    then = "release it with its disks" if releases else "take it out of the group"
    checks = ", ".join(member.health_checks) or "in a way that could not be seen"
    return (
        f"it is {member.lifecycle_state or 'in an unknown state'} in the Auto Scaling group {member.group_id}, which "
        f"checks health ({checks}): while it is down the group may {then}. Set it to Protected or Standby first"
    )


def to_protect(facts: Facts) -> str:
    """Return the Auto Scaling group in which the instance is to be protected while it restarts, '' for none."""
    member = facts.findings.scaling if facts.findings else None
    if facts.policy.managed != "protect" or member is None or _is_left_alone(member):
        return ""
    return member.group_id if member.lifecycle_state == "InService" else ""


def _is_left_alone(member: ScalingMember) -> bool:
    """Return whether the group does nothing to the member while it is not Running."""
    return member.lifecycle_state in LEFT_ALONE or "HealthCheck" in member.suspended or _unchecked(member.health_checks)


def platform_repairing(facts: Facts, _: Instance) -> str:
    """Object while the platform itself works on the instance."""
    findings = facts.findings
    if facts.policy.platform_events == "ignore" or findings is None:
        return ""
    if said := _unread(findings, "the platform's events", "system_events"):
        return said
    event = next((event for event in findings.system_events if event.cycle == "Executing"), None)
    if event is None:
        return ""
    return ForNow(
        f"the platform is carrying out {event.type} (event {event.event_id}): meanwhile it can't be restarted by hand"
    )


def platform_event(facts: Facts, _: Instance) -> str:
    """Object where the platform has announced what a reboot does not fix."""
    findings = facts.findings
    if facts.policy.platform_events == "ignore" or findings is None:
        return ""
    for event in findings.system_events:
        fixes = cure(event.type)
        if fixes and event.cycle != "Executing":
            due = f", due {event.not_before:%Y-%m-%dT%H:%M:%SZ}" if event.not_before else ""
            return (
                f"{event.type} is {event.cycle} for it (event {event.event_id}{due}), "
                f"which a reboot does not fix: {fixes}"
            )
    return ""


def responsive(facts: Facts, instance: Instance) -> str:
    """Object to an alarm that is over, on a guest that still speaks."""
    if facts.findings is None or not asks_for_signs(facts.request, facts.policy):
        return ""
    found = list(signs_of_life(facts, instance))
    against = [sign.sentence for sign in found if sign.says == "against"]
    unread = [sign.sentence for sign in found if sign.says == "unread"]
    if facts.policy.responsive == "any" and any(sign.says == "for" for sign in found):
        return ""
    if facts.policy.responsive == "all" and against:
        return _no_need(against)
    if unread:
        return ForNow("; ".join(unread))
    return _no_need(against) if against else ""


def busy(facts: Facts, _: Instance) -> str:
    """Object while a snapshot is being made or commands run, for an alarm only for a bounded time."""
    findings, kind = facts.findings, trigger_kind(facts.request.trigger)
    if findings is None or not facts.policy.busy_seconds or kind == "manual":
        return ""
    if said := _unread(findings, "whether work runs on it", "agent", "snapshots"):
        return said
    work = list(_work(findings))
    patience = timedelta(seconds=facts.policy.busy_seconds)
    since = [facts.request.event_time, *(began for _, began in work)]
    if not work or (kind != "timer" and any(began and facts.now - began >= patience for began in since)):
        return ""
    sentence = "; ".join(said for said, _ in work)
    if kind == "timer":
        return f"{sentence}; the next tick may find it free"
    return ForNow(f"{sentence}; it is waited for at most {facts.policy.busy_seconds} s (BUSY_SECONDS)")


def _work(findings: Findings) -> list[tuple[str, datetime | None]]:
    """List what is going on and since when."""
    snapshots: list[tuple[str, datetime | None]] = [
        (f"snapshot {snapshot.snapshot_id} is being made ({snapshot.progress or 'progress unknown'})", snapshot.began)
        for snapshot in findings.snapshots
    ]
    agent = findings.agent
    if agent and agent.running_commands:
        snapshots.append((f"Cloud Assistant runs {agent.running_commands} command(s) on it", agent.last_invoked))
    return snapshots


def _no_need(sentences: list[str]) -> str:
    return f"the alarm needs no reboot now: {'; '.join(sentences)}"


def _unchecked(health_checks: tuple[str, ...]) -> bool:
    return bool(health_checks) and set(health_checks) == {"NONE"}


def _unread(findings: Findings, what: str, *sources: str) -> str:
    """Say that a fact can't be read; '' where it could."""
    for note in findings.unread:
        if note.source in sources:
            sentence = f"{what} can't be read: {note.error}"
            return ForNow(sentence) if note.retriable else sentence
    return ""
