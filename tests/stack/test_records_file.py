"""The file of `logs --records`: nothing that stands there is lost."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cli.program import main
from stack.records_file import check, write
from terminal.key_values import UsageError

RECORD = {"schema": "1", "record": "result", "code": "recovered"}


def cut_off() -> Iterator[Mapping[str, str]]:
    yield RECORD
    raise OSError(28, "No space left on device")


def test_records_take_the_place_of_older_ones_and_an_empty_file_s(tmp_path: Path) -> None:
    file = tmp_path / "night.jsonl"
    file.touch()
    assert write([RECORD, RECORD], str(file)) == 2
    assert write([RECORD], str(file)) == 1
    assert len(file.read_text("utf-8").splitlines()) == 1
    assert list(tmp_path.iterdir()) == [file]


def test_where_there_is_nothing_to_write_what_stands_there_stays(tmp_path: Path) -> None:
    file, other = tmp_path / "night.jsonl", tmp_path / "other.jsonl"
    write([RECORD], str(file))
    kept = file.read_bytes()
    assert (write([], str(file)), write([], str(other))) == (0, 0)
    with pytest.raises(UsageError, match="can't be written: No space left on device"):
        write(cut_off(), str(file))
    assert file.read_bytes() == kept
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "holds", [b"dear diary\n", b"{}\n", b'{"instance_ids": ["i-bp1"]}', b"\xff\xfe\x00", b"[1]", b"\n1\n"]
)
def test_a_file_of_something_else_is_refused(holds: bytes, tmp_path: Path) -> None:
    file = tmp_path / "diary.txt"
    file.write_bytes(holds)
    with pytest.raises(UsageError, match=r"diary\.txt holds something else than records"):
        check(str(file))
    assert file.read_bytes() == holds


@pytest.mark.parametrize(
    ("place", "told"), [("absent/night.jsonl", "there is no folder"), ("", "is no file that can be written")]
)
def test_a_place_that_takes_no_file_is_a_mistake_before_the_cloud_is_asked(
    place: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = "http://127.0.0.1:1"
    assert main(["logs", "--endpoint", nobody, "--records", str(tmp_path / place)], clients=object()) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
