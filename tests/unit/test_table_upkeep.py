"""A run may be cut off between any two calls: the next sweep makes instance, group and window say the same again."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import pytest
from scripted_ecs import NOW, ONE, REGION, TWO, JumpingClock, instance
from scripted_table import CutOff, ScriptedTable, maintenance, store

from ecs_reboot.cloud.errors import CloudError, NoAnswer
from ecs_reboot.cloud.tablestore.rows import Row
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger import group_row, instance_row, window_row
from ecs_reboot.ledger.entry import OPEN, UNRESOLVED, Entry, History, State
from ecs_reboot.ledger.group_row import Group, Member
from ecs_reboot.ledger.memory import RegionMemory
from ecs_reboot.ledger.place import fate
from ecs_reboot.ledger.store import Judged, Wanted
from ecs_reboot.ledger.table_ledger import TableLedger
from ecs_reboot.ledger.window_row import Slot, millis, place_of

GROUP = ledger.group_digest("web")
HOUR = timedelta(hours=1)


def claimed(
    table: ScriptedTable, *ids: str, request: str = "r-1", run: str = "run-1", stack: str = "one"
) -> TableLedger:
    """Claim instances of one group for somebody whom policy allows everything."""
    of_run = store(table, request, run, stack=stack)
    wanted = [Wanted(instance(instance_id), GROUP) for instance_id in ids or (ONE,)]

    def judge(histories: Mapping[str, History], _memory: RegionMemory, now: datetime) -> Judged:
        claim = ledger.claim_digest(request)
        return Judged(
            {
                candidate.instance_id: ledger.following(
                    ledger.attempts(histories[candidate.instance_id].entry, now),
                    at=now, state="claimed", force=False, claim=claim, group=GROUP,
                )
                for candidate in wanted
            }
        )  # fmt: skip

    assert of_run.obtain(REGION, wanted, judge, count=None).mine == {candidate.instance_id for candidate in wanted}
    return of_run


def conclude(table: ScriptedTable, state: State, *ids: str) -> None:
    upkeep = maintenance(table)
    found = {open_reboot.instance_id: (open_reboot.entry, state) for open_reboot in upkeep.open_reboots(REGION, ids)}
    upkeep.conclude(REGION, found)


def entry_of(table: ScriptedTable, instance_id: str = ONE) -> Entry | None:
    row = table.row(f"i#{instance_id}")
    return instance_row.read(instance_id, row.columns if row else {}, table.clock.now()).history.entry


def group_of(table: ScriptedTable) -> Group:
    row = table.row(f"g#{GROUP}")
    return group_row.read(row.columns if row else {})


def window_of(table: ScriptedTable, stack: str = "one") -> window_row.Window:
    row = table.row(f"w#{stack}")
    return window_row.read(row.columns if row else {})


def busy(table: ScriptedTable) -> set[str]:
    return set(group_of(table).busy(HOUR, table.clock.now()))


def assert_all_say_the_same(table: ScriptedTable) -> None:
    entry, slot = entry_of(table), window_of(table).held(ONE)
    assert entry is not None
    assert busy(table) == ({ONE} if entry.state in (*OPEN, *UNRESOLVED) else set())
    if slot:
        assert slot.state == place_of(entry.state)
    if entry.state in ("down", "hung", "back", "seen"):
        assert {reboot.state for reboot in window_of(table).ended} == {entry.state}


def _stays_down(table: ScriptedTable, of_run: TableLedger) -> None:
    of_run.record(REGION, {ONE: "accepted"})
    table.clock.sleep(1201)


def _was_down(table: ScriptedTable, of_run: TableLedger) -> None:
    _stays_down(table, of_run)
    conclude(table, "down", ONE)


def _nothing(_table: ScriptedTable, _of_run: TableLedger) -> None:
    pass


#: What has happened, what a run then does until it is cut off, and whether a person, who sees that, does it again.
ENDINGS: dict[str, tuple[Callable[..., None], Callable[..., object], bool]] = {
    "its own run sees it back": (_nothing, lambda _, run: run.record(REGION, {ONE: "back"}), False),
    "its own run sees it down": (_nothing, lambda _, run: run.record(REGION, {ONE: "down"}), False),
    "its own run takes the claim back": (_nothing, lambda _, run: run.release(REGION, [ONE]), False),
    "a sweep finds it down": (_stays_down, lambda table, _: conclude(table, "down", ONE), False),
    "a sweep finds it back": (_was_down, lambda table, _: conclude(table, "back", ONE), False),
    "a sweep finds that it was never asked": (_nothing, lambda table, _: conclude(table, "void", ONE), False),
    "a person resumes": (_was_down, lambda table, _: maintenance(table).resume(REGION), True),
    "a person resets": (_was_down, lambda table, _: maintenance(table).reset(REGION, [ONE]), True),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_whoever_is_cut_off_while_writing_an_end_leaves_it_to_the_next_sweep(name: str) -> None:
    before, ends, repeated = ENDINGS[name]
    calls, done = 0, False
    while not done:
        table = ScriptedTable(JumpingClock())
        of_run = claimed(table)
        before(table, of_run)
        table.most_calls = len(table.calls) + calls
        try:
            ends(table, of_run)
            done = True
        except CutOff:
            calls += 1
        table.most_calls = 1_000_000
        table.clock.sleep(61)
        if repeated and not done:
            ends(table, of_run)
        maintenance(table).open_reboots(REGION, ())
        maintenance(table).open_reboots(REGION, ())
        assert_all_say_the_same(table)
    assert calls >= 3, "so that something was cut off"


def test_whoever_loses_races_for_a_group_writes_its_end_all_the_same() -> None:
    table = ScriptedTable(JumpingClock())
    of_run = claimed(table)

    def another_joins() -> None:
        row = table.row(f"g#{GROUP}")
        assert row is not None
        columns = {**row.columns, "v": int(str(row.columns["v"])) + 1}
        table.memory.rows[row.key] = row._replace(columns=columns)

    table.before["g#"] = [another_joins, another_joins]
    of_run.record(REGION, {ONE: "back"})
    assert busy(table) == set()


def test_a_group_remembers_all_that_are_down_although_a_person_had_another_of_it_rebooted() -> None:
    table = ScriptedTable(JumpingClock())
    claimed(table).record(REGION, {ONE: "down"})
    second = claimed(table, TWO, request="r-2", run="run-2")
    assert busy(table) == {ONE, TWO}
    second.record(REGION, {TWO: "back"})
    assert busy(table) == {ONE}
    conclude(table, "back", ONE)
    assert busy(table) == set()


def test_two_of_one_group_that_one_event_was_allowed_are_both_remembered() -> None:
    table = ScriptedTable(JumpingClock())
    claimed(table, ONE, TWO)
    assert busy(table) == {ONE, TWO}


def test_the_place_of_a_reboot_stays_where_another_stack_has_claimed_the_instance_since() -> None:
    table = ScriptedTable(JumpingClock())
    claimed(table).record(REGION, {ONE: "accepted"})
    table.clock.sleep(600)
    claimed(table, request="r-2", run="run-2", stack="two").record(REGION, {ONE: "back"})
    table.clock.sleep(61)
    maintenance(table).open_reboots(REGION, ())
    assert [slot.state for slot in window_of(table).slots] == ["ended"]


def test_the_place_of_an_instance_whose_row_can_t_be_read_stays() -> None:
    table = ScriptedTable(JumpingClock())
    claimed(table).record(REGION, {ONE: "accepted"})
    row = table.row(f"i#{ONE}")
    assert row is not None
    table.memory.rows[row.key] = row._replace(columns={**row.columns, "state": "unheard of"})
    table.clock.sleep(61)
    maintenance(table).open_reboots(REGION, ())
    assert [slot.state for slot in window_of(table).slots] == ["open"]
    assert busy(table) == {ONE}
    maintenance(table).reset(REGION, [ONE])
    maintenance(table).open_reboots(REGION, ())
    assert [slot.state for slot in window_of(table).slots] == ["ended"]
    assert busy(table) == set()


def test_a_group_that_can_t_be_read_reboots_none_of_it_and_a_person_begins_it_again() -> None:
    table = ScriptedTable(JumpingClock())
    claimed(table).record(REGION, {ONE: "back"})
    row = table.row(f"g#{GROUP}")
    assert row is not None
    table.memory.rows[row.key] = row._replace(columns={**row.columns, "members": "[[1]]"})
    with pytest.raises(CloudError, match="resume"):
        claimed(table, TWO, request="r-2", run="run-2")
    assert GROUP in maintenance(table).resume(REGION)[""]
    claimed(table, TWO, request="r-3", run="run-3")


def test_a_place_and_a_group_whose_claim_was_lost_are_given_back_when_the_others_are_claimed() -> None:
    table = ScriptedTable(JumpingClock())
    of_run = store(table)
    wanted = [Wanted(instance(ONE), GROUP), Wanted(instance(TWO), "0")]

    def judge(_histories: Mapping[str, History], _memory: RegionMemory, now: datetime) -> Judged:
        allowed = {TWO: "0"} if "write" in table.calls else {ONE: GROUP, TWO: "0"}
        claim = ledger.claim_digest("r-1")
        return Judged(
            {
                instance_id: ledger.following((), at=now, state="claimed", force=False, claim=claim, group=group)
                for instance_id, group in allowed.items()
            }
        )

    def others_are_faster() -> None:
        for instance_id in (ONE, TWO):
            void = Entry(at=NOW, state="void", force=False, claim="00000000")
            key = (("region", REGION), ("row", f"i#{instance_id}"))
            columns = instance_row.columns(void, run="", ask_by=0, stack="one")
            table.memory.rows[key] = Row(key, columns | {"v": 1})

    table.before["write"] = [others_are_faster]
    assert of_run.obtain(REGION, wanted, judge, count=None).mine == {TWO}
    assert busy(table) == set()
    assert [slot.instance_id for slot in window_of(table).slots] == [TWO]


AT = NOW.replace(microsecond=0)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (None, "never"),
        (Entry(at=AT, state="back", force=False, claim="0badcafe"), "current"),
        (Entry(at=AT - HOUR, state="back", force=False, claim="deadbeef"), "never"),
        (Entry(at=AT + HOUR, state="back", force=False, claim="deadbeef", earlier=(3600,)), "past"),
        (Entry(at=AT + HOUR, state="back", force=False, claim="deadbeef"), "never"),
        (Entry(at=AT, state="accepted", force=False, claim="deadbeef"), "never"),
        (Entry(at=AT + HOUR, state="void", force=False, claim="deadbeef", cleared=3600), "past"),
        (Entry(at=AT + HOUR, state="back", force=False, claim="deadbeef", cleared=3600), "past"),
        (Entry(at=AT + HOUR, state="back", force=False, claim="deadbeef", cleared=60), "past"),
        (Entry(at=AT + HOUR, state="back", force=False, claim="deadbeef", cleared=3601), "never"),
        (Entry(at=AT + HOUR, state="back", force=False, claim="deadbeef", earlier=(60,) * 7), "past"),
        (Entry(at=AT + HOUR, state="reset", force=False, claim="00000000"), "past"),
        (Entry(at=AT + HOUR, state="void", force=False, claim="00000000"), "never"),
        (Entry(at=AT + HOUR, state="void", force=False, claim="deadbeef", earlier=(3600,)), "past"),
        (Entry(at=AT - HOUR, state="claimed", force=False, claim="0badcafe"), "taken_over"),
        (Entry(at=AT - HOUR, state="void", force=False, claim="0badcafe"), "never"),
        (Entry(at=AT - HOUR, state="back", force=False, claim="0badcafe"), "past"),
    ],
)
def test_what_became_of_a_place(entry: Entry | None, expected: str) -> None:
    assert fate(Slot(ONE, "0badcafe", "run-1", millis(AT)), entry) == expected


def test_a_group_forgets_what_holds_it_no_longer() -> None:
    old, down = Member(ONE, "a", "r", millis(NOW - 2 * HOUR), "accepted"), Member(TWO, "b", "r", 0, "down")
    new = Member("i-3", "c", "r", millis(NOW), "claimed")
    assert Group((old, down)).with_members((new,), HOUR, NOW).members == (down, new)
    assert Group((new,)).with_members((new._replace(claim="d"),), HOUR, NOW).members == (new._replace(claim="d"),)


def slower_than_others(table: ScriptedTable, name: str, races: int) -> None:
    """Let somebody else change a row right before each of the next writes to it."""

    def faster() -> None:
        row = table.row(name)
        assert row is not None
        version = int(str(row.columns["v"]))
        table.memory.rows[row.key] = row._replace(columns={**row.columns, "v": version + 1, "by": "somebody"})

    table.before[name[:2]] = [faster] * races


PEOPLE: dict[str, Callable[[ScriptedTable], object]] = {
    "reset": lambda table: maintenance(table).reset(REGION, [ONE]),
    "resume": lambda table: maintenance(table).resume(REGION),
}


@pytest.mark.parametrize("command", PEOPLE)
def test_a_person_s_command_that_loses_a_race_is_carried_out_all_the_same(command: str) -> None:
    table = ScriptedTable(JumpingClock())
    _was_down(table, claimed(table))
    slower_than_others(table, f"i#{ONE}", 2)
    PEOPLE[command](table)
    entry = entry_of(table)
    assert entry is not None
    assert entry.state == {"reset": "reset", "resume": "seen"}[command]
    assert busy(table) == set()


@pytest.mark.parametrize("command", PEOPLE)
def test_a_person_s_command_that_loses_every_race_is_no_success(command: str) -> None:
    table = ScriptedTable(JumpingClock())
    _was_down(table, claimed(table))
    slower_than_others(table, f"i#{ONE}", 10_000)
    with pytest.raises(NoAnswer, match="others changed the rows at the same time"):
        PEOPLE[command](table)
    entry = entry_of(table)
    assert entry is not None
    assert entry.state == "down"
    assert busy(table) == {ONE}, "what is not written into the instance is written nowhere"


def test_an_end_that_was_found_for_another_claim_is_written_nowhere() -> None:
    table = ScriptedTable(JumpingClock())
    _stays_down(table, claimed(table))
    upkeep = maintenance(table)
    (found,) = upkeep.open_reboots(REGION, (ONE,))
    other = found.entry.model_copy(update={"claim": "00000001"})
    assert upkeep.conclude(REGION, {ONE: (other, "down")}) == frozenset()
    assert busy(table) == {ONE}
