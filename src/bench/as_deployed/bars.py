"""A row of the table "alarm to reboot, as deployed": its figure, its bar, whether it is met; and the table as text."""

from collections.abc import Iterable
from typing import NamedTuple


class BarRow(NamedTuple):
    """One figure. Without a ``limit`` it is there to compare with; ``before`` is what it was before the redesign."""

    name: str
    value: float
    unit: str = "s"
    limit: float | None = None
    at_least: bool = False
    before: str = ""

    @property
    def met(self) -> bool:
        """Return whether the figure is on its side of the limit."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def share(self) -> str:
        """Return the figure as a part of its limit."""
        return f"{self.value / self.limit:.2f}" if self.limit else ""


def text(rows: Iterable[BarRow]) -> str:
    """Return the rows for a reader."""
    lines = [f"{'alarm to reboot, as deployed':88}{'measured':>12} {'bar':>12} {'of it':>6}"]
    for row in rows:
        bar = "" if row.limit is None else f"{'>=' if row.at_least else '<='} {row.limit:g}"
        verdict = "" if row.limit is None else "  met" if row.met else "  MISSED"
        lines.append(f"{row.name:88}{row.value:>9.2f} {row.unit:2} {bar:>12} {row.share:>6}{verdict}")
    return "\n".join(lines)


def markdown(rows: Iterable[BarRow]) -> list[str]:
    """Return the rows as a table for a page."""
    lines = ["| alarm to reboot, as deployed | measured | bar | before |", "| --- | --- | --- | --- |"]
    for row in rows:
        bar = "" if row.limit is None else f"{'at least' if row.at_least else 'at most'} {row.limit:g}"
        missed = "" if row.met else " (missed)"
        lines.append(f"| {row.name} | {row.value:.2f} {row.unit}{missed} | {bar} | {row.before} |")
    return lines
