"""One invocation from event bytes to answer: read, carry out, record, prove, answer.

Everything that touches the outside is given: the clock, ECS (asked for only when an event wants something), where
records go. So the same steps run on Function Compute and under a simulated cloud.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.credentials import NoCredentials
from ecs_reboot.cloud.ecs_api import EcsApi
from ecs_reboot.events import read
from ecs_reboot.model import ParsedEvent
from ecs_reboot.records import response
from ecs_reboot.records import result as records
from ecs_reboot.records.delivery import RecordDelivery
from ecs_reboot.records.record_log import RecordLog
from ecs_reboot.records.result import Result
from ecs_reboot.settings.settings import Settings

#: CloudMonitor waits 5 s for an HTTP answer and then calls again: so long for ECS, and for the logstore.
HTTP_SECONDS, HTTP_LOG_SECONDS = 3.5, 0.9


class Answered(NamedTuple):
    """The answer, how it is to go out, and why Function Compute should try again ('' to stop)."""

    body: dict[str, Any]
    over_http: bool
    retry_reason: str


class Invocation:
    """Answers one event. ``connect`` returns ECS, or raises NoCredentials."""

    def __init__(
        self,
        request_id: str,
        settings: Settings,
        deadline: Deadline,
        *,
        connect: Callable[[Deadline], EcsApi],
        record_log: RecordLog,
        delivery: RecordDelivery,
    ) -> None:
        self._request_id, self._settings, self._deadline = request_id, settings, deadline
        self._connect, self._record_log, self._delivery = connect, record_log, delivery

    def answer(self, event: bytes) -> Answered:
        """Carry out what the event asks for. Raises nothing that an event or a call to Alibaba Cloud can cause."""
        reading = read(event, self._settings.reading, self._deadline.clock.now())
        if reading.over_http:
            self._deadline = Deadline(self._deadline.clock, min(HTTP_SECONDS, self._deadline.left()))
        unasked = [records.of_element(reading.trigger, one) for one in reading.rejected + reading.ignored]
        wanted = self._carry_out(reading) if reading.requests or reading.upkeep else []
        log_seconds = HTTP_LOG_SECONDS if reading.over_http else self._settings.deadline_margin_seconds
        self._delivery.send([self._record_log.result(result) for result in unasked + wanted], log_seconds)
        results = unasked + wanted
        status = response.status_of(wanted, rejected=bool(reading.rejected))
        body = response.body(
            self._request_id,
            reading.trigger,
            status,
            results,
            dry_run=self._settings.dry_run or any(request.dry_run for request in reading.requests),
            log_store=self._delivery.outcome(),
        )
        undone = [result for result in wanted if result.retriable]
        return Answered(body, reading.over_http, f"{status}: {response.reason_of(undone)}" if undone else "")

    def _carry_out(self, reading: ParsedEvent) -> list[Result]:
        try:
            ecs = self._connect(self._deadline)
        except NoCredentials as error:
            from ecs_reboot.remediation.ledger_commands import result_of  # noqa: PLC0415

            asked = "", "no_credentials", str(error)
            return [result_of(request, *asked, retriable=True) for request in reading.upkeep] + [
                records.of_request(request, *asked, retriable=True) for request in reading.requests
            ]
        from ecs_reboot.remediation.ledger_commands import LedgerCommands  # noqa: PLC0415
        from ecs_reboot.remediation.remediate import Remediation  # noqa: PLC0415 - most events don't come this far

        upkeep = LedgerCommands(ecs, self._deadline, settle_seconds=self._settings.claim_settle_seconds)
        done = [result for request in reading.upkeep for result in upkeep.run(request)]
        remediation = Remediation(ecs, self._settings, self._deadline, log_intent=self._record_log.log_intent)
        results = remediation.run(reading.requests)
        accepted = [result for result in results if result.code == "accepted"]
        if accepted and self._settings.verify_seconds and not reading.over_http:
            # What ECS accepted is on record before the watching starts: a crash in between loses nothing.
            seconds = self._settings.deadline_margin_seconds
            self._delivery.send([self._record_log.accepted(result) for result in accepted], seconds)
            results = remediation.prove(results)
        return done + results
