"""One pass over what an event asks for: describe, decide, reboot. The order of all I/O is written here.

```
requests --select / describe, <=100 IDs a call, by region--> instances --decide--> skip --> result
    '--> facts that cost more --decide--> skip --> result
                                     '--> reboot --claim--> batches --> results
```
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.ecs_api import EcsApi, batches
from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.facts.gather import gather
from ecs_reboot.ledger.entry import State, claim_digest
from ecs_reboot.ledger.store import LedgerStore
from ecs_reboot.model import RebootRequest
from ecs_reboot.outcomes import BY_CODE, TO_TELL
from ecs_reboot.policy.facts import ApprovedReboot, Facts
from ecs_reboot.policy.finding_guards import to_protect
from ecs_reboot.policy.findings import Agent
from ecs_reboot.policy.hung import IN_BETWEEN
from ecs_reboot.policy.seconds_by_tag import VERIFY
from ecs_reboot.records import result as records
from ecs_reboot.records.result import Exhibit, Result
from ecs_reboot.remediation.batch import Mode, RebootBatch
from ecs_reboot.remediation.candidates import Candidate, Candidates, passed
from ecs_reboot.remediation.claims import Claims, because_of_others, protects
from ecs_reboot.remediation.observation import would_reboot
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
        self._candidates = Candidates(
            ecs, store, settings.policy, deadline, claim_id=partial(claim_digest, request_id), holds=holds
        )
        describe = self._candidates.describe
        self._claims = Claims(store, ecs, describe, settings.policy, deadline, request_id=request_id)
        #: By region, the verdicts and storms in the ledger of which a person is to be told.
        self.to_tell = self._claims.to_tell

    def run(self, requests: Iterable[RebootRequest]) -> list[Result]:
        """Return one result for each instance asked for, and one for each request that led to none."""
        results: list[Result] = []
        candidates: dict[tuple[str, str], Candidate] = {}
        for request in requests:
            for candidate in self._candidates.of(request, results):
                key = candidate.target.region_id, candidate.target.instance_id
                if key in candidates:
                    results.append(self._candidates.repeated(candidate, candidates[key]))
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
            ends = {instance_id: state for instance_id, state in of_region.items() if instance_id not in owing}
            self._record(region_id, ends, final)
        return final

    def _region(self, region_id: str, candidates: list[Candidate]) -> list[Result]:
        results: list[Result] = []
        wanted: dict[bool, list[Facts]] = {False: [], True: []}
        described = self._with_histories(region_id, list(self._candidates.described(candidates, results)))
        allowed = passed(described, results)
        for facts in passed(gather(self._ecs, region_id, allowed, self._deadline), results):
            wanted[self._settings.dry_run or facts.request.dry_run].append(facts)
        for dry_run in (False, True):
            if not wanted[dry_run]:
                continue
            orders, refused = self._claims.obtain(region_id, wanted[dry_run], dry_run=dry_run)
            done: list[Result] = []
            running = [order for order in orders if order.facts.instance and order.facts.instance.status == "Running"]
            for force in (False, True):
                mode = Mode(region_id, force, dry_run, self._settings.batch_optimization)
                for batch in batches([order for order in running if order.decision.force == force]):
                    done += self._reboot(list(batch), mode)
            for batch in batches([order for order in orders if order not in running]):
                done += self._finish(list(batch), Mode(region_id, force=True, dry_run=dry_run, batch_optimization=""))
            results += (refused if dry_run else because_of_others(refused, done)) + done
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

    def _reboot(self, orders: list[ApprovedReboot], mode: Mode) -> list[Result]:
        if self._policy.mode == "observe" and not mode.dry_run:
            return self._observe(orders, mode)
        orders, failed = self._protected(orders, mode)
        exhibits = self._exhibits(orders, mode)
        batch = RebootBatch(
            self._candidates.describe,
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
        if not groups:
            return set()
        try:
            held = self._claims.hold(region_id, groups)
        except CloudError:
            return set(groups)
        # Whoever has changed the others meanwhile has taken the duty over: nothing is written of them.
        return set(
            Protection(self._ecs, self._deadline).lift(
                region_id, {instance_id: groups[instance_id] for instance_id in groups if instance_id in held}
            )
        )

    def _finish(self, orders: list[ApprovedReboot], mode: Mode) -> list[Result]:
        if not mode.dry_run and self._policy.mode == "observe":
            return self._observe(orders, mode)
        from ecs_reboot.remediation.finish import HungReboots  # noqa: PLC0415 - seldom

        orders, failed = self._protected(orders, mode)
        exhibits = self._exhibits(orders, mode)
        hung = HungReboots(
            self._candidates.describe,
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
            asked = {result.instance_id: ASKED[result.code] for result in results if result.code in ASKED}
            self._record(mode.region_id, asked, results)
        return results

    def _record(self, region_id: str, states: Mapping[str, State], results: Iterable[Result]) -> None:
        """Write what became of reboots into the ledger; what a person is to be told is marked until he was."""
        said = {(result.region_id, result.instance_id, result.code) for result in results}
        untold = {
            instance_id: state
            for instance_id, state in states.items()
            if (region_id, instance_id, TO_TELL.get(state)) in said
        }
        self.to_tell.setdefault(region_id, {}).update(untold)
        self._claims.record(region_id, states, untold)

    def _observe(self, orders: list[ApprovedReboot], mode: Mode) -> list[Result]:
        """Say what would have been done, and close the claims in the shadow ledger: no machine restarts."""
        self._claims.record(mode.region_id, dict.fromkeys((order.instance_id for order in orders), "back"))
        return [would_reboot(order) for order in orders]


def _with(exhibits: Mapping[str, tuple[Exhibit, ...]], results: list[Result]) -> list[Result]:
    return [
        result.model_copy(update={"exhibits": exhibits[result.instance_id]})
        if result.instance_id in exhibits
        else result
        for result in results
    ]
