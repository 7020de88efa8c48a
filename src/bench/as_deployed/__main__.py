"""``make bench``, alarm to reboot as deployed: measure, print, write ``build/bench/as-deployed.json``.

The exit status is 1 when a bar is missed. ``--shares`` measures the shares of a processor instead, and prints latency
and price of each.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.as_deployed import bars, cases, price
from bench.as_deployed.rows import LEDGER, rows
from bench.places import PLACE
from localcloud.commands.rendered_template import deployment
from localcloud.functioncompute import processor_share

SHARES = (0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.75, 1.0)
#: An alarm should be on its way within a second; what is above that is paid for nothing.
WANTED_SECONDS = 1.0
FEWEST_RUNS = 3


def main() -> int:
    """Measure, print, write; return the exit status."""
    options = _options()
    PLACE.mkdir(parents=True, exist_ok=True)
    given = deployment("1000000000000007", {})
    group = processor_share.quota(given.cpu)
    held = group is not None
    if group:
        group.close()
    how = (
        "held to by a control group"
        if held
        else "NOT held to here: no control group can be made; figures are too small"
    )
    print(f"{given.cpu:g} vCPU, {how}; {given.memory_mb} MB; timeout {given.timeout} s", flush=True)
    if options.shares:
        table = list(_shares(options.code, options.runs))
        print("\n".join(table))
        if options.page:
            _write(options.page, "shares", table)
        return 0
    measured = list(rows(options.code, options.runs, quick=options.quick))
    print(bars.text(measured))
    report = {
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cpus": os.cpu_count()},
        "share_held": held,
        "rows": [{**row._asdict(), "met": row.met} for row in measured],
    }
    (PLACE / "as-deployed.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if options.page:
        _write(options.page, "deployed", bars.markdown(measured))
    return 0 if all(row.met for row in measured) else 1


def _shares(code: Path, runs: int) -> Iterator[str]:
    """Yield the table of latency and price by share of a processor, 50 ms a call."""
    memory = deployment("1000000000000007", {}).memory_mb
    yield "| vCPU | accepted, ms | USD for a million reboots |"
    yield "| --- | --- | --- |"
    enough = []
    for share in SHARES:
        seconds = cases.median(
            cases.asynchronous(code, LEDGER, 0.05, max(runs, FEWEST_RUNS), parameters={"Cpu": str(share)})
        )
        if seconds <= WANTED_SECONDS:
            enough.append(share)
        yield f"| {share:g} | {seconds * 1000:.0f} | {price.dollars_a_million(share, memory, seconds):.2f} |"
    least = f"{min(enough):g} vCPU" if enough else "none of them"
    yield ""
    yield f"The least that is accepted within {WANTED_SECONDS:g} s: {least}."


def _write(page: Path, name: str, lines: list[str]) -> None:
    """Put a table between the marks of its name in a page. Raises ValueError where a mark is missing."""
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}: written by make bench -->\n", f"<!-- end of {name} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{page} has no marks {begin.strip()} and {end}")
    head, _, rest = text.partition(begin)
    page.write_text(head + begin + "\n".join(lines) + "\n" + end + rest.partition(end)[2], encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="as_deployed", description="Measure the way from an alarm to its reboot.")
    parser.add_argument("--code", type=Path, default=PLACE / "function", help="the built package")
    parser.add_argument("--runs", type=int, default=7, help="runs of each figure that is a median")
    parser.add_argument("--shares", action="store_true", help="the table of latency and price by share of a processor")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, to see that it works")
    parser.add_argument("--page", type=Path, help="a page whose table is to be written again (Markdown)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
