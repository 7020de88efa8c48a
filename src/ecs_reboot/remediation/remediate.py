"""One pass over what an event asks for: describe, decide, reboot. The order of all I/O is written here.

```
requests --select / describe, <=100 IDs a call, by region--> instances --decide--> skip --> result
    '--> facts that cost more --decide--> skip --> result
                                     '--> reboot --claim--> batches --> results
```
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.ecs_api import EcsApi, batches
from ecs_reboot.cloud.errors import CloudError, Refused, Unresolved
from ecs_reboot.facts.gather import gather
from ecs_reboot.ledger.entry import State
from ecs_reboot.ledger.store import LedgerStore
from ecs_reboot.model import Instance, RebootRequest, Rolling, Selector, Target
from ecs_reboot.outcomes import BY_CODE
from ecs_reboot.policy.decide import decide
from ecs_reboot.policy.facts import ApprovedReboot, Facts
from ecs_reboot.policy.finding_guards import to_protect
from ecs_reboot.policy.findings import Agent
from ecs_reboot.policy.hung import IN_BETWEEN
from ecs_reboot.policy.own_seconds import VERIFY
from ecs_reboot.policy.rolling import progress, reason_to_wait
from ecs_reboot.records import result as records
from ecs_reboot.records.result import Exhibit, Result
from ecs_reboot.remediation.batch import Mode, RebootBatch
from ecs_reboot.remediation.claims import Claims, protects, refusal
from ecs_reboot.remediation.observation import as_if_restarted, would_reboot
from ecs_reboot.remediation.protection import Protection
from ecs_reboot.remediation.verification import watch
from ecs_reboot.settings.settings import Settings

if TYPE_CHECKING:  # loaded only where evidence is kept
    from ecs_reboot.evidence.taking import EvidenceTaker

#: What the ledger says about a claim once ECS was asked.
ASKED: dict[str, State] = {
    "accepted": "accepted",
    "accepted_unconfirmed": "in_doubt",
    "start_due": "start_due",
    "hung": "hung",
}
#: How many instances of a rolling reboot are asked about together, in search of the next few.
ASKED_FOR_AT_ONCE = 20


class Candidate(NamedTuple):
    """One instance that one request asks for; ``seen`` where a selector found it and so gave its facts."""

    request: RebootRequest
    target: Target
    seen: Instance | None


class Remediation:
    """Carries requests out under one policy.

    ``log_intent`` records each reboot before ECS is asked for it. ``run`` raises nothing that a call to ECS can
    cause: every failure is a result.
    """

    def __init__(
        self,
        ecs: EcsApi,
        store: LedgerStore,
        settings: Settings,
        deadline: Deadline,
        *,
        request_id: str,
        holds: timedelta,
        log_intent: Callable[[Result], None],
        evidence: "EvidenceTaker | None" = None,
    ) -> None:
        """Take ``holds`` as the time after which a run that claimed something is over for certain."""
        self._ecs, self._store, self._settings, self._deadline = ecs, store, settings, deadline
        self._policy, self._log_intent, self._holds = settings.policy, log_intent, holds
        self._evidence = evidence
        # Regions whose endpoint has no address: once is enough, whatever else the event names there.
        self._nowhere: dict[str, Unresolved] = {}
        self._claims = Claims(store, ecs, self._describe, settings.policy, deadline, request_id=request_id)

    def run(self, requests: Iterable[RebootRequest]) -> list[Result]:
        """Return one result for each instance asked for, and one for each request that led to none."""
        results: list[Result] = []
        candidates: dict[tuple[str, str], Candidate] = {}
        for request in requests:
            for candidate in self._candidates(request, results):
                key = candidate.target.region_id, candidate.target.instance_id
                if key in candidates:
                    results.append(self._repeated(candidate, candidates[key]))
                else:
                    candidates[key] = candidate
        for region_id in dict.fromkeys(region_id for region_id, _ in candidates):
            results += self._region(
                region_id, [candidate for candidate in candidates.values() if candidate.target.region_id == region_id]
            )
        order = {key: place for place, key in enumerate(candidates)}
        return sorted(results, key=lambda result: order.get((result.region_id, result.instance_id), -1))

    def watches(self, result: Result) -> bool:
        """Return whether ECS accepted the reboot and somebody wants to see what comes of it."""
        return result.code == "accepted" and self._verify_seconds(result) > 0

    def _listen(self, region_id: str, instance_ids: tuple[str, ...]) -> dict[str, Agent]:
        from ecs_reboot.facts.agent import listen  # noqa: PLC0415 - only where an agent spoke before

        return listen(self._ecs, region_id, instance_ids, self._deadline.left() / 2)

    def _verify_seconds(self, result: Result) -> int:
        return VERIFY.of(result.facts.instance if result.facts else None, self._settings.verify_seconds)

    def prove(self, results: list[Result]) -> list[Result]:
        """Watch the accepted reboots among the results and return all results in the same order.

        What became of each is written into the ledger, so that reboots that do not help are noticed.
        """
        places = [place for place, result in enumerate(results) if self.watches(result)]
        accepted = [(results[place], self._verify_seconds(results[place])) for place in places]
        # Looks are not tried again: the next one comes anyway.
        watched = watch(self._ecs.describe, self._listen, self._deadline, accepted)
        final = list(results)
        states: dict[str, dict[str, State]] = {}
        for place, result in zip(places, watched, strict=True):
            final[place] = result
            # What is still open stays open: the sweep looks again later.
            state = BY_CODE[result.code].state_after
            if state == "back" or state == "down":  # noqa: PLR1714 - so that mypy sees which
                states.setdefault(result.region_id, {})[result.instance_id] = state
        for region_id, of_region in states.items():
            back = [
                result
                for result in final
                if result.region_id == region_id and of_region.get(result.instance_id) == "back"
            ]
            owing = self._unprotected(region_id, back, protects)
            self._claims.record(
                region_id, {instance_id: state for instance_id, state in of_region.items() if instance_id not in owing}
            )
        return final

    def _region(self, region_id: str, candidates: list[Candidate]) -> list[Result]:
        results: list[Result] = []
        wanted: dict[bool, list[Facts]] = {False: [], True: []}
        described = self._with_histories(region_id, list(self._described(candidates, results)))
        passed = self._passed(described, results)
        for facts in self._passed(gather(self._ecs, region_id, passed, self._deadline), results):
            wanted[self._settings.dry_run or facts.request.dry_run].append(facts)
        for dry_run in (False, True):
            if not wanted[dry_run]:
                continue
            orders, refused = self._claims.obtain(region_id, wanted[dry_run], dry_run=dry_run)
            results += refused
            running = [order for order in orders if order.facts.instance and order.facts.instance.status == "Running"]
            for force in (False, True):
                mode = Mode(region_id, force, dry_run, self._settings.batch_optimization)
                for batch in batches([order for order in running if order.decision.force == force]):
                    results += self._reboot(list(batch), mode)
            for batch in batches([order for order in orders if order not in running]):
                results += self._finish(
                    list(batch), Mode(region_id, force=True, dry_run=dry_run, batch_optimization="")
                )
        return results

    def _with_histories(self, region_id: str, described: list[Facts]) -> list[Facts]:
        """Read what the ledger says about instances between two statuses: their reboot may hang."""
        if self._policy.force_reboot == "never":
            return described
        between = [facts.instance for facts in described if facts.instance and facts.instance.status in IN_BETWEEN]
        try:
            histories = self._store.histories(region_id, between) if between else {}
        except CloudError:
            return described  # refused as `not_running`
        return [
            facts.model_copy(update={"history": histories[facts.target.instance_id]})
            if facts.target.instance_id in histories
            else facts
            for facts in described
        ]

    @staticmethod
    def _passed(known: Iterable[Facts], results: list[Result]) -> list[Facts]:
        """Return those whose reboot no guard objects to; the others become results."""
        passed = []
        for facts in known:
            decision = decide(facts)
            if decision.action == "reboot":
                passed.append(facts)
            else:
                results.append(refusal(facts, decision))
        return passed

    def _reboot(self, orders: list[ApprovedReboot], mode: Mode) -> list[Result]:
        if self._policy.mode == "observe" and not mode.dry_run:
            return self._observe(orders, mode)
        orders, failed = self._protected(orders, mode)
        exhibits = self._exhibits(orders, mode)
        batch = RebootBatch(
            self._describe,
            self._ecs.reboot,
            self._deadline,
            self._log_intent,
            mode,
            still_ours=None if mode.dry_run else partial(self._claims.still_ours, mode.region_id),
        )
        return _with(exhibits, self._written(batch.run(orders) + failed, mode))

    def _protected(self, orders: list[ApprovedReboot], mode: Mode) -> tuple[list[ApprovedReboot], list[Result]]:
        """Protect in their Auto Scaling groups those that need it; what can't be protected is not rebooted."""
        groups = {order.instance_id: group for order in orders if (group := to_protect(order.facts))}
        if not groups or mode.dry_run:
            return orders, []
        failed = Protection(self._ecs, self._deadline).protect(mode.region_id, groups)
        results = [
            records.of_decision(
                order.facts, "skip", "managed",
                f"it could not be protected in its scaling group: {failed[order.instance_id]}", retriable=True,
            )
            for order in orders
            if order.instance_id in failed
        ]  # fmt: skip
        return [order for order in orders if order.instance_id not in failed], results

    def _unprotected(
        self, region_id: str, results: Iterable[Result], group_of: Callable[[Facts], str] = to_protect
    ) -> set[str]:
        """Take back the protection of these; return the instances that may still be protected: they stay claimed.

        Where a claim is taken back, that of an earlier attempt stays.
        """
        groups = {result.instance_id: group for result in results if result.facts and (group := group_of(result.facts))}
        return set(Protection(self._ecs, self._deadline).lift(region_id, groups)) if groups else set()

    def _finish(self, orders: list[ApprovedReboot], mode: Mode) -> list[Result]:
        if not mode.dry_run and self._policy.mode == "observe":
            return self._observe(orders, mode)
        from ecs_reboot.remediation.finish import HungReboots  # noqa: PLC0415 - seldom

        orders, failed = self._protected(orders, mode)
        exhibits = self._exhibits(orders, mode)
        hung = HungReboots(
            self._describe,
            self._ecs,
            self._deadline,
            self._log_intent,
            mode,
            still_ours=partial(self._claims.still_ours, mode.region_id),
            commit=partial(self._store.commit, mode.region_id),
        )
        return _with(exhibits, self._written(hung.run(orders) + failed, mode))

    def _exhibits(self, orders: list[ApprovedReboot], mode: Mode) -> Mapping[str, tuple[Exhibit, ...]]:
        """Take what the instances show now; it is gone afterwards."""
        taker = None if mode.dry_run else self._evidence
        return taker.take(self._ecs, mode.region_id, orders) if taker else {}

    def _written(self, results: list[Result], mode: Mode) -> list[Result]:
        """Write into the ledger what came of claims, and take back those that led to nothing."""
        if not mode.dry_run:
            undone = [result for result in results if not BY_CODE[result.code].keeps_claim]
            owing = self._unprotected(mode.region_id, undone)
            self._claims.release(
                mode.region_id, [result.instance_id for result in undone if result.instance_id not in owing]
            )
            self._claims.record(
                mode.region_id,
                {result.instance_id: ASKED[result.code] for result in results if result.code in ASKED},
            )
        return results

    def _observe(self, orders: list[ApprovedReboot], mode: Mode) -> list[Result]:
        """Say what would have been done, and close the claims in the shadow ledger: no machine restarts."""
        self._claims.record(mode.region_id, dict.fromkeys((order.instance_id for order in orders), "back"))
        return [would_reboot(order) for order in orders]

    def _candidates(self, request: RebootRequest, results: list[Result]) -> Iterator[Candidate]:
        for target in request.targets:
            yield Candidate(request, target, None)
        selector = request.selector
        if selector is None:
            return
        try:
            found = retry.call_idempotent(lambda: self._selected(selector), self._deadline)
        except CloudError as error:
            results.append(records.of_request(request, selector.region_id, **_failure(error)))
            return
        if not found:
            reason = f"no instance in {selector.region_id} meets the selector, or this function's role may not see any"
            results.append(records.of_request(request, selector.region_id, "no_match", reason))
        if request.rolling and found:
            found = self._next_few(request, request.rolling, found, results)
        for instance in found:
            yield Candidate(request, Target(instance_id=instance.instance_id, region_id=selector.region_id), instance)

    def _selected(self, selector: Selector) -> list[Instance]:
        pages = retry.in_time(self._ecs.select(selector), self._deadline, "DescribeInstances")
        return [instance for page in pages for instance in page]

    def _next_few(
        self, request: RebootRequest, rolling: Rolling, found: list[Instance], results: list[Result]
    ) -> list[Instance]:
        """Choose the instances of this tick: the first of those left that policy lets be rebooted now."""
        region_id = request.selector.region_id if request.selector else ""
        try:
            histories = self._store.histories(region_id, found)
        except CloudError as error:
            reason = f"the ledger can't be read, so nothing is rebooted: {error}"
            results.append(records.of_request(request, region_id, "ledger_unavailable", reason, retriable=True))
            return []
        shown = as_if_restarted(found, histories) if self._policy.mode == "observe" else found
        made = progress(shown, histories, rolling, self._deadline.clock.now())
        why_not = reason_to_wait(made)
        by_id = {instance.instance_id: instance for instance in found}
        chosen: list[Instance] = []
        for part in batches(() if why_not else made.left, ASKED_FOR_AT_ONCE):
            candidates = (
                Candidate(request, Target(instance_id=instance_id, region_id=by_id[instance_id].region_id), None)
                for instance_id in part
            )
            known = [
                self._facts(candidate, found_).model_copy(update={"history": histories[found_.instance_id]})
                for candidate in candidates
                for found_ in [by_id[candidate.target.instance_id]]
            ]
            passed = self._passed(known, [])
            informed = gather(self._ecs, by_id[part[0]].region_id, passed, self._deadline)
            chosen += [by_id[facts.target.instance_id] for facts in self._passed(informed, [])]
            if len(chosen) >= rolling.limit:
                break
        del chosen[rolling.limit :]
        if not why_not and not chosen:
            why_not = f"policy lets none of those left be rebooted now ({made})"
        reason = why_not or f"asking for the next {len(chosen)} ({made})"
        results.append(records.of_request(request, region_id, "rolling_progress", reason))
        return chosen

    def _described(self, candidates: list[Candidate], results: list[Result]) -> Iterator[Facts]:
        """Yield the facts of each candidate; a candidate whose facts can't be read becomes a result."""
        for batch in batches(candidates):
            missing = tuple(candidate.target.instance_id for candidate in batch if candidate.seen is None)
            found = {candidate.target.instance_id: candidate.seen for candidate in batch if candidate.seen}
            failure = None
            if missing:
                try:
                    found |= {
                        instance.instance_id: instance
                        for instance in self._describe(batch[0].target.region_id, missing)
                    }
                except CloudError as error:
                    failure = _failure(error)
            for candidate in batch:
                facts = self._facts(candidate, found.get(candidate.target.instance_id))
                if failure and facts.instance is None:
                    results.append(records.of_decision(facts, "skip", **failure))
                else:
                    yield facts

    def _describe(self, region_id: str, instance_ids: tuple[str, ...]) -> tuple[Instance, ...]:
        if region_id in self._nowhere:
            raise self._nowhere[region_id]
        try:
            return retry.call_idempotent(lambda: self._ecs.describe(region_id, instance_ids), self._deadline)
        except Unresolved as error:
            self._nowhere[region_id] = error
            raise

    def _facts(self, candidate: Candidate, instance: Instance | None) -> Facts:
        return Facts(
            request=candidate.request,
            target=candidate.target,
            instance=instance,
            policy=self._policy,
            now=self._deadline.clock.now(),
            history=self._store.shown(instance) if instance else None,
            claim=self._claims.claim_id(),
            claim_holds_seconds=int(self._holds.total_seconds()),
        )

    def _repeated(self, candidate: Candidate, first: Candidate) -> Result:
        reason = f"the event asks for this instance more than once; see the result for: {first.request.evidence}"
        return records.of_decision(self._facts(candidate, None), "skip", "repeated", reason)


def _with(exhibits: Mapping[str, tuple[Exhibit, ...]], results: list[Result]) -> list[Result]:
    return [
        result.model_copy(update={"exhibits": exhibits[result.instance_id]})
        if result.instance_id in exhibits
        else result
        for result in results
    ]


def _failure(error: CloudError) -> dict[str, Any]:
    """Describe a look-up that failed for good, as the fields of a result."""
    failure: dict[str, Any] = {
        "code": error.outcome,
        "reason": f"the instance could not be looked up: {error}",
        "retriable": retry.may_pass(error) or (isinstance(error, Refused) and error.about_the_caller),
    }
    if isinstance(error, Refused):
        failure |= {"api_code": error.code, "api_message": error.message, "api_request_id": error.request_id}
    return failure
