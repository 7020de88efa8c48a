"""What the ledger holds when an episode begins and what must change nothing: old entries, and unreadable ones."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from ecs_reboot.cloud.tablestore.rows import Row
from ecs_reboot.ledger import instance_row
from ecs_reboot.ledger.entry import FORGOTTEN, MOST_TAGS, Entry, State
from ecs_reboot.ledger.table_rows import VERSION, WRITER
from simulation.machine import Machine
from simulation.plan import Plan
from simulation.run import EPOCH
from simulation.world import World

#: How the names of bystanders begin.
_OLD = "i-old"
#: What can't be read, as a tag and as columns of a row: of no version, of the future, of no calendar.
_UNREADABLE: tuple[tuple[str, dict[str, int | str]], ...] = (
    ("v9 of another version", {"state": "elsewhere"}),
    ("v1 2031-01-01T00:00:00Z graceful refused 0badcafe g=0", {"at": 1_924_992_000_000}),
    ("v1 0001-01-01T00:00:00Z graceful back 0badcafe g=0", {"at": -62_135_596_800_000}),
    ("v1 2026-02-30T00:00:00Z graceful back 0badcafe g=0", {"at": 10**18}),
)
_STATES: tuple[State, ...] = ("back", "back", "seen", "unproven", "void", "refused", "reset")


def bystanders(plan: Plan, regions: list[str]) -> Iterator[Machine]:
    """Yield instances that never opted in and that nobody asks for; only the ledger knows them."""
    for region in regions:
        for number in range(plan.conditions.old_entries):
            yield Machine(
                f"{_OLD}{region[3:5]}{number:05d}", region, {}, "brisk", Random(number), started=-1e6  # noqa: S311
            )  # fmt: skip


def remember(plan: Plan, world: World) -> None:
    """Write the entries of long ago: of the fleet's instances, and of the bystanders."""
    if not plan.conditions.old_entries:
        return
    random = Random(f"{plan.seed}/history")  # noqa: S311 - repeatable on purpose
    for machine in world.machines.values():
        entry = _entry(random)
        text, wrong = _wrong(machine, str(entry))
        if wrong:
            world.checker.unreadable.add(machine.instance_id)
        if plan.settings().policy.ledger == "tags":
            if len(machine.tags_at(0)) < MOST_TAGS:
                world.registers[machine.region_id].values[machine.instance_id] = text
            continue
        columns = {
            **instance_row.columns(entry, run="long-ago", ask_by=0, stack="stack-0"),
            **wrong,
            VERSION: random.randint(1, 9),
            WRITER: "long-ago.1",
        }
        key = (("region", machine.region_id), ("row", f"i#{machine.instance_id}"))
        world.table.rows[key] = Row(key, columns)


def _wrong(machine: Machine, text: str) -> tuple[str, dict[str, int | str]]:
    """Return what stands on an instance: on the first bystanders, and on one of the fleet, what can't be read."""
    number = int(machine.instance_id[-5:])
    if machine.instance_id.startswith(_OLD) and number < len(_UNREADABLE):
        return _UNREADABLE[number]
    return _UNREADABLE[0] if number == 1 else (text, {})


def _entry(random: Random) -> Entry:
    """Return an entry whose last attempt is forgotten, and before which more were made than any limit allows."""
    age = FORGOTTEN + timedelta(hours=1, seconds=random.randrange(30 * 86_400))
    return Entry(
        at=(EPOCH - age).replace(microsecond=0),
        state=random.choice(_STATES),
        force=random.random() < 0.5,  # noqa: PLR2004 - a half
        claim=f"{random.getrandbits(32):08x}",
        group=f"{random.getrandbits(32):08x}",
        earlier=tuple(600 * (number + 1) for number in range(random.randrange(7))),
    )
