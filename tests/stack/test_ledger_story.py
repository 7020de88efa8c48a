"""The ledger as a person reads it: the same words for both stores, and what can't be read by its name."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import get_args

from ecs_reboot.cloud.tablestore.rows import Stored
from ecs_reboot.ledger import group_row, instance_row
from ecs_reboot.ledger.entry import Entry, State
from ecs_reboot.ledger.group_row import Member
from ecs_reboot.ledger.memory import RegionMemory
from ecs_reboot.ledger.window_row import Ended, Slot, Window, millis
from ecs_reboot.settings.settings import Settings, load
from stack.ledger import LedgerTable
from stack.ledger_story import MEANINGS, Known, lines, of_table

REGION, ONE, TWO = "cn-hangzhou", "i-bp1one00000001", "i-bp1two00000002"
NOW = datetime.now(timezone.utc).replace(microsecond=0)


def settings(**more: str) -> Settings:
    return load(
        {"LEDGER": "tablestore", "TABLESTORE_INSTANCE": "er-0", "STACK_NAME": "one", "GROUP_TAG": "app", **more}
    )


class Rows(LedgerTable):
    """A table that holds these rows."""

    def __init__(self, rows: Mapping[str, Mapping[str, Stored]]) -> None:
        self._rows = rows

    def rows(self, region_id: str, before_region: str = "") -> Mapping[str, Mapping[str, Stored]]:
        assert (region_id, before_region) == (REGION, "")
        return self._rows


def story_lines(rows: Mapping[str, Mapping[str, Stored]], instance_id: str = "") -> list[str]:
    of_stack = settings()
    return list(lines(of_table(Rows(rows), of_stack, REGION), of_stack, REGION, instance_id))


def row(state: State, ago: float, *earlier: int) -> dict[str, int | str]:
    at = NOW - timedelta(seconds=ago)
    entry = Entry(at=at, state=state, force=False, claim="0badcafe", group="66c03fca", earlier=earlier)
    return instance_row.columns(entry, run="run-1", ask_by=0, stack="one")


def test_every_state_has_a_meaning() -> None:
    assert set(MEANINGS) == set(get_args(State))


def test_a_table_is_told_from_the_region_to_each_instance_newest_first() -> None:
    at = millis(NOW - timedelta(seconds=600))
    window = Window(
        slots=(Slot(ONE, "0badcafe", "run-1", at, "66c03fca", "down"),),
        asked_for={"deadbeef": at, "cafebabe": at},
        storm_at=at,
        ended=(Ended(at, "down", ONE),),
    )
    busy = group_row.Group((Member(ONE, "0badcafe", "run-1", at, "down"),))
    rows = {
        "g#66c03fca": busy.columns(),
        f"i#{ONE}": row("down", 600, 3600, 7200),
        f"i#{TWO}": row("back", 60),
        "w#one": window.columns(),
        "w#another": Window().columns(),
    }
    since = f"{NOW - timedelta(seconds=600):%Y-%m-%dT%H:%M:%SZ}"
    before = [f"{NOW - timedelta(seconds=600 + age):%Y-%m-%dT%H:%M:%SZ}" for age in (3600, 7200)]
    assert story_lines(rows) == [
        f"{REGION}, in tablestore: 2 instances are remembered",
        f"  in the last 3600 s: 1 rebooted or about to be ({ONE}), 3 asked for",
        f"  a storm was seen at {since}: nothing new is begun in this window",
        "  of the latest reboots 1 in a row left their instance down",
        f"  {ONE} keeps the others of its group from being rebooted, since {since}",
        f"{TWO}  {NOW - timedelta(seconds=60):%Y-%m-%dT%H:%M:%SZ}  graceful  back: rebooted, and Running again",
        f"{ONE}  {since}  graceful  down: {MEANINGS['down']}; earlier attempts: {', '.join(before)}",
    ]


def test_what_can_t_be_read_is_named() -> None:
    junk = {"i#" + ONE: {"state": "unheard of"}, "w#one": {"slots": "junk"}, "g#66c03fca": {"members": "junk"}}
    text = story_lines(junk)
    assert "row g#66c03fca can't be read" in text[1]
    assert "row w#one can't be read, so nothing is rebooted" in text[2]
    assert text[-1].startswith(f"{ONE}  UNREADABLE  row i#{ONE}")


def test_one_instance_is_one_line() -> None:
    assert story_lines({f"i#{ONE}": row("void", 60)}, ONE)[0].endswith(f"void: {MEANINGS['void']}")
    assert story_lines({}, ONE) == [f"{ONE}  no entry: never asked for, or not by this ledger"]


def test_an_empty_ledger_in_tags_is_told_too() -> None:
    first, *_ = lines(Known({}, RegionMemory()), settings(LEDGER="tags"), REGION)
    assert first == f"{REGION}, in tags: 0 instances are remembered"
