"""Conditional writes: won once, whatever becomes of the answers."""

import pytest
from scripted_ecs import REGION, JumpingClock, deadline
from scripted_table import BUSY, NO_ANSWER, NO_RIGHT, TIMED_OUT, ScriptedTable

from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.ledger.table_rows import NO_ROW, Swap, TableRows


def rows(table: ScriptedTable, run: str = "run-1", seconds: float = 50.0) -> TableRows:
    return TableRows(table, "ledger", deadline(seconds, table.clock), run)


def swap(table: ScriptedTable, name: str = "i#1", run: str = "run-1", seconds: float = 50.0) -> bool:
    of_run = rows(table, run, seconds)
    before = of_run.read(REGION, [name]).rows[name]
    return bool(of_run.swap(REGION, [Swap(name, before, {"state": run})]))


@pytest.fixture
def table() -> ScriptedTable:
    return ScriptedTable(JumpingClock())


def test_a_row_is_made_once_and_replaced_only_at_the_version_that_was_read(table: ScriptedTable) -> None:
    first, second = rows(table), rows(table, "run-2")
    before = second.read(REGION, ["i#1"]).rows["i#1"]
    assert before == NO_ROW
    assert first.swap(REGION, [Swap("i#1", NO_ROW, {"state": "a"})])["i#1"]["v"] == 1
    assert not second.swap(REGION, [Swap("i#1", before, {"state": "b"})])
    assert swap(table, run="run-2")
    found = rows(table).read(REGION, ["i#1"]).rows["i#1"]
    assert (found["state"], found["v"]) == ("run-2", 2)


@pytest.mark.parametrize("error", [BUSY, TIMED_OUT, NO_ANSWER])
def test_a_write_that_was_not_done_is_sent_again(table: ScriptedTable, error: CloudError) -> None:
    table.before["i#"] = [error, error]
    assert swap(table)
    assert table.calls == ["read", "i#", "i#", "i#"]


@pytest.mark.parametrize("error", [TIMED_OUT, NO_ANSWER])
def test_a_write_whose_answer_was_lost_is_known_to_be_ours_and_done_once(
    table: ScriptedTable, error: CloudError
) -> None:
    table.after["i#"] = [error]
    assert swap(table)
    row = table.row("i#1")
    assert row is not None
    assert row.columns["v"] == 1
    assert table.calls == ["read", "i#", "i#", "read"]


def test_a_write_in_doubt_that_somebody_else_was_faster_than_is_lost(table: ScriptedTable) -> None:
    def other() -> None:
        table.before["i#"] = []
        assert swap(table, run="run-2")
        raise NO_ANSWER

    table.before["i#"] = [other]
    assert not swap(table)


def test_a_write_that_is_refused_for_good_raises_at_once(table: ScriptedTable) -> None:
    table.before["i#"] = [NO_RIGHT]
    with pytest.raises(CloudError, match="OTSNoPermissionAccess"):
        swap(table)
    assert table.calls == ["read", "i#"]


def test_with_the_deadline_in_doubt_nobody_is_told_that_it_was_won(table: ScriptedTable) -> None:
    table.seconds = 2.0
    table.after["i#"] = [NO_ANSWER] * 50
    with pytest.raises(CloudError):
        swap(table, seconds=9.0)


def test_rows_of_a_batch_are_won_and_lost_by_themselves(table: ScriptedTable) -> None:
    of_run = rows(table)
    before = of_run.read(REGION, ["i#1", "i#2"]).rows
    assert swap(table, "i#2", "run-2")
    won = of_run.swap(REGION, [Swap(name, before[name], {"state": "a"}) for name in ("i#1", "i#2")])
    assert set(won) == {"i#1"}


def test_a_batch_whose_answer_was_lost_is_known_row_by_row(table: ScriptedTable) -> None:
    of_run = rows(table)
    before = of_run.read(REGION, ["i#1", "i#2"]).rows
    table.after["write"] = [NO_ANSWER]
    won = of_run.swap(REGION, [Swap(name, before[name], {"state": "a"}) for name in ("i#1", "i#2")])
    assert set(won) == {"i#1", "i#2"}


def test_more_than_a_call_takes_is_read_and_written_in_several(table: ScriptedTable) -> None:
    names = [f"i#{number}" for number in range(450)]
    of_run = rows(table)
    found = of_run.read(REGION, names).rows
    assert len(of_run.swap(REGION, [Swap(name, found[name], {"state": "a"}) for name in names])) == 450
    assert table.calls == ["read"] * 5 + ["write"] * 3
    assert len(of_run.list(REGION, "i#", "i$")) == 450


@pytest.mark.parametrize("version", [None, "seven"], ids=["without a version", "with a version that is none"])
def test_a_row_that_somebody_wrote_by_hand_is_replaced_and_has_a_version_then(
    table: ScriptedTable, version: str | None
) -> None:
    assert swap(table)
    row = table.row("i#1")
    assert row is not None
    by_hand = {name: value for name, value in row.columns.items() if name != "v"}
    table.memory.rows[row.key] = row._replace(columns=by_hand if version is None else {**by_hand, "v": version})
    won = swap(table, run="run-2")
    after = table.row("i#1")
    assert after is not None
    # A version of another type equals none that is expected, so such a row is never written over.
    assert (won, after.columns["state"]) == ((True, "run-2") if version is None else (False, "run-1"))
