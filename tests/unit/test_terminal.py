"""Text of others never moves a terminal's cursor: not in what the programs print, not in the function's log lines."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_ecs import JumpingClock

from ecs_reboot.records.record_log import RecordLog
from ecs_reboot.records.result import Result
from terminal.printable import printable, write_error, write_line

EVIL = "\x1b]0;owned\x07 \x9b31m \u202egnp.exe \u2066x\u2069 \x7f \r \u2028"


def test_what_a_terminal_obeys_is_written_as_its_code() -> None:
    shown = printable(EVIL)
    assert shown.isprintable()
    assert "\\x1b]0;owned\\x07" in shown
    assert "\\u202e" in shown


def test_lines_of_output_and_of_complaints_pass_the_filter(capsys: pytest.CaptureFixture[str]) -> None:
    write_line(EVIL)
    write_error(EVIL)
    assert capsys.readouterr() == (printable(EVIL) + "\n", printable(EVIL) + "\n")


@given(st.text())
def test_nothing_but_line_ends_is_left_that_is_not_printable(text: str) -> None:
    assert all(sign.isprintable() or sign == "\n" for sign in printable(text))


@given(st.text(alphabet="中文abc -_:/.'\"", max_size=50))
def test_printable_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.just(EVIL))
def test_a_log_line_is_printable_and_says_the_same(reason: str) -> None:
    lines: list[str] = []
    log = RecordLog("r-1", JumpingClock(), lines.append)
    log.result(Result(instance_id="", region_id="", action="skip", code="malformed", reason=reason))
    (line,) = lines
    assert line.isprintable()
    assert json.loads(line)["reason"] == reason
