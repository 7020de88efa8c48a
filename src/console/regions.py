"""Where each region stands by its ledger: the blast radius in use, a storm, a suspension. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from console.memory import Memory
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.memory import RegionMemory
from ecs_reboot.policy.facts import Policy
from localcloud.account.audit import utc_text
from localcloud.account.instances import EcsInstance

_NOTHING = RegionMemory()


def regions(fleet: Iterable[EcsInstance], memory: Memory, policy: Policy) -> list[dict[str, Any]]:
    """Return one row for each region with an instance, in the order of the fleet."""
    members: dict[str, list[EcsInstance]] = {}
    for instance in fleet:
        if instance.spec.visible:
            members.setdefault(instance.spec.region_id, []).append(instance)
    return [
        _region(region_id, instances, memory.regions.get(region_id, _NOTHING), policy)
        for region_id, instances in members.items()
    ]


def ledger_rows(memory: Memory, policy: Policy, now: datetime) -> list[dict[str, Any]]:
    """Return one row for each instance with an entry, the latest first."""
    rows = []
    for instance_id, (region_id, text, entry) in memory.instances.items():
        times = ledger.attempts(entry, now)
        until = times[-1] + timedelta(seconds=policy.cooldown_seconds) if times else None
        rows.append(
            {
                "instance_id": instance_id,
                "region": region_id,
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


def _region(region_id: str, instances: list[EcsInstance], region: RegionMemory, policy: Policy) -> dict[str, Any]:
    window = timedelta(seconds=policy.max_reboots_window_seconds)
    limit = policy.max_reboots.of(_opted_in(instances, policy)) if policy.max_reboots else None
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


def _opted_in(instances: Iterable[EcsInstance], policy: Policy) -> int:
    tag = policy.opt_in_tag
    return sum(tag is None or instance.state.tags.get(tag[0]) == tag[1] for instance in instances)
