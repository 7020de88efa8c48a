"""The tools on each Python that they may meet, as far as this machine has it: every module is read by it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: A warning of the compiler is an error of some later Python.
READ = """
import sys, warnings
warnings.simplefilter("error")
for path in sys.argv[1:]:
    with open(path, "rb") as source:
        compile(source.read(), path, "exec", dont_inherit=True)
"""


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_every_module_is_read_without_a_warning(version: str) -> None:
    python = shutil.which(f"python{version}")
    # A version manager has a name on PATH for each Python that it could have.
    if python is None or subprocess.run([python, "-V"], capture_output=True, check=False).returncode:
        pytest.skip(f"this machine has no python{version}")
    sources = sorted(map(str, (ROOT / "src").rglob("*.py")))
    ran = subprocess.run([python, "-I", "-c", READ, *sources], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_oldest_of_them_is_the_oldest_that_the_project_takes() -> None:
    stated = re.search(r'^requires-python = ">=(.*)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert stated
    assert stated[1] == "3.11"
