"""What a run has found so far, in a file: a run that was interrupted goes on where it stopped.

No secret stands in it; the token of a run is new each time.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from acceptance.check import CheckFinding


class Journal:
    """The findings by check, and what must be known to clean up. One file for each region and instance."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._findings: dict[str, CheckFinding] = {}
        #: Whether the ledger's table was there before the run; None: not looked yet.
        self.had_table: bool | None = None
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            self._findings = {name: CheckFinding(*found) for name, found in kept["findings"].items()}
            self.had_table = kept["had_table"]

    @property
    def findings(self) -> Mapping[str, CheckFinding]:
        """Everything that was found."""
        return self._findings

    def settled(self, name: str) -> CheckFinding | None:
        """Return what an earlier run found for good: what was not learnt, or not allowed, is tried again."""
        found = self._findings.get(name)
        return found if found and found.verdict in ("holds", "differs") else None

    def put(self, name: str, finding: CheckFinding) -> None:
        """Keep a finding."""
        self._findings[name] = finding
        self.save()

    def save(self) -> None:
        """Write the file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        kept = {"findings": {name: list(found) for name, found in self._findings.items()}, "had_table": self.had_table}
        self._path.touch(mode=0o600)
        self._path.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")

    def close(self) -> None:
        """Forget the run: everything is done and taken away."""
        self._path.unlink(missing_ok=True)
