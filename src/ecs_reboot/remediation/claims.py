"""Claim, then count: how an instance becomes this run's to reboot, and nobody else's.

```
 read the region's entries --> decide --> write a claim on each instance --> wait --> read again --> decide again
                                 | no                                                   | another's claim: lost
                                 v                                                      | too many: withdraw, try again
                              result                                                    v
                                                                                       ours --> reboot
```

Every run writes before it counts, so of two runs at least the later writer sees the other's claim: whatever the
interleaving, no more than the limit go on. A run that dies in between leaves a claim that counts until its window ends:
fewer reboots, never more. Only a claim that still stands is taken back: what another run wrote over it is that run's.
What is assumed of tags, and what the wait is for, is in docs/safety.md.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud import retry
from ecs_reboot.cloud.ecs_api import EcsApi
from ecs_reboot.cloud.errors import CloudError, NoAnswer, NotSent, Refused
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger.entry import Entry, State
from ecs_reboot.ledger.tags import LedgerStore
from ecs_reboot.policy.blast_radius import RegionActivity
from ecs_reboot.policy.decide import decide
from ecs_reboot.policy.facts import ApprovedReboot, Facts, Policy, attempts, group_of
from ecs_reboot.records import result as records
from ecs_reboot.records.result import Result

#: How often a run that lost to others withdraws and tries again.
ROUNDS = 4
#: How often the region is read again until our own claims are seen, and how long between, seconds.
LOOKS, LOOK_SECONDS = 6, 0.25
#: Refusals that mean: not now, because of others.
RETRY_AFTER_WITHDRAWAL = ("blast_radius", "storm")
#: The beginnings of the codes by which TagResources says that an instance can't take another tag.
TAGS_FULL = ("OperationDenied.QuotaExceed", "QuotaExceed", "TagQuotaExceed")

#: What befalls a claim that would rest on a reading too long ago.
TOO_LATE = NotSent("TagResources", "the ledger changed between reading and writing it, or that took too long")

Entries = dict[str, str]


class _Round(NamedTuple):
    """What one try gave: ours to reboot, done with, and lost to the limit after claiming."""

    kept: list[ApprovedReboot]
    results: list[Result]
    over: list[tuple[ApprovedReboot, Result]]


class Claims:
    """The claims of one run. ``settle_seconds``: how long a claim stands before it is counted."""

    def __init__(
        self, ecs: EcsApi, policy: Policy, deadline: Deadline, *, claim_id: str, settle_seconds: float
    ) -> None:
        self._ecs, self._policy, self._deadline = ecs, policy, deadline
        self._id, self._register = claim_id, LedgerStore(ecs, deadline, settle_seconds)
        self._before: dict[str, str] = {}
        self._claimed: dict[str, str] = {}
        self._opted_in: dict[str, int] = {}

    def obtain(
        self, region_id: str, wanted: list[Facts], *, dry_run: bool
    ) -> tuple[list[ApprovedReboot], list[Result]]:
        """Return the orders that this run may carry out now, and the results of all the others.

        A dry run decides in the same way and writes nothing.
        """
        results: list[Result] = []
        for attempt in range(1, ROUNDS + 1):
            try:
                tried = self._try(region_id, wanted, dry_run=dry_run)
            except CloudError as error:
                return [], results + [_unavailable(facts, error) for facts in wanted]
            results += tried.results
            lost = [result for _, result in tried.over]
            # More than a second, so that no claim looks like the one before.
            wait = attempt * (1.0 + self._deadline.clock.jitter())
            if tried.kept or not lost or attempt == ROUNDS or not self._deadline.wait(wait):
                return tried.kept, results + lost
            wanted = [order.facts for order, _ in tried.over]
        raise AssertionError("the last round returns")

    def release(self, region_id: str, orders: Iterable[ApprovedReboot]) -> None:
        """Take back the claims of orders that led to no reboot, where they still stand: the value before is restored.

        Where there was none, an entry says that a reboot was asked for and not done. A claim that can't be taken back
        counts until its window ends.
        """
        before = {
            order.instance_id: self._before.get(order.instance_id) or self._entry(order.facts, "refused")
            for order in orders
        }
        with suppress(CloudError):
            self._register.change(region_id, before, lambda one, text: before[one] if self._stands(one, text) else None)

    def finish(self, region_id: str, states: Mapping[str, State]) -> None:
        """Write down what became of this run's reboots: `back` or `down`. Without it a sweep finds out later."""
        with suppress(CloudError):
            self._register.change(
                region_id,
                states,
                lambda one, text: text.replace(" claimed ", f" {states[one]} ") if self._stands(one, text) else None,
            )

    def _stands(self, instance_id: str, text: str) -> bool:
        """Tell whether an entry is the claim that this run wrote last."""
        return text == self._claimed.get(instance_id)

    def _try(self, region_id: str, wanted: list[Facts], *, dry_run: bool) -> _Round:
        entries, began = self._register.read(region_id)
        allowed, refused = self._judge(region_id, wanted, entries)
        crowded = [result for result in refused if result.code in RETRY_AFTER_WITHDRAWAL]
        if dry_run:
            return _Round(allowed, refused, [])
        for order in allowed:
            text = entries.get(order.instance_id, "")
            if self._id not in text.split(" "):
                self._before[order.instance_id] = text
        try:
            late = self._claim(region_id, allowed, entries, began)
            refused += [_unavailable(order.facts, TOO_LATE) for order in allowed if order.instance_id in late]
            allowed = [order for order in allowed if order.instance_id not in late]
            refused += self._mark(region_id, crowded, entries, began)
            if not allowed:
                return _Round([], refused, [])
            self._register.settle()
            return self._confirm(region_id, allowed, refused)
        except CloudError:
            self.release(region_id, allowed)
            raise

    def _judge(
        self, region_id: str, wanted: list[Facts], entries: Entries
    ) -> tuple[list[ApprovedReboot], list[Result]]:
        """Decide about each in turn; those allowed count for those that follow."""
        now = self._deadline.clock.now()
        # What another's clock dated after now was still written: it counts.
        read = {instance_id: _readable(text, ledger.FAR) for instance_id, text in entries.items()}
        others = {instance_id: entry for instance_id, entry in read.items() if entry and entry.claim != self._id}
        window = timedelta(seconds=self._policy.max_reboots_window_seconds)
        activity = RegionActivity(others, (facts.target.instance_id for facts in wanted), window, now)
        limit = self._limit(region_id, activity)
        allowed: list[ApprovedReboot] = []
        refused: list[Result] = []
        for asked in wanted:
            facts = self._with_newest(asked, entries, now)
            instance_id = facts.target.instance_id
            group = group_of(facts.instance, self._policy) if facts.instance else "0"
            facts = facts.model_copy(update={"region_state": activity.excluding(instance_id, group, limit)})
            decision = decide(facts)
            if decision.action == "reboot":
                activity.allow(instance_id, group)
                allowed.append(ApprovedReboot(facts, decision))
            else:
                refused.append(records.of_decision(facts, "skip", decision.code, decision.reason))
        return allowed, refused

    def _limit(self, region_id: str, activity: RegionActivity) -> int | None:
        """Return how many reboots the region may have in a window; None for no limit."""
        limit = self._policy.max_reboots
        if limit is None:
            return None
        if not limit.share or not activity.crowded():
            return limit.of(0)
        if region_id not in self._opted_in:
            tag = self._policy.opt_in_tag
            self._opted_in[region_id] = retry.call_idempotent(lambda: self._ecs.count(region_id, tag), self._deadline)
        return limit.of(self._opted_in[region_id])

    def _claim(self, region_id: str, orders: list[ApprovedReboot], entries: Entries, began: float) -> frozenset[str]:
        """Write claims; returns the instances whose entry changed meanwhile, or for which the reading is too old."""
        values = {
            order.instance_id: self._entry(order.facts, "claimed", force=order.decision.force) for order in orders
        }
        self._claimed.update(values)
        return self._register.claim(region_id, values, entries, began)

    def _confirm(self, region_id: str, claimed: list[ApprovedReboot], results: list[Result]) -> _Round:
        """Read the region until our claims are seen, and decide again with all that was written before them."""
        orders = {order.instance_id: order for order in claimed}
        entries = self._register.read(region_id).entries
        for _ in range(LOOKS):
            unseen = [one for one in orders if self._is_old(one, entries.get(one, ""))]
            if not unseen or not self._deadline.wait(LOOK_SECONDS):
                break
            entries = self._register.read(region_id).entries
        not_seen = NoAnswer("ListTagResources", "our own claim is not to be seen")
        results += [_unavailable(orders.pop(one).facts, not_seen) for one in unseen]
        others = [one for one in orders if not self._stands(one, entries.get(one, ""))]
        results += [_lost(orders.pop(one).facts, entries.get(one, "none")) for one in others]
        kept, refused = self._judge(region_id, [order.facts for order in orders.values()], entries)
        self.release(region_id, [orders[one.instance_id] for one in refused])
        results += [one for one in refused if one.code not in RETRY_AFTER_WITHDRAWAL]
        return _Round(
            kept, results, [(orders[one.instance_id], one) for one in refused if one.code in RETRY_AFTER_WITHDRAWAL]
        )

    def _is_old(self, instance_id: str, text: str) -> bool:
        """Tell whether an entry is from before our latest claim: what stood there, or an earlier claim of ours."""
        ours = self._id in text.split(" ")
        return not self._stands(instance_id, text) and (ours or text == self._before[instance_id])

    def _mark(self, region_id: str, crowded: list[Result], entries: Entries, began: float) -> list[Result]:
        """Leave a sign that instances were asked for, where it hides nothing. Who first sees a storm says so aloud."""
        now = self._deadline.clock.now()
        blank = [one.facts for one in crowded if one.facts and _is_blank(one.facts, entries, now)]
        values = {facts.target.instance_id: self._entry(facts, "refused") for facts in blank[: ledger.MOST_RESOURCES]}
        loud: list[Result] = []
        first = next((one for one in crowded if one.code == "storm" and one.facts in blank), None)
        if first and first.facts and first.facts.region_state and not first.facts.region_state.storm_at:
            values[first.instance_id] = self._entry(first.facts, "storm")
            loud = [records.of_request(first.facts.request, region_id, "storm_began", first.reason)]
        with suppress(CloudError):  # their loss only makes a storm harder to see
            self._register.write(region_id, values, began)
        return loud

    def _entry(self, facts: Facts, state: State, *, force: bool = False) -> str:
        if facts.instance is None:
            raise AssertionError("only an instance that was seen gets an entry")
        entry = ledger.following(
            attempts(facts, facts.instance),
            at=self._deadline.clock.now(),
            state=state,
            force=force,
            claim=self._id,
            group=group_of(facts.instance, self._policy),
        )
        return str(entry)

    def _with_newest(self, facts: Facts, entries: Entries, now: datetime) -> Facts:
        """Put the newest word on the instance, from the region or from describing it, into its facts."""
        instance = facts.instance
        if instance is None:
            return facts
        tags = dict(instance.tags)
        words = [text for text in (entries.get(instance.instance_id), tags.pop(ledger.KEY, None)) if text is not None]
        if words:
            tags[ledger.KEY] = max(words, key=lambda text: _age_key(text, now))
        newest = instance.model_copy(update={"tags": tuple(tags.items())})
        return facts.model_copy(update={"instance": newest, "now": now, "claim": self._id})


def _readable(text: str, now: datetime) -> Entry | None:
    """Read another instance's entry; one that can't be read counts for nobody but its own instance."""
    try:
        return ledger.parse(text, now)
    except ledger.Unreadable:
        return None


def _age_key(text: str, now: datetime) -> tuple[bool, datetime]:
    """ApprovedReboot entries: one that can't be read comes last, so that it refuses; else the newest."""
    entry = _readable(text, now)
    return (entry is None, entry.at if entry else now)


def _is_blank(facts: Facts, entries: Entries, now: datetime) -> bool:
    """Tell whether writing over an instance's entry would hide nothing: no attempt, and no storm of this window."""
    text = entries.get(facts.target.instance_id)
    if text is None:
        return True
    entry = _readable(text, now)
    storming = facts.region_state is not None and facts.region_state.storm_at is not None
    return entry is not None and (entry.state == "refused" or (entry.state == "storm" and not storming))


def _lost(facts: Facts, entry: str) -> Result:
    reason = f"another run claimed the instance at the same time ({entry}); it is that run's to reboot"
    return records.of_decision(facts, "skip", "claimed_elsewhere", reason)


def _unavailable(facts: Facts, error: CloudError) -> Result:
    if isinstance(error, Refused) and error.code.startswith(TAGS_FULL):
        return records.of_decision(facts, "skip", "tags_full", f"ECS takes no further tag on the instance: {error}")
    reason = f"the attempt can't be remembered, so nothing is rebooted: {error}"
    return records.of_decision(facts, "skip", "ledger_unavailable", reason, retriable=True)
