"""One batch of reboots, from the call to an outcome for every instance, sent at most once with effect.

```
 answer, row 200         accepted
 answer, another code    that code
 throttled               wait for the next minute where it fits, else end; decide again; ask again
 not sent                wait; old facts are read again and decided again; ask again
 503                     describe: a sign of the reboot -> accepted; none -> ask again
 500, no answer          describe until there is a sign, or patience ends: the code, or accepted_unconfirmed
 AllTogether refused     describe and decide again; without those that are refused now, ask again
```

An order that ECS may already have carried out stays *in doubt* until a look shows a sign of the reboot, or shows late
enough that there is none. Whatever else ends it, its result then says `accepted_unconfirmed`, so that its claim stands;
the retry of the event, a minute later, looks once more before it asks again (``claims``).
"""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.errors import CloudError, NoAnswer, Refused
from ecs_reboot.model import Instance, InstanceAnswer, RebootAnswer
from ecs_reboot.outcomes import BY_CODE, Code, of_service
from ecs_reboot.policy.decide import decide
from ecs_reboot.policy.facts import ApprovedReboot, in_window
from ecs_reboot.records import result as records
from ecs_reboot.records.result import Result

#: Facts older than this are read again before a reboot goes out. Seconds.
FACTS_AGE = timedelta(seconds=5)
#: How long to look for a sign of a reboot whose answer was lost. Seconds.
PATIENCE_SECONDS = 10.0
#: What the last try needs after it: that patience, and the calls around it. Seconds.
ROOM_SECONDS = PATIENCE_SECONDS + 5.0
#: With less than this left a reboot is not sent: there must be time to learn what came of it. Seconds.
LEAST_SECONDS = 1.0
#: Outcomes of a whole AllTogether batch that are about one of its instances.
ABOUT_AN_INSTANCE = (
    "InvalidInstanceId.NotFound",
    "IncorrectInstanceStatus",
    "InstanceNotReady",
    "InstanceLockedForSecurity",
    "InstanceExpiredOrInArrears",
)

Describe = Callable[[str, tuple[str, ...]], tuple[Instance, ...]]
Reboot = Callable[..., RebootAnswer]
StillOurs = Callable[[list[ApprovedReboot]], list[ApprovedReboot]]
"""Which of them ECS may be asked for at this moment, by the ledger; raises CloudError."""


class Mode(NamedTuple):
    """What the orders of one batch have in common."""

    region_id: str
    force: bool
    dry_run: bool
    batch_optimization: str


class RebootBatch:
    """Carries out the orders of one mode: at most 100 of them."""

    def __init__(
        self,
        describe: Describe,
        reboot: Reboot,
        deadline: Deadline,
        log_intent: Callable[[Result], None],
        mode: Mode,
        *,
        still_ours: StillOurs | None = None,
    ) -> None:
        self._describe, self._reboot, self._still_ours = describe, reboot, still_ours
        self._deadline, self._log_intent = deadline, log_intent
        self._mode = mode
        self._results: list[Result] = []
        # What was known of instances before a call that may have had an effect unseen.
        self._doubt: dict[str, Instance | None] = {}
        self._in_a_hurry = False
        self._began = deadline.clock.elapsed()

    def run(self, orders: list[ApprovedReboot]) -> list[Result]:
        """Return one result for each order."""
        announced = False
        self._in_a_hurry = self._deadline.left() < ROOM_SECONDS
        last: CloudError | None = None
        for wait in retry.waits(self._deadline):
            orders = self._fresh(orders)
            if not orders:
                break
            if self._deadline.left() < LEAST_SECONDS:
                if last:
                    reason = f"no reboot before the deadline: {last}"
                    self._close(orders, last.outcome, reason, retriable=True, error=last)
                else:
                    reason = "the function's time is nearly up, so ECS was not asked"
                    self._close(orders, "deadline", reason, retriable=True)
                break
            if not announced:
                announced = True
                for order in orders:
                    self._log_intent(
                        self._result(order, "intended", f"asking ECS for a reboot: {order.decision.reason}")
                    )
            orders = self._ours(orders)
            if not orders:
                break
            try:
                answer = self._ask(orders)
            except CloudError as error:
                last = error
                orders = self._after(error, orders, retry.pause_after(error, wait, self._deadline.clock))
            else:
                orders = self._answered(answer, orders)
        return self._results

    def _ours(self, orders: list[ApprovedReboot]) -> list[ApprovedReboot]:
        """Return the orders whose claim still holds; close the others."""
        if self._still_ours is None:
            return orders
        try:
            ours = self._still_ours(orders)
        except CloudError as error:
            self._close(orders, "ledger_unavailable", f"the claim could not be renewed: {error}", retriable=True)
            return []
        held = {order.instance_id for order in ours}
        gone = [order for order in orders if order.instance_id not in held]
        self._close(gone, "claimed_elsewhere", "another run of this request has taken the claim over", retriable=True)
        return ours

    def _ask(self, orders: list[ApprovedReboot]) -> RebootAnswer:
        mode = self._mode
        return self._reboot(
            mode.region_id,
            tuple(order.instance_id for order in orders),
            force=mode.force,
            dry_run=mode.dry_run,
            # ECS answers DRYRUN.SUCCESS to SuccessFirst whether or not the check succeeds: that would tell nothing.
            batch_optimization="AllTogether" if mode.dry_run else mode.batch_optimization,
        )

    def _fresh(self, orders: list[ApprovedReboot]) -> list[ApprovedReboot]:
        """Read the facts again where they are old, and close the orders that policy no longer allows."""
        now = self._deadline.clock.now()
        if all(order.facts.instance and now - order.facts.instance.read_at <= FACTS_AGE for order in orders):
            return orders
        return self._decided_again(orders)

    def _decided_again(self, orders: list[ApprovedReboot]) -> list[ApprovedReboot]:
        try:
            found = self._look(orders)
        except CloudError as error:
            self._close(
                orders, error.outcome, f"the facts could not be read again: {error}", retriable=True, error=error
            )
            return []
        now = self._deadline.clock.now()
        still = []
        for order in self._without_signs(orders, found, "an earlier answer was lost"):
            instance = found.get(order.instance_id)
            facts = order.facts.model_copy(update={"instance": instance, "now": now})
            decision = decide(facts)
            elsewhere = _started_anew(order.facts.instance, instance)
            if decision.action == "skip" and order.instance_id in self._doubt:
                self._close([order], decision.code, decision.reason)
            elif decision.action == "skip":
                self._results.append(records.of_decision(facts, "skip", decision.code, decision.reason))
            elif elsewhere:
                reason = f"{elsewhere} while this run was waiting: somebody else has rebooted it"
                self._results.append(records.of_decision(facts, "skip", "recently_started", reason))
            else:
                # The claim says whether by force: an attempt that fell out of the window since changes nothing.
                still.append(ApprovedReboot(facts, order.decision))
        return still

    def _without_signs(
        self, orders: list[ApprovedReboot], found: dict[str, Instance], why: str
    ) -> list[ApprovedReboot]:
        """Close the orders in doubt whose instance shows a sign of the reboot; return the others."""
        others = []
        for order in orders:
            after = found.get(order.instance_id)
            sign = _sign(self._doubt.get(order.instance_id), after)
            if sign and after:
                reason = f"{why}, but {sign}: {order.decision.reason}"
                self._results.append(self._result(order, "accepted", reason, current_status=after.status))
            else:
                others.append(order)
        return others

    def _after(self, error: CloudError, orders: list[ApprovedReboot], wait: float) -> list[ApprovedReboot]:
        """Return the orders to ask for again after a call that gave no answer for each instance."""
        unsettled = isinstance(error, NoAnswer) or (isinstance(error, Refused) and error.unsettled)
        if unsettled and not self._mode.dry_run:
            # The last try is one that leaves time to find out what came of it, so that the claim can be taken back.
            in_time = self._in_a_hurry or self._deadline.left() - wait > ROOM_SECONDS
            once_more = isinstance(error, Refused) and error.status == 503 and in_time  # noqa: PLR2004 - Unavailable
            return self._settle(orders, error, 0.0 if once_more else PATIENCE_SECONDS, wait, once_more=once_more)
        if retry.may_pass(error):
            if not retry.is_nowhere(error, self._began, self._deadline.clock) and self._deadline.wait(wait):
                return orders
            self._close(orders, error.outcome, f"no reboot before the deadline: {error}", retriable=True, error=error)
            return []
        together = self._mode.dry_run or self._mode.batch_optimization == "AllTogether"
        doubtful = any(order.instance_id in self._doubt for order in orders)
        if error.outcome in ABOUT_AN_INSTANCE and (doubtful or (together and len(orders) > 1)):
            still = self._decided_again(orders)
            if len(still) < len(orders):
                return still
            orders = still
        # A dry run has told what was asked: there is nothing to try again, unless nobody could look.
        about_us = isinstance(error, Refused) and error.about_the_caller
        later = BY_CODE[error.outcome].retriable and (about_us or not self._mode.dry_run)
        self._close(orders, error.outcome, f"ECS refused: {error}", retriable=later, error=error)
        return []

    def _answered(self, answer: RebootAnswer, orders: list[ApprovedReboot]) -> list[ApprovedReboot]:
        if answer.dry_run_code:
            self._close(
                orders, "DRYRUN.SUCCESS", "dry run: ECS checked the request and would reboot",
                api_code=answer.dry_run_code, api_request_id=answer.request_id,
            )  # fmt: skip
            return []
        rows = {row.instance_id: row for row in answer.instances}
        unclear = []
        for order in orders:
            row = rows.get(order.instance_id)
            if row is None or row.code == "InternalError":
                unclear.append(order)
            elif row.code != "200" and order.instance_id in self._doubt:
                # ECS may refuse it because of what an earlier call, whose answer was lost, has set going.
                unclear.append(order)
            else:
                self._results.append(self._of_row(order, row, answer.request_id))
        if unclear:
            first = rows.get(unclear[0].instance_id)
            error: CloudError = NoAnswer("RebootInstances", f"answer {answer.request_id} does not name the instance")
            if first is not None:
                error = Refused(
                    "RebootInstances",
                    code=first.code,
                    message=first.message,
                    status=500,
                    request_id=answer.request_id,
                )
            self._settle(unclear, error, PATIENCE_SECONDS, retry.FIRST_WAIT)
        return []

    def _of_row(self, order: ApprovedReboot, row: InstanceAnswer, request_id: str) -> Result:
        if row.code == "200":
            code: Code = "accepted"
            reason = f"ECS accepted the reboot: {order.decision.reason}"
        else:
            code, reason = of_service(row.code), f"ECS refused: {row.code}: {row.message}"
        return self._result(
            order, code, reason,
            retriable=BY_CODE[code].retriable,
            previous_status=row.previous_status, current_status=row.current_status,
            api_code=row.code, api_message=row.message, api_request_id=request_id,
        )  # fmt: skip

    def _settle(
        self, orders: list[ApprovedReboot], error: CloudError, patience: float, wait: float, *, once_more: bool = False
    ) -> list[ApprovedReboot]:
        """Find out by describing what a call with no usable answer did.

        An instance that is down, or that started later than before, was rebooted. Returns the orders to ask for again:
        those without a sign, where ``once_more``; else closes them too. Only a look after all of ``patience`` can show
        that nothing happened: an earlier one may show what was before.
        """
        clock = self._deadline.clock
        until = clock.elapsed() + patience
        for order in orders:
            self._doubt.setdefault(order.instance_id, order.facts.instance)
        while True:
            patient = clock.elapsed() >= until
            waited = self._deadline.wait(wait)
            try:
                found = self._look(orders) if waited else {}
            except CloudError:
                found = {}
            orders = self._without_signs(orders, found, f"the answer was lost ({error})")
            if not orders:
                return []
            if once_more and found:
                return orders
            if not waited or patient:
                break
            wait = min(2 * wait, 2.0)
        if isinstance(error, Refused):
            for order in orders:
                if order.instance_id in found:
                    del self._doubt[order.instance_id]
            reason = f"ECS failed ({error}) and nothing shows that the instance reboots"
            self._close(orders, error.outcome, reason, retriable=True, error=error)
        else:
            reason = f"the answer was lost ({error}) and nothing shows whether the instance reboots"
            self._close(orders, error.outcome, reason)
        return []

    def _look(self, orders: list[ApprovedReboot]) -> dict[str, Instance]:
        ids = tuple(order.instance_id for order in orders)
        return {found.instance_id: found for found in self._describe(self._mode.region_id, ids)}

    def _close(
        self,
        orders: list[ApprovedReboot],
        code: Code,
        reason: str,
        *,
        retriable: bool = False,
        error: CloudError | None = None,
        api_code: str = "",
        api_request_id: str = "",
    ) -> None:
        message = ""
        if isinstance(error, Refused):
            api_code, message, api_request_id = error.code, error.message, error.request_id
        api = {"api_code": api_code, "api_message": message, "api_request_id": api_request_id}
        for order in orders:
            if order.instance_id in self._doubt:
                doubt = f"ECS may be rebooting it, so only a retry that sees no sign asks again: {reason}"
                result = self._result(order, "accepted_unconfirmed", doubt, retriable=True, **api)
            else:
                result = self._result(order, code, reason, retriable=retriable, **api)
            self._results.append(result)

    def _result(self, order: ApprovedReboot, code: Code, reason: str, **more: object) -> Result:
        return records.of_decision(
            order.facts,
            "reboot",
            code,
            reason,
            force=self._mode.force,
            dry_run=self._mode.dry_run,
            attempt=in_window(order.facts) + 1,
            **more,
        )


def _sign(before: Instance | None, after: Instance | None) -> str:
    """Say what shows that the instance went down after it was last seen Running; '' where nothing does."""
    if before is None or after is None:
        return ""
    if after.status != "Running":
        return f"describing again shows it {after.status}"
    return _started_anew(before, after)


def _started_anew(before: Instance | None, after: Instance | None) -> str:
    """Say that the instance has started since it was looked at before; '' where nothing shows that."""
    if before and after and before.start_time and after.start_time and after.start_time > before.start_time:
        return f"describing again shows that it started anew at {after.start_time:%Y-%m-%dT%H:%MZ}"
    return ""
