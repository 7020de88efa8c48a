"""The packages as published: the exact versions of constraints.txt, fetched for the runtime's Python, and read."""

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path
from typing import NamedTuple

from bundle import BuildError, digests
from bundle.runtimes import Runtime

#: What is packed: the SDK, and of pydantic only its Rust core. All else that they declare is needed by what is cut.
NAMES = ("alibabacloud-ecs20140526", "alibabacloud-tea", "alibabacloud-tea-openapi", "darabonba-core", "pydantic_core")

_OLD_TAGS = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}


class Distribution(NamedTuple):
    """One published file. ``members``: what it holds, by path from the root of imports."""

    name: str
    version: str
    file: str
    sha256: str
    licence: str
    members: dict[str, bytes]
    licence_texts: dict[str, bytes]


def pins(constraints: Path) -> dict[str, str]:
    """Return the versions of what is packed, by name. Raises BuildError where one is missing."""
    found = {}
    for line in constraints.read_text().splitlines():
        name, separator, version = line.strip().partition("==")
        if separator:
            found[_plain(name)] = version
    missing = [name for name in NAMES if _plain(name) not in found]
    if missing:
        raise BuildError(f"{constraints} does not pin {', '.join(missing)}: run make upgrade")
    return {name: found[_plain(name)] for name in NAMES}


def fetch(runtime: Runtime, pinned: dict[str, str], cache: Path, known: dict[str, str]) -> list[Distribution]:
    """Return the distributions; what the cache lacks is downloaded with pip."""
    cache.mkdir(parents=True, exist_ok=True)
    missing = [f"{name}=={version}" for name, version in pinned.items() if _cached(cache, name, version) is None]
    if missing:
        _download(runtime, missing, cache)
    found = []
    for name, version in pinned.items():
        path = _cached(cache, name, version)
        if path is None:
            raise BuildError(f"pip brought no file for {name}=={version} into {cache}")
        check_tags(path.name, runtime)
        found.append(read(path, name, version, digests.check(path, known)))
    return found


def _download(runtime: Runtime, requirements: list[str], cache: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps"]
    command += ["--prefer-binary", "--dest", str(cache)]
    if runtime.declared:
        command += ["--python-version", runtime.dotted, "--implementation", "cp"]
        for platform in _platforms(runtime):
            command += ["--platform", platform]
    done = subprocess.run([*command, *requirements], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"pip could not fetch {' '.join(requirements)} for {runtime.name}:\n{done.stderr.strip()}")


def _platforms(runtime: Runtime) -> Iterator[str]:
    major, newest = runtime.glibc
    machine = runtime.platform.removeprefix("linux_")
    for minor in range(newest, 4, -1):
        yield f"manylinux_{major}_{minor}_{machine}"
    for tag in _OLD_TAGS:
        yield f"{tag}_{machine}"


def _cached(cache: Path, name: str, version: str) -> Path | None:
    for path in sorted(cache.iterdir()):
        stem = path.name.removesuffix(".tar.gz").split("-")
        # A source archive's name may hold dashes, a wheel's does not.
        of_wheel = path.suffix == ".whl" and _plain(stem[0]) == _plain(name) and stem[1] == version
        if of_wheel or _plain(path.name) == _plain(f"{name}-{version}.tar.gz"):
            return path
    return None


def check_tags(file: str, runtime: Runtime) -> None:
    """Raise BuildError where a wheel's tags do not allow the runtime's Python, machine or C library."""
    if not file.endswith(".whl"):
        return
    python, abi, platform = file.removesuffix(".whl").split("-")[-3:]
    cpython = "cp{}{}".format(*runtime.python)
    fits_python = bool({cpython, "py3"} & set(python.split("."))) or ("abi3" in abi and python.startswith("cp3"))
    fits_abi = bool({cpython, "abi3", "none"} & set(abi.split(".")))
    if not (fits_python and fits_abi and any(_fits(tag, runtime) for tag in platform.split("."))):
        glibc = ", glibc {}.{}".format(*runtime.glibc) if any(runtime.glibc) else ""
        raise BuildError(f"{file} is not for {runtime.name} (Python {runtime.dotted}, {runtime.platform}{glibc})")


def _fits(tag: str, runtime: Runtime) -> bool:
    if tag == "any":
        return True
    system, _, machine = runtime.platform.partition("_")
    if system == "macosx":  # which version of macOS a wheel needs, pip has looked at
        return bool(re.fullmatch(rf"macosx_\d+_\d+_({machine}|universal2)", tag))
    modern = re.fullmatch(r"manylinux_(\d+)_(\d+)_(\w+)", tag)
    if modern:
        return (int(modern[1]), int(modern[2])) <= runtime.glibc and modern[3] == machine
    old, _, of = tag.partition("_")
    return old in _OLD_TAGS and _OLD_TAGS[old] <= runtime.glibc and of == machine


def read(path: Path, name: str, version: str, digest: str) -> Distribution:
    """Read a file that was checked: a wheel, or a source archive of plain Python that needs no building."""
    files = dict(_wheel(path) if path.suffix == ".whl" else _archive(path))
    metadata = next((data for file, data in files.items() if re.search(r"(METADATA|PKG-INFO)$", file)), b"")
    members, texts = {}, {}
    for file, data in files.items():
        if re.search(r"(^|/)(LICEN[CS]E|NOTICE|COPYING)[^/]*$", file, re.IGNORECASE):
            texts[file.rpartition("/")[2]] = data
        elif ".dist-info/" not in file and file.endswith((".py", ".so")):
            members[file] = data
        elif file.endswith((".c", ".pyx", ".rs")) and path.suffix != ".whl":
            raise BuildError(f"{path.name} is a source archive with {file}: it would have to be compiled")
    return Distribution(name, version, path.name, digest, _licence(metadata.decode()), members, texts)


def _wheel(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for file in sorted(archive.namelist()):
            if not file.endswith("/"):
                yield file, archive.read(file)


def _archive(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as archive:
        for member in sorted(archive.getmembers(), key=lambda distribution: distribution.name):
            content = archive.extractfile(member)
            if member.isfile() and content is not None:
                yield member.name.partition("/")[2], content.read()


def _licence(metadata: str) -> str:
    """Return the licence as the package states it: an SPDX expression, a short text or a classifier."""
    headers = HeaderParser().parsestr(metadata)
    stated = headers.get("License-Expression") or headers.get("License") or ""
    if not stated or "\n" in stated:
        classifiers = [
            classifier for classifier in headers.get_all("Classifier") or [] if classifier.startswith("License ::")
        ]
        stated = classifiers[0].rpartition(" :: ")[2] if classifiers else ""
    return stated or "not stated"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
