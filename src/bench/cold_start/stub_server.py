"""The stub as a process of its own, and what it noted."""

import queue
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import IO

_SECONDS = 2.0


class Stub:
    """A running stub; ``notes`` are its lines since they were last taken."""

    def __init__(self, *certificate: Path) -> None:
        program = Path(__file__).with_name("stub.py")
        self._process = subprocess.Popen(
            [sys.executable, str(program), *map(str, certificate)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(_pipe(self._process.stdout).readline())
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> "Stub":  # noqa: PYI034 - typing.Self came with 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _pipe(self._process.stdin).close()
        self._process.wait()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def forget(self) -> None:
        """Drop what was noted so far."""
        while not self._lines.empty():
            self._lines.get_nowait()

    def until(self, action: str) -> tuple[list[str], int]:
        """Return the actions up to and with this one, and when its answer was sent. TimeoutError where it never was."""
        actions: list[str] = []
        while True:
            try:
                name, at = self._lines.get(timeout=_SECONDS).split()
            except queue.Empty:
                raise TimeoutError(f"the stub never answered {action}, only {actions}") from None
            actions.append(name)
            if name == action:
                return actions, int(at)

    def _read(self) -> None:
        for line in _pipe(self._process.stdout):
            self._lines.put(line)


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise RuntimeError("the stub was started without this pipe")
    return pipe
