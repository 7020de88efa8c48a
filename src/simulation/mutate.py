"""Take the guards away one by one and see that the tests notice.

Each mutant is an edit of the source in a copy of its own. It is caught when a fast test of the affected modules fails,
or else when a short simulation does; those that carry out the edited lines go first. Exit status 1 if one survives.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from simulation.lines_reached import OPTIONS, Reach
from simulation.mutants import MUTANTS, Mutant

SOURCE = Path(__file__).resolve().parent.parent
ROOT = SOURCE.parent
#: The tests that stand for all: pure and in memory.
TESTS = tuple(
    f"tests/unit/test_{name}.py"
    for name in (
        "finish", "protection", "lifecycle", "policy", "ledger", "blast_radius", "claims", "table_rows", "table_ledger",
        "reboot_batch", "remediation", "proof", "rolling", "upkeep", "table_upkeep", "handover",
        "notices", "notice_services", "notice_delivery", "notice_outbox", "observing", "evidence",
        "tag_register", "forgotten_entries", "deadlines", "invocation", "table_dead_runs", "table_limits",
        "told_at_least_once",
    )
)  # fmt: skip
#: How long one run of tests or simulation may take, on a busy machine too: what takes longer waits for ever.
SECONDS = 900
#: How many of the nearest names are offered where a name is wrong.
NEAREST = 3
_OPTIONS = ("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:randomly", "--tb=no")
_SIMULATE = """
import sys
from simulation.assumptions import Assumptions
from simulation.campaign import campaign
broken = campaign(1, int(sys.argv[1]), Assumptions(), lambda _: None).broken
sys.exit(f"BROKEN: {broken[1].violation.promise}" if broken else 0)
"""


class UnknownMutant(ValueError):
    """There is no mutant whose name holds the text."""


def main(names: Sequence[str] = (), deliveries: int = 3000, begin: str = "") -> int:
    """Try the mutants whose name holds one of ``names``, all by default; return the exit status.

    ``deliveries``: of the simulation, where no test fails. ``begin``: leave out those before the first whose name holds
    this. Raises UnknownMutant.
    """
    if unknown := [name for name in (*names, begin) if not any(name in mutant.name for mutant in MUTANTS)]:
        near = get_close_matches(unknown[0], [mutant.name for mutant in MUTANTS], NEAREST, 0)
        raise UnknownMutant(f"{unknown[0]!r}: no mutant's name holds this; the nearest: {'; '.join(near)}")
    first = next(place for place, mutant in enumerate(MUTANTS) if begin in mutant.name)
    chosen = [mutant for mutant in MUTANTS[first:] if not names or any(name in mutant.name for name in names)]
    survivors, began = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory)
        for package in ("ecs_reboot", "simulation"):
            shutil.copytree(SOURCE / package, copy / "src" / package, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "tests" / "unit", copy / "tests" / "unit", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "template.yml", copy)
        if missed := failing(copy, TESTS, OPTIONS) or simulated(copy, deliveries):
            _say(f"without any edit the tests fail: {missed}\n")
            return 2
        reach = Reach(copy / ".coverage", copy / "src" / "ecs_reboot")
        for mutant in chosen:
            by = killed(mutant, copy, deliveries, reach)
            survivors += not by
            _say(f"{'caught' if by else 'SURVIVED':9} {mutant.name:45} {mutant.module:13} {by}\n")
            sys.stdout.flush()
    _say(f"{len(chosen) - survivors} of {len(chosen)} caught, {(time.monotonic() - began) / 60:.0f} minutes\n")
    return 1 if survivors else 0


def killed(mutant: Mutant, copy: Path, deliveries: int, reach: Reach) -> str:
    """Return what noticed the mutant, '' where nothing did. Raises ValueError where its place is not found."""
    path = copy / "src" / "ecs_reboot" / f"{mutant.module}.py"
    text = path.read_text("utf-8")
    if text.count(mutant.old) != 1:
        raise ValueError(f"mutant {mutant.name!r}: {mutant.old!r} stands {text.count(mutant.old)} times in {path.name}")
    near = reach.tests_of(mutant.module, text, mutant.old)
    path.write_text(text.replace(mutant.old, mutant.new), "utf-8")
    try:
        if mutant.simulated:
            return simulated(copy, deliveries)
        return (near and failing(copy, near)) or failing(copy, TESTS) or simulated(copy, deliveries)
    finally:
        path.write_text(text, "utf-8")


def failing(copy: Path, tests: Sequence[str], options: Sequence[str] = ()) -> str:
    """Return the first test that fails, '' where all is well."""
    ran = _python(copy, "-m", "pytest", *_OPTIONS, *options, *tests)
    if ran is None:
        return f"the tests did not end within {SECONDS} s"
    if not ran.returncode:
        return ""
    failed = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].partition("::")[2].partition(" - ")[0] if failed else "the tests did not run"


def simulated(copy: Path, deliveries: int) -> str:
    """Return the promise that the simulation finds broken, '' where all is well."""
    ran = _python(copy, "-c", _SIMULATE, str(deliveries))
    if ran is None:
        return f"the simulation did not end within {SECONDS} s"
    if not ran.returncode:
        return ""
    broken = [line for line in ran.stderr.splitlines() if line.startswith("BROKEN")]
    return broken[0] if broken else "the simulation did not run"


def _python(copy: Path, *arguments: str) -> "subprocess.CompletedProcess[str] | None":
    """Run Python in the copy; None where it takes too long: what waits for ever is noticed too."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "COV_"))}
    environment = {**kept, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return subprocess.run(  # noqa: S603 - our own interpreter and programs
            [sys.executable, *arguments],
            cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None


def _say(text: str) -> None:
    sys.stdout.write(text)
