"""The file that `logs` writes records into: it replaces records alone, and only where there are others to write."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from terminal.key_values import UsageError


def check(path: str) -> None:
    """Check that records may be written there. Raises UsageError for a missing folder, and for what is no such file."""
    file = Path(path)
    if not file.parent.is_dir():
        raise UsageError(f"RECORDS={path}: there is no folder {file.parent}: make it, or name another")
    if file.exists() and not file.is_file():
        raise UsageError(f"RECORDS={path} is no file that can be written: name another")
    try:
        holds_records = not file.exists() or _holds_records(file)
    except OSError as error:
        raise UsageError(f"RECORDS={path} can't be read, to see what would be lost: {error.strerror}") from error
    if not holds_records:
        raise UsageError(f"RECORDS={path} holds something else than records, which would be lost: name another")


def write(logs: Iterable[Mapping[str, Any]], path: str) -> int:
    """Write logs, a line of JSON each, as `digest`, `explain` and `replay` read them; return how many.

    The file comes to its place when it is whole, for one that was cut off would look like a quiet week; without a log
    there is none, and what stands there stays. Raises UsageError.
    """
    check(path)
    file, count = Path(path), 0
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("w", encoding="utf-8") as lines:
            for log in logs:
                lines.write(json.dumps(dict(log), ensure_ascii=False) + "\n")
                count += 1
        if count:
            part.replace(file)
    except OSError as error:
        raise UsageError(f"RECORDS={path} can't be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return count


def _holds_records(file: Path) -> bool:
    """Return whether a file is one of records, by its first line; in one that is empty there is nothing to lose."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        first = next((line for line in lines if line.strip()), "")
    try:
        row = json.loads(first) if first else {"schema": "", "record": ""}
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and {"schema", "record"} <= row.keys()
