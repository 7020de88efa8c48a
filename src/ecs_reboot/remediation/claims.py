"""Which instances this run may ask ECS for: the ledger's claims as results.

The store is asked to claim what policy allows; what policy said last about each instance, and why a claim was lost,
becomes a result here. A claim of an earlier run of the same request is looked at first: that run may have asked ECS.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.ecs_api import EcsApi
from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.entry import Entry, History, State
from ecs_reboot.ledger.memory import RegionMemory
from ecs_reboot.ledger.store import Judged, LedgerStore, Lost, Obtained, Wanted
from ecs_reboot.model import Decision, Instance
from ecs_reboot.outcomes import BY_CODE, Code
from ecs_reboot.policy.facts import ApprovedReboot, Facts, Policy, attempts, group_of, waits_for_a_run
from ecs_reboot.policy.finding_guards import to_protect
from ecs_reboot.policy.judge import RefusedInstance, judge
from ecs_reboot.records import result as records
from ecs_reboot.records.result import Result

#: Refusals that are because of other instances.
BECAUSE_OF_OTHERS = ("blast_radius", "storm")

Describe = Callable[[str, tuple[str, ...]], tuple[Instance, ...]]


class Claims:
    """The claims of one run of one request. ``describe`` tries again by itself."""

    def __init__(
        self,
        store: LedgerStore,
        ecs: EcsApi,
        describe: Describe,
        policy: Policy,
        deadline: Deadline,
        *,
        request_id: str,
    ) -> None:
        self._store, self._ecs, self._describe = store, ecs, describe
        self._policy, self._deadline, self._request_id = policy, deadline, request_id
        #: By region, what is marked in the ledger as untold and a record of this run says.
        self.to_tell: dict[str, dict[str, State]] = {}
        # A tag is dated by the clock of the run that wrote it, a row by the service's.
        self._skew = ledger.SKEW if policy.ledger == "tags" else timedelta()

    def claim_id(self) -> str:
        """Return the ID of this request's claims."""
        return ledger.claim_digest(self._request_id)

    def obtain(
        self, region_id: str, wanted: list[Facts], *, dry_run: bool
    ) -> tuple[list[ApprovedReboot], list[Result]]:
        """Return the reboots that this run may ask for now, and the results of all the other instances."""
        bench = _Bench(wanted)
        try:
            orders, results, own = self._obtained(region_id, bench, dry_run=dry_run, again=frozenset())
            if own:
                orders, results = self._taken_over(region_id, bench, own, orders, results)
        except CloudError as error:
            return [], [_unavailable(facts, error) for facts in wanted]
        storm = bench.storm_began(region_id)
        if storm:
            self.to_tell.setdefault(region_id, {}).update(dict.fromkeys(bench.storms, "storm"))
        return orders, results + storm

    def still_ours(self, region_id: str, orders: list[ApprovedReboot]) -> list[ApprovedReboot]:
        """Return the reboots that may be asked for at this moment. Raises CloudError where that can't be found out."""
        ours = self._store.still_ours(region_id, [order.instance_id for order in orders])
        return [order for order in orders if order.instance_id in ours]

    def release(self, region_id: str, instance_ids: Iterable[str]) -> None:
        """Take back the claims of reboots that did not happen."""
        self._store.release(region_id, instance_ids)

    def hold(self, region_id: str, instance_ids: Collection[str]) -> frozenset[str]:
        """Keep others from claiming these while their protection is taken back; return those still claimed by us."""
        return self._store.hold(region_id, instance_ids)

    def record(self, region_id: str, states: Mapping[str, State], untold: Collection[str] = ()) -> None:
        """Write down what became of this run's reboots; of those ``untold`` a person is to be told."""
        if states:
            self._store.record(region_id, states, untold)

    def _obtained(
        self, region_id: str, bench: "_Bench", *, dry_run: bool, again: frozenset[str]
    ) -> tuple[list[ApprovedReboot], list[Result], dict[str, Lost]]:
        obtained: Obtained = self._store.obtain(
            region_id, bench.wanted(), bench.judge, count=self._count(region_id), dry_run=dry_run, again=again
        )
        bench.storms |= obtained.storms
        orders = [bench.allowed[instance_id] for instance_id in obtained.mine]
        own = {instance_id: lost for instance_id, lost in obtained.lost.items() if lost.code == "own"}
        results = [
            _lost(bench.facts_of(instance_id), lost)
            for instance_id, lost in obtained.lost.items()
            if lost.code != "own"
        ]
        refused = {
            instance_id: refused for instance_id, refused in bench.refused.items() if instance_id not in obtained.lost
        }
        results += [
            refusal(*said, unsettled=instance_id in obtained.unsettled) for instance_id, said in refused.items()
        ]
        order = {facts.target.instance_id: place for place, facts in enumerate(bench.facts)}
        return sorted(orders, key=lambda instance: order[instance.instance_id]), results, own

    def _taken_over(
        self,
        region_id: str,
        bench: "_Bench",
        own: dict[str, Lost],
        orders: list[ApprovedReboot],
        results: list[Result],
    ) -> tuple[list[ApprovedReboot], list[Result]]:
        """Go on where an earlier run of this request ended: look whether it asked ECS, else claim in its stead."""
        if not self._deadline.wait(max(lost.wait for lost in own.values())):
            return orders, results + [_lost(bench.facts_of(instance_id), lost) for instance_id, lost in own.items()]
        found = {instance.instance_id: instance for instance in self._describe(region_id, tuple(own))}
        again: list[Facts] = []
        for instance_id, lost in own.items():
            facts = bench.facts_of(instance_id).model_copy(update={"instance": found.get(instance_id)})
            if instance_id not in found:
                results.append(_lost(facts, lost))
            elif (
                self._policy.mode == "act"
                and lost.entry
                and (code := was_asked(lost.entry, found[instance_id], self._skew, self._grace(facts)))
            ):
                results.append(_done_before(facts, lost.entry, code))
            else:
                again.append(facts)
        if again:
            bench.again(again)
            more, further, held = self._obtained(region_id, bench, dry_run=False, again=frozenset(own))
            orders, results = orders + more, results + further
            results += [_lost(bench.facts_of(instance_id), lost) for instance_id, lost in held.items()]
        return orders, results

    def _grace(self, facts: Facts) -> timedelta:
        overridden = "recently_started" in facts.request.override
        return timedelta(seconds=0 if overridden else self._policy.grace_seconds)

    def _count(self, region_id: str) -> Callable[[], int] | None:
        limit = self._policy.max_reboots
        if limit is None or not limit.share:
            return None
        tag = self._policy.opt_in_tag
        return lambda: retry.call_idempotent(lambda: self._ecs.count(region_id, tag), self._deadline)


class _Bench:
    """What policy said last about each instance, between the store and the results."""

    def __init__(self, wanted: list[Facts]) -> None:
        self.facts = wanted
        self.allowed: dict[str, ApprovedReboot] = {}
        self.refused: dict[str, RefusedInstance] = {}
        self.storms: frozenset[str] = frozenset()
        self._storm: RefusedInstance | None = None

    def wanted(self) -> list[Wanted]:
        return [
            Wanted(facts.instance, group_of(facts.instance, facts.policy)) for facts in self.facts if facts.instance
        ]

    def again(self, wanted: list[Facts]) -> None:
        self.facts, self.allowed, self.refused = wanted, {}, {}

    def facts_of(self, instance_id: str) -> Facts:
        return next(facts for facts in self.facts if facts.target.instance_id == instance_id)

    def judge(self, histories: Mapping[str, History], memory: RegionMemory, now: datetime) -> Judged:
        """Decide about the instances whose histories are given: ``store.Judge``."""
        judgement = judge(
            [facts for facts in self.facts if facts.target.instance_id in histories], histories, memory, now
        )
        for order in judgement.allowed:
            self.allowed[order.instance_id] = order
            self.refused.pop(order.instance_id, None)
        for refused in judgement.refused:
            self.refused[refused.facts.target.instance_id] = refused
        crowded = tuple(
            refused.facts.target.instance_id
            for refused in judgement.refused
            if refused.decision.code in BECAUSE_OF_OTHERS
        )
        first = next((refused for refused in judgement.refused if refused.decision.code == "storm"), None)
        began = first is not None and memory.storm_at is None
        if began:
            self._storm = first
        return Judged(
            {order.instance_id: _entry(order, now) for order in judgement.allowed},
            crowded,
            first.facts.target.instance_id if first and began else "",
        )

    def storm_began(self, region_id: str) -> list[Result]:
        """Say aloud that a storm began, where this run saw it first."""
        if self._storm is None:
            return []
        reason = self._storm.decision.reason
        return [records.of_request(self._storm.facts.request, region_id, "storm_began", reason)]


def was_asked(entry: Entry, instance: Instance, skew: timedelta, grace: timedelta) -> Code | None:
    """Return what became of a claim: `accepted` where the instance is not Running or was restarted since, else None.

    Not of a claim to finish what hangs: its run would have written down that it asks.
    `accepted_unconfirmed` where it was restarted so close to the claim that nobody knows which was first: ECS gives the
    minute of a start, two clocks may disagree by ``skew``, and what had started before ``grace`` may be claimed. One
    that started within it may not, so there a start so late can only be a later one.
    """
    start = instance.start_time
    if entry.state == "finishing":
        return None
    if instance.status != "Running":
        return "accepted"
    if start is None or not ledger.restarted(entry, start, skew):
        return None
    later = bool(grace) and start > entry.at + timedelta(seconds=1) - grace
    return "accepted" if later or start - skew > entry.at else "accepted_unconfirmed"


def _entry(order: ApprovedReboot, now: datetime) -> Entry:
    instance = order.facts.instance
    if instance is None:
        raise AssertionError("only an instance that was seen is allowed")
    return ledger.following(
        attempts(order.facts, instance),
        before=order.facts.history.entry if order.facts.history else None,
        at=now,
        state="claimed" if instance.status == "Running" else "finishing",
        force=order.decision.force,
        claim=order.facts.claim,
        group=group_of(instance, order.facts.policy),
        protects=protects(order.facts),
    )


def protects(facts: Facts) -> str:
    """Return the group in which the instance is protected for this reboot; a duty of an earlier attempt goes over."""
    if facts.policy.mode == "observe":
        return ""  # nothing goes down, so nothing is protected
    entry = facts.history.entry if facts.history else None
    return to_protect(facts) or (entry.protects if entry else "")


def refusal(facts: Facts, decision: Decision, *, unsettled: bool = False) -> Result:
    """Return the result of a decision not to reboot; ``unsettled``: as ``store.Obtained`` says it."""
    # Whoever holds the instance, or the place in the limit or group, may have died before it asked ECS: then this event
    # must not be lost. A storm is of what was asked for, whoever died.
    others = unsettled and decision.code == "blast_radius"
    retriable = decision.retriable or others or (decision.code == "cooldown" and waits_for_a_run(facts))
    reason = decision.reason + ("; of the others one may not have been asked for yet: try again" if others else "")
    return records.of_decision(facts, "skip", decision.code, reason, retriable=retriable)


def because_of_others(refused: list[Result], done: list[Result]) -> list[Result]:
    """Return refusals; those because of others of this run, of which one was not rebooted after all, come again."""
    if all(BY_CODE[result.code].keeps_claim for result in done):
        return refused
    more = "; of the others one was not rebooted after all: try again"
    return [
        result.model_copy(update={"retriable": True, "reason": result.reason + more})
        if result.code == "blast_radius" and not result.retriable
        else result
        for result in refused
    ]


def _lost(facts: Facts, lost: Lost) -> Result:
    code = "claimed_elsewhere" if lost.code == "own" else lost.code
    return records.of_decision(facts, "skip", code, lost.reason, retriable=lost.code != "tags_full")


def _done_before(facts: Facts, entry: Entry, code: Code) -> Result:
    reason = f"an earlier run of this request asked ECS and was cut off before it could say so ({entry})"
    if code != "accepted":
        reason = (
            f"the instance was restarted, by an earlier run of this request or just before that claimed it ({entry})"
        )
    return records.of_decision(facts, "reboot", code, reason, force=entry.force)


def _unavailable(facts: Facts, error: CloudError) -> Result:
    reason = f"the attempt can't be remembered, so nothing is rebooted: {error}"
    return records.of_decision(facts, "skip", "ledger_unavailable", reason, retriable=True)
