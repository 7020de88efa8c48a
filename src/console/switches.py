"""The faults that the console offers as switches."""

from collections.abc import Mapping
from typing import Any

from localcloud.account.faults import Fault, Faults

SWITCHES: Mapping[str, Fault] = {
    "sls_down": Fault(service="sls", kind="drop_before"),
    "drop_before": Fault(action="RebootInstances", kind="drop_before"),
    "drop_after": Fault(action="RebootInstances", kind="drop_after"),
    "delay": Fault(kind="delay", seconds=2),
    "throttle": Fault(action="RebootInstances", kind="throttle"),
    "error_5xx": Fault(action="RebootInstances", kind="error", status=503, code="ServiceUnavailable"),
    "truncate": Fault(action="RebootInstances", kind="truncate"),
    "stale": Fault(action="DescribeInstances", kind="stale", seconds=60),
}

_DECLARED = {name: fault.model_dump(exclude_unset=True) for name, fault in SWITCHES.items()}


def state(faults: Faults) -> dict[str, Any]:
    """Return which switches are on, how often each was met, and which faults are in force beside them."""
    on: dict[str, dict[str, Any]] = {}
    others = []
    for told in faults.describe():
        fault = {key: value for key, value in told.items() if key not in ("number", "met", "applied")}
        name = next((name for name, declared in _DECLARED.items() if declared == fault and name not in on), None)
        if name:
            on[name] = told
        else:
            others.append(told)
    switches = [
        {"name": name, "on": name in on, "applied": on.get(name, {}).get("applied", 0), "fault": _DECLARED[name]}
        for name in SWITCHES
    ]
    return {"switches": switches, "others": others}


def turn(faults: Faults, name: str, *, on: bool) -> None:
    """Switch a fault on or off; one that is so already stays. Raises KeyError for an unknown switch."""
    wanted = _DECLARED[name]
    numbers = [told["number"] for told in faults.describe() if wanted.items() <= told.items()]
    if on and not numbers:
        faults.add([SWITCHES[name]])
    if not on:
        for number in numbers:
            faults.remove(number)
