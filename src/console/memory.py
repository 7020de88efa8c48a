"""What the ledger holds, in whichever of its two stores: of each instance, and of each region as the function counts.

The stores are read where they are, without a call and without a line in the audit. The pages go on from here alike.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger import instance_row, memory, window_row
from ecs_reboot.ledger.memory import RegionMemory
from ecs_reboot.policy.facts import Policy
from ecs_reboot.settings.settings import Settings
from localcloud.account.instances import EcsInstance
from localcloud.tablestore.errors import OtsError
from localcloud.tablestore.tables import Instances, Row, Table


class Written(NamedTuple):
    """What is written about one instance; ``entry`` is None where it can't be read."""

    region: str
    text: str
    entry: ledger.Entry | None


class Memory(NamedTuple):
    """By instance, and by region."""

    instances: Mapping[str, Written]
    regions: Mapping[str, RegionMemory]


class TableService(Protocol):
    """Tablestore of the same cloud; after a reset its instances are others."""

    instances: Instances


def read(fleet: Iterable[EcsInstance], tables: Instances, settings: Settings, now: datetime) -> Memory | None:
    """Return what the ledger of these settings holds; None where its table is not there. The caller holds the lock."""
    if settings.policy.ledger == "tags":
        return of_tags(fleet, settings.policy, now)
    instance = tables.get(settings.tablestore_instance)
    try:
        table = instance.table(settings.tablestore_table) if instance else None
    except OtsError:
        table = None
    return of_table(table, _regions(fleet), settings, now) if table else None


def of_tags(fleet: Iterable[EcsInstance], policy: Policy, now: datetime) -> Memory:
    """Read the tags on the instances."""
    key = _namespace(policy).key
    instances: dict[str, Written] = {}
    entries: dict[str, dict[str, ledger.Entry]] = {}
    for instance in fleet:
        region, text = instance.spec.region_id, instance.state.tags.get(key)
        if text is None:
            continue
        entry = _parsed(text, now)
        instances[instance.spec.instance_id] = Written(region, text, entry)
        if entry:
            entries.setdefault(region, {})[instance.spec.instance_id] = entry
    window = timedelta(seconds=policy.max_reboots_window_seconds)
    return Memory(instances, {region: memory.of_entries(own, window, now) for region, own in entries.items()})


def of_table(table: Table, regions: Iterable[str], settings: Settings, now: datetime) -> Memory:
    """Read the table: a row for each instance, and one for the window of each region and stack."""
    policy = settings.policy
    instances: dict[str, Written] = {}
    counted: dict[str, RegionMemory] = {}
    for region in regions:
        place = f"{_namespace(policy).before_region}{region}"
        for (_, name), row in table.range((place, "i#"), (place, "i$"), backward=False):
            instance_id = str(name)[2:]
            columns = _columns(row)
            text = ", ".join(f"{column}={value}" for column, value in columns.items())
            entry = instance_row.read(instance_id, columns, now).history.entry
            instances[instance_id] = Written(region, text, entry)
        try:
            window = window_row.read(_columns(table.get((place, f"w#{settings.stack_name}")) or {}))
            counted[region] = window.memory(policy.max_reboots_window_seconds, now, ours=frozenset())
        except ledger.Unreadable:
            continue  # the function refuses there, and says so in its records
    return Memory(instances, counted)


def _namespace(policy: Policy) -> ledger.Namespace:
    return ledger.OBSERVED if policy.mode == "observe" else ledger.ACTING


def _regions(fleet: Iterable[EcsInstance]) -> list[str]:
    return list(dict.fromkeys(instance.spec.region_id for instance in fleet))


def _columns(row: Row) -> dict[str, object]:
    return {name: cell.value for name, cell in row.items()}


def _parsed(text: str, now: datetime) -> ledger.Entry | None:
    try:
        return ledger.parse(text, now) if text else None
    except ledger.Unreadable:
        return None
