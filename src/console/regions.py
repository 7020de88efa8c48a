"""Where each region stands by its ledger: the blast radius in use, a storm, a suspension. Pure.

It counts as the function does, from the tags on the instances, which hold the ledger under LEDGER=tags.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger import memory
from ecs_reboot.policy.facts import Policy
from localcloud.account.audit import utc_text
from localcloud.account.instances import Instance


def regions(fleet: Iterable[Instance], policy: Policy, now: datetime) -> list[dict[str, Any]]:
    """Return one row for each region with an instance, in the order of the fleet."""
    members: dict[str, list[Instance]] = {}
    for instance in fleet:
        if instance.spec.visible:
            members.setdefault(instance.spec.region_id, []).append(instance)
    return [_region(region_id, instances, policy, now) for region_id, instances in members.items()]


def ledger_rows(fleet: Iterable[Instance], policy: Policy, now: datetime) -> list[dict[str, Any]]:
    """Return one row for each instance with an entry, the latest first."""
    rows = []
    for instance in fleet:
        text = instance.state.tags.get(_key(policy))
        if text is None:
            continue
        entry = _parsed(text, now)
        times = ledger.attempts(entry, now)
        until = times[-1] + timedelta(seconds=policy.cooldown_seconds) if times else None
        rows.append(
            {
                "instance_id": instance.spec.instance_id,
                "region": instance.spec.region_id,
                "entry": text,
                "state": entry.state if entry else "unreadable",
                "at": utc_text(entry.at) if entry else "",
                "force": bool(entry and entry.force),
                "attempts": [utc_text(time) for time in times],
                "cooldown_until": utc_text(until) if until and until > now else "",
                "exhausted": ledger.exhausted(
                    times, policy.max_attempts, timedelta(seconds=policy.attempt_window_seconds)
                ),
            }
        )
    return sorted(rows, key=lambda row: row["at"], reverse=True)


def _region(region_id: str, instances: list[Instance], policy: Policy, now: datetime) -> dict[str, Any]:
    texts = {one.spec.instance_id: one.state.tags.get(_key(policy), "") for one in instances}
    entries = {instance_id: entry for instance_id, text in texts.items() if (entry := _parsed(text, now))}
    window = timedelta(seconds=policy.max_reboots_window_seconds)
    limit = policy.max_reboots.of(_opted_in(instances, policy)) if policy.max_reboots else None
    region = memory.of_entries(entries, window, now)
    storming = region.storm_at is not None and bool(policy.storm_factor) and limit is not None
    return {
        "region": region_id,
        "limit": limit,
        "rebooted": len(region.rebooted),
        "window_seconds": policy.max_reboots_window_seconds,
        "storm_until": utc_text(region.storm_at + window) if storming and region.storm_at else "",
        "down_in_a_row": region.down_in_a_row,
        "suspended": bool(policy.suspend_after) and region.down_in_a_row >= policy.suspend_after,
    }


def _key(policy: Policy) -> str:
    return (ledger.OBSERVED if policy.mode == "observe" else ledger.ACTING).key


def _parsed(text: str, now: datetime) -> ledger.Entry | None:
    try:
        return ledger.parse(text, now) if text else None
    except ledger.Unreadable:
        return None


def _opted_in(instances: Iterable[Instance], policy: Policy) -> int:
    tag = policy.opt_in_tag
    return sum(tag is None or one.state.tags.get(tag[0]) == tag[1] for one in instances)
