"""docs/operate/review.md shows what the commands print."""

from pathlib import Path
from re import Match

import pytest
from transcripts import DOCUMENT, blocks, prepared, printed, stable

BLOCKS = blocks(DOCUMENT.read_text("utf-8"))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block["commands"].split()[3])
def test_a_transcript_is_what_its_commands_print(block: Match[str], tmp_path: Path) -> None:
    shown = block["output"]
    assert shown.strip(), "renew it: python tests/review/transcripts.py"
    assert stable(shown) == stable(printed(block["commands"], prepared(tmp_path)))


def test_every_command_has_a_transcript() -> None:
    commands = "".join(block["commands"] for block in BLOCKS)
    assert all(f"make -s {command} " in commands for command in ("explain", "replay", "forecast"))
