"""The directories that the benchmark runs from: one for each program, with and without byte code."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from bench.places import ROOT

PROGRAMS = Path(__file__).with_name("programs")


def ours(place: Path, source: Path) -> Path:
    """Build the package for this interpreter; return its directory."""
    out = place / "function"
    subprocess.run(
        [sys.executable, "-m", "cli", "build", "--runtime", "host", "--out", str(out), "--source", str(source)],
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    return out


def naive(place: Path) -> tuple[Path, Path]:
    """Install what the naive handler needs; return its directory with byte code and the one without."""
    wanted = (ROOT / "constraints.txt").read_text() + Path(__file__).with_name("requirements.txt").read_text()
    with_byte_code, without = place / "naive", place / "naive-sources"
    stamp = place / "naive.stamp"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(without, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-compile"]
        command += ["--target", str(without), "--constraint", str(ROOT / "constraints.txt")]
        command += ["--requirement", str(Path(__file__).with_name("requirements.txt"))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"the naive handler's packages could not be installed:\n{done.stderr}")
        stamp.write_text(wanted)
    shutil.copy(PROGRAMS / "naive.py", without)
    shutil.rmtree(with_byte_code, ignore_errors=True)
    shutil.copytree(without, with_byte_code)
    compiled(with_byte_code)
    return with_byte_code, without


def single(place: Path, name: str) -> Path:
    """Put one program into a directory of its own, with byte code."""
    directory = place / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    shutil.copy(PROGRAMS / f"{name}.py", directory)
    compiled(directory)
    return directory


def compiled(directory: Path) -> None:
    """Compile everything below, as the package's byte code is: never compared with the sources."""
    command = [sys.executable, "-m", "compileall", "-q", "-j", "2", "--invalidation-mode", "unchecked-hash"]
    # A package that ships templates with syntax of its own must not stop this.
    subprocess.run([*command, str(directory)], check=False, capture_output=True)


def zipped_megabytes(directory: Path, archive: Path) -> float:
    """Return the size of a directory as a zip."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                zipped.write(path, path.relative_to(directory))
    return archive.stat().st_size / 1e6
