"""Say which share of the function's branches the tests reach; below the bound the exit status is 1.

coverage's own bound is for lines and branches together (its issue 1152): straight lines would make up for branches.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from coverage import Coverage

#: Files that are named where the bound is missed, those with the most missing branches first.
NAMED = 10


def judged(report: dict[str, Any], bound: float) -> list[str]:
    """Return what is wrong with a report of coverage's in JSON: nothing where enough branches are reached."""
    totals = report["totals"]
    if not totals["num_branches"]:
        return ["no branch was counted: is `branch` on in pyproject.toml?"]
    if totals["percent_branches_covered"] >= bound:
        return []
    missing = {
        name: (file["summary"]["missing_branches"], [f"{start}->{end}" for start, end in file["missing_branches"]])
        for name, file in report["files"].items()
    }
    worst = sorted(missing, key=lambda name: -missing[name][0])[:NAMED]
    return [
        f"less than {bound:g} % of all branches; most are missing here (from line -> to line):",
        *(f"{missing[name][0]:4} {name}: {' '.join(missing[name][1])}" for name in worst if missing[name][0]),
    ]


def main() -> int:
    """Judge what the tests have counted, by the bound in pyproject.toml."""
    counted = Coverage()
    counted.load()
    with TemporaryDirectory() as place:
        path = Path(place) / "coverage.json"
        counted.json_report(outfile=str(path))
        report = json.loads(path.read_text(encoding="utf-8"))
    totals = report["totals"]
    share = f"{totals['covered_branches']} of {totals['num_branches']}"
    sys.stdout.write(f"branches: {totals['percent_branches_covered']:.2f} % ({share})\n")
    wrong = judged(report, float(str(counted.get_option("report:fail_under"))))
    sys.stderr.write("".join(f"{line}\n" for line in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
