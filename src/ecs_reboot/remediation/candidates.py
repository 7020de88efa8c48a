"""Which instances requests ask for, and the facts that a description gives of each."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.ecs_api import EcsApi, batches
from ecs_reboot.cloud.errors import CloudError, Refused, Unresolved
from ecs_reboot.facts.gather import gather
from ecs_reboot.ledger.store import LedgerStore
from ecs_reboot.model import Instance, RebootRequest, Rolling, Selector, Target
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.policy.decide import decide
from ecs_reboot.policy.facts import Facts, Policy
from ecs_reboot.policy.rolling import progress, reason_to_wait
from ecs_reboot.records import result as records
from ecs_reboot.records.result import Result
from ecs_reboot.remediation.claims import refusal
from ecs_reboot.remediation.observation import as_if_restarted

#: How many instances of a rolling reboot are asked about together, in search of the next few.
ASKED_FOR_AT_ONCE = 20


class Candidate(NamedTuple):
    """One instance that one request asks for; ``seen`` where a selector found it and so gave its facts."""

    request: RebootRequest
    target: Target
    seen: Instance | None


class Candidates:
    """Finds instances by ID and by selector.

    ``claim_id`` returns the ID of this run's claims; ``holds`` is after how long a run that claimed is over.
    """

    def __init__(
        self,
        ecs: EcsApi,
        store: LedgerStore,
        policy: Policy,
        deadline: Deadline,
        *,
        claim_id: Callable[[], str],
        holds: timedelta,
    ) -> None:
        self._ecs, self._store, self._policy, self._deadline = ecs, store, policy, deadline
        self._claim_id, self._holds = claim_id, holds
        # Regions whose endpoint has no address: once is enough, whatever else the event names there.
        self._nowhere: dict[str, Unresolved] = {}

    def of(self, request: RebootRequest, results: list[Result]) -> Iterator[Candidate]:
        """Yield the instances that a request asks for; where that is none, the reason becomes a result."""
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
            allowed = passed(known, [])
            informed = gather(self._ecs, by_id[part[0]].region_id, allowed, self._deadline)
            chosen += [by_id[facts.target.instance_id] for facts in passed(informed, [])]
            if len(chosen) >= rolling.limit:
                break
        del chosen[rolling.limit :]
        if not why_not and not chosen:
            why_not = f"policy lets none of those left be rebooted now ({made})"
        reason = why_not or f"asking for the next {len(chosen)} ({made})"
        results.append(records.of_request(request, region_id, "rolling_progress", reason))
        return chosen

    def described(self, candidates: list[Candidate], results: list[Result]) -> Iterator[Facts]:
        """Yield the facts of each candidate; a candidate whose facts can't be read becomes a result."""
        for batch in batches(candidates):
            missing = tuple(candidate.target.instance_id for candidate in batch if candidate.seen is None)
            found = {candidate.target.instance_id: candidate.seen for candidate in batch if candidate.seen}
            failure = None
            if missing:
                try:
                    found |= {
                        instance.instance_id: instance for instance in self.describe(batch[0].target.region_id, missing)
                    }
                except CloudError as error:
                    failure = _failure(error)
            for candidate in batch:
                facts = self._facts(candidate, found.get(candidate.target.instance_id))
                if failure and facts.instance is None:
                    results.append(records.of_decision(facts, "skip", **failure))
                else:
                    yield facts

    def describe(self, region_id: str, instance_ids: tuple[str, ...]) -> tuple[Instance, ...]:
        """Describe instances, again and again until the deadline. Raises CloudError."""
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
            claim=self._claim_id(),
            claim_holds_seconds=int(self._holds.total_seconds()),
        )

    def repeated(self, candidate: Candidate, first: Candidate) -> Result:
        """Return the result of an instance that an event names more than once."""
        reason = f"the event asks for this instance more than once; see the result for: {first.request.evidence}"
        return records.of_decision(self._facts(candidate, None), "skip", "repeated", reason)


def passed(known: Iterable[Facts], results: list[Result]) -> list[Facts]:
    """Return those whose reboot no guard objects to; the others become results."""
    passed = []
    for facts in known:
        decision = decide(facts)
        if decision.action == "reboot":
            passed.append(facts)
        else:
            results.append(refusal(facts, decision))
    return passed


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
