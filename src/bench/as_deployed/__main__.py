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
from bench.as_deployed.bars import Row
from bench.places import PLACE
from ecs_reboot.facts.sources import SOURCES
from ecs_reboot.settings.variables import VARIABLES
from localcloud.commands.deployed import deployment
from localcloud.functioncompute import processor_share

#: Fleets and histories that must make no difference.
SIZES = ((1, 0), (1_000, 0), (20_000, 0), (20_000, 20_000))
SHARES = (0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.75, 1.0)
#: The sources of facts that the template's defaults ask, one call each for an instance in no scaling group; they go out
#: together, so they take the time of one.
FACTS_BY_DEFAULT = tuple(source.name for source in SOURCES if source.setting in {"MANAGED", "PLATFORM_EVENTS"})
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
        print("\n".join(_shares(options.code, options.runs)))
        return 0
    rows = list(_rows(options.code, options.runs, quick=options.quick))
    print(bars.text(rows))
    report = {
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cpus": os.cpu_count()},
        "share_held": held,
        "rows": [{**row._asdict(), "met": row.met} for row in rows],
    }
    (PLACE / "as-deployed.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if options.page:
        _write(options.page, bars.markdown(rows))
    return 0 if all(row.met for row in rows) else 1


def ledgers() -> list[str]:
    """Return the stores that this tree has, the template's default first."""
    return ["tablestore", "tags"] if any(variable.name == "LEDGER" for variable in VARIABLES) else ["tags"]


def _rows(code: Path, runs: int, *, quick: bool) -> Iterator[Row]:
    """Measure one figure after the other; only the table's store has bars for time and calls."""
    table = "tablestore" in ledgers()
    ledger = {"Ledger": ledgers()[0]}
    sizes = (SIZES[:2] if quick else SIZES) if table else ((1, 0), (1_000, 0), (1_000, 1_000))
    by_size = cases.calls(code, {**ledger, **cases.NO_FACTS}, sizes)
    counts = [len(names) for names in by_size.values()]
    yield Row(f"calls, most of {len(counts)} fleets and histories", max(counts), "", 6 if table else None, before="405")
    yield Row("calls, most less fewest", max(counts) - min(counts), "", 0 if table else None)
    by_size = cases.calls(code, ledger, sizes)
    counts = [len(names) - most for names, most in zip(by_size.values(), counts, strict=True)]
    yield Row("calls for facts, by default", max(counts), "", len(FACTS_BY_DEFAULT) if table else None)
    yield Row("calls for facts, most less fewest", max(counts) - min(counts), "", 0 if table else None)
    yield _seconds(
        "asynchronous, 50 ms a call", cases.asynchronous(code, ledger, 0.05, runs), 1.0 if table else None, "2.6"
    )
    yield _seconds(
        "asynchronous, 50 ms a call, with all facts",
        cases.asynchronous(code, ledger, 0.05, runs, parameters=cases.ALL_FACTS),
        1.5 if table else None,
        "",
    )
    kept = {**cases.ALL_FACTS, **cases.EVIDENCE}
    yield _seconds(
        "asynchronous, 50 ms a call, with all facts and evidence",
        cases.asynchronous(code, ledger, 0.05, runs, parameters=kept),
        # What is kept before the reboot may take two seconds of its own.
        3.5 if table else None,
        "",
    )
    answered, accepted, statuses = cases.over_http(code, ledger, 0.3, runs)
    yield Row("HTTP: answered 202", sum(status == 202 for status in statuses), "", runs, at_least=True)  # noqa: PLR2004
    yield _seconds("HTTP: until the answer, 300 ms a call", answered, 1.0, "3.5 and 503")
    yield _seconds("HTTP: until the reboot, 300 ms a call", accepted, 4.0 if table else None, "never")
    alarms = 20 if quick else 200
    yield from _crowd_rows(alarms, cases.crowd(code, ledger, alarms, 0.1, 500), judged=table)
    alarms = 30 if quick else 300
    made = cases.webhooks(code, ledger, alarms, 4, (0.03, 0.3))
    name = f"{alarms} HTTP alarms, 30-300 ms, one call in twenty fails"
    yield Row(f"{name}: lost", made.lost, "", 0, before="10 to 83 %")
    yield Row(f"{name}: rebooted twice", made.doubled, "", 0)
    yield Row(f"{name}: rebooted", made.rebooted, "")
    yield Row(f"{name}: given up, in the failure queue", made.queued, "")
    print(f"  {name}: {made.crashes} crashes; {made.codes}", flush=True)
    entries = 100 if quick else 1_000
    seconds, _ = cases.reading(code, entries, 10, 0.1, None)
    yield Row(f"tags, {entries} entries with 10 tags each, 100 ms a call", seconds, "s", 20.0, before="29 at 50 ms")
    _, reboots = cases.reading(code, entries, 10, 0.1, 500)
    yield Row("the same, 500 reads a minute: reboots", reboots, "", 1, at_least=True, before="0")


def _seconds(name: str, seconds: list[float], limit: float | None, before: str) -> Row:
    return Row(name, cases.median(seconds), "s", limit, before=before)


def _crowd_rows(alarms: int, crowd: cases.Crowd, *, judged: bool) -> Iterator[Row]:
    name = f"{alarms} alarms at once, 100 ms a call, 500 reads a minute"
    # The template lets a twentieth of the region be rebooted within its window.
    allowed = max(1, alarms // 20)
    yield Row(f"{name}: until the last reboot", crowd.seconds, "s", 60.0 if judged else None, before="never")
    yield Row(f"{name}: until the last run", crowd.all_seconds, "s", 60.0 if judged else None)
    yield Row(f"{name}: reboots", crowd.rebooted, "", allowed if judged else None, at_least=True, before="0")
    yield Row(f"{name}: stale", crowd.codes.get("stale", 0), "", 0, before="200")
    yield Row(f"{name}: neither rebooted nor refused by a limit", crowd.queued + crowd.lost, "", 0)
    print(f"  {name}: {crowd.codes}", flush=True)


def _shares(code: Path, runs: int) -> Iterator[str]:
    """Give the table of latency and price by share of a processor, 50 ms a call."""
    memory = deployment("1000000000000007", {}).memory_mb
    ledger = {"Ledger": ledgers()[0]}
    yield "| vCPU | accepted, ms | USD for a million reboots |"
    yield "| --- | --- | --- |"
    enough = []
    for share in SHARES:
        seconds = cases.median(
            cases.asynchronous(code, ledger, 0.05, max(runs, FEWEST_RUNS), parameters={"Cpu": str(share)})
        )
        if seconds <= WANTED_SECONDS:
            enough.append(share)
        yield f"| {share:g} | {seconds * 1000:.0f} | {price.dollars_a_million(share, memory, seconds):.2f} |"
    least = f"{min(enough):g} vCPU" if enough else "none of them"
    yield f"The least that is accepted within {WANTED_SECONDS:g} s: {least}."


def _write(page: Path, lines: list[str]) -> None:
    """Put the table between its marks in a page. Raises ValueError where a mark is missing."""
    text = page.read_text(encoding="utf-8")
    begin, end = "<!-- deployed: written by make bench -->\n", "<!-- end of deployed -->"
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
