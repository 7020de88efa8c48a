"""The instances: what was done to their power, what follows from that, and to whom they belong. Values only."""

from typing import Literal, NamedTuple

#: How long a reboot takes, and how much of it the instance is Stopping. Seconds.
CYCLE, STOPPING = 20.0, 8.0
#: How long a forced stop takes, and a start. Seconds.
STOP, START = 2.0, 12.0
#: When the instances started, long ago. Seconds.
STARTED = -1e6

Kind = Literal["reboot", "forced", "stop", "start", "hangs"]
#: What takes an instance down, and what of that ends a reboot that hangs.
DOWN: tuple[Kind, ...] = ("reboot", "forced", "stop")
FINISH: tuple[Kind, ...] = ("forced", "stop")
#: On the way between Running and Stopped.
IN_BETWEEN = ("Stopping", "Starting")


class Power(NamedTuple):
    """A change of an instance's power that took effect, and the run that asked for it; -1: before all of them.

    `hangs`: a graceful reboot that never leaves Stopping.
    """

    at: float
    instance_id: str
    run: int
    kind: Kind = "reboot"


class Fleet(NamedTuple):
    """What stays true of the instances. ``takes_force``: ECS reboots by force what is between two statuses.

    ``members`` are those of an Auto Scaling group that checks health; the platform repairs the ``repaired``. Calls that
    are ``dark`` may fail at any moment, any number of times.
    """

    takes_force: bool = True
    members: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    dark: tuple[str, ...] = ()


class Spell(NamedTuple):
    """An instance at one moment: its status, and when it started last."""

    status: str
    started: float


def spell(power: tuple[Power, ...], instance_id: str, now: float) -> Spell:
    """Return what an instance is."""
    status, started = "Running", STARTED
    for change in power:
        if change.instance_id == instance_id:
            age = now - change.at
            way, then = _COURSES[change.kind]
            status = next((status for until, status in way if age < until), then)
            if then == "Running" and status == then:
                started = change.at + way[-1][0]
    return Spell(status, started)


def is_running(power: tuple[Power, ...], instance_id: str, now: float) -> bool:
    """Return whether an instance is Running."""
    return spell(power, instance_id, now).status == "Running"


_REBOOT = ((STOPPING, "Stopping"), (CYCLE, "Starting"))
#: By kind of change: until which age an instance is in which status, and in which it stays.
_COURSES: dict[Kind, tuple[tuple[tuple[float, str], ...], str]] = {
    "reboot": (_REBOOT, "Running"),
    "forced": (_REBOOT, "Running"),
    "stop": (((STOP, "Stopping"),), "Stopped"),
    "start": (((START, "Starting"),), "Running"),
    "hangs": ((), "Stopping"),
}
