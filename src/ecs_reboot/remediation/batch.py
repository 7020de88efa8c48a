"""One batch of reboots, from the call to an outcome for every instance, sent at most once with effect.

What an answer or a look means for a reboot, and whether ECS may be asked again, ``lifecycle`` says. Here is what it
takes: the calls, the waits between them, and what goes into the record.

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

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.errors import CloudError, Refused
from ecs_reboot.model import Instance, RebootAnswer
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.outcomes import Code
from ecs_reboot.policy.decide import decide
from ecs_reboot.policy.facts import ApprovedReboot, in_window
from ecs_reboot.records import result as records
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.lifecycle import transition
from ecs_reboot.remediation.reboot_state import (
    CLAIMED,
    Answered,
    Asked,
    DecidedAgain,
    Ended,
    Failed,
    Looked,
    Reboot,
    Seen,
    Step,
)

#: Facts older than this are read again before a reboot goes out. Seconds.
FACTS_AGE = timedelta(seconds=5)
#: How long to look for a sign of a reboot whose answer was lost. Seconds.
PATIENCE_SECONDS = 10.0
#: What the last try needs after it: that patience, and the calls around it. Seconds.
ROOM_SECONDS = PATIENCE_SECONDS + 5.0
#: With less than this left a reboot is not sent: there must be time to learn what came of it. Seconds.
LEAST_SECONDS = 1.0

Describe = Callable[[str, tuple[str, ...]], tuple[Instance, ...]]
Call = Callable[..., RebootAnswer]
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
        reboot: Call,
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
        self._reboots: dict[str, Reboot] = {}
        self._in_a_hurry = deadline.left() < ROOM_SECONDS
        self._began = deadline.clock.elapsed()

    def run(self, orders: list[ApprovedReboot]) -> list[Result]:
        """Return one result for each order."""
        self._reboots = {order.instance_id: CLAIMED for order in orders}
        announced = False
        last: CloudError | None = None
        backoff = retry.waits(self._deadline)
        while orders := self._fresh(orders):
            if self._deadline.left() < LEAST_SECONDS:
                if last:
                    self._end(orders, last.outcome, f"no reboot before the deadline: {last}", last)
                else:
                    self._end(orders, "deadline", "the function's time is nearly up, so ECS was not asked")
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
                orders = self._failed(error, orders, retry.pause_after(error, next(backoff), self._deadline.clock))
            else:
                self._answered(answer, orders)
                break
        return self._results

    def _ours(self, orders: list[ApprovedReboot]) -> list[ApprovedReboot]:
        """Return the orders whose claim still holds; end the others."""
        if self._still_ours is None:
            return orders
        try:
            ours = self._still_ours(orders)
        except CloudError as error:
            self._end(orders, "ledger_unavailable", f"the claim could not be renewed: {error}")
            return []
        held = {order.instance_id for order in ours}
        gone = [order for order in orders if order.instance_id not in held]
        self._end(gone, "claimed_elsewhere", "another run of this request has taken the claim over")
        return ours

    def _ask(self, orders: list[ApprovedReboot]) -> RebootAnswer:
        for order in orders:
            self._step(order, Asked(order.facts.instance))
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
        """Read the facts again where they are old, and end the orders that policy no longer allows."""
        now = self._deadline.clock.now()
        if all(order.facts.instance and now - order.facts.instance.read_at <= FACTS_AGE for order in orders):
            return orders
        return self._decided_again(orders)

    def _decided_again(self, orders: list[ApprovedReboot]) -> list[ApprovedReboot]:
        try:
            found = self._look(orders)
        except CloudError as error:
            self._end(orders, error.outcome, f"the facts could not be read again: {error}", error)
            return []
        now = self._deadline.clock.now()
        still = []
        for order in orders:
            instance = found.get(order.instance_id)
            # The claim was judged by the clock of its store, which may be ahead of ours: no time goes back.
            facts = order.facts.model_copy(update={"instance": instance, "now": max(now, order.facts.now)})
            step = self._step(order, DecidedAgain(order.facts.instance, instance, decide(facts)))
            if step.do == "ask":
                # The claim says whether by force: an attempt that fell out of the window since changes nothing.
                still.append(ApprovedReboot(facts, order.decision))
            elif step.code and step.state == "refused":
                self._results.append(records.of_decision(facts, "skip", step.code, step.reason))
            else:
                self._record(order, step, instance)
        return still

    def _failed(self, error: CloudError, orders: list[ApprovedReboot], wait: float) -> list[ApprovedReboot]:
        """Return the orders to ask for again after a call that gave no answer for each instance."""
        # The last try is one that leaves time to find out what came of it, so that the claim can be taken back.
        room = self._in_a_hurry or self._deadline.left() - wait > ROOM_SECONDS
        doubtful = any(self._reboots[order.instance_id].state == "in_doubt" for order in orders)
        together = self._mode.dry_run or self._mode.batch_optimization == "AllTogether"
        failed = Failed(error, room, doubtful or (together and len(orders) > 1), self._mode.dry_run)
        steps = [self._step(order, failed) for order in orders]
        do = steps[0].do  # the same for all: it follows from the one answer
        if do in ("glance", "look"):
            return self._settle(orders, wait, glance=do == "glance")
        if do == "ask":
            if not retry.is_nowhere(error, self._began, self._deadline.clock) and self._deadline.wait(wait):
                return orders
            self._end(orders, error.outcome, f"no reboot before the deadline: {error}", error)
            return []
        if do == "decide":
            still = self._decided_again(orders)
            if len(still) < len(orders):
                return still
            orders = still
            steps = [self._step(order, failed._replace(ambiguous=False)) for order in orders]
        for order, step in zip(orders, steps, strict=True):
            self._record(order, step, error=error)
        return []

    def _answered(self, answer: RebootAnswer, orders: list[ApprovedReboot]) -> None:
        rows = {row.instance_id: row for row in answer.instances}
        unclear = []
        for order in orders:
            if answer.dry_run_code:
                api = {"api_code": answer.dry_run_code, "api_request_id": answer.request_id}
                reason = "dry run: ECS checked the request and would reboot"
                self._results.append(self._result(order, "DRYRUN.SUCCESS", reason, **api))
                continue
            row = rows.get(order.instance_id)
            step = self._step(order, Answered(row, answer.request_id))
            if step.do == "look" or row is None:
                unclear.append(order)
            else:
                self._record(
                    order, step,
                    previous_status=row.previous_status, current_status=row.current_status,
                    api_code=row.code, api_message=row.message, api_request_id=answer.request_id,
                )  # fmt: skip
        if unclear:
            self._settle(unclear, retry.FIRST_WAIT)

    def _settle(self, orders: list[ApprovedReboot], wait: float, *, glance: bool = False) -> list[ApprovedReboot]:
        """Find out by describing what a call with no usable answer did; return the orders to ask for again.

        Only a look after all of the patience can show that nothing happened: an earlier one may show what was before.
        """
        clock = self._deadline.clock
        until = clock.elapsed() + (0.0 if glance else PATIENCE_SECONDS)
        again = []
        while orders:
            patient = clock.elapsed() >= until
            waited = self._deadline.wait(wait)
            try:
                found = self._look(orders) if waited else {}
            except CloudError:
                found = {}
            waiting = []
            for order in orders:
                instance = found.get(order.instance_id)
                step = self._step(order, Looked(instance, room=glance, last=patient or not waited))
                if step.do == "ask":
                    again.append(order)
                elif step.do == "look":
                    waiting.append(order)
                else:
                    self._record(order, step, instance, error=step.reboot.lost)
            orders = waiting
            wait = min(2 * wait, 2.0)
        return again

    def _look(self, orders: list[ApprovedReboot]) -> dict[str, Instance]:
        ids = tuple(order.instance_id for order in orders)
        return {found.instance_id: found for found in self._describe(self._mode.region_id, ids)}

    def _step(self, order: ApprovedReboot, seen: Seen) -> Step:
        step = transition(self._reboots[order.instance_id], seen, self._deadline.clock.now())
        self._reboots[order.instance_id] = step.reboot
        return step

    def _end(self, orders: list[ApprovedReboot], code: Code, reason: str, error: CloudError | None = None) -> None:
        """End orders that this run can't take further; the same event may be tried again."""
        for order in orders:
            self._record(order, self._step(order, Ended(code, reason)), error=error)

    def _record(
        self,
        order: ApprovedReboot,
        step: Step,
        shown: Instance | None = None,
        *,
        error: CloudError | None = None,
        **more: object,
    ) -> None:
        """Add the result of a step that ended."""
        if step.code == "accepted":
            reason = f"{step.reason}: {order.decision.reason}"
            more = {"current_status": shown.status, **more} if shown else more
        else:
            reason = step.reason
        if isinstance(error, Refused) and step.code != "accepted":
            more |= {"api_code": error.code, "api_message": error.message, "api_request_id": error.request_id}
        if step.code:
            self._results.append(self._result(order, step.code, reason, retriable=step.retriable, **more))

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
