"""A forecast as text. Ticks that reboot stand by themselves; like ones that do not are folded into one entry. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from ecs_reboot.outcomes import OUTCOMES
from ecs_reboot.policy.facts import Policy
from ecs_reboot.policy.windows import zone
from ecs_reboot.records import digest
from localcloud.account.fleet import Fleet
from review.rolling_reasons import Held
from review.text import counted, some, utc, wrapped
from review.timeline import Tick, Told
from review.timers import Timer

#: The most instances that are named in one place; of more, their number is given.
MOST_NAMES = 6
#: Results of a request that are about no instance of their own.
PROGRESS = "rolling_progress"
#: Codes that mean: something kept the instance from being rebooted.
HELD = digest.HELD | {"repeated"}
#: Codes of a reboot about which there is no more to say.
WENT_WELL = tuple(outcome.code for outcome in OUTCOMES if outcome.done)


class ForecastPlan(NamedTuple):
    """What a forecast rests on."""

    timers: Sequence[Timer]
    fleet: Fleet
    policy: Policy
    start: datetime
    end: datetime


class SameTicks(NamedTuple):
    """Ticks of one timer that came to the same, and follow each other among that timer's ticks."""

    ticks: tuple[Tick, ...]


def folded(ticks: Iterable[Tick]) -> list[SameTicks]:
    """Put every tick into exactly one entry; entries are in the order of their first tick."""
    entries: list[list[Tick]] = []
    last: dict[str, list[Tick]] = {}
    for tick in ticks:
        before = last.get(tick.timer)
        if before and not tick.reboots and _likeness(before[-1]) == _likeness(tick):
            before.append(tick)
            continue
        entries.append([tick])
        last[tick.timer] = entries[-1]
    return [SameTicks(tuple(row)) for row in entries]


def format_forecast(ticks: Sequence[Tick], plan: ForecastPlan) -> Iterator[str]:
    """Yield the forecast line by line."""
    names = {spec.instance_id: spec.instance_name or spec.instance_id for spec in plan.fleet.instances}
    clock = LocalClock(plan.policy.time_zone)
    yield from _head(plan, clock)
    for entry in folded(ticks):
        yield ""
        yield from _entry(entry, names, clock)
    yield ""
    yield from _summary(ticks, plan, names)


class LocalClock(NamedTuple):
    """Writes times in one zone, and beside it in UTC where that differs."""

    time_zone: str

    def __call__(self, moment: datetime) -> str:
        """Return `Mon 2026-11-23 03:00 CET (2026-11-23T02:00Z)`."""
        local = moment.astimezone(zone(self.time_zone))
        seconds = ":%S" if local.second else ""
        text = local.strftime(f"%a %Y-%m-%d %H:%M{seconds} %Z")
        return text if self.time_zone == "UTC" else f"{text} ({utc(moment)})"


def _head(plan: ForecastPlan, clock: LocalClock) -> Iterator[str]:
    policy = plan.policy
    yield f"from      {clock(plan.start)}"
    yield f"to        {clock(plan.end)}"
    yield f"fleet     {counted(len(plan.fleet.instances), 'instance')}"
    if plan.fleet.faults:
        yield f"          without the {counted(len(plan.fleet.faults), 'fault')} that the fleet file declares"
    yield wrapped("timers    ", "; ".join(f"{timer.name}: {timer.expression}" for timer in plan.timers))
    bound = "which bind timers" if "timer" in policy.window_triggers else "which do not bind timers (WINDOW_TRIGGERS)"
    windows = "; ".join(map(str, policy.maintenance_windows)) or "always open"
    freezes = "; ".join(map(str, policy.freezes))
    yield wrapped("windows   ", f"{windows}, {policy.time_zone}" + (f", {bound}" if policy.maintenance_windows else ""))
    if freezes:
        yield wrapped("freezes   ", freezes)
    if policy.paused:
        yield wrapped("PAUSED    ", policy.paused.sentence())


def _entry(entry: SameTicks, names: dict[str, str], clock: LocalClock) -> Iterator[str]:
    first, last = entry.ticks[0], entry.ticks[-1]
    late = "" if first.began == first.due else f", begins {first.began:%H:%M:%SZ} when the run before has ended"
    if len(entry.ticks) == 1:
        yield f"{clock(first.due)}  {first.timer}{late}"
    else:
        more = counted(len(entry.ticks) - 1, "more tick")
        yield f"{clock(first.due)}  {first.timer}, and {more} with the same outcome{late}"
        yield f"  to {clock(last.due)}"
    for action, code, results in _by_code(first.results):
        yield from _results(action, code, results, names)
    for held in first.held:
        yield _held(held, names)
    if not first.results:
        yield f"  {first.status}: nothing to do"


def _results(action: str, code: str, results: Sequence[Told], names: dict[str, str]) -> Iterator[str]:
    ids = [result.instance_id for result in results if result.instance_id]
    who = some([names.get(instance_id, instance_id) for instance_id in ids], MOST_NAMES)
    reason = results[0].reason
    if code == PROGRESS:
        yield wrapped("  rolling    ", reason)
    elif action == "reboot":
        outcome = "" if code in WENT_WELL else f" -> {code}: {reason}"
        forced = "forced, " if results[0].force else ""
        yield wrapped("  REBOOT     ", f"{forced}{_number(ids)}{who}{outcome}")
    elif code in HELD and ids:
        yield _held(Held(code, reason, tuple(ids)), names)
    else:
        yield wrapped("  note       ", f"{who}{': ' if who else ''}{code}: {reason}")


def _held(held: Held, names: dict[str, str]) -> str:
    who = [names.get(instance_id, instance_id) for instance_id in held.instance_ids]
    about = f"of {who[0]}, " if len(who) > 1 else ""
    return wrapped("  held back  ", f"{_number(who)}{some(who, MOST_NAMES)}: {held.code}: {about}{held.reason}")


def _number(ids: Sequence[str]) -> str:
    return f"{counted(len(ids), 'instance')}: " if len(ids) > MOST_NAMES else ""


def _by_code(results: Sequence[Told]) -> list[tuple[str, str, list[Told]]]:
    """Group results alike, reboots first, in the order of their first."""
    groups: dict[tuple[bool, str, str, bool], list[Told]] = {}
    for result in results:
        groups.setdefault((result.action != "reboot", result.action, result.code, result.force), []).append(result)
    ordered = sorted(groups.items(), key=lambda group: (group[0][2] != PROGRESS, group[0][0]))
    return [(action, code, results) for (_, action, code, _), results in ordered]


def _likeness(tick: Tick) -> object:
    """Return what makes ticks alike: the same instances with the same codes, a rolling reboot as far as before."""
    if tick.reboots:
        return tick
    return (
        tick.status,
        tick.began == tick.due,
        tuple((held.code, held.instance_ids) for held in tick.held),
        tuple(
            (result.instance_id, result.code, result.reason if result.code == PROGRESS else "")
            for result in tick.results
        ),
    )


def _summary(ticks: Sequence[Tick], plan: ForecastPlan, names: dict[str, str]) -> Iterator[str]:
    yield "summary"
    width = max(len(timer.name) for timer in plan.timers)
    for timer in plan.timers:
        own = [tick for tick in ticks if tick.timer == timer.name]
        reboots = sum(len(tick.reboots) for tick in own)
        yield f"  {timer.name:{width}}  {counted(len(own), 'tick')}, {counted(reboots, 'reboot')}"
        held = Counter(code for tick in own for code in _codes(tick))
        if held:
            each = [(f"at {counted(count, 'tick')}", code) for code, count in held.most_common()]
            yield wrapped(f"  {'':{width}}  held back: ", ", ".join(f"{code} {times}" for times, code in each))
        if own and not reboots and held["outside_window"] == len(own):
            yield f"  {'':{width}}  NO tick of it falls into a window on a day without freeze"
    rebooted = Counter(reboot.instance_id for tick in ticks for reboot in tick.reboots)
    all_ = counted(len(plan.fleet.instances), "instance")
    yield f"  rebooted: {len(rebooted):,} of {all_}, {counted(rebooted.total(), 'time')} in all"
    never = [spec.instance_id for spec in plan.fleet.instances if spec.instance_id not in rebooted]
    if never:
        yield wrapped("  never:    ", _never(never, ticks, names))


def _never(never: Sequence[str], ticks: Sequence[Tick], names: dict[str, str]) -> str:
    """Return which instances are never rebooted, by what holds them back most often."""
    kept: dict[str, Counter[str]] = {instance_id: Counter() for instance_id in never}
    for tick in ticks:
        held_back = [(result.instance_id, result.code) for result in tick.results if result.code in HELD]
        for instance_id, code in (
            *held_back,
            *((instance_id, held.code) for held in tick.held for instance_id in held.instance_ids),
        ):
            if instance_id in kept:
                kept[instance_id][code] += 1
    groups: dict[str, list[str]] = {}
    for instance_id, codes in kept.items():
        most = codes.most_common(1)
        groups.setdefault(most[0][0] if most else "no tick asked for it", []).append(names[instance_id])
    return "; ".join(f"{some(group, MOST_NAMES)} ({why})" for why, group in groups.items())


def _codes(tick: Tick) -> set[str]:
    """Return the codes that held anything back at a tick."""
    return {result.code for result in tick.results if result.code in HELD} | {held.code for held in tick.held}
