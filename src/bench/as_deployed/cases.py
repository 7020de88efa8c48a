"""The measurements, each a scene and what is taken from it."""

import statistics
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.as_deployed.call_rounds import Noted
from bench.as_deployed.minute_limit import MinuteLimit
from bench.as_deployed.stage import Scene, Stage, instance_id, staged
from ecs_reboot.outcomes import OUTCOMES
from ecs_reboot.remediation.claims import BECAUSE_OF_OTHERS

#: No limit on how many: what is measured is how long, and whether all of them.
UNLIMITED = {"MAX_REBOOTS": "off", "STORM_FACTOR": "0"}
NOT_WATCHED = {"VERIFY_SECONDS": "0"}
#: The template's parameters that have every fact asked for: those that are on by default, and whether work runs on it.
ALL_FACTS = {"BusySeconds": "600"}
#: No call but the claim's own: what is asked about the instance before it costs one more for each source of facts.
NO_FACTS = {"Managed": "allow", "PlatformEvents": "ignore", "Responsive": "off"}
#: And the one that has console, picture and state kept before the reboot.
EVIDENCE = {"Evidence": "full"}
#: How a caller over HTTP repeats: CloudMonitor calls again after an answer that is no success.
HTTP_TRIES, HTTP_WAIT_SECONDS = 5, 2.0
#: All of the function's instances are taken. Over ten hours the watched runs of one alarm are over before the next
#: comes; here they follow in minutes, so a caller waits for room, and that is none of its tries.
BUSY = 429
#: Answers after which a caller does not repeat.
TAKEN = (200, 202, 400, 401, 403)

#: How many calls in one are the last that their run sees: with five or six calls a run, about one run in twenty.
CRASHES = 0.01
#: Refusals that a limit of the region explains.
LIMITS = {*BECAUSE_OF_OTHERS, *(outcome.code for outcome in OUTCOMES if outcome.about == "region")}

Ledger = Mapping[str, str]


class Crowd(NamedTuple):
    """What became of many alarms.

    ``seconds``: until the last reboot was accepted; ``all_seconds``: until the last run had ended. ``limited``: refused
    since the region had its share of reboots; ``queued``: given up after all tries, and told the failure queue;
    ``lost``: neither, nor rebooted.
    """

    seconds: float
    all_seconds: float
    rebooted: int
    doubled: int
    limited: int
    queued: int
    lost: int
    crashes: int
    codes: dict[str, int]


def calls(
    code: Path, parameters: Ledger, sizes: Iterable[tuple[int, int]], latency: float = 0.0
) -> dict[tuple[int, int], list[Noted]]:
    """Return the calls from an alarm to its reboot, for fleets of these numbers of instances and entries."""
    found = {}
    for instances, entries in sizes:
        settings = {**UNLIMITED, **NOT_WATCHED}
        scene = Scene(instances, entries, latency=latency, parameters=parameters, settings=settings)
        with staged(scene, code) as stage:
            stage.send(instance_id(instances - 1))
            stage.wait()
            found[instances, entries] = stage.until_reboot()
    return found


def asynchronous(code: Path, ledger: Ledger, latency: float, runs: int, **scene: Any) -> list[float]:
    """Return the seconds from an alarm to its accepted reboot, each of a fresh process."""
    parameters = {**ledger, **scene.pop("parameters", {})}
    settings = {**UNLIMITED, **NOT_WATCHED}
    wanted = Scene(runs, latency=latency, parameters=parameters, settings=settings, **scene)
    seconds = []
    with staged(wanted, code) as stage:
        for number in range(runs):
            stage.start_anew()
            began = stage.send(instance_id(number))
            stage.wait()
            seconds.append(_only(stage.accepted_at()) - began)
    return seconds


def over_http(code: Path, ledger: Ledger, latency: float, runs: int) -> tuple[list[float], list[float], list[int]]:
    """Return the seconds until the answer and until the accepted reboot, and the statuses, each of a fresh process."""
    scene = Scene(runs, latency=latency, parameters=ledger, settings={**UNLIMITED, **NOT_WATCHED})
    answered, accepted, statuses = [], [], []
    with staged(scene, code) as stage:
        for number in range(runs):
            stage.start_anew()
            began = time.monotonic()
            status, seconds = stage.post(instance_id(number))
            stage.wait()
            answered.append(seconds)
            accepted.append(_only(stage.accepted_at()) - began)
            statuses.append(status)
    return answered, accepted, statuses


def crowd(code: Path, ledger: Ledger, alarms: int, latency: float, a_minute: int) -> Crowd:
    """Send alarms for as many instances at once, under the template's own limits and concurrency."""
    scene = Scene(alarms, latency=latency, parameters=ledger)
    with staged(scene, code) as stage:
        limit = MinuteLimit(stage.cloud, "DescribeInstances", a_minute)
        try:
            began = time.monotonic()
            for number in range(alarms):
                stage.send(instance_id(number))
            stage.wait()
            return _crowd(stage, began, alarms)
        finally:
            limit.close()


def webhooks(code: Path, ledger: Ledger, alarms: int, callers: int, latencies: tuple[float, float]) -> Crowd:
    """Post alarms for as many instances, a few callers at a time.

    One call in twenty of any service fails, and one in a hundred is the last thing that its run sees.
    """
    low, high = latencies
    spread = (
        {"service": service, "action": "*", "kind": "delay", "seconds": high - low, "before": True, "probability": 0.5}
        for service in ("ecs", "fc", "sls")
    )
    faults = [{"service": service, **fault} for service in ("ecs", "fc") for fault in _FAULTS]
    scene = Scene(
        alarms,
        latency=low,
        parameters={**ledger, "MaxRetries": "3"},
        settings=UNLIMITED,
        faults=(*faults, *spread),
    )
    with staged(scene, code) as stage:
        stage.crash_at_calls(CRASHES)
        began = time.monotonic()
        numbers = iter(range(alarms))
        lock = threading.Lock()

        def caller() -> None:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                tries = 0
                while tries < HTTP_TRIES and (status := stage.post(instance_id(number))[0]) not in TAKEN:
                    tries += status != BUSY
                    time.sleep(HTTP_WAIT_SECONDS)

        threads = [threading.Thread(target=caller) for _ in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stage.wait()
        return _crowd(stage, began, alarms)


#: Of each kind so much that together one call in twenty fails.
_FAULTS: tuple[dict[str, Any], ...] = (
    {"action": "*", "kind": "error", "code": "ServiceUnavailable", "status": 503, "probability": 0.02},
    # By chance, so it says when to come back: ``MinuteLimit`` is throttling as ECS does it.
    {"action": "*", "kind": "throttle", "probability": 0.015, "retry_after_ms": 500},
    {"action": "*", "kind": "drop_before", "probability": 0.01},
    {"action": "*", "kind": "drop_after", "probability": 0.005},
)


def reading(code: Path, entries: int, tags: int, latency: float, a_minute: int | None) -> tuple[float, int]:
    """Return the seconds until the reboot is accepted with the ledger in tags, and how many reboots there were."""
    settings = {**UNLIMITED, **NOT_WATCHED}
    scene = Scene(entries + 1, entries, tags, latency, {"Ledger": "tags"}, settings)
    with staged(scene, code) as stage:
        limit = MinuteLimit(stage.cloud, "DescribeInstances", a_minute) if a_minute else None
        try:
            began = stage.send(instance_id(entries))
            stage.wait()
        finally:
            if limit:
                limit.close()
        accepted = stage.accepted_at()
        return (accepted[0] - began if accepted else float("inf")), len(accepted)


def median(seconds: Iterable[float]) -> float:
    """Return the middle one."""
    return statistics.median(seconds)


def _crowd(stage: Stage, began: float, alarms: int) -> Crowd:
    ended = time.monotonic()
    rebooted, records, accepted = stage.rebooted(), stage.records(), stage.accepted_at()
    given_up = {
        entry["request_id"]
        for entry in stage.cloud.audit.entries()
        if entry["kind"] == "async_end" and entry["condition"]
    }
    once = set(rebooted)
    limited = {record["instance_id"] for record in records if record["code"] in LIMITS} - once
    queued = {record["instance_id"] for record in records if record["request_id"] in given_up} - once - limited
    asked = {instance_id(number) for number in range(alarms)}
    codes: dict[str, int] = {}
    for record in records:
        codes[record["code"]] = codes.get(record["code"], 0) + 1
    return Crowd(
        seconds=(max(accepted) - began) if accepted else float("inf"),
        all_seconds=ended - began,
        rebooted=len(once),
        doubled=len(rebooted) - len(once),
        limited=len(limited),
        queued=len(queued),
        lost=len(asked - once - limited - queued),
        crashes=stage.crashes,
        codes=codes,
    )


def _only(moments: list[float]) -> float:
    if len(moments) != 1:
        raise SystemExit(f"one reboot was expected, {len(moments)} were accepted")
    return moments[0]
