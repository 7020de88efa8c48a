"""The Pythons that the package can be built for, and where each is found on this machine."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

from bundle import BuildError

#: Names an interpreter of the runtime's Python, where PATH does not lead to it.
VARIABLE = "RUNTIME_PYTHON"
#: What Function Compute's machines are, as far as modules are compiled for them.
FUNCTION_COMPUTE = "linux_x86_64"

Version = tuple[int, int]


class WrongRuntime(BuildError):
    """There is no such runtime, or the Python that is named is not its; nothing was built."""


class Runtime(NamedTuple):
    """``glibc`` is the newest C library that a compiled module may ask for; ``declared`` is false for this machine.

    ``platform``: what compiled modules are for, as wheels name it: ``linux_x86_64`` or ``macosx_arm64``.
    """

    name: str
    python: Version
    glibc: Version
    declared: bool = True
    platform: str = FUNCTION_COMPUTE

    @property
    def dotted(self) -> str:
        """The Python's version as ``3.10``."""
        return "{}.{}".format(*self.python)

    @property
    def runs_here(self) -> bool:
        """Whether this machine can load its compiled modules."""
        return self.platform == _own_platform()


def _own_platform() -> str:
    """Return this machine's system and processor, without the system's version: ``macosx_arm64``."""
    system = {"darwin": "macosx"}.get(sys.platform, sys.platform)
    return f"{system}_{platform.machine().lower()}"


def _own_glibc() -> Version:
    """Return the version of this machine's C library; on macOS no module asks for one."""
    if sys.platform == "darwin":
        return 0, 0
    kind, version = platform.libc_ver()
    if kind != "glibc":
        raise BuildError(f"this machine has no glibc but {kind or 'something else'}: build for a declared runtime")
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def runtime(name: str) -> Runtime:
    """Return the runtime of that name. Debian 10 has glibc 2.28, Debian 11 has 2.31."""
    if name == "host":
        return Runtime(name, sys.version_info[:2], _own_glibc(), declared=False, platform=_own_platform())
    declared = {"python3.10": Runtime(name, (3, 10), (2, 28)), "python3.12": Runtime(name, (3, 12), (2, 31))}
    if name not in declared:
        raise WrongRuntime(f"RUNTIME={name}: say one of {', '.join(declared)} or host")
    return declared[name]


def interpreter(wanted: Runtime) -> str | None:
    """Return a program of the runtime's Python; None where this machine has none. Raises BuildError for a wrong one."""
    given = os.environ.get(VARIABLE, "")
    if given:
        if _version(given) != wanted.python:
            raise WrongRuntime(f"{VARIABLE}={given} is not Python {wanted.dotted}: name one that is, or none")
        return given
    candidates = [sys.executable, shutil.which(f"python{wanted.dotted}"), *_of_pyenv(wanted)]
    return next((candidate for candidate in candidates if candidate and _version(candidate) == wanted.python), None)


def _of_pyenv(wanted: Runtime) -> Iterator[str]:
    """Yield the runtime's Pythons that pyenv has installed: on PATH there is only the one that is switched on."""
    pyenv = shutil.which("pyenv")
    if not pyenv:
        return
    for version in reversed(_said(pyenv, "versions", "--bare").split()):
        if version.startswith(f"{wanted.dotted}."):
            yield os.path.join(_said(pyenv, "prefix", version).strip(), "bin", "python")  # noqa: PTH118 - a program's name


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def _version(program: str) -> Version | None:
    """Ask a program for its version; a launcher that has no such Python fails instead of answering."""
    answer = _said(program, "-I", "-S", "-c", "import sys; print(*sys.version_info[:2])").split()
    return (int(answer[0]), int(answer[1])) if len(answer) == 2 else None  # noqa: PLR2004 - major and minor
