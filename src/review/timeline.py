"""Timers played tick by tick: the function itself over a fleet in memory, under a stepped clock.

Ticks run one after the other; one that is due while the run before still watches its reboots waits for its end.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.credentials import NoCredentials
from ecs_reboot.events import read
from ecs_reboot.invocation import Invocation
from ecs_reboot.ledger.connections import Connections
from ecs_reboot.policy.windows import closed
from ecs_reboot.records.logstore_delivery import RecordDelivery
from ecs_reboot.records.record_log import RecordLog
from ecs_reboot.settings.settings import Settings
from localcloud.commands.project_function import REGION, TIMEOUT_SECONDS
from review.fleet_in_memory import FleetInMemory
from review.rolling_reasons import Held, held_back
from review.stepped_clock import SteppedClock
from review.timers import Timer, ticks


class Told(NamedTuple):
    """One result of a tick."""

    instance_id: str
    region_id: str
    action: str
    code: str
    reason: str
    force: bool


class Tick(NamedTuple):
    """One tick: when it was due, when it began, and all that came of it.

    ``held``: what keeps back those that a rolling reboot has left, where it starts none; no record says it one by one.
    """

    due: datetime
    began: datetime
    timer: str
    status: str
    results: tuple[Told, ...]
    held: tuple[Held, ...] = ()

    @property
    def reboots(self) -> tuple[Told, ...]:
        """What was to be rebooted, whatever came of it."""
        return tuple(result for result in self.results if result.action == "reboot")


def play(
    timers: tuple[Timer, ...], ecs: FleetInMemory, clock: SteppedClock, settings: Settings, end: datetime
) -> Iterator[Tick]:
    """Yield every tick from the clock's present up to ``end``, in the order in which they are due."""
    # Nothing is signed and nothing shipped: the invocation asks for credentials only to ship.
    nobody = NoCredentials()
    reasons = _Reasons(ecs, settings)
    for number, (due, timer) in enumerate(ticks(timers, clock.now(), end), 1):
        clock.go_on_to(due)
        began = clock.now()
        request_id = f"forecast-{number}"
        invocation = Invocation(
            request_id,
            settings,
            Deadline(clock, max(TIMEOUT_SECONDS - settings.deadline_margin_seconds, settings.verify_seconds + 30.0)),
            connect=lambda _: Connections(ecs),
            record_log=RecordLog(request_id, clock, _discard),
            delivery=RecordDelivery(settings, nobody, REGION, clock),
        )
        body = invocation.answer(timer.event(due)).body
        results = tuple(Told(*(told[field] for field in Told._fields)) for told in body["results"])
        yield Tick(due, began, timer.name, body["status"], results, reasons.of(timer, due, began, results))


class _Reasons:
    """Finds out what holds a rolling reboot back at the ticks that start nothing."""

    def __init__(self, ecs: FleetInMemory, settings: Settings) -> None:
        self._ecs, self._settings = ecs, settings
        self._shut: dict[str, tuple[str, tuple[Held, ...]]] = {}

    def of(self, timer: Timer, due: datetime, began: datetime, results: tuple[Told, ...]) -> tuple[Held, ...]:
        """Return the reasons. While windows stay shut and nothing moves, those of the first such tick stand."""
        progress = results[0].reason if len(results) == 1 and results[0].code == "rolling_progress" else ""
        if not progress:
            self._shut.pop(timer.name, None)
            return ()
        policy = self._settings.policy
        shut = closed(policy.maintenance_windows, policy.freezes, policy.time_zone, began)
        before = self._shut.pop(timer.name, None)
        if shut and before and before[0] == progress:
            found = before[1]
        else:
            requests = read(timer.event(due), self._settings.reading, began).requests
            found = tuple(reason for request in requests for reason in held_back(request, self._ecs, policy, began))
        if shut:
            self._shut[timer.name] = progress, found
        return found


def _discard(_: str) -> None:
    """Forecast records go nowhere."""
