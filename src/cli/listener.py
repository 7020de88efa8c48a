"""Who listens on a port of this machine: another local cloud says so itself, any other program is looked up."""

import http.client
import json
import shutil
import socket
import subprocess
from contextlib import closing
from pathlib import Path

_LOOPBACK = "127.0.0.1"
_SECONDS = 2
_LISTENING = "0A"  # proc(5): the state of a TCP socket


def owner(port: int) -> str:
    """Return who listens on the port, '' where nobody does."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as asking:
        asking.settimeout(_SECONDS)
        if asking.connect_ex((_LOOPBACK, port)):
            return ""
    program = _of_proc(port) or _of_lsof(port) or "another program"
    return f"another local cloud ({program})" if _is_local_cloud(port) else program


def _is_local_cloud(port: int) -> bool:
    try:
        with closing(http.client.HTTPConnection(_LOOPBACK, port, timeout=_SECONDS)) as connection:
            connection.request("GET", "/_local/health")
            answer = connection.getresponse()
            return answer.status == http.HTTPStatus.OK and isinstance(json.loads(answer.read()), dict)
    except (OSError, http.client.HTTPException, ValueError):
        return False


def _of_proc(port: int) -> str:
    """Look in Linux's /proc."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            held = {str(link.readlink()) for link in (process / "fd").iterdir()} & sockets
            if held:
                words = (process / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ").strip()
                return f"process {process.name}, {words[:80]}"
        except OSError:  # it has ended, or belongs to another user
            continue
    return ""


def _of_lsof(port: int) -> str:
    """Ask lsof, where there is one: macOS has no /proc."""
    if not (program := shutil.which("lsof")):
        return ""
    asked = [program, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False).stdout  # noqa: S603
    except subprocess.TimeoutExpired:
        return ""
    fields = {line[:1]: line[1:] for line in told.splitlines() if line}
    return f"process {fields['p']}, {fields.get('c', '')}" if "p" in fields else ""
