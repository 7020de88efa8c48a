"""The bytes that a delivery brings, in the forms of docs/understand/events.md."""

import json
from collections.abc import Callable
from datetime import datetime, timezone

from simulation.plan import Arrival


def _alarm(arrival: Arrival, now: datetime, state: str = "ALARM") -> dict[str, object]:
    return {
        "userId": "1000000000000000",
        "alertName": "cpu-high",
        "timestamp": str(int(now.timestamp())),
        "alertState": state,
        "dimensions": [{"userId": "1000000000000000", "instanceId": arrival.targets[0]}],
        "regionId": arrival.region_id,
        "curValue": "98.6",
        "metricName": "CPUUtilization",
        "metricProject": "acs_ecs_dashboard",
    }


def _recovery(arrival: Arrival, now: datetime) -> dict[str, object]:
    return _alarm(arrival, now, "OK")


def _http_alarm(arrival: Arrival, now: datetime) -> dict[str, object]:
    return {
        "version": "v1",
        "rawPath": "/alarm",
        "body": json.dumps(_alarm(arrival, now)),
        "isBase64Encoded": False,
        "headers": {"Content-Type": "application/json", "Authorization": "Bearer simulated"},
        "queryParameters": {},
        "requestContext": {"http": {"method": "POST", "path": "/alarm"}},
    }


def _manual(arrival: Arrival, _now: datetime) -> dict[str, object]:
    request: dict[str, object] = {
        "instance_ids": list(arrival.targets),
        "region_id": arrival.region_id,
        "reason": "simulated",
    }
    return {**request, "override": list(arrival.override)} if arrival.override else request


def _timer(name: str, payload: dict[str, object], now: datetime) -> dict[str, object]:
    return {
        "triggerTime": now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "triggerName": name,
        "payload": json.dumps(payload),
    }


def _rolling(arrival: Arrival, now: datetime) -> dict[str, object]:
    payload = {"tags": {"ecs-reboot": "enabled"}, "limit": 2, "older_than": "2h", "region_id": arrival.region_id}
    return _timer("rolling", payload, now)


def _verify(arrival: Arrival, now: datetime) -> dict[str, object]:
    return _timer("verify", {"verify": True, "region_id": arrival.region_id}, now)


def _reset(arrival: Arrival, _now: datetime) -> dict[str, object]:
    return {"reset": list(arrival.targets), "region_id": arrival.region_id, "reason": "seen"}


def _resume(arrival: Arrival, _now: datetime) -> dict[str, object]:
    return {"resume": True, "region_id": arrival.region_id, "reason": "seen"}


_FORMS: dict[str, Callable[[Arrival, datetime], dict[str, object]]] = {
    "alarm": _alarm,
    "http_alarm": _http_alarm,
    "recovery": _recovery,
    "manual": _manual,
    "rolling": _rolling,
    "verify": _verify,
    "reset": _reset,
    "resume": _resume,
}


def event(arrival: Arrival, now: datetime) -> bytes:
    """Return what Function Compute hands the function."""
    return json.dumps(_FORMS[arrival.kind](arrival, now)).encode()
