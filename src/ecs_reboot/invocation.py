"""One invocation from event bytes to answer: read, hand over or carry out, record, prove, answer.

Everything that touches the outside is given: the clock, ECS (asked for only when an event wants something), the call of
the function to itself, where records go. So the same steps run on Function Compute and under a simulated cloud.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ecs_reboot import handover
from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.credentials import NoCredentials
from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.events import read
from ecs_reboot.ledger.connections import Connections, holds_of
from ecs_reboot.model import LedgerCommand, ParsedEvent, RebootRequest
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.outcomes import Code
from ecs_reboot.policy.trigger_kinds import FINISH, trigger_kind
from ecs_reboot.records import response
from ecs_reboot.records import result as records
from ecs_reboot.records.logstore_delivery import RecordDelivery
from ecs_reboot.records.record_log import RecordLog
from ecs_reboot.records.result import Result
from ecs_reboot.settings.settings import Settings

if TYPE_CHECKING:  # loaded only where somebody is to be told, or evidence is kept
    from ecs_reboot.evidence.taking import EvidenceTaker
    from ecs_reboot.ledger.entry import State
    from ecs_reboot.ledger.store import LedgerMaintenance
    from ecs_reboot.records.notices.delivery import NoticeDelivery

#: CloudMonitor waits 5 s for an HTTP answer and then calls again: this long for all calls, and for the logstore.
HTTP_SECONDS, HTTP_LOG_SECONDS = 3.5, 0.9
#: The records are tried however late it is: they are on standard output already. Seconds.
LEAST_LOG_SECONDS = 0.2
#: How long to wait at the end, at most, for notices that are under way; and for writing down what became of them.
NOTICE_SECONDS, NOTICE_LOG_SECONDS = 3.5, 1.0
#: How long the log service may take to count the records of a week.
DIGEST_SECONDS = 20.0
#: Less than this is too little to write down who was told. Seconds.
NOTE_SECONDS = 1.0
#: The share of the margin that all this may take.
MARGIN_SHARE = 0.8
NOBODY_TOLD, TOLD_LATER = {"status": "off", "told": 0}, {"status": "handed_over", "told": 0}


class Answered(NamedTuple):
    """The answer, how it is to go out, and why Function Compute should try again ('' to stop)."""

    body: dict[str, Any]
    over_http: bool
    retry_reason: str


class Invocation:
    """Answers one event. ``connect`` returns ECS and what the ledger needs, or raises NoCredentials.

    ``invoke_later`` has this function run on an envelope; without it the caller over HTTP waits for all of it.
    """

    def __init__(
        self,
        request_id: str,
        settings: Settings,
        deadline: Deadline,
        *,
        connect: Callable[[Deadline], Connections],
        record_log: RecordLog,
        delivery: RecordDelivery,
        invoke_later: handover.InvokeLater | None = None,
        notices: "NoticeDelivery | None" = None,
    ) -> None:
        self._request_id, self._settings, self._deadline = request_id, settings, deadline
        self._connect, self._record_log, self._delivery = connect, record_log, delivery
        self._invoke_later, self._notices = invoke_later, notices
        if notices:
            notices.record_with(record_log.notice)
        self._to_tell: list[tuple[LedgerMaintenance, Mapping[str, Mapping[str, State]]]] = []
        self._holds = holds_of(deadline.seconds + settings.deadline_margin_seconds)

    def answer(self, event: bytes) -> Answered:
        """Carry out what the event asks for. Raises nothing that an event or a call to Alibaba Cloud can cause."""
        clock, margin = self._deadline.clock, self._settings.deadline_margin_seconds
        reading = read(event, self._settings.reading, clock.now())
        if reading.over_http:
            self._deadline, margin = Deadline(clock, min(HTTP_SECONDS, self._deadline.left())), 1.2
        end = Deadline(clock, self._deadline.left() + MARGIN_SHARE * margin)
        self._record_log.handed_over_by = reading.handed_over_by
        attempt = self._hand_over(event, reading)
        unasked = [records.of_element(reading.trigger, element) for element in reading.rejected + reading.ignored]
        lines = [self._record_log.handover(attempt.result(reading.trigger))] if attempt else []
        if attempt and attempt.request_id:
            # The other run reads the whole event again and writes a record for each of its elements.
            later = TOLD_LATER if self._notices else NOBODY_TOLD
            answer = self._answer(reading, "handed_over", unasked, later)
            told = response.handed_over(answer, reading, attempt.reason, attempt.request_id)
            return Answered(told, over_http=True, retry_reason="")
        wanted = self._wanted(reading, attempt)
        log_seconds = HTTP_LOG_SECONDS if reading.over_http else self._settings.deadline_margin_seconds
        if self._notices:
            self._notices.start(wanted)
            if any(request.verb == "verify" and not request.instance_ids for request in reading.upkeep):
                self._notices.try_again()
        lines += [self._record_log.result(result) for result in unasked + wanted]
        self._delivery.send(self._record_log.notices() + lines, max(min(log_seconds, end.left()), LEAST_LOG_SECONDS))
        told = self._tell(end)
        self._take_note(told, end)
        status = response.status_of(wanted, rejected=bool(reading.rejected))
        body = self._answer(reading, status, unasked + wanted, told)
        undone = [result for result in wanted if result.retriable]
        return Answered(body, reading.over_http, f"{status}: {response.reason_of(undone)}" if undone else "")

    def _answer(
        self, reading: ParsedEvent, status: str, results: list[Result], notices: dict[str, Any]
    ) -> dict[str, Any]:
        return response.body(
            self._request_id,
            reading.trigger,
            status,
            results,
            dry_run=self._settings.dry_run or any(request.dry_run for request in reading.requests),
            log_store=self._delivery.outcome(),
            notices=notices,
            handed_over_by=reading.handed_over_by,
        )

    def _hand_over(self, event: bytes, reading: ParsedEvent) -> handover.Attempt | None:
        """Hand the event over if it is to be; None if not."""
        if self._invoke_later is None or not handover.is_due(reading, self._settings):
            return None
        return handover.attempt(event, self._request_id, self._settings, self._invoke_later, self._deadline)

    def _wanted(self, reading: ParsedEvent, attempt: handover.Attempt | None) -> list[Result]:
        """Carry out what the event asks for, unless too little time is left of what a caller over HTTP waits."""
        if not reading.requests and not reading.upkeep:
            return []
        if attempt and not attempt.time_for_all:
            return self._unasked(reading, "deadline", attempt.reason)
        return self._carry_out(reading)

    def _unasked(self, reading: ParsedEvent, code: Code, reason: str) -> list[Result]:
        """Return a result for each instance named; nothing was begun, and all can be tried again."""
        from ecs_reboot.remediation.ledger_commands import result_of  # noqa: PLC0415

        upkeep = [
            result_of(request, instance_id, code, reason, retriable=True)
            for request in reading.upkeep
            for instance_id in request.instance_ids or ("",)
        ]
        return upkeep + [result for request in reading.requests for result in records.of_unbegun(request, code, reason)]

    def _tell(self, end: Deadline) -> dict[str, Any]:
        """Wait for the notices, ship the records that are left, and return what the answer says about them."""
        if not self._notices:
            return NOBODY_TOLD
        self._notices.finish(min(NOTICE_SECONDS, end.left()))
        if end.left() > NOTICE_LOG_SECONDS / 2:
            self._delivery.send(self._record_log.notices(), NOTICE_LOG_SECONDS)
        return self._notices.outcome()

    def _take_note(self, notices: dict[str, Any], end: Deadline) -> None:
        """Take note in the ledger that a person was told of its verdicts: somebody took them, or there is only the log.

        Where that fails, the next sweep tells them once more.
        """
        log_store = self._delivery.outcome()["status"]
        nobody = log_store == "off" and not self._notices
        reached = nobody or log_store == "written" or (bool(self._notices) and notices["status"] == "told")
        if not reached or end.left() < NOTE_SECONDS:
            return
        for maintenance, to_tell in self._to_tell:
            for region_id, states in to_tell.items():
                if states:
                    with suppress(CloudError):
                        maintenance.told(region_id, states)

    def _digest(self, request: LedgerCommand) -> Result:
        """Have the records of the last days counted."""
        from ecs_reboot.records import digest, logstore  # noqa: PLC0415 - once a week
        from ecs_reboot.remediation.ledger_commands import result_of  # noqa: PLC0415

        try:
            counted = self._delivery.counted(min(DIGEST_SECONDS, self._deadline.left()))
        except logstore.LogStoreError as error:
            return result_of(request, "", "no_answer", f"the records could not be counted: {error}", retriable=True)
        if counted is None:
            return result_of(request, "", "nothing_to_do", "digest: no logstore holds the records (LOGSTORE)")
        reason = f"in the last {digest.DAYS} days: {digest.sentence(counted)}"
        return result_of(request, "", "digest", reason, evidence=digest.written(counted))

    def _evidence(self, connections: Connections) -> "EvidenceTaker | None":
        level = self._settings.evidence
        if connections.bucket is None or level == "off":
            return None
        from ecs_reboot.evidence.taking import EvidenceTaker  # noqa: PLC0415 - only where it is kept

        return EvidenceTaker(level, connections.bucket(), self._deadline, self._request_id)

    def _carry_out(self, reading: ParsedEvent) -> list[Result]:
        """Do what the event asks for; a digest needs no ECS."""
        digests = [self._digest(request) for request in reading.upkeep if request.verb == "digest"]
        upkeep = tuple(request for request in reading.upkeep if request.verb != "digest")
        if not upkeep and not reading.requests:
            return digests
        return digests + self._remedied(reading.model_copy(update={"upkeep": upkeep}))

    def _remedied(self, reading: ParsedEvent) -> list[Result]:
        try:
            connections = self._connect(self._deadline)
        except NoCredentials as error:
            return self._unasked(reading, "no_credentials", str(error))
        from ecs_reboot.remediation import chosen_ledger  # noqa: PLC0415 - most events don't come this far

        ledger = chosen_ledger.connect(
            self._settings, connections, self._deadline, request_id=self._request_id, holds=self._holds
        )
        done: list[Result] = []
        hanging: list[RebootRequest] = []
        if reading.upkeep:
            from ecs_reboot.remediation.ledger_commands import LedgerCommands  # noqa: PLC0415 - sweeps and people

            commands = LedgerCommands(
                connections.ecs, ledger.maintenance, self._deadline, self._settings.policy, holds=self._holds
            )
            self._to_tell.append((ledger.maintenance, commands.to_tell))
            done = [result for request in reading.upkeep for result in commands.run(request)]
            hanging = commands.to_finish()
        if not reading.requests and not hanging:
            return done
        from ecs_reboot.remediation.remediate import Remediation  # noqa: PLC0415 - not for a sweep

        remediation = Remediation(
            connections.ecs,
            ledger.store,
            self._settings,
            self._deadline,
            request_id=self._request_id or ledger.run,
            holds=self._holds,
            log_intent=self._record_log.log_intent,
            evidence=self._evidence(connections),
        )
        self._to_tell.append((ledger.maintenance, remediation.to_tell))
        results = _news(remediation.run((*reading.requests, *hanging)), done)
        accepted = [result for result in results if result.code == "accepted"]
        watching = not reading.over_http and any(map(remediation.watches, accepted))
        # What ECS accepted is on record before anybody is told and the watching starts: a crash then loses nothing.
        lines = [self._record_log.accepted(result) for result in accepted] if watching else []
        if self._notices:
            self._notices.start(done + results)
        if watching:
            self._delivery.send(lines + self._record_log.notices(), self._settings.deadline_margin_seconds)
            results = remediation.prove(results)
        return done + results


def _news(results: list[Result], done: list[Result]) -> list[Result]:
    """Leave out why a reboot that hangs is not finished, but where it was just found to hang: a sweep comes often."""
    found = {(result.region_id, result.instance_id) for result in done if result.code == "hung"}
    return [
        result
        for result in results
        if result.action != "skip"
        or trigger_kind(result.trigger) != FINISH
        or (result.region_id, result.instance_id) in found
    ]
