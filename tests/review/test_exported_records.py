"""Records are the same, whichever way they were exported."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_night import Night, lines

from cli.program import main
from review.exported import read


def wanted(recorded: Night) -> list[Any]:
    return [record.result for record in read(recorded.logs).results()]


def test_the_function_s_own_lines_are_read_and_its_other_output_is_passed_over(recorded: Night) -> None:
    export = read(recorded.logs)
    assert not export.complaints
    assert "FC Invoke Start" in recorded.logs
    assert {record.kind for record in export.records} == {"intent", "accepted", "result"}
    codes = {record.result.code for record in export.results()}
    assert {"recovered", "recently_started", "alarm_over", "unknown_field"} <= codes


@pytest.mark.parametrize(
    "form",
    [
        lines,
        json.dumps,
        lambda rows: json.dumps({"meta": {"count": len(rows)}, "data": rows}),
        lambda rows: json.dumps(list(reversed(rows)), indent=2),
    ],
    ids=["lines of texts", "array", "GetLogs answer", "newest first"],
)
def test_what_the_log_service_gives_holds_the_same_results(recorded: Night, form: Any) -> None:
    assert all(isinstance(value, str) for row in recorded.stored for value in row.values())
    export = read(form(recorded.stored))
    assert not export.complaints
    found = [record.result for record in export.results()]
    assert sorted(found, key=repr) == sorted(wanted(recorded), key=repr)


def test_a_line_wrapped_by_function_compute_s_own_log_is_unwrapped(recorded: Night) -> None:
    rows = [{"message": line, "functionName": "ecs-reboot", "__time__": "1"} for line in recorded.logs.splitlines()]
    assert [result.result for result in read(json.dumps(rows)).results()] == wanted(recorded)


def test_a_text_that_looks_like_json_stays_a_text(recorded: Night) -> None:
    row = dict(next(row for row in recorded.stored if row["code"] == "recovered"))
    row["requested_reason"], row["reason"] = "null", "12"
    (record,) = read(json.dumps([row])).records
    assert (record.result.requested_reason, record.result.reason) == ("null", "12")
    assert record.result.attempt == 1


def test_a_record_written_twice_counts_once(recorded: Night) -> None:
    export = read(recorded.logs + recorded.logs)
    assert export.repeated == len(export.records)
    assert export.records == read(recorded.logs).records


def test_what_is_a_record_and_can_t_be_read_is_named(recorded: Night) -> None:
    whole = [line for line in recorded.logs.splitlines() if line.startswith("{")]
    newer = json.loads(whole[0])
    newer["facts"]["policy"]["added_later"] = 1
    text = "\n".join([whole[0][:900], json.dumps(newer), whole[1].replace('"schema":1', '"schema":2'), whole[0][:9]])
    cut, other, schema, short = read(text).complaints
    assert cut == "line 1: it looks like a record and is no JSON: was it cut off?"
    assert short.startswith("line 4: it looks like a record")
    assert "line 2: field facts.policy.added_later" in other
    assert "schema 2: this version reads 1" in schema


def test_what_no_record_holds_is_a_complaint_and_no_error() -> None:
    assert read("[" * 200_000).complaints == ()
    cut = read('{"schema": 1, "record": "result", "facts": ' + "[" * 200_000)
    endless = read('{"schema": Infinity, "record": "result"}')
    assert [len(export.complaints) for export in (cut, endless)] == [1, 1]


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5).map(json.dumps))
def test_any_text_can_be_read(text: str) -> None:
    read(text)


@given(st.dictionaries(st.sampled_from(["schema", "record", "time", "facts", "message", "data", "code"]), st.text()))
def test_any_object_can_be_read(row: dict[str, str]) -> None:
    assert read(json.dumps(row)).results() == ()


@pytest.mark.parametrize("command", ["digest", "explain", "replay"])
def test_a_damaged_record_is_named_by_its_line_and_an_empty_file_is_no_success(
    command: str, recorded: Night, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = [line for line in recorded.logs.splitlines() if line.startswith("{")]
    damaged, cut, empty = tmp_path / "damaged.jsonl", tmp_path / "cut.jsonl", tmp_path / "empty.jsonl"
    damaged.write_text("\n".join([*whole, whole[0][:400]]), "utf-8")
    assert main([command, "--records", str(damaged)]) == 1
    *_, title, line = capsys.readouterr().out.splitlines()
    assert title == "could not be read: 1 record"
    assert line == f"  line {len(whole) + 1}: it looks like a record and is no JSON: was it cut off?"
    cut.write_text(whole[0][:400], "utf-8")
    empty.touch()
    for path, told in (
        (cut, f"read: {line.strip().replace(str(len(whole) + 1), '1')} `make logs"),
        (empty, "is empty. `make"),
    ):
        assert main([command, "--records", str(path)]) == 2
        said = capsys.readouterr()
        assert (said.out, told in said.err) == ("", True), said.err
