"""Byte code for the runtime's Python, compiled by that Python, valid whatever times the unpacked sources have.

The code directory cannot be written at run time, so byte code that packing made void would mean compiling at every
cold start. Unchecked-hash files are never compared with their source.
"""

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bundle import BuildError

_COMPILE = """
import importlib.util, json, os, py_compile, sys
made = []
for path in json.load(sys.stdin):
    target = importlib.util.cache_from_source(path)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(path, target, dfile=path, doraise=True, invalidation_mode=mode)
    made.append(target)
json.dump(made, sys.stdout)
"""


def compiled(files: Mapping[str, bytes], interpreter: str) -> dict[str, bytes]:
    """Return the .pyc of every source, by path."""
    sources = {path: data for path, data in files.items() if path.endswith(".py")}
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for path, data in sources.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        done = subprocess.run(
            [interpreter, "-s", "-S", "-c", _COMPILE],
            input=json.dumps(sorted(sources)),
            capture_output=True,
            text=True,
            cwd=root,
            env={"PYTHONHASHSEED": "0"},  # the order of a set in byte code hangs on it
            check=False,
        )
        if done.returncode:
            raise BuildError(f"{interpreter} could not compile the package:\n{done.stderr.strip()}")
        return {path: (root / path).read_bytes() for path in json.loads(done.stdout)}
