"""``make bench``, the local cloud's part: how soon it answers, how many signed calls a second, of how many instances.

Each figure is taken from ``ecs-reboot serve`` as a process of its own, called by this one. All are printed
and written to ``build/bench/local-cloud.json``; the exit status is 1 when a bar is missed.
"""

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

from bench.local_cloud.signing_client import Key, ReceivedAnswer, SignedCall, answers
from bench.places import PLACE, ROOT

REGION = "cn-hangzhou"
FEW, MANY = 100, 10_000
#: Seconds; an instance of the small fleet is asked for again sooner than that at no rate this machine reaches.
REBOOT_SECONDS = 0.005
#: A start, times that of the web framework alone right before it: see ``docs/develop/local-cloud.md``.
READY = 2.1
_PAGE = 100


class Bar(NamedTuple):
    """One promise: a figure and what it has to be."""

    name: str
    value: float
    limit: float
    at_least: bool
    unit: str

    @property
    def met(self) -> bool:
        """Whether it is kept."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


class Ready(NamedTuple):
    """What a process took until it answered: seconds, and seconds of processor time."""

    seconds: float
    cpu_seconds: float


class Server(NamedTuple):
    """A local cloud that answers."""

    host: str
    key: Key
    ready: Ready
    pid: int


class Start(NamedTuple):
    """A start of the web framework alone, and one of the local cloud right after it."""

    floor: Ready
    ready: Ready


class Burst(NamedTuple):
    """Some calls one after the other: how many a second, and the server's processor time for each in seconds."""

    per_second: float
    cpu_seconds: float


def main() -> int:
    """Measure, print, write; return the exit status."""
    options = _options()
    PLACE.mkdir(parents=True, exist_ok=True)
    fleets = {number: _fleet(number) for number in (FEW, MANY)}
    # A shared machine is twice as fast at one moment as at another: the floor starts right before.
    starts = [Start(_floor(), _ready(fleets[FEW])) for _ in range(options.starts)]
    reboots: dict[int, list[Burst]] = {FEW: [], MANY: []}
    reads: dict[int, list[Burst]] = {FEW: [], MANY: []}
    # Bursts of the two sizes alternate, so that a noisy machine hits both alike.
    with _serving(fleets[FEW]) as few, _serving(fleets[MANY]) as many:
        for turn in range(options.turns):
            for number, server in ((FEW, few), (MANY, many)):
                reboots[number].append(_reboots(server, number, options.calls, f"w{turn}"))
                reads[number].append(_describes(server, number, options.calls, f"r{turn}"))
        ready_many = many.ready.seconds
        pages = _all_pages(many)
    rate = {number: statistics.median(row.per_second for row in rows) for number, rows in reboots.items()}
    read_rate = {number: statistics.median(row.per_second for row in rows) for number, rows in reads.items()}
    # A start does nothing but compute: its processor time says the same, and other processes hardly show in it.
    started = statistics.median(start.ready.cpu_seconds / start.floor.cpu_seconds for start in starts)
    floor, ready = (statistics.median(row.seconds for row in rows) for rows in zip(*starts, strict=True))
    bars = (
        Bar("processor time until ready, to the web framework alone", started, READY, at_least=False, unit="x"),
        Bar(f"signed RebootInstances a second, {MANY:,} instances", rate[MANY], 1_000, at_least=True, unit="/s"),
        Bar(f"processor time of a reboot, {MANY:,} to {FEW}", _ratio(reboots), 1.25, at_least=False, unit="x"),
        Bar(f"processor time of a read by ID, {MANY:,} to {FEW}", _ratio(reads), 1.25, at_least=False, unit="x"),
    )
    print("The local cloud: one server process, one client process that signs each call")
    for bar in bars:
        sign, verdict = (">=" if bar.at_least else "<="), ("met" if bar.met else "MISSED")
        print(f"  {bar.name:58} {bar.value:10.2f} {bar.unit:3} {sign} {bar.limit:8.2f}  {verdict}")
    print(f"  for comparison: {rate[FEW]:.0f} RebootInstances/s and {read_rate[FEW]:.0f} DescribeInstances/s of {FEW};")
    print(f"  ready after {ready:.2f} s, the web framework alone after {floor:.2f} s;")
    print(
        f"  {MANY:,} instances: ready after {ready_many:.2f} s, all read in {MANY // _PAGE} pages within {pages:.2f} s"
    )
    report = {
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cpus": os.cpu_count()},
        "bars": {bar.name: {"value": round(bar.value, 4), "limit": bar.limit, "met": bar.met} for bar in bars},
        "samples": {"starts_floor_and_ready": starts, "reboots": reboots, "reads": reads},
        "all_pages_seconds": pages,
        "ready_with_many_seconds": ready_many,
    }
    (PLACE / "local-cloud.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0 if all(bar.met for bar in bars) else 1


def _ratio(bursts: dict[int, list[Burst]]) -> float:
    """Return the processor time of a call with many instances to that with few; other processes hardly show in it."""
    many, few = (sum(burst.cpu_seconds for burst in bursts[number]) for number in (MANY, FEW))
    return many / few


def _cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _instance(number: int) -> str:
    return f"i-bench{number:015d}"


def _fleet(number: int) -> Path:
    path = PLACE / f"fleet-{number}.json"
    instances: list[dict[str, Any]] = [
        {
            "instance_id": _instance(place),
            "region_id": REGION,
            "tags": {"ecs-reboot": "enabled"},
            "reboot_seconds": REBOOT_SECONDS,
        }
        for place in range(number)
    ]
    path.write_text(json.dumps({"instances": instances}), encoding="utf-8")
    return path


@contextmanager
def _process(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str], Ready]]:
    """Run a server; yield it, its first line, and what it took until that line."""
    started = time.perf_counter()
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.PIPE, env=environment) as process:
        try:
            line = process.stdout.readline() if process.stdout else b""
            if not line:
                raise SystemExit(f"{arguments[0]} did not start")
            yield process, json.loads(line), Ready(time.perf_counter() - started, _cpu_seconds(process.pid))
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def _serving(fleet: Path) -> Iterator[Server]:
    with _process("cli", "serve", "--fleet", str(fleet)) as (process, where, ready):
        key = Key(where["access_key_id"], where["access_key_secret"])
        yield Server(where["ecs"].removeprefix("http://"), key, ready, process.pid)


def _floor() -> Ready:
    """Return what the least that the same web framework can serve took until it was ready; it answers one request."""
    with _process("bench.local_cloud.floor") as (_, where, ready):
        connection = HTTPConnection(where["host"], timeout=10)
        connection.request("GET", "/")
        if (status := connection.getresponse().status) != 200:  # noqa: PLR2004 - HTTP's own number
            raise SystemExit(f"the floor answered {status}")
        connection.close()
        return ready


def _ready(fleet: Path) -> Ready:
    with _serving(fleet) as server:
        list(answers([SignedCall("DescribeRegions", {})], server.key, server.host, "ready"))
        return server.ready


def _reboots(server: Server, instances: int, calls: int, series: str) -> Burst:
    """Reboot one instance after the other, each of which must be accepted."""
    asked = [
        SignedCall("RebootInstances", {"InstanceId.1": _instance(n % instances), "RegionId": REGION})
        for n in range(calls)
    ]
    return _burst(server, asked, series, b'"Code":"200"')


def _describes(server: Server, instances: int, calls: int, series: str) -> Burst:
    """Read one instance after the other by its ID."""
    asked = [
        SignedCall("DescribeInstances", {"InstanceIds": json.dumps([_instance(n % instances)]), "RegionId": REGION})
        for n in range(calls)
    ]
    return _burst(server, asked, series, b'"TotalCount":1')


def _burst(server: Server, calls: list[SignedCall], series: str, wanted: bytes) -> Burst:
    list(answers(calls[:50], server.key, server.host, f"warm-{series}"))
    time.sleep(2 * REBOOT_SECONDS)
    started, cpu_before = time.perf_counter(), _cpu_seconds(server.pid)
    for answer in answers(calls, server.key, server.host, series):
        _check(answer, wanted)
    cpu = _cpu_seconds(server.pid) - cpu_before
    return Burst(len(calls) / (time.perf_counter() - started), cpu / len(calls))


def _all_pages(server: Server) -> float:
    """Return how long it takes to read the whole fleet."""
    started = time.perf_counter()
    asked = [
        SignedCall("DescribeInstances", {"RegionId": REGION, "PageSize": str(_PAGE), "PageNumber": str(page)})
        for page in range(1, MANY // _PAGE + 1)
    ]
    for answer in answers(asked, server.key, server.host, "pages"):
        _check(answer, f'"TotalCount":{MANY}'.encode())
    return time.perf_counter() - started


def _check(answer: ReceivedAnswer, wanted: bytes) -> None:
    if answer.status != 200 or wanted not in answer.body:  # noqa: PLR2004 - HTTP's own number
        raise SystemExit(f"the local cloud answered {answer.status}: {answer.body[:300].decode(errors='replace')}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local_cloud", description="Measure the local cloud against its bars.")
    parser.add_argument("--starts", type=int, default=9, help="how often it is started")
    parser.add_argument("--turns", type=int, default=9, help="how often each rate is taken")
    parser.add_argument("--calls", type=int, default=1_000, help="calls for each rate")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
