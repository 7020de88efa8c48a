"""The ledger in tags: claim, then count. For small fleets, without a further service.

```
 read the region's entries --> judge --> write a claim on each instance --> wait --> read again --> judge again
                                 | no                                                   | another's claim: lost
                                 v                                                      | too many: withdraw, try again
                              refused                                                   v
                                                                                       ours
```

Every run writes before it counts, so of two runs at least the later writer sees the other's claim: whatever the
interleaving, no more than the limit go on. A run that dies in between leaves a claim that counts until its window ends:
fewer reboots, never more. Only a claim that still stands is taken back: what another run wrote over it is that run's.
What is assumed of tags, and what the wait is for, is in docs/understand/safety.md.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.ecs_api import EcsApi
from ecs_reboot.cloud.errors import CloudError, NoAnswer, NotSent, Refused
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger import memory as memories
from ecs_reboot.ledger.entry import Entry, History, State
from ecs_reboot.ledger.memory import RegionMemory
from ecs_reboot.ledger.store import Judge, Judged, Lost, Obtained, Wanted
from ecs_reboot.ledger.tags import TagRegister
from ecs_reboot.model import Instance
from ecs_reboot.named_tuple import NamedTuple

#: How often a run that lost to others withdraws and tries again.
ROUNDS = 4
#: How often the region is read again until our own claims are seen, and how long between, seconds.
LOOKS, LOOK_SECONDS = 6, 0.25
#: The beginnings of the codes by which TagResources says that an instance can't take another tag.
TAGS_FULL = ("OperationDenied.QuotaExceed", "QuotaExceed", "TagQuotaExceed")
#: How long a run that finds a claim of its own request waits before it looks whether ECS was asked, in settle times.
#: The run that claimed may be alive: it wrote within half of one, counts after one, and what it asks shows within half.
LOOK_AFTER = 2
#: Kept from the deadline for what follows a claim: reading again, the reboot, one look, taking back. Seconds.
REST_CALLS, REST_SECONDS = 6, 1.0

#: Raised when the ledger snapshot behind a claim is too old to write from.
TOO_LATE = NotSent("TagResources", "the ledger changed between reading and writing it, or that took too long")

Entries = dict[str, str]


class TagSettings(NamedTuple):
    """What a run knows of its own. ``window_seconds`` is that of the limit; ``run`` tells it from all other runs."""

    request: str
    window_seconds: float
    settle_seconds: float
    key: str = ledger.KEY
    run: str = ""


class _Round(NamedTuple):
    """What one try gave: ours, lost, and those that the limit refused after they had been claimed."""

    kept: frozenset[str]
    lost: Mapping[str, Lost]
    over: tuple[Wanted, ...] = ()


class TagLedger:
    """``store.LedgerStore`` over tags."""

    def __init__(self, ecs: EcsApi, deadline: Deadline, settings: TagSettings) -> None:
        self._deadline, self._settings = deadline, settings
        self._register = TagRegister(ecs, deadline, settings.settle_seconds, settings.key)
        self._before: dict[str, str] = {}
        self._claimed: dict[str, str] = {}
        self._opted_in: dict[str, int] = {}
        self._unsettled: set[str] = set()
        self._storms: set[str] = set()
        # Claims of other runs of this request, which the caller looks at before it obtains ``again``.
        self._looked_at: dict[str, str] = {}

    def shown(self, instance: Instance) -> History:
        """Return what the instance's own tag says."""
        return ledger.of(instance, self._deadline.clock.now(), self._settings.key)

    def histories(self, region_id: str, instances: Sequence[Instance]) -> Mapping[str, History]:  # noqa: ARG002
        """Return what the instances' own tags say, without a call."""
        return {instance.instance_id: self.shown(instance) for instance in instances}

    def obtain(
        self,
        region_id: str,
        wanted: Sequence[Wanted],
        judge: Judge,
        *,
        count: Callable[[], int] | None,
        dry_run: bool = False,
        again: frozenset[str] = frozenset(),
    ) -> Obtained:
        """Claim what the judge allows."""
        lost: dict[str, Lost] = {}
        self._storms = set()
        for attempt in range(1, ROUNDS + 1):
            try:
                tried = self._try(region_id, wanted, judge, count=count, dry_run=dry_run, again=again)
            except CloudError as error:
                lost |= {candidate.instance_id: _unavailable(error) for candidate in wanted}
                return Obtained(frozenset(), lost, storms=frozenset(self._storms))
            lost |= tried.lost
            # More than a second, so that no claim looks like the one before.
            wait = attempt * (1.0 + self._deadline.clock.jitter())
            if tried.kept or not tried.over or attempt == ROUNDS or not self._deadline.wait(wait):
                return Obtained(tried.kept, lost, frozenset(self._unsettled), frozenset(self._storms))
            wanted = tried.over
        raise AssertionError("the last round returns")

    def still_ours(self, region_id: str, instance_ids: Iterable[str]) -> frozenset[str]:  # noqa: ARG002
        """Return all: a claim in a tag is this run's for as long as the run may last."""
        return frozenset(instance_id for instance_id in instance_ids if instance_id in self._claimed)

    def commit(self, region_id: str, states: Mapping[str, State], untold: Collection[str] = ()) -> frozenset[str]:
        """Write what becomes of this run's claims; return those for which it stands."""
        changed = self._register.change(
            region_id, self._ours(states), self._after(states, untold), self._deadline.for_taking_back()
        )
        self._claimed.update({instance_id: change.after for instance_id, change in changed.items()})
        return frozenset(changed)

    def hold(self, region_id: str, instance_ids: Collection[str]) -> frozenset[str]:  # noqa: ARG002 - the protocol's
        """Hold nothing: a tag has no room for a protection."""
        return frozenset()

    def record(self, region_id: str, states: Mapping[str, State], untold: Collection[str] = ()) -> None:
        """Write down what became of this run's claims."""
        after, ours = self._after(states), self._ours(states)
        with suppress(CloudError):
            # That ECS was asked just now is true whatever stands there: written without reading first.
            asked = [instance_id for instance_id in ours if states[instance_id] in ledger.OPEN]
            texts = {
                instance_id: text for instance_id in asked if (text := after(instance_id, self._claimed[instance_id]))
            }
            self._register.write(region_id, texts, self._deadline.clock.elapsed(), self._deadline.for_taking_back())
            self._claimed.update(texts)
            ended = {
                instance_id: state
                for instance_id, state in states.items()
                if instance_id in ours and instance_id not in asked
            }
            self.commit(region_id, ended, untold)

    def _ours(self, states: Mapping[str, State]) -> list[str]:
        return [instance_id for instance_id in states if instance_id in self._claimed]

    def _after(self, states: Mapping[str, State], untold: Collection[str] = ()) -> Callable[[str, str], str | None]:
        now = self._deadline.clock.now()

        def after(instance_id: str, text: str) -> str | None:
            entry = ledger.read(text, now).entry if self._stands(instance_id, text) else None
            if entry is None or entry.state not in ledger.OPEN:
                return None
            return str(entry.model_copy(update={"state": states[instance_id], "untold": instance_id in untold}))

        return after

    def release(self, region_id: str, instance_ids: Iterable[str]) -> None:
        """Take back claims that led to no reboot, where they still stand: the value before is restored.

        Where there was none, an entry says that a reboot was asked for and not done. A claim that can't be taken back
        counts until its window ends.
        """
        before = {
            instance_id: self._before.get(instance_id) or self._withdrawn(instance_id)
            for instance_id in instance_ids
            if instance_id in self._claimed
        }
        if not before:
            return
        with suppress(CloudError):
            self._register.change(
                region_id,
                before,
                lambda instance_id, text: before[instance_id] if self._stands(instance_id, text) else None,
                self._deadline.for_taking_back(),
            )

    def _withdrawn(self, instance_id: str) -> str:
        entry = ledger.read(self._claimed[instance_id], self._deadline.clock.now()).entry
        return str(entry.model_copy(update={"state": "refused"})) if entry else ""

    def _stands(self, instance_id: str, text: str) -> bool:
        """Return whether an entry is the claim that this run wrote last."""
        return text == self._claimed.get(instance_id)

    def _try(
        self,
        region_id: str,
        wanted: Sequence[Wanted],
        judge: Judge,
        *,
        count: Callable[[], int] | None,
        dry_run: bool,
        again: frozenset[str],
    ) -> _Round:
        began = self._deadline.clock.elapsed()
        entries, since = self._register.read(region_id)
        seconds = self._deadline.clock.elapsed() - began
        own = {} if dry_run else self._own(wanted, entries, again)
        wanted = [candidate for candidate in wanted if candidate.instance_id not in own]
        judged = self._judged(region_id, wanted, entries, judge, count)
        if dry_run:
            return _Round(frozenset(judged.claims), {})
        lost: dict[str, Lost] = dict(own)
        claims = {
            instance_id: str(entry.model_copy(update={"run": self._settings.run}))
            for instance_id, entry in judged.claims.items()
        }
        rest = self._settings.settle_seconds + REST_SECONDS + seconds + REST_CALLS * min(seconds, 1.0)
        if claims and self._deadline.left() < rest:
            reason = "there is not enough time left for the claim to settle, to ask ECS and see what came of it"
            lost |= {instance_id: Lost("deadline", reason) for instance_id in claims}
            claims = {}
        for instance_id in claims:
            text = entries.get(instance_id, "")
            if text != self._claimed.get(instance_id):
                self._before[instance_id] = text
        self._claimed.update(claims)
        try:
            late = self._register.claim(region_id, claims, entries, since)
            lost |= {instance_id: _unavailable(TOO_LATE) for instance_id in late}
            kept = {instance_id: text for instance_id, text in claims.items() if instance_id not in late}
            self._mark(region_id, wanted, judged, entries, since)
            if not kept:
                return _Round(frozenset(), lost)
            self._register.settle()
            claimed = [candidate for candidate in wanted if candidate.instance_id in kept]
            return self._confirm(region_id, claimed, judge, count, lost)
        except CloudError:
            self.release(region_id, claims)
            raise

    def _own(self, wanted: Sequence[Wanted], entries: Entries, again: frozenset[str]) -> dict[str, Lost]:
        """Return the instances that another run of this request claimed, which is over or asks ECS soon or never."""
        now = self._deadline.clock.now()
        own = {}
        for candidate in wanted:
            text = entries.get(candidate.instance_id, "")
            entry = ledger.read(text, now).entry if text else None
            claim = ledger.claim_digest(self._settings.request)
            ours = entry is not None and entry.claim == claim and not self._stands(candidate.instance_id, text)
            looked_at = candidate.instance_id in again and text == self._looked_at.get(candidate.instance_id)
            if entry and ours and entry.state in ledger.UNKNOWN_TO_ECS and not looked_at:
                reason = f"an earlier run of this request claimed the instance ({text})"
                wait = LOOK_AFTER * self._settings.settle_seconds
                own[candidate.instance_id] = Lost("own", reason, entry, wait)
                self._looked_at[candidate.instance_id] = text
        return own

    def _judged(
        self,
        region_id: str,
        wanted: Sequence[Wanted],
        entries: Entries,
        judge: Judge,
        count: Callable[[], int] | None,
    ) -> Judged:
        now = self._deadline.clock.now()
        others = self._others(wanted, entries, now)
        window = timedelta(seconds=self._settings.window_seconds)
        memory = memories.of_entries(others, window, now)
        judged = judge(
            {
                candidate.instance_id: _newest(candidate.instance, entries, now, self._settings.key)
                for candidate in wanted
            },
            self._counted(region_id, wanted, memory, count),
            now,
        )
        waiting = any(
            entry.state in ledger.UNKNOWN_TO_ECS and memories.holds_group(entry.state, entry.at, window, now)
            for entry in others.values()
        )
        self._unsettled -= {candidate.instance_id for candidate in wanted}
        self._unsettled |= set(judged.crowded) if waiting else set()
        return judged

    def _others(self, wanted: Sequence[Wanted], entries: Entries, now: datetime) -> dict[str, Entry]:
        """Return the entries of the region without this request's own claims; an unreadable one is its instance's."""
        read = {instance_id: ledger.read(text, now).entry for instance_id, text in entries.items()}
        own = {candidate.instance_id: ledger.claim_digest(self._settings.request) for candidate in wanted}
        return {
            instance_id: entry for instance_id, entry in read.items() if entry and entry.claim != own.get(instance_id)
        }

    def _counted(
        self, region_id: str, wanted: Sequence[Wanted], memory: RegionMemory, count: Callable[[], int] | None
    ) -> RegionMemory:
        if count is None or (len(wanted) <= 1 and not memory.asked_for):
            return memory
        if region_id not in self._opted_in:
            self._opted_in[region_id] = count()
        return memory._replace(opted_in=self._opted_in[region_id])

    def _confirm(
        self,
        region_id: str,
        claimed: Sequence[Wanted],
        judge: Judge,
        count: Callable[[], int] | None,
        lost: dict[str, Lost],
    ) -> _Round:
        """Read the region until our claims are seen, and judge again with all that was written before them."""
        left = {member.instance_id: member for member in claimed}
        entries = self._register.read(region_id).entries
        for _ in range(LOOKS):
            unseen = [instance_id for instance_id in left if self._is_old(instance_id, entries.get(instance_id, ""))]
            if not unseen or not self._deadline.wait(LOOK_SECONDS):
                break
            entries = self._register.read(region_id).entries
        not_seen = NoAnswer("DescribeInstances", "our own claim is not to be seen")
        for instance_id in unseen:
            del left[instance_id]
            lost[instance_id] = _unavailable(not_seen)
        replaced = [instance_id for instance_id in left if not self._stands(instance_id, entries.get(instance_id, ""))]
        for instance_id in replaced:
            del left[instance_id]
            theirs = entries.get(instance_id, "none")
            reason = f"another run claimed the instance at the same time ({theirs}); it is that run's"
            lost[instance_id] = Lost("claimed_elsewhere", reason)
        judged = self._judged(region_id, list(left.values()), entries, judge, count)
        self.release(region_id, [instance_id for instance_id in left if instance_id not in judged.claims])
        return _Round(
            frozenset(judged.claims),
            lost,
            tuple(left[instance_id] for instance_id in judged.crowded if instance_id in left),
        )

    def _is_old(self, instance_id: str, text: str) -> bool:
        """Return whether an entry is from before our latest claim: what stood there, or an earlier claim of ours."""
        ours = ledger.of_run(ledger.claim_digest(self._settings.request), self._settings.run) in text.split(" ")
        return not self._stands(instance_id, text) and (ours or text == self._before[instance_id])

    def _mark(self, region_id: str, wanted: Sequence[Wanted], judged: Judged, entries: Entries, since: float) -> None:
        """Leave a sign that instances were asked for, where it hides nothing."""
        now = self._deadline.clock.now()
        groups = {candidate.instance_id: candidate.group for candidate in wanted}
        blank = [
            instance_id
            for instance_id in judged.crowded
            if _is_blank(entries.get(instance_id), self._settings.window_seconds, now)
        ]
        storm = judged.storm if judged.storm in blank else next(iter(blank), "") if judged.storm else ""
        values = {}
        for instance_id in blank[: ledger.MOST_RESOURCES]:
            state: State = "storm" if instance_id == storm else "refused"
            text = entries.get(instance_id)
            before = ledger.read(text, now).entry
            values[instance_id] = str(
                ledger.following(
                    ledger.attempts(before, now),
                    before=before,
                    at=now,
                    state=state,
                    force=False,
                    claim=ledger.claim_digest(self._settings.request),
                    group=groups[instance_id],
                ).model_copy(update={"untold": state == "storm"})
            )
        self._storms |= {storm} & values.keys()
        with suppress(CloudError):  # their loss only makes a storm harder to see
            self._register.write(region_id, values, since)


def _newest(instance: Instance, entries: Entries, now: datetime, key: str) -> History:
    """Return the newest word on an instance, from the region or from describing it; what can't be read is newest."""
    words = [entries.get(instance.instance_id), dict(instance.tags).get(key)]
    histories = [ledger.read(text, now, key) for text in words if text is not None]
    unreadable = [history for history in histories if history.unreadable]
    if unreadable:
        return unreadable[0]
    return max(histories, key=lambda history: history.entry.at if history.entry else now, default=History())


def _is_blank(text: str | None, window_seconds: float, now: datetime) -> bool:
    """Return whether writing over an entry would hide nothing: no attempt, and no storm of this window or untold."""
    if text is None:
        return True
    entry = ledger.read(text, now).entry
    if entry is None:
        return False
    if entry.state == "storm":
        return not entry.untold and (now - entry.at).total_seconds() >= window_seconds
    return entry.state == "refused"


def _unavailable(error: CloudError) -> Lost:
    if isinstance(error, Refused) and error.code.startswith(TAGS_FULL):
        return Lost("tags_full", f"ECS takes no further tag on the instance: {error}")
    return Lost("ledger_unavailable", f"the attempt can't be remembered, so nothing is rebooted: {error}")
