"""The transcripts of docs/operate/review.md, run again and compared in what is stable. As a program it renews them."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from recorded_night import ROOT

DOCUMENT = ROOT / "docs" / "operate" / "review.md"
_BLOCK = re.compile(r"```\n(?P<commands>(?:\$ [^\n]*\n)+)(?P<output>.*?)```", re.DOTALL)
#: What differs from run to run, and what is put in its place.
_VARIES = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
    (r"((Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?Z?", "TIME"),
    (r"\d\d:\d\d:\d\dZ", "TIME"),
    (r"\d+ (s|min|h|d) ago", "AGO"),
    (r"(claimed|refused) [0-9a-f]{8}", "CLAIM"),
)


def blocks(text: str) -> list[re.Match[str]]:
    """Return the transcripts of a document: commands, then what they print."""
    return list(_BLOCK.finditer(text))


def printed(commands: str, directory: Path) -> str:
    """Run the commands as make would, and return what reaches the screen."""
    screen = ""
    for command in commands.splitlines():
        screen += _run(command.removeprefix("$ make -s "), directory)
    return screen


def stable(text: str) -> str:
    """Take out what differs from run to run, and where lines are broken."""
    for pattern, word in _VARIES:
        text = re.sub(pattern, word, text)
    return " ".join(text.split())


def renewed(text: str) -> str:
    """Return the document with its transcripts made again."""
    with tempfile.TemporaryDirectory() as directory:
        here = prepared(Path(directory))
        return _BLOCK.sub(lambda block: f"```\n{block['commands']}{printed(block['commands'], here)}```", text)


def prepared(directory: Path) -> Path:
    """Make a directory in which the documents' paths hold."""
    (directory / "events").symlink_to(ROOT / "events")
    return directory


def _run(command: str, directory: Path) -> str:
    target, *words = shlex.split(command)
    files = {word: words[place + 1] for place, word in enumerate(words) if word in {">", "2>"}}
    variables = dict(word.split("=", 1) for word in words if "=" in word)
    done = subprocess.run(
        [sys.executable, "-m", "cli", target],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    for redirection, name in files.items():
        (directory / name).write_text(done.stdout if redirection == ">" else done.stderr)
    return "" if ">" in files else done.stdout


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text("utf-8")), encoding="utf-8")
