"""Finishing reboots that hang: by a forced reboot where ECS takes one, else by a forced stop and a start.

```
 dry run: taken    --> `in_doubt` into the ledger  --> RebootInstances by force --> accepted, in doubt
          refused  --> `start_due` into the ledger --> StopInstances by force --> seen Stopped --> StartInstances
```

ECS documents no call for an instance in Stopping or Starting, so both answers to each call are expected. From
`start_due` on the sweep starts the instance, whatever becomes of this run: nothing that we stopped stays Stopped.
Stopping shows no effect of ours, so the ledger says `finishing` until right before the first call: a run that finds
that knows that ECS was not asked, and goes on. A start is safe to repeat. A reboot or a stop whose answer was lost is
not sent a second time.

What the answers mean is decided here and not by ``lifecycle``, whose machine is of one call, RebootInstances, that may
be asked again after a 503 and a look without a sign. Here nothing is; a refusal for the status is no end but leads to
the stop; the stop and the start are of several instances at once; and Stopping is no sign of anything. Of the machine's
transitions only the refusal of one row would be shared. Which reboots hang, and which may be finished, it decides.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.ecs_api import EcsApi
from ecs_reboot.cloud.errors import CloudError, NotSent, Refused
from ecs_reboot.ledger.entry import START_DUE, State
from ecs_reboot.model import Instance, InstanceAnswer, RebootAnswer
from ecs_reboot.outcomes import BY_CODE, Code, of_service
from ecs_reboot.policy.facts import ApprovedReboot, in_window
from ecs_reboot.policy.hung import IN_BETWEEN
from ecs_reboot.records import result as records
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.batch import Describe, Mode, StillOurs

#: How long to wait for Stopped after a forced stop, and between looks; what is not Stopped by then is the sweep's.
STOP_SECONDS, FIRST_LOOK, LONGEST_LOOK = 60.0, 1.0, 5.0
#: Kept of the deadline for the start and for writing it down. Seconds.
START_ROOM = 3.0
#: ECS takes the call in another status only.
WRONG_STATUS: Code = "IncorrectInstanceStatus"

Commit = Callable[[Mapping[str, State]], frozenset[str]]
"""Writes into the ledger what a crash must not forget; returns the instances for which it stands."""
T = TypeVar("T")


class LostClaim(CloudError):
    """Another run has taken the claim over."""

    outcome: Code = "claimed_elsewhere"


class HungReboots:
    """Finishes the hung reboots of one region."""

    def __init__(
        self,
        describe: Describe,
        ecs: EcsApi,
        deadline: Deadline,
        log_intent: Callable[[Result], None],
        mode: Mode,
        *,
        still_ours: StillOurs,
        commit: Commit,
    ) -> None:
        self._describe, self._ecs, self._deadline, self._log_intent = describe, ecs, deadline, log_intent
        self._mode, self._still_ours, self._commit = mode, still_ours, commit
        self._results: list[Result] = []

    def run(self, orders: list[ApprovedReboot]) -> list[Result]:
        """Return one result for each order."""
        to_stop = []
        for order in orders:
            self._log_intent(self._result(order, "intended", f"finishing its reboot: {order.decision.reason}"))
            try:
                taken = self._taken(order)
            except CloudError as error:
                self._close(order, error.outcome, f"ECS could not be asked what it takes: {error}", retriable=True)
                continue
            if self._mode.dry_run:
                how = "reboot it by force" if taken else "stop it by force and start it"
                self._close(order, "DRYRUN.SUCCESS", f"dry run: the function would {how}")
            elif not taken or not self._rebooted(order):
                to_stop.append(order)
        self._start(self._stopped(self._still_hanging(to_stop)))
        return self._results

    def _still_hanging(self, orders: list[ApprovedReboot]) -> list[ApprovedReboot]:
        """Look once more: what has come up by itself meanwhile must not be powered off."""
        try:
            seen = self._look(orders) if orders else {}
        except CloudError as error:
            for order in orders:
                self._close(order, error.outcome, f"whether it still hangs can't be read: {error}", retriable=True)
            return []
        hanging = []
        for order in orders:
            status = seen.get(order.instance_id, "gone")
            if status in IN_BETWEEN:
                hanging.append(order)
            else:
                reason = f"it is {status} now, so its reboot does not hang any more"
                self._results.append(records.of_decision(order.facts, "skip", "recently_started", reason))
        return hanging

    def _taken(self, order: ApprovedReboot) -> bool:
        """Ask ECS by a dry run whether it takes a forced reboot now."""
        try:
            retry.call_idempotent(lambda: self._reboot(order, dry_run=True), self._deadline)
        except Refused as refused:
            if refused.outcome == WRONG_STATUS:
                return False
            raise
        return True

    def _rebooted(self, order: ApprovedReboot) -> bool:
        """Reboot by force; return False where ECS refuses it for the status after all."""
        if not self._still_hanging([order]) or not self._committed([order], "in_doubt", "the forced reboot"):
            return True
        try:
            answer = self._sent([order], lambda: self._reboot(order, dry_run=False))
        except CloudError as error:
            if isinstance(error, Refused) and error.outcome == WRONG_STATUS:
                return False
            self._failed(order, error, "the forced reboot")
            return True
        row = next((row for row in answer.instances if row.instance_id == order.instance_id), None)
        if row is None or BY_CODE[of_service(row.code)].may_have_acted:
            said = f"{row.code}: {row.message}" if row else f"answer {answer.request_id} does not name it"
            self._close(order, "accepted_unconfirmed", f"ECS may be rebooting it by force: {said}")
        elif row.code == "200":
            self._close(order, "accepted", f"ECS accepted the forced reboot: {order.decision.reason}", row)
        elif of_service(row.code) == WRONG_STATUS:
            return False
        else:
            self._refused(order, row)
        return True

    def _stopped(self, orders: list[ApprovedReboot]) -> list[ApprovedReboot]:
        """Stop by force; return the instances that a start is owed to. It is in the ledger before ECS is asked."""
        owed = self._committed(orders, START_DUE, "the forced stop")
        if not owed:
            return []
        ids = tuple(order.instance_id for order in owed)
        try:
            answer = self._sent(owed, lambda: self._ecs.stop(self._mode.region_id, ids))
        except CloudError as error:
            if _may_have_acted(error):
                return owed
            for order in owed:
                self._failed(order, error, "the forced stop")
            return []
        rows = {row.instance_id: row for row in answer.instances}
        return [order for order in owed if self._is_stopping(order, rows.get(order.instance_id))]

    def _committed(self, orders: list[ApprovedReboot], state: State, what: str) -> list[ApprovedReboot]:
        """Write down what ECS is about to be asked for; return the orders for which that stands."""
        if not orders:
            return []
        try:
            committed = self._commit({order.instance_id: state for order in orders})
        except CloudError as error:
            reason = f"{what} can't be remembered, so ECS is not asked for it: {error}"
            for order in orders:
                self._close(order, "ledger_unavailable", reason, retriable=True)
            return []
        for order in orders:
            if order.instance_id not in committed:
                self._failed(order, LostClaim("RebootInstances", "another run has taken the claim over"), what)
        return [order for order in orders if order.instance_id in committed]

    def _is_stopping(self, order: ApprovedReboot, row: InstanceAnswer | None) -> bool:
        if row is None or row.code == "200" or BY_CODE[code := of_service(row.code)].may_have_acted:
            return True
        if code == WRONG_STATUS:
            if row.current_status not in ("", *IN_BETWEEN):
                return True
            reason = f"ECS takes neither a forced reboot nor a forced stop of it ({row.code}: {row.message})"
            self._close(order, "hung", f"{reason}: {order.decision.reason}", row)
        else:
            self._refused(order, row)
        return False

    def _start(self, orders: list[ApprovedReboot]) -> None:
        """Wait until they are Stopped and start them. What takes longer is left to the sweep."""
        clock, wait = self._deadline.clock, FIRST_LOOK
        until = clock.elapsed() + STOP_SECONDS
        while orders and clock.elapsed() < until and self._deadline.left() > wait + START_ROOM:
            self._deadline.wait(wait)
            wait = min(1.5 * wait, LONGEST_LOOK)
            try:
                seen = self._look(orders)
            except CloudError:
                continue
            up = [order for order in orders if seen.get(order.instance_id) in ("Running", "Starting")]
            for order in up:
                self._close(order, "accepted", f"stopped by force, and it is up again: {order.decision.reason}")
            started = self._started([order for order in orders if seen.get(order.instance_id) == "Stopped"])
            orders = [order for order in orders if order not in up and order.instance_id not in started]
        for order in orders:
            self._close(order, "start_due", f"stopped by force, and not started yet: {order.decision.reason}")

    def _started(self, orders: list[ApprovedReboot]) -> set[str]:
        """Start what is Stopped; return those for which there is a result now."""
        if not orders:
            return set()
        ids = tuple(order.instance_id for order in orders)
        try:
            answer = retry.call_idempotent(lambda: self._ecs.start(self._mode.region_id, ids), self._deadline)
        except CloudError:
            return set()
        rows = {row.instance_id: row for row in answer.instances}
        done = set()
        for order in orders:
            row = rows.get(order.instance_id)
            if row and (row.code == "200" or of_service(row.code) == WRONG_STATUS):
                done.add(order.instance_id)
                self._close(
                    order, "accepted", f"ECS accepted a forced stop and then the start: {order.decision.reason}", row
                )
        return done

    def _sent(self, orders: list[ApprovedReboot], call: Callable[[], T]) -> T:
        """Make a call that has an effect, again only where nothing can have reached ECS, and only while ours."""
        clock, began = self._deadline.clock, self._deadline.clock.elapsed()
        for wait in retry.waits(self._deadline):
            if len(self._still_ours(orders)) < len(orders):
                raise LostClaim("RebootInstances", "another run has taken the claim over")
            try:
                return call()
            except CloudError as error:
                nothing_done = isinstance(error, NotSent) or (isinstance(error, Refused) and error.throttled)
                if not nothing_done or retry.is_nowhere(error, began, clock):
                    raise
                if not self._deadline.wait(retry.pause_after(error, wait, clock)):
                    raise
        raise AssertionError("waits never end")

    def _reboot(self, order: ApprovedReboot, *, dry_run: bool) -> RebootAnswer:
        return self._ecs.reboot(
            self._mode.region_id, (order.instance_id,), force=True, dry_run=dry_run, batch_optimization="AllTogether"
        )

    def _look(self, orders: Iterable[ApprovedReboot]) -> dict[str, str]:
        ids = tuple(order.instance_id for order in orders)
        found: tuple[Instance, ...] = self._describe(self._mode.region_id, ids)
        return {instance.instance_id: instance.status for instance in found}

    def _failed(self, order: ApprovedReboot, error: CloudError, what: str) -> None:
        if _may_have_acted(error):
            self._close(order, "accepted_unconfirmed", f"the answer to {what} was lost ({error})")
        else:
            later = BY_CODE[error.outcome].retriable or error.outcome == "claimed_elsewhere"
            self._close(order, error.outcome, f"{what} did not happen: {error}", retriable=later)

    def _refused(self, order: ApprovedReboot, row: InstanceAnswer) -> None:
        code = of_service(row.code)
        self._close(order, code, f"ECS refused: {row.code}: {row.message}", row, retriable=BY_CODE[code].retriable)

    def _close(
        self, order: ApprovedReboot, code: Code, reason: str, row: InstanceAnswer | None = None, **more: object
    ) -> None:
        if row:
            more |= {
                "previous_status": row.previous_status, "current_status": row.current_status,
                "api_code": row.code, "api_message": row.message,
            }  # fmt: skip
        self._results.append(self._result(order, code, reason, **more))

    def _result(self, order: ApprovedReboot, code: Code, reason: str, **more: object) -> Result:
        facts = order.facts
        attempt = in_window(facts) + 1
        return records.of_decision(
            facts, "reboot", code, reason, force=True, dry_run=self._mode.dry_run, attempt=attempt, **more
        )


def _may_have_acted(error: CloudError) -> bool:
    """Return whether a call that has an effect may have had it although it failed."""
    if isinstance(error, (NotSent, LostClaim)):
        return False
    return not isinstance(error, Refused) or error.unsettled
