"""The settings that a recorded decision can be taken again under, and which of them its facts can't answer. Pure.

A record holds what the region's ledger came to, not the ledger: counts over another window, other groups and a
percentage of instances that nobody counted can't be found from it. There the recorded value stays, and that is said.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ecs_reboot.facts.sources import SOURCES
from ecs_reboot.policy.blast_radius import Limit
from ecs_reboot.policy.facts import Facts, Policy
from ecs_reboot.settings.variable_table import VARIABLES
from localcloud.account.declaration_errors import nearest
from terminal.key_values import UsageError


class Under(NamedTuple):
    """Facts under other settings; ``kept`` says, for each setting that stayed as recorded, why."""

    facts: Facts
    kept: tuple[str, ...]


def parsed(settings: Mapping[str, str]) -> dict[str, Any]:
    """Read settings into fields of a policy. Raises UsageError with all that is wrong."""
    readers = {variable.name: variable.parse for variable in VARIABLES if variable.name.lower() in Policy.model_fields}
    fields: dict[str, Any] = {}
    mistakes = []
    for name, text in settings.items():
        if name not in readers:
            mistakes.append(f"{name} is no setting that a decision reads{_which(name, readers)}")
            continue
        try:
            fields[name.lower()] = readers[name](text)
        except ValueError as error:
            mistakes.append(f"{name}={text!r}: {error}")
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return fields


def _which(name: str, readers: Iterable[str]) -> str:
    """Return which setting was meant: one of nearly this name, or one of all where the name is another setting's."""
    another = any(variable.name == name for variable in VARIABLES)
    near = "" if another else nearest(name, sorted(readers))
    return near or f"; those are {', '.join(sorted(readers))}"


def under(facts: Facts, fields: Mapping[str, Any]) -> Under:
    """Put other settings into recorded facts; what is not given stays as it was recorded."""
    policy, around = facts.policy, facts.region_state
    changed = {name: value for name, value in fields.items() if value != getattr(policy, name)}
    kept = []
    if "max_reboots_window_seconds" in changed:
        del changed["max_reboots_window_seconds"]
        kept.append("MAX_REBOOTS_WINDOW_SECONDS: the region's reboots were counted over the recorded window")
    if changed.get("group_tag"):
        del changed["group_tag"]
        kept.append("GROUP_TAG: the groups of the other instances are not in a record")
    if _is_share(changed.get("max_reboots")):
        del changed["max_reboots"]
        kept.append(
            "MAX_REBOOTS: a percentage needs the number of opted-in instances of that moment, which is in no record; "
            "the recorded limit stands"
        )
    if around is not None:
        if "group_tag" in changed:
            around = around.model_copy(update={"group_member": ""})
        if "max_reboots" in changed:
            limit = changed["max_reboots"]
            around = around.model_copy(update={"limit": limit.number if limit else None})
    update = {"policy": policy.model_copy(update=changed), "region_state": around}
    return Under(facts.model_copy(update=update), tuple(kept))


def unasked(facts: Facts) -> tuple[str, ...]:
    """Return the guards that are in force and find no word of what they read in these facts."""
    policy = facts.policy
    in_force = {
        "suspended": bool(policy.suspend_after),
        "storm": bool(policy.storm_factor and policy.max_reboots),
        "blast_radius": bool(policy.max_reboots or policy.group_tag),
    }
    of_the_region = [code for code, asks in in_force.items() if asks] if facts.region_state is None else []
    asked = facts.findings.asked if facts.findings else ()
    lacking = [source for source in SOURCES if source.wanted(facts) and source.name not in asked]
    return (*of_the_region, *dict.fromkeys(guard for source in lacking for guard in source.guards))


def _is_share(limit: object) -> bool:
    return isinstance(limit, Limit) and limit.share
