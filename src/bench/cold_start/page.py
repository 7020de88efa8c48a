"""The figures as tables in the page that explains them, between marks, so that page and chart are of one run."""

from pathlib import Path

from bench.cold_start.bars import Bar, Figures
from bench.cold_start.runs import Case


def written(page: Path, cases: list[Case], figures: Figures, judged: list[Bar]) -> None:
    """Put both tables into the page. Raises ValueError where a mark is missing."""
    text = page.read_text()
    for name, rows in (("numbers", _numbers(cases, figures)), ("bars", _bars(judged))):
        begin, end = f"<!-- {name}: written by make bench -->\n", f"<!-- end of {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"{page} has no marks for {name}: {begin.strip()} and {end}")
        head, _, rest = text.partition(begin)
        text = head + begin + "\n".join(rows) + "\n" + end + rest.partition(end)[2]
    page.write_text(text)


def _numbers(cases: list[Case], figures: Figures) -> list[str]:
    rows = ["| program | accepted, ms | returned, ms | wall, ms | CPU, ms | peak, MiB | modules |"]
    rows.append("| --- | --- | --- | --- | --- | --- | --- |")
    for case in cases:
        row = figures.medians[case.name]
        accepted = f"{row['accepted_ms']:.0f}" if case.reboots else "-"
        rows.append(
            f"| {case.label} | {accepted} | {row['returned_ms']:.0f} | {row['wall_ms']:.0f} | {row['cpu_ms']:.0f} "
            f"| {row['peak_mib']:.0f} | {row['modules']:.0f} |"
        )
    zipped = figures.megabytes
    rows.append("")
    rows.append(
        f"Zipped: ours {zipped['ours']:.1f} MB, (a) {zipped['naive']:.1f} MB, (b) {zipped['naive-sources']:.1f} MB."
    )
    return rows


def _bars(judged: list[Bar]) -> list[str]:
    rows = ["| bar | measured | limit |", "| --- | --- | --- |"]
    for bar in judged:
        sign = "at least" if bar.at_least else "at most"
        missed = "" if bar.met else " (missed)"
        rows.append(f"| {bar.meaning} | {bar.value:.3g}{missed} | {sign} {bar.limit:.3g} |")
    return rows
