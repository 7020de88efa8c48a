"""Runs of whole processes, and what each took."""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from bench.cold_start import authority, prepare
from bench.cold_start.stub_server import Stub

#: The quick programs come up so often in each round: their medians must be the steadier.
QUICK_TURNS = 5
WARM = 40
WARM_TURNS = 7

Sample = dict[str, float]


class Case(NamedTuple):
    """A program, the event it gets, and what the chart says of it."""

    name: str
    label: str
    code: Path
    module: str
    event: Path
    reboots: bool = True
    byte_code: bool = True
    environment: tuple[tuple[str, str], ...] = ()


def environment_of(stub: Stub, calls: list[str]) -> dict[str, str]:
    """Return the variables of every program. No waiting for what only a real instance does: coming back.

    What is asked of other services before a reboot is off: the programs it is compared with don't ask either.
    """
    return {
        "ECS_ENDPOINT": stub.url,
        "SLS_ENDPOINT": stub.url,
        "LOG_PROJECT": "project",
        "LOGSTORE": "records",
        "VERIFY_SECONDS": "0",
        "MANAGED": "allow",
        "PLATFORM_EVENTS": "ignore",
        "RESPONSIVE": "off",
        "CALLS": " ".join(calls),
    }


def calls_of(cases: list[Case], stub: Stub) -> list[str]:
    """Let our function show which calls it makes; the baselines then make the same ones."""
    stub.forget()
    _run(next(case for case in cases if case.name == "accepted"), environment_of(stub, []))
    return stub.until("PutLogs")[0]


def samples_of(cases: list[Case], stub: Stub, calls: list[str], runs: int) -> dict[str, list[Sample]]:
    """Run every program in turn; return what each run took."""
    environment = environment_of(stub, calls)
    samples: dict[str, list[Sample]] = {case.name: [] for case in cases}
    idle = next(case for case in cases if case.name == "nothing")
    turns = [case for case in cases for _ in range(1 if case.module == "naive" else QUICK_TURNS)]
    for number in range(-1, runs):
        # Whatever runs after the largest program finds the processor's caches cold: another order in each round, and
        # an empty interpreter before each measurement.
        for case in random.Random(number).sample(turns, len(turns)):  # noqa: S311 - no secret hangs on it
            _run(idle, environment)
            stub.forget()
            sample, began = _run(case, environment)
            if case.reboots:
                actions, at = stub.until("RebootInstances")
                sample["accepted_ms"] = (at - began) / 1e6
                stub.until("PutLogs")
                if [action for action in calls if action != "PutLogs"][: len(actions)] != actions:
                    raise SystemExit(f"{case.name} made other calls than ours: {actions}, not {calls}")
            if number >= 0:  # the first round fills the page cache
                samples[case.name].append(sample)
        print(f"\rround {number + 1} of {runs}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return samples


def _run(case: Case, environment: dict[str, str]) -> tuple[Sample, int]:
    command = [sys.executable, "-I", "-S", *([] if case.byte_code else ["-B"]), str(prepare.PROGRAMS / "driver.py")]
    command += [str(case.code), case.module, str(case.event)]
    began = time.monotonic_ns()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env={**environment, **dict(case.environment)}, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic_ns() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode()
    if process.returncode:
        raise SystemExit(f"{case.name} failed:\n{said[-3000:]}")
    returned, peak, modules, ssl, sdk = map(int, said.splitlines()[-1].split())
    sample = {
        "wall_ms": wall / 1e6,
        "returned_ms": (returned - began) / 1e6,
        "cpu_ms": (usage.ru_utime + usage.ru_stime) * 1e3,
        "peak_mib": peak / 1024,
        "modules": modules,
        "ssl": ssl,
        "sdk": sdk,
    }
    return sample, began


def warm(code: Path, event: Path, stub: Stub, calls: list[str], floor: Case) -> dict[str, Any]:
    """Invoke again and again in one process, ``WARM_TURNS`` times; return the CPU time, ms, and ours by the floor's."""
    command = [sys.executable, "-I", "-S", str(prepare.PROGRAMS / "warm.py"), str(code), str(event), str(WARM)]
    environment = environment_of(stub, calls)
    rows, ratios = [], []
    for _ in range(WARM_TURNS):
        # A shared machine is twice as fast at one moment as at another: the floor runs at the same one.
        base = floor_of(floor, stub, calls)["cpu_ms"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        turn = [tuple(map(float, line.split()[1:])) for line in done.stdout.splitlines() if line.startswith("WARM")]
        ratios.append(statistics.median(total - inside for total, inside in turn) / base)
        rows += turn
    return {
        "cpu": statistics.median(total for total, _ in rows),
        "in_calls": statistics.median(inside for _, inside in rows),
        "own": statistics.median(total - inside for total, inside in rows),
        "own_to_floor": statistics.median(ratios),
        "samples": rows,
    }


def first_tls_call(code: Path, place: Path, runs: int, floor: Callable[[], Sample]) -> dict[str, Any]:
    """Measure the first HTTPS call of fresh processes against servers of a throwaway authority.

    ``floor`` runs the program that does the least: before each, so that both meet the same machine.
    """
    known, stranger = authority.create(place / "known"), authority.create(place / "stranger")
    with (
        Stub(authority.issue(known, place / "server.pem", "127.0.0.1")) as server,
        Stub(authority.issue(stranger, place / "unknown.pem", "127.0.0.1")) as unknown,
        Stub(authority.issue(known, place / "other.pem", "elsewhere.example")) as other,
    ):
        command = [sys.executable, "-I", "-S", str(prepare.PROGRAMS / "first_tls_call.py"), str(code)]
        command += [str(stub.port) for stub in (server, unknown, other)]
        rows, ratios = [], []
        for number in range(-1, runs):
            base = floor()["wall_ms"]
            done = subprocess.run(
                command,
                env={"SSL_CERT_DIR": str(known.known), "SSL_CERT_FILE": os.devnull},
                capture_output=True,
                text=True,
                check=True,
            )
            row = list(map(float, done.stdout.split()))
            if not row[3]:
                raise SystemExit("a certificate that must be refused was accepted")
            if number >= 0:
                rows.append(row[:3])
                ratios.append((row[1] - row[2]) / base)
    imported, first, second = (statistics.median(column) for column in zip(*rows, strict=True))
    set_up = statistics.median(row[1] - row[2] for row in rows)
    return {
        "import_ssl": imported,
        "first_call": first,
        "second_call": second,
        "set_up": set_up,
        "set_up_to_floor": statistics.median(ratios),
        "samples": rows,
    }


def floor_of(floor: Case, stub: Stub, calls: list[str]) -> Sample:
    """Run the program that does the least once; return what it took."""
    return _run(floor, environment_of(stub, calls))[0]
