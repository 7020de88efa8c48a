"""One invocation from event bytes to answer: read, carry out, record, prove, answer.

Everything that touches the outside is given: the clock, ECS (asked for only when an event wants something), where
records go. So the same steps run on Function Compute and under a simulated cloud.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from ecs_reboot import answer, records
from ecs_reboot.clock import Deadline
from ecs_reboot.credentials import NoCredentials
from ecs_reboot.ecs_api import EcsApi
from ecs_reboot.journal import Journal
from ecs_reboot.model import Reading
from ecs_reboot.records import Result
from ecs_reboot.settings import Settings
from ecs_reboot.shipment import Shipment
from ecs_reboot.triggers import read

#: CloudMonitor waits 5 s for an HTTP answer and then calls again: so long for ECS, and for the logstore.
HTTP_SECONDS, HTTP_LOG_SECONDS = 3.5, 0.9


class Answered(NamedTuple):
    """The answer, how it is to go out, and what trouble with Alibaba Cloud left undone ('' for nothing)."""

    body: dict[str, Any]
    over_http: bool
    undone: str


class Invocation:
    """Answers one event. ``connect`` returns ECS, or raises NoCredentials."""

    def __init__(
        self,
        request_id: str,
        settings: Settings,
        deadline: Deadline,
        *,
        connect: Callable[[Deadline], EcsApi],
        journal: Journal,
        shipment: Shipment,
    ) -> None:
        self._request_id, self._settings, self._deadline = request_id, settings, deadline
        self._connect, self._journal, self._shipment = connect, journal, shipment

    def answer(self, event: bytes) -> Answered:
        """Carry out what the event asks for. Raises nothing that an event or a call to Alibaba Cloud can cause."""
        reading = read(event, self._settings.reading, self._deadline.clock.now())
        if reading.over_http:
            self._deadline = Deadline(self._deadline.clock, min(HTTP_SECONDS, self._deadline.left()))
        unasked = [records.of_element(reading.trigger, one) for one in reading.rejected + reading.ignored]
        wanted = self._carry_out(reading) if reading.requests or reading.upkeep else []
        log_seconds = HTTP_LOG_SECONDS if reading.over_http else self._settings.deadline_margin_seconds
        self._shipment.send([self._journal.result(result) for result in unasked + wanted], log_seconds)
        results = unasked + wanted
        status = answer.status_of(wanted, rejected=bool(reading.rejected))
        body = answer.body(
            self._request_id,
            reading.trigger,
            status,
            results,
            dry_run=self._settings.dry_run or any(request.dry_run for request in reading.requests),
            log_store=self._shipment.outcome(),
        )
        undone = [result for result in wanted if result.retriable]
        return Answered(body, reading.over_http, f"{status}: {answer.reason_of(undone)}" if undone else "")

    def _carry_out(self, reading: Reading) -> list[Result]:
        try:
            ecs = self._connect(self._deadline)
        except NoCredentials as error:
            from ecs_reboot.upkeep import result_of  # noqa: PLC0415

            asked = "", "no_credentials", str(error)
            return [result_of(request, *asked, retriable=True) for request in reading.upkeep] + [
                records.of_request(request, *asked, retriable=True) for request in reading.requests
            ]
        from ecs_reboot.remediation import Remediation  # noqa: PLC0415 - most events don't come this far
        from ecs_reboot.upkeep import LedgerUpkeep  # noqa: PLC0415

        upkeep = LedgerUpkeep(ecs, self._deadline, settle_seconds=self._settings.claim_settle_seconds)
        done = [result for request in reading.upkeep for result in upkeep.run(request)]
        remediation = Remediation(ecs, self._settings, self._deadline, intend=self._journal.intend)
        results = remediation.run(reading.requests)
        accepted = [result for result in results if result.code == "accepted"]
        if accepted and self._settings.verify_seconds and not reading.over_http:
            # What ECS accepted is on record before the watching starts: a crash in between loses nothing.
            seconds = self._settings.deadline_margin_seconds
            self._shipment.send([self._journal.accepted(result) for result in accepted], seconds)
            results = remediation.prove(results)
        return done + results
