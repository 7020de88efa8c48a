"""``make bench``: cold starts as fresh processes, ratios, whether the bars are met (docs/understand/performance.md).

Programs take turns, so that a noisy machine hits all alike; figures are medians. Everything lands in
``build/bench/cold-start.json``; the exit status is 1 when a bar is missed.
"""

import argparse
import json
import os
import platform
import statistics
import sys
from functools import partial
from pathlib import Path

from bench.cold_start import bars, chart, page, prepare, runs
from bench.cold_start.bars import Figures
from bench.cold_start.runs import Case
from bench.cold_start.stub_server import Stub
from bench.places import PLACE, ROOT

RUNS = 15

ASKED = {"instance_ids": ["i-bp1a2b3c4d5e6f7g8h9i"], "region_id": "cn-hangzhou", "reason": "benchmark"}


def main() -> int:
    """Measure, print, write; return the exit status."""
    options = _options()
    PLACE.mkdir(parents=True, exist_ok=True)
    cases = _cases(options.source)
    ours = next(case.code for case in cases if case.name == "accepted")
    with Stub() as stub:
        calls = runs.calls_of(cases, stub)
        samples = runs.samples_of(cases, stub, calls, options.runs)
        floor = next(case for case in cases if case.name == "floor")
        warm = runs.warm(ours, PLACE / "reboot.json", stub, calls, floor)
        tls = runs.first_tls_call(ours, PLACE / "tls", options.runs, partial(runs.floor_of, floor, stub, calls))
    megabytes = {
        "ours": ours.with_name("function.zip").stat().st_size / 1e6,
        "naive": prepare.zipped_megabytes(PLACE / "naive", PLACE / "naive.zip"),
        "naive-sources": prepare.zipped_megabytes(PLACE / "naive-sources", PLACE / "naive.zip"),
    }
    figures = Figures(calls, {name: _medians(rows) for name, rows in samples.items()}, megabytes, warm, tls)
    judged = bars.of(figures)
    print(bars.text(cases, figures, judged))
    report = {
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cpus": os.cpu_count()},
        "calls": calls,
        "runs": {name: len(rows) for name, rows in samples.items()},
        "ratios": {bar.name: round(bar.value, 4) for bar in judged},
        "bars": {bar.name: {"limit": bar.limit, "at_least": bar.at_least, "met": bar.met} for bar in judged},
        "medians": figures.medians,
        "zip_megabytes": megabytes,
        "warm_milliseconds": warm,
        "tls_milliseconds": tls,
        "samples": samples,
    }
    (PLACE / "cold-start.json").write_text(json.dumps(report, indent=1) + "\n")
    if options.chart:
        options.chart.parent.mkdir(parents=True, exist_ok=True)
        options.chart.write_text(chart.drawn([_row(case, figures.medians[case.name]) for case in cases]))
    if options.page:
        page.written(options.page, cases, figures, judged)
    return 0 if all(bar.met for bar in judged) else 1


def _row(case: Case, medians: dict[str, float]) -> chart.ChartRow:
    return chart.ChartRow(case.label, medians["accepted_ms" if case.reboots else "wall_ms"], medians["peak_mib"])


def _cases(source: Path) -> list[Case]:
    ours = prepare.ours(PLACE, source)
    naive, sources = prepare.naive(PLACE)
    floor, nothing = prepare.single(PLACE, "floor"), prepare.single(PLACE, "nothing")
    reboot = PLACE / "reboot.json"
    reboot.write_text(json.dumps(ASKED))
    over, misspelt = ROOT / "events" / "alarm-recovered.form.txt", ROOT / "events" / "manual-misspelt.json"
    quiet = (("LOGSTORE", ""),)
    return [
        Case("naive", "(a) generated clients, pydantic", naive, "naive", reboot),
        Case("naive-sources", "(b) the same without byte code", sources, "naive", reboot, byte_code=False),
        Case("floor", "(c) standard library only", floor, "floor", reboot),
        Case("nothing", "(d) empty interpreter", nothing, "nothing", reboot, reboots=False),
        Case("accepted", "(e) ours: accepted reboot", ours, "index", reboot),
        Case("ignored", "(e) ours: ignored event", ours, "index", over, reboots=False, environment=quiet),
        Case("rejected", "(e) ours: rejected event", ours, "index", misspelt, reboots=False, environment=quiet),
    ]


def _medians(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(row[key] for row in rows), 3) for key in rows[0]}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="cold_start", description="Measure cold starts against the bars.")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of each program")
    parser.add_argument("--source", type=Path, default=ROOT / "src", help="directory that holds ecs_reboot/")
    parser.add_argument("--chart", type=Path, help="where to write the chart (SVG)")
    parser.add_argument("--page", type=Path, help="a page whose tables are to be written again (Markdown)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
