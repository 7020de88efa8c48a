"""The ledger in a table of Tablestore: a claim is two conditional writes, and nothing settles or is listed.

```
 1  read   w#STACK, i#INSTANCE (and g#GROUP)        one clock for all runs: the answer's
 2  swap   w#STACK  with a place for the instance   lost -> 1
 3  swap   g#GROUP                                  lost -> 1
 4  swap   i#INSTANCE: claimed, by this run         lost -> 1, done with it -> give the place back
 5  ask ECS, before ``ask_by``
```

`i#` and `g#` are shared by all stacks, `w#` is one stack's. The place is written again in every round, even where it is
there already: so a sweep that judged an older window can't free it (docs/understand/safety.md).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger import instance_row
from ecs_reboot.ledger.entry import Entry, History, State
from ecs_reboot.ledger.group_row import Member
from ecs_reboot.ledger.held_claim import HeldClaim
from ecs_reboot.ledger.instance_row import InstanceRow
from ecs_reboot.ledger.store import Judge, Judged, Lost, Obtained, Wanted
from ecs_reboot.ledger.table_crowd import Crowd, Unsettled, look
from ecs_reboot.ledger.table_reading import TableReading, TableSettings
from ecs_reboot.ledger.table_region import TableRegion, group_name, instance_name, plain
from ecs_reboot.ledger.table_rows import Found, Swap, TableApi, TableRows
from ecs_reboot.ledger.window_row import Slot, Window, millis
from ecs_reboot.model import Instance

#: How often a run that lost a race tries again, and the longest jitter before that, times the round. Seconds.
ROUNDS, JITTER_SECONDS = 10, 0.02
#: A run may ask ECS for this long after it read what it claimed upon; a retry of its request waits for that long, and
#: for the time in which a request to ECS takes effect (``table_reading``). Seconds.
ASK_SECONDS = 10.0
#: Kept from the deadline for what follows a claim: calls (two or three writes, the reboot, one look, three to take it
#: back), each as long as this run's slowest so far, and a second for the rest.
CALLS_TO_COME, REST_SECONDS = 8, 1.0
#: Calls from the claim of a run to its asking ECS, and a moment more: then what came of it shows. Seconds.
CALLS_OF_OTHERS, LOOK_AGAIN_SECONDS = 6, 0.5


class TableLedger:
    """``store.LedgerStore`` over a table."""

    def __init__(self, api: TableApi, table: str, deadline: Deadline, settings: TableSettings) -> None:
        self._deadline, self._settings = deadline, settings
        self._rows = TableRows(api, table, deadline, settings.run, settings.namespace.before_region)
        self._region = TableRegion(self._rows, settings.stack, deadline)
        self._held: dict[str, HeldClaim] = {}
        self._reading = TableReading(self._region, settings)
        self._crowd = Crowd()

    def shown(self, instance: Instance) -> History:  # noqa: ARG002 - the other store needs it
        """Return nothing: an entry is read when it is claimed upon."""
        return History()

    def histories(self, region_id: str, instances: Sequence[Instance]) -> Mapping[str, History]:
        """Return what is known of each instance, in one call for 100."""
        if not instances:
            return {}
        found = self._rows.read(region_id, [instance_name(instance.instance_id) for instance in instances])
        return {instance.instance_id: self._reading.row(found, instance.instance_id).history for instance in instances}

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
        """Claim what the judge allows; where others are about to ask ECS, look once more what came of it."""
        ask = partial(self._obtained, region_id, judge=judge, count=count, dry_run=dry_run, again=again)
        obtained = ask(wanted)
        unsettled = Unsettled() if dry_run else look(self._rows, region_id, self._crowd)
        wait = self._rows.slowest * CALLS_OF_OTHERS + LOOK_AGAIN_SECONDS
        if unsettled.young and not obtained.mine and self._deadline.wait(wait):
            still = [candidate for candidate in wanted if candidate.instance_id in unsettled.refused]
            try:
                later = ask(still)
            except CloudError as error:
                reason = f"the attempt can't be remembered, so nothing is rebooted: {error}"
                later = Obtained(
                    frozenset(), {candidate.instance_id: Lost("ledger_unavailable", reason) for candidate in still}
                )
            obtained = Obtained(later.mine, {**obtained.lost, **later.lost})
            unsettled = look(self._rows, region_id, self._crowd)
        return obtained._replace(unsettled=unsettled.refused, storms=frozenset[str]() if dry_run else frozenset(("",)))

    def _obtained(
        self,
        region_id: str,
        wanted: Sequence[Wanted],
        *,
        judge: Judge,
        count: Callable[[], int] | None,
        dry_run: bool,
        again: frozenset[str],
    ) -> Obtained:
        self._crowd = Crowd()
        mine: set[str] = set()
        lost: dict[str, Lost] = {}
        left = list(wanted)
        placed: dict[str, Entry] = {}
        # Places of another run of this request, which may live and win by them yet: they are never given back.
        inherited: set[str] = set()
        try:
            for attempt in range(1, ROUNDS + 1):
                found = self._rows.read(region_id, self._reading.names(left))
                window = self._region.window(found)
                lost |= self._reading.taken(found, window, left, again)
                left = [candidate for candidate in left if candidate.instance_id not in lost]
                window = self._reading.counted(window, left, found, count)
                judged, self._crowd = self._reading.judged(judge, window, found, left, self._crowd)
                if dry_run:
                    return Obtained(frozenset(judged.claims), lost)
                judged, late = self._in_time(judged)
                lost |= late
                if not judged.claims:
                    noted = self._leave(region_id, window, found, judged, _but(placed, inherited))
                    placed = {}
                    if noted or late or attempt == ROUNDS or not self._pause(attempt):
                        return Obtained(frozenset(mine), lost)
                    continue
                gone = {instance_id: entry for instance_id, entry in placed.items() if instance_id not in judged.claims}
                self._give_back(region_id, _but(gone, inherited))
                inherited |= self._reading.of_other_runs(window, judged.claims)
                # What is written may be there although its answer never came.
                placed = dict(judged.claims)
                if not gone and self._place(region_id, window, found, judged):
                    won = self._write_claims(region_id, found, judged.claims)
                    mine |= won
                    placed = {instance_id: entry for instance_id, entry in placed.items() if instance_id not in won}
                    left = [candidate for candidate in left if candidate.instance_id in placed]
                    if not left:
                        return Obtained(frozenset(mine), lost)
                if not self._pause(attempt):
                    break
        except CloudError:
            if dry_run:
                raise
            self.release(region_id, mine)
            self._give_back(region_id, _but(placed, inherited))
            raise
        reason = f"others changed the ledger at the same time, {ROUNDS} times in a row"
        self._give_back(region_id, _but(placed, inherited))
        return Obtained(
            frozenset(mine), lost | {candidate.instance_id: Lost("ledger_unavailable", reason) for candidate in left}
        )

    def still_ours(self, region_id: str, instance_ids: Iterable[str]) -> frozenset[str]:
        """Return the instances that this run may ask for now; what is about to end is claimed for longer first."""
        elapsed = self._deadline.clock.elapsed()
        held = {instance_id: self._held[instance_id] for instance_id in instance_ids if instance_id in self._held}
        late = {instance_id: claim for instance_id, claim in held.items() if elapsed >= claim.until}
        if not late:
            return frozenset(held)
        found = self._rows.read(region_id, [instance_name(instance_id) for instance_id in late])
        ask_by = millis(found.now) + int(ASK_SECONDS * 1000)
        swaps = [
            Swap(instance_name(instance_id), claim.row, plain(claim.row) | {"ask_by": ask_by})
            for instance_id, claim in late.items()
        ]
        won = self._rows.swap(region_id, swaps)
        for instance_id, claim in late.items():
            if instance_name(instance_id) in won:
                self._held[instance_id] = claim._replace(
                    row=won[instance_name(instance_id)], until=found.began + ASK_SECONDS
                )
        return frozenset(
            instance_id for instance_id in held if instance_id not in late or instance_name(instance_id) in won
        )

    def commit(self, region_id: str, states: Mapping[str, State], untold: Collection[str] = ()) -> frozenset[str]:
        """Write what becomes of this run's claims; return those for which it stands."""
        held = {instance_id: self._held[instance_id] for instance_id in states if instance_id in self._held}
        held = {instance_id: claim for instance_id, claim in held.items() if claim.entry.state in ledger.OPEN}
        if not held:
            return frozenset()
        elapsed = self._deadline.clock.elapsed()
        swaps = [
            Swap(
                instance_name(instance_id),
                claim.row,
                instance_row.with_state(
                    plain(claim.row),
                    states[instance_id],
                    untold_at=claim.now(elapsed) if instance_id in untold else 0,
                ),
            )
            for instance_id, claim in held.items()
        ]
        rows = self._rows.swap(region_id, swaps, self._deadline.for_taking_back())
        won = frozenset(instance_id for instance_id in held if instance_name(instance_id) in rows)
        for instance_id in won:
            end = ledger.ended(states[instance_id], untold=instance_id in untold)
            entry = held[instance_id].entry.model_copy(update=end)
            self._held[instance_id] = held[instance_id]._replace(row=rows[instance_name(instance_id)], entry=entry)
        owed = {
            instance_id: self._held[instance_id].entry for instance_id in won if states[instance_id] == ledger.START_DUE
        }
        if owed:
            # It holds its group for as long as the start takes.
            self._region.end_groups(region_id, owed, self._deadline.for_taking_back())
        return won

    def hold(self, region_id: str, instance_ids: Collection[str]) -> frozenset[str]:
        """Keep others from claiming these while their protection is taken back, where this run's claim still stands."""
        held = {instance_id: self._held[instance_id] for instance_id in instance_ids if instance_id in self._held}
        began = self._deadline.clock.elapsed()
        swaps = [
            Swap(instance_name(instance_id), claim.row, plain(claim.row) | {"lift_by": claim.lift_by(began)})
            for instance_id, claim in held.items()
        ]
        won = self._rows.swap(region_id, swaps, self._deadline.for_taking_back())
        if self._deadline.clock.elapsed() - began > instance_row.LIFT_SECONDS / 3:
            # Too little is left of it. The row of before is kept on purpose: so this run's last write loses, the
            # protection stays owed, and the sweep takes it back.
            return frozenset()
        for instance_id, claim in held.items():
            if instance_name(instance_id) in won:
                self._held[instance_id] = claim._replace(row=won[instance_name(instance_id)])
        return frozenset(instance_id for instance_id in held if instance_name(instance_id) in won)

    def record(self, region_id: str, states: Mapping[str, State], untold: Collection[str] = ()) -> None:
        """Write down what became of this run's claims."""
        with suppress(CloudError):
            won = self.commit(region_id, states, untold)
            ends = {
                instance_id: self._held[instance_id].entry
                for instance_id in won
                if states[instance_id] not in ledger.OPEN
            }
            self._region.end(region_id, ends, self._deadline.for_taking_back())

    def release(self, region_id: str, instance_ids: Iterable[str]) -> None:
        """Take back claims that led to no reboot: the row as it was, then group and place."""
        held = {
            instance_id: self._held.pop(instance_id) for instance_id in tuple(instance_ids) if instance_id in self._held
        }
        if not held:
            return
        with suppress(CloudError):
            reserve = self._deadline.for_taking_back()
            void = {
                instance_id: self._columns(claim.entry.model_copy(update=ledger.ended("void")))
                for instance_id, claim in held.items()
            }
            swaps = [
                Swap(
                    instance_name(instance_id),
                    claim.row,
                    (plain(claim.before) or void[instance_id]) | claim.lifted(),
                )
                for instance_id, claim in held.items()
            ]
            won = self._rows.swap(region_id, swaps, reserve)
            free = {
                instance_id: claim.entry for instance_id, claim in held.items() if instance_name(instance_id) in won
            }
            self._give_back(region_id, free)
            before = {
                instance_id: instance_row.read(instance_id, held[instance_id].before, self._deadline.clock.now())
                for instance_id in free
            }
            unresolved = {instance_id: row for instance_id, row in before.items() if _is_unresolved(row)}
            if unresolved:
                self._region.hold_again(region_id, unresolved, reserve)

    # ---- one round of a claim

    def _in_time(self, judged: Judged) -> tuple[Judged, dict[str, Lost]]:
        """Return what there is still time to claim, and what there is not."""
        if not judged.claims or self._deadline.left() >= self._rows.slowest * CALLS_TO_COME + REST_SECONDS:
            return judged, {}
        reason = "there is not enough time left to claim it, ask ECS and see what came of it"
        return judged._replace(claims={}), {instance_id: Lost("deadline", reason) for instance_id in judged.claims}

    def _place(self, region_id: str, window: Window, found: Found, judged: Judged) -> bool:
        """Write a place for each instance that is allowed."""
        now, run = found.now, self._settings.run
        slots = [
            Slot(instance_id, self._reading.claim(), run, millis(now), entry.group)
            for instance_id, entry in judged.claims.items()
        ]
        after = window.with_slots(slots, self._settings.window_seconds, now)
        after = after.with_asked(judged.crowded, now, storm=bool(judged.storm))
        return self._window_swapped(region_id, found, after)

    def _window_swapped(self, region_id: str, found: Found, after: Window) -> bool:
        name = self._region.window_name
        return bool(self._rows.swap(region_id, [Swap(name, found.rows[name], after.columns())]))

    def _write_claims(self, region_id: str, found: Found, claims: Mapping[str, Entry]) -> set[str]:
        """Write groups, then instances; return those that are ours now."""
        groups = {entry.group for entry in claims.values()} - {"0"}
        won = self._rows.swap(region_id, [self._joined(group, found, claims) for group in sorted(groups)])
        claims = {
            instance_id: entry
            for instance_id, entry in claims.items()
            if entry.group == "0" or group_name(entry.group) in won
        }
        ask_by = millis(found.now) + int(ASK_SECONDS * 1000)
        swaps = [
            Swap(
                instance_name(instance_id),
                found.rows[instance_name(instance_id)],
                instance_row.columns(entry, run=self._settings.run, ask_by=ask_by, stack=self._settings.stack),
            )
            for instance_id, entry in claims.items()
        ]
        if not swaps:
            return set()
        won = self._rows.swap(region_id, swaps)
        ours = {instance_id for instance_id in claims if instance_name(instance_id) in won}
        for instance_id in ours:
            self._held[instance_id] = HeldClaim(
                found.rows[instance_name(instance_id)],
                won[instance_name(instance_id)],
                claims[instance_id],
                found.began + ASK_SECONDS,
            )
        return ours

    def _leave(self, region_id: str, window: Window, found: Found, judged: Judged, placed: Mapping[str, Entry]) -> bool:
        """Give places back and take note of those refused because of others; return False if the note was not taken.

        A note that loses its race is tried again: from fifty alarms at once most would be lost, and so the storm.
        """
        if placed:
            self._give_back(region_id, placed)
        if not judged.crowded or window.storm_at > millis(found.now) - int(self._settings.window_seconds * 1000):
            return True
        after = window.with_slots((), self._settings.window_seconds, found.now)
        after = after.with_asked(judged.crowded, found.now, storm=bool(judged.storm))
        try:
            return self._window_swapped(region_id, found, after)
        except CloudError:
            return True  # the answer stands without it, and an alarm must not wait for a note

    def _pause(self, attempt: int) -> bool:
        """Wait a moment before the next round, longer each time; return False where there is no time for it."""
        return self._deadline.wait(JITTER_SECONDS * attempt * self._deadline.clock.jitter())

    # ---- taking back

    def _give_back(self, region_id: str, entries: Mapping[str, Entry]) -> None:
        """Give back the places and groups that this run wrote: nobody can still win these instances by them."""
        run = self._settings.run
        pairs = {(instance_id, entry.claim) for instance_id, entry in entries.items()}

        def without(window: Window) -> Window:
            return window.without(
                (slot.instance_id, slot.claim)
                for slot in window.slots
                if slot.run == run and (slot.instance_id, slot.claim) in pairs
            )

        if pairs:
            with suppress(CloudError):
                void = {
                    instance_id: entry.model_copy(update={"state": "void"}) for instance_id, entry in entries.items()
                }
                self._region.end_groups(region_id, void, self._deadline.for_taking_back(), run=run)
                self._region.change_window(region_id, without, self._deadline.for_taking_back())

    def _joined(self, group: str, found: Found, claims: Mapping[str, Entry]) -> Swap:
        """Put the claimed members of a group into its row."""
        run, now = self._settings.run, found.now
        members = tuple(
            Member(instance_id, entry.claim, run, millis(now), entry.state)
            for instance_id, entry in claims.items()
            if entry.group == group
        )
        window = timedelta(seconds=self._settings.window_seconds)
        after = self._region.group(found, group).with_members(members, window, now)
        return Swap(group_name(group), found.rows[group_name(group)], after.columns())

    def _columns(self, entry: Entry) -> dict[str, int | str]:
        return instance_row.columns(entry, run=self._settings.run, ask_by=0, stack=self._settings.stack)


def _but(entries: Mapping[str, Entry], left_out: set[str]) -> dict[str, Entry]:
    return {instance_id: entry for instance_id, entry in entries.items() if instance_id not in left_out}


def _is_unresolved(row: InstanceRow) -> bool:
    return row.history.entry is not None and row.history.entry.state in ledger.UNRESOLVED
