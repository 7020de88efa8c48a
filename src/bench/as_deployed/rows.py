"""The rows of the table "alarm to reboot, as deployed": what each measures, and its bar."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.as_deployed import cases
from bench.as_deployed.bars import BarRow
from bench.as_deployed.call_rounds import one_after_another
from bench.as_deployed.ten_hours import Fates, fates
from ecs_reboot.facts.sources import SOURCES

#: Fleets and histories that must make no difference.
SIZES = ((1, 0), (1_000, 0), (20_000, 0), (20_000, 20_000))
#: The sources of facts that the template's defaults ask about an alarm of a metric, one call each for an instance in no
#: scaling group; they go out together, so they take the time of one.
FACTS_BY_DEFAULT = tuple(source.name for source in SOURCES if source.setting != "BUSY_SECONDS")
MOST_CALLS = 6
#: How long each call takes where it is to be seen which go out together.
OVERLAP_SECONDS = 0.5
#: Of 300 alarms over ten hours, by what each call took, before the redesign.
NEVER_REBOOTED = "10 % at 30 ms, 51 % at 50, 83 % at 80"
#: How often ten hours are simulated, each time with other chances.
TEN_HOURS = 3
LEDGER = {"Ledger": "tablestore"}


def rows(code: Path, runs: int, *, quick: bool) -> Iterator[BarRow]:
    """Measure one figure after the other, over the template's ledger but for the last, which are the tags'."""
    sizes = SIZES[:2] if quick else SIZES
    by_size = cases.calls(code, {**LEDGER, **cases.NO_FACTS}, sizes)
    counts = [len(calls) for calls in by_size.values()]
    yield BarRow(
        f"calls without facts, most of {len(counts)} fleets and histories", max(counts), "", MOST_CALLS, before="405"
    )
    yield BarRow("calls without facts, most less fewest", max(counts) - min(counts), "", 0)
    by_size = cases.calls(code, LEDGER, sizes, OVERLAP_SECONDS)
    with_facts = [len(calls) for calls in by_size.values()]
    yield BarRow("calls with the facts that are on by default", max(with_facts), "", MOST_CALLS + len(FACTS_BY_DEFAULT))
    yield BarRow("of these for facts, all at once", max(with_facts) - max(counts), "", len(FACTS_BY_DEFAULT))
    yield BarRow("calls with these facts, most less fewest", max(with_facts) - min(with_facts), "", 0)
    waits = [one_after_another(calls) for calls in by_size.values()]
    yield BarRow(
        f"calls one after another with these facts, most of {len(waits)} fleets and histories",
        max(waits),
        "",
        MOST_CALLS,
        before="405",
    )
    yield BarRow("calls one after another with these facts, most less fewest", max(waits) - min(waits), "", 0)
    yield _seconds("asynchronous, 50 ms a call", cases.asynchronous(code, LEDGER, 0.05, runs), 1.0, "2.6")
    yield _seconds(
        "asynchronous, 50 ms a call, with all facts",
        cases.asynchronous(code, LEDGER, 0.05, runs, parameters=cases.ALL_FACTS),
        1.5,
        "",
    )
    kept = {**cases.ALL_FACTS, **cases.EVIDENCE}
    yield _seconds(
        "asynchronous, 50 ms a call, with all facts and evidence",
        cases.asynchronous(code, LEDGER, 0.05, runs, parameters=kept),
        # What is kept before the reboot may take two seconds of its own.
        3.5,
        "",
    )
    answered, accepted, statuses = cases.over_http(code, LEDGER, 0.3, runs)
    yield BarRow("HTTP: answered 202", sum(status == 202 for status in statuses), "", runs, at_least=True)  # noqa: PLR2004
    yield _seconds("HTTP: until the answer, 300 ms a call", answered, 1.0, "3.5 and 503")
    yield _seconds("HTTP: until the reboot, 300 ms a call", accepted, 4.0, "never")
    alarms = 20 if quick else 200
    yield from _crowd_rows(alarms, cases.crowd(code, LEDGER, alarms, 0.1, 500))
    alarms = 30 if quick else 300
    made = cases.webhooks(code, LEDGER, alarms, 4, (0.03, 0.3))
    name = f"{alarms} HTTP alarms, 30-300 ms, one call in twenty fails"
    yield BarRow(f"{name}: lost", made.lost, "", 0, before="10 to 83 %")
    yield BarRow(f"{name}: rebooted twice", made.doubled, "", 0)
    yield BarRow(f"{name}: rebooted", made.rebooted, "")
    yield BarRow(f"{name}: given up, in the failure queue", made.queued, "")
    print(f"  {name}: {made.crashes} crashes; {made.codes}", flush=True)
    for store in ("tablestore", "tags"):
        seeds = range(1, 2 if quick else TEN_HOURS + 1)
        yield from ten_hours_rows(store, alarms, [fates(store, seed, alarms) for seed in seeds])
    entries = 100 if quick else 1_000
    seconds, _ = cases.reading(code, entries, 10, 0.1, None)
    yield BarRow(f"tags, {entries} entries with 10 tags each, 100 ms a call", seconds, "s", 20.0, before="29 at 50 ms")
    _, reboots = cases.reading(code, entries, 10, 0.1, 500)
    yield BarRow("the same, 500 reads a minute: reboots", reboots, "", 1, at_least=True, before="0")


def ten_hours_rows(store: str, alarms: int, ended: Sequence[Fates]) -> Iterator[BarRow]:
    """Judge ten simulated hours, as often as they were simulated: each alarm in them is clear and allowed."""
    name = f"{len(ended)} x {alarms} HTTP alarms over ten simulated hours, {store}"
    recorded = sum((episode.recorded for episode in ended), Counter[str]())
    yield BarRow(f"{name}: lost", sum(episode.lost for episode in ended), "", 0, before=NEVER_REBOOTED)
    yield BarRow(f"{name}: no reboot, a record alone", recorded.total(), "", 0)
    yield BarRow(f"{name}: rebooted twice", sum(episode.doubled for episode in ended), "", 0)
    yield BarRow(f"{name}: promises of safety.md broken", sum(bool(episode.broken) for episode in ended), "", 0)
    yield BarRow(f"{name}: rebooted", sum(episode.rebooted for episode in ended), "")
    yield BarRow(f"{name}: given up, in the failure queue", sum(episode.queued for episode in ended), "")
    crashes = f"{sum(episode.crashes for episode in ended)} crashes in {sum(episode.runs for episode in ended)} runs"
    print(f"  {name}: {crashes}; a record alone: {dict(recorded)}", flush=True)
    for episode in ended:
        if episode.broken:
            print(f"  {name}: stopped after {episode.alarms} alarms: {episode.broken}", flush=True)


def _seconds(name: str, seconds: list[float], limit: float, before: str) -> BarRow:
    return BarRow(name, cases.median(seconds), "s", limit, before=before)


def _crowd_rows(alarms: int, crowd: cases.Crowd) -> Iterator[BarRow]:
    name = f"{alarms} alarms at once, 100 ms a call, 500 reads a minute"
    # The template lets a twentieth of the region be rebooted within its window.
    allowed = max(1, alarms // 20)
    yield BarRow(f"{name}: until the last reboot", crowd.seconds, "s", 60.0, before="never")
    yield BarRow(f"{name}: until the last run", crowd.all_seconds, "s", 60.0)
    yield BarRow(f"{name}: reboots", crowd.rebooted, "", allowed, at_least=True, before="0")
    yield BarRow(f"{name}: stale", crowd.codes.get("stale", 0), "", 0, before="200")
    yield BarRow(f"{name}: neither rebooted nor refused by a limit", crowd.queued + crowd.lost, "", 0)
    print(f"  {name}: {crowd.codes}", flush=True)
