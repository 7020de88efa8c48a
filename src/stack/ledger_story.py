"""The ledger as a person reads it, whichever store keeps it: what counts in the region, then instance by instance."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from ecs_reboot.clock import Deadline, SystemClock
from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.ledger import entry as entries
from ecs_reboot.ledger import group_row, instance_row, window_row
from ecs_reboot.ledger import memory as memories
from ecs_reboot.ledger.entry import Entry, History, State, Unreadable
from ecs_reboot.ledger.memory import RegionMemory
from ecs_reboot.ledger.tags import TagRegister
from ecs_reboot.settings.settings import Settings
from stack import fleet
from stack.clients import Clients
from stack.ledger import LedgerTable, LedgerUnseen

_SECONDS = 300.0

#: What each state says of an instance.
MEANINGS: dict[State, str] = {
    "claimed": "a run was about to ask ECS, and may have died before it did",
    "finishing": "a run was about to end by force a reboot that hangs, and has not asked ECS yet",
    "accepted": "ECS said yes; the sweep tells what came of it",
    "in_doubt": "ECS was asked and its answer was lost; a retry or the sweep tells",
    "start_due": "stopped by force to finish a reboot that hung; it is still to be started, by the sweep",
    "back": "rebooted, and Running again",
    "down": "rebooted, and Stopped since: manual investigation required",
    "hung": "rebooted, and neither up nor Stopped since: manual investigation required",
    "unproven": "nothing ever showed that it went down",
    "seen": "was down after a reboot, and a person has seen it",
    "void": "claimed by a run that never asked ECS: no attempt",
    "refused": "asked of us and not done: no attempt",
    "storm": "asked of us and not done, and the first to see a storm",
    "reset": "a person has cleared the attempts",
}


class Known(NamedTuple):
    """What a ledger holds of one region at one moment. ``unreadable``: rows that are about no instance alone."""

    histories: Mapping[str, History]
    memory: RegionMemory
    unreadable: tuple[str, ...] = ()


def of_tags(clients: Clients, settings: Settings) -> Known:
    """Read the ledger from the instances' tags. Raises CloudError."""
    deadline = Deadline(SystemClock(), _SECONDS)
    ecs = fleet.ecs(clients, deadline)
    key = _namespace(settings).key
    texts = TagRegister(ecs, deadline, 0.0, key).read(clients.region).entries
    now = datetime.now(timezone.utc)
    histories = {instance_id: entries.read(text, now, key) for instance_id, text in texts.items()}
    read = {instance_id: history.entry for instance_id, history in histories.items() if history.entry}
    return Known(histories, memories.of_entries(read, _window(settings), now))


def of_table(table: LedgerTable, settings: Settings, region_id: str) -> Known:
    """Read the ledger from its table. Raises CloudError."""
    now = datetime.now(timezone.utc)
    rows = table.rows(region_id, _namespace(settings).before_region)
    histories, busy, wrong = {}, {}, []
    for name, columns in rows.items():
        if name.startswith("i#"):
            histories[name[2:]] = instance_row.read(name[2:], columns, now).history
        elif name.startswith("g#"):
            try:
                busy[name[2:]] = group_row.read(columns).busy(_window(settings), now)
            except Unreadable as error:
                wrong.append(f"row {name} can't be read: {error}; resume the region")
    own = f"w#{settings.stack_name}"
    memory = RegionMemory()
    try:
        window = window_row.read(rows.get(own, {}))
        memory = window.memory(settings.policy.max_reboots_window_seconds, now, ours=frozenset())
    except Unreadable as error:
        wrong.append(f"row {own} can't be read, so nothing is rebooted: {error}; resume the region")
    return Known(histories, memory._replace(busy=busy), tuple(wrong))


def read(clients: Clients, settings: Settings) -> Known:
    """Read the ledger that the settings name. Raises LedgerUnseen."""
    try:
        if settings.policy.ledger == "tags":
            return of_tags(clients, settings)
        table = LedgerTable(clients, settings.tablestore_instance, settings.tablestore_table)
        return of_table(table, settings, clients.region)
    except CloudError as error:
        raise LedgerUnseen(f"the ledger of {clients.region}: {error}") from error


def lines(known: Known, settings: Settings, region_id: str, instance_id: str = "") -> Iterator[str]:
    """Yield the ledger of a region, or what it holds of one instance."""
    if instance_id:
        yield _line(instance_id, known.histories.get(instance_id, History()))
        return
    policy = settings.policy
    many = len(known.histories)
    yield f"{region_id}, in {policy.ledger}: {many} instance{'s are' if many != 1 else ' is'} remembered"
    yield from (
        f"  {told}" for told in (*known.unreadable, *_of_region(known.memory, policy.max_reboots_window_seconds))
    )
    newest = sorted(known.histories.items(), key=_newest, reverse=True)
    yield from (_line(instance_id, history) for instance_id, history in newest)


def _of_region(memory: RegionMemory, seconds: int) -> Iterator[str]:
    rebooted = ", ".join(sorted(memory.rebooted))
    yield (
        f"in the last {seconds} s: {len(memory.rebooted)} rebooted or about to be{rebooted and f' ({rebooted})'}, "
        f"{len(memory.asked_for)} asked for"
    )
    if memory.storm_at:
        yield f"a storm was seen at {_time(memory.storm_at)}: nothing new is begun in this window"
    if memory.down_in_a_row:
        yield f"of the latest reboots {memory.down_in_a_row} in a row left their instance down"
    for members in memory.busy.values():
        for instance_id, since in sorted(members.items()):
            yield f"{instance_id} keeps the others of its group from being rebooted, since {_time(since)}"


def _line(instance_id: str, history: History) -> str:
    if history.unreadable:
        return f"{instance_id}  UNREADABLE  {history.unreadable}"
    if history.entry is None:
        return f"{instance_id}  no entry: never asked for, or not by this ledger"
    entry = history.entry
    earlier = ", ".join(_time(entry.at - timedelta(seconds=age)) for age in entry.earlier)
    told = f"{instance_id}  {_time(entry.at)}  {'forced' if entry.force else 'graceful'}  {entry.state}"
    return f"{told}: {MEANINGS[entry.state]}{earlier and f'; earlier attempts: {earlier}'}"


def _newest(told: tuple[str, History]) -> tuple[bool, datetime]:
    entry: Entry | None = told[1].entry
    return not entry, entry.at if entry else datetime.min.replace(tzinfo=timezone.utc)


def _namespace(settings: Settings) -> entries.Namespace:
    return entries.OBSERVED if settings.policy.mode == "observe" else entries.ACTING


def _window(settings: Settings) -> timedelta:
    return timedelta(seconds=settings.policy.max_reboots_window_seconds)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
