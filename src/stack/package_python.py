"""Which Python a package was built for, and which one a local cloud runs functions with."""

import http.client
import io
import json
import re
import urllib.request
import zipfile

_SECONDS = 10
#: A module in machine code, which only the Python that its name tells can load.
_COMPILED = re.compile(r"\.cpython-(?P<major>\d)(?P<minor>\d+)-[\w-]+\.so$")


def mismatch(package: bytes, endpoint: str) -> str:
    """Return why a local cloud can't run the package; '' where it can, or where that can't be told.

    ``endpoint`` is the local cloud's address; '' is Function Compute, which has a Python of each kind.
    """
    built_for = _built_for(package) if endpoint else ""
    runs = _run_by(endpoint) if built_for else ""
    if not runs or built_for == runs:
        return ""
    return (
        f"the package was built for Python {built_for}, and the local cloud at {endpoint} runs functions with Python "
        f"{runs}, where it could not start: `make build RUNTIME=host` builds it for the Python at hand"
    )


def _built_for(package: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        found = (_COMPILED.search(name) for name in archive.namelist())
        return next((f"{match['major']}.{match['minor']}" for match in found if match), "")


def _run_by(endpoint: str) -> str:
    """Ask the local cloud; '' where another stand-in answers, or one that does not say."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{endpoint.rstrip('/')}/_local/health", timeout=_SECONDS) as answer:
            said = json.load(answer)
    except (OSError, ValueError, http.client.HTTPException):
        return ""
    return str(said.get("python", "")) if isinstance(said, dict) else ""
