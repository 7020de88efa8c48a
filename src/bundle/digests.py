"""The digests of the published files that may go into the package, and the check of each file against its own.

``digests.txt`` holds one line a file, ``SHA256  FILE``. `python -m bundle.digests` (part of `make upgrade`) writes it
again: from what the registry has for each Python and platform now. A file that is changed afterwards is refused.
"""

import base64
import csv
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from itertools import product
from pathlib import Path

from bundle import BuildError

FILE = Path(__file__).with_name("digests.txt")
#: The Pythons whose wheels are known: the runtimes', and those that the local tools run on.
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
#: What they run on: Function Compute and most machines, and where the local cloud runs the function beside.
_PLATFORMS = ("manylinux_2_17_x86_64", "manylinux_2_17_aarch64", "macosx_11_0_arm64", "macosx_10_12_x86_64")


def known(file: Path = FILE) -> dict[str, str]:
    """Return the digest of each known file by its name."""
    pairs = (line.split() for line in file.read_text("utf-8").splitlines() if line.strip())
    return {name: digest for digest, name in pairs}


def check(path: Path, digests: dict[str, str]) -> str:
    """Return the file's digest. Raises BuildError where it is another, or a wheel is not as its RECORD says."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    wanted = digests.get(path.name)
    if wanted is None:
        raise BuildError(f"{path.name} is not in {FILE.name}: run make upgrade, and look at what it changes")
    if digest != wanted:
        raise BuildError(
            f"{path.name} has the SHA-256 {digest}, {FILE.name} says {wanted}: the file was changed; remove {path} and "
            "build again"
        )
    if path.suffix == ".whl":
        _check_record(path)
    return digest


def _check_record(path: Path) -> None:
    with zipfile.ZipFile(path) as wheel:
        names = {name for name in wheel.namelist() if not name.endswith("/")}
        record = next((name for name in names if name.endswith(".dist-info/RECORD")), "")
        if not record:
            raise BuildError(f"{path.name} has no RECORD")
        rows = csv.reader(io.StringIO(wheel.read(record).decode()))
        listed = {row[0]: row[1] for row in rows if row}
        for name in sorted(names - {record}):
            algorithm, _, wanted = listed.get(name, "").partition("=")
            found = base64.urlsafe_b64encode(hashlib.sha256(wheel.read(name)).digest()).rstrip(b"=").decode()
            if algorithm != "sha256" or found != wanted:
                raise BuildError(f"{path.name}: {name} is not what the wheel's RECORD says")


def written(pinned: dict[str, str], into: Path) -> str:
    """Download what is pinned for every Python and platform, and return the lines of ``digests.txt``."""
    requirements = [f"{name}=={version}" for name, version in pinned.items()]
    for python, platform in product(PYTHONS, _PLATFORMS):
        _download(requirements, python, platform, into)
    lines = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in into.iterdir()}
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(lines.items()))


def _download(requirements: list[str], python: str, platform: str, into: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps"]
    pip += ["--prefer-binary", "--dest", str(into), "--python-version", python, "--platform", platform]
    done = subprocess.run([*pip, *requirements], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(
            f"pip could not fetch {' '.join(requirements)} for Python {python} on {platform}:\n{done.stderr.strip()}"
        )


def main() -> int:
    """Write ``digests.txt`` again from the pins of constraints.txt."""
    from bundle.distributions import pins  # noqa: PLC0415 - distributions checks against this module

    with tempfile.TemporaryDirectory() as directory:
        FILE.write_text(written(pins(Path("constraints.txt")), Path(directory)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
