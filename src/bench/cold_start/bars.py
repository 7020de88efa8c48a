"""The bars of the benchmark, and its figures as text."""

from typing import Any, NamedTuple

from bench.cold_start.runs import Case

#: 2 ms and 10 ms where (c) takes 49 ms of processor time and 51 ms in all.
WARM, TLS = 2 / 49, 10 / 51


class Figures(NamedTuple):
    """All that was measured: medians by program and quantity, and the rest by what it is of."""

    calls: list[str]
    medians: dict[str, dict[str, float]]
    megabytes: dict[str, float]
    warm: dict[str, Any]
    tls: dict[str, Any]


class Bar(NamedTuple):
    """A ratio or figure that must stay on one side of a limit."""

    name: str
    meaning: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Return whether it does."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def of(figures: Figures) -> list[Bar]:
    """Judge the figures."""
    medians = figures.medians
    naive, floor, ours = medians["naive"], medians["floor"], medians["accepted"]
    quiet = [medians["ignored"], medians["rejected"]]
    return [
        Bar(
            "naive_to_accepted",
            "accepted reboot: times faster than (a)",
            naive["accepted_ms"] / ours["accepted_ms"],
            6.0,
            at_least=True,
        ),
        Bar("accepted_to_floor", "accepted reboot: times (c)", ours["accepted_ms"] / floor["accepted_ms"], 2.0),
        Bar("peak_memory_to_naive", "peak memory: times (a)", ours["peak_mib"] / naive["peak_mib"], 0.4),
        Bar(
            "ignored_to_accepted", "ignored event: times an accepted reboot", quiet[0]["wall_ms"] / ours["wall_ms"], 0.5
        ),
        Bar(
            "rejected_to_accepted",
            "rejected event: times an accepted reboot",
            quiet[1]["wall_ms"] / ours["wall_ms"],
            0.5,
        ),
        Bar(
            "quiet_loads_ssl_or_sdk",
            "ignored, rejected: ssl or SDK loaded",
            max(max(row["ssl"], row["sdk"]) for row in quiet),
            0.0,
        ),
        Bar("zip_megabytes", "zip, MB", figures.megabytes["ours"], 3.5),
        Bar("warm_own_to_floor", "warm: own CPU beyond the calls, times (c)'s CPU", figures.warm["own_to_floor"], WARM),
        Bar("tls_set_up_to_floor", "TLS set-up of the first call, times (c)", figures.tls["set_up_to_floor"], TLS),
    ]


def text(cases: list[Case], figures: Figures, judged: list[Bar]) -> str:
    """Return the figures for a reader."""
    head = f"{'medians':34}{'accepted':>10}{'returned':>10}{'wall ms':>9}{'CPU ms':>8}{'peak MiB':>10}{'modules':>9}"
    lines = [f"calls of an accepted reboot: {', '.join(figures.calls)}", head]
    for case in cases:
        row = figures.medians[case.name]
        accepted = f"{row['accepted_ms']:.1f}" if case.reboots else "-"
        lines.append(
            f"{case.label:34}{accepted:>10}{row['returned_ms']:>10.1f}{row['wall_ms']:>9.1f}{row['cpu_ms']:>8.1f}"
            f"{row['peak_mib']:>10.1f}{row['modules']:>9.0f}"
        )
    zipped, warm, tls = figures.megabytes, figures.warm, figures.tls
    lines += [
        f"zip MB: ours {zipped['ours']:.2f}, (a) {zipped['naive']:.2f}, (b) {zipped['naive-sources']:.2f}",
        f"warm: {warm['cpu']:.2f} ms CPU, {warm['in_calls']:.2f} of it in API calls, {warm['own']:.2f} our own",
        f"TLS: import {tls['import_ssl']:.1f}, first call {tls['first_call']:.1f}, second {tls['second_call']:.1f} ms",
    ]
    for bar in judged:
        sign, verdict = ">=" if bar.at_least else "<=", "met" if bar.met else "MISSED"
        lines.append(f"{bar.meaning:48}{bar.value:>8.3g} {sign} {bar.limit:<7.3g}{verdict}")
    return "\n".join(lines)
