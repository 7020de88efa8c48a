"""Looking after the ledger in a table: what the sweep reads and writes, and what a person clears."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.errors import NoAnswer
from ecs_reboot.ledger import group_row, instance_row, window_row
from ecs_reboot.ledger.entry import OPEN, UNRESOLVED, Entry, History, State, Unreadable, cleared, ended
from ecs_reboot.ledger.group_row import Group
from ecs_reboot.ledger.instance_row import InstanceRow
from ecs_reboot.ledger.place import fate, is_later
from ecs_reboot.ledger.store import OpenReboot
from ecs_reboot.ledger.table_reading import TableSettings
from ecs_reboot.ledger.table_region import JITTER_SECONDS, TRIES, TableRegion, instance_name, plain
from ecs_reboot.ledger.table_rows import Found, Swap, TableApi, TableRows
from ecs_reboot.ledger.window_row import Slot, Window, millis, moment, place_of

#: A place younger than this may belong to a run that is about to claim, or still watches.
STILL_WATCHED = timedelta(seconds=60)
_NO_CLAIM = "00000000"


class TableMaintenance:
    """``store.LedgerMaintenance`` over a table."""

    def __init__(self, api: TableApi, table: str, deadline: Deadline, settings: TableSettings) -> None:
        self._deadline, self._settings = deadline, settings
        self._rows = TableRows(api, table, deadline, settings.run, settings.namespace.before_region)
        self._region = TableRegion(self._rows, settings.stack, deadline)
        self._read: dict[str, tuple[Found, InstanceRow]] = {}

    def open_reboots(self, region_id: str, instance_ids: tuple[str, ...]) -> list[OpenReboot]:
        """Return what to look at. Places whose run never came to claim its instance are freed here."""
        window_found = self._rows.read(region_id, [self._region.window_name])
        window = self._region.window(window_found)
        old = window_found.now - STILL_WATCHED
        slots = [slot for slot in window.slots if slot.state != "ended"]
        if instance_ids:
            slots = [slot for slot in slots if slot.instance_id in instance_ids]
        else:
            slots = [slot for slot in slots if slot.state != "open" or moment(slot.at) <= old]
        names = instance_ids or tuple(dict.fromkeys(slot.instance_id for slot in slots))
        storm = _untold_storm(window)
        if not names:
            return storm
        found = self._rows.read(region_id, [instance_name(instance_id) for instance_id in names])
        for instance_id in names:
            self._read[instance_id] = (
                found,
                instance_row.read(instance_id, found.rows[instance_name(instance_id)], found.now),
            )
        entries = {instance_id: entry for instance_id in names if (entry := self._read[instance_id][1].history.entry)}
        # The place of an instance whose row can't be read counts until its window ends.
        slots = [slot for slot in slots if not self._read[slot.instance_id][1].history.unreadable]
        fates = {slot: fate(slot, entries.get(slot.instance_id)) for slot in slots}
        never = [slot for slot in slots if fates[slot] == "never" and moment(slot.at) <= old]
        self._free(region_id, window_found, window, found, never)
        self._end_passed(region_id, [slot for slot in slots if fates[slot] == "past"])
        current = {slot: entries[slot.instance_id] for slot in slots if fates[slot] == "current"}
        # Where they differ, whoever wrote the row was cut off before groups and window.
        differ = {slot.instance_id: entry for slot, entry in current.items() if slot.state != place_of(entry.state)}
        self._region.end(region_id, differ, self._deadline)
        return storm + [
            OpenReboot(instance_id, entry, moment(self._read[instance_id][1].untold_at) if entry.untold else None)
            for instance_id, entry in entries.items()
            if entry.state in (*OPEN, *UNRESOLVED) or entry.untold
        ]

    def hold(self, region_id: str, instance_ids: Collection[str]) -> frozenset[str]:
        """Keep others from claiming these while their protection is taken back, in rows that are as they were read."""
        swaps, began = [], self._deadline.clock.elapsed()
        for instance_id in instance_ids:
            found, _ = self._read[instance_id]
            # By the service's clock, and never before its time.
            lift_by = millis(found.now) + int((began - found.began + instance_row.LIFT_SECONDS) * 1000)
            before = found.rows[instance_name(instance_id)]
            swaps.append(Swap(instance_name(instance_id), before, plain(before) | {"lift_by": lift_by}))
        won = self._rows.swap(region_id, swaps)
        if self._deadline.clock.elapsed() - began > instance_row.LIFT_SECONDS / 3:
            return frozenset()  # too little is left of it: the next sweep tries again
        held = frozenset(instance_id for instance_id in instance_ids if instance_name(instance_id) in won)
        for instance_id in held:
            found, row = self._read[instance_id]
            self._read[instance_id] = found._replace(rows={**found.rows, **won}), row
        return held

    def conclude(
        self, region_id: str, verdicts: Mapping[str, tuple[Entry, State]], untold: Collection[str] = ()
    ) -> frozenset[str]:
        """Write verdicts over the rows they were found for, then into window and groups."""
        swaps, ends = [], {}
        for instance_id, (entry, state) in verdicts.items():
            found, row = self._read[instance_id]
            if row.history.entry == entry:
                ends[instance_id] = entry.model_copy(update=ended(state, untold=instance_id in untold))
                before = found.rows[instance_name(instance_id)]
                untold_at = millis(found.now) if instance_id in untold else 0
                after = instance_row.with_state(plain(before), state, untold_at=untold_at)
                swaps.append(Swap(instance_name(instance_id), before, after))
        if not swaps:
            return frozenset()
        won = self._rows.swap(region_id, swaps)
        done = {instance_id: entry for instance_id, entry in ends.items() if instance_name(instance_id) in won}
        self._region.end(
            region_id,
            {instance_id: entry for instance_id, entry in done.items() if entry.state not in OPEN},
            self._deadline,
        )
        return frozenset(done)

    def told(self, region_id: str, states: Mapping[str, State]) -> None:
        """Take note that a person was told of these verdicts, and free their places; or of the region's storm."""
        reserve = self._deadline.for_taking_back()
        if "" in states:
            self._region.change_window(region_id, Window.with_storm_told, reserve)
            states = {instance_id: state for instance_id, state in states.items() if instance_id}
        if not states:
            return
        found = self._rows.read(region_id, [instance_name(instance_id) for instance_id in states], reserve)
        swaps, told = [], {}
        for instance_id, state in states.items():
            row = found.rows[instance_name(instance_id)]
            entry = instance_row.read(instance_id, row, found.now).history.entry
            if entry and entry.untold and entry.state == state:
                told[instance_id] = entry.model_copy(update={"untold": False})
                swaps.append(Swap(instance_name(instance_id), row, instance_row.with_state(plain(row), state)))
        won = self._rows.swap(region_id, swaps, reserve)
        ends = {
            instance_id: entry
            for instance_id, entry in told.items()
            if instance_name(instance_id) in won and entry.state not in UNRESOLVED
        }
        self._region.end(region_id, ends, reserve)

    def forget(self, region_id: str) -> frozenset[str]:  # noqa: ARG002 - the protocol's
        """Remove nothing: no row is read that is not asked for, so old ones cost nothing."""
        return frozenset()

    def reset(self, region_id: str, instance_ids: Sequence[str]) -> Mapping[str, str]:
        """Clear attempts, readable or not. The time of the last one stays, and so does its place in the window."""
        cleared: dict[str, str] = {}
        left = list(instance_ids)
        while left:
            found = self._rows.read(region_id, [instance_name(instance_id) for instance_id in left])
            before = {
                instance_id: instance_row.read(instance_id, found.rows[instance_name(instance_id)], found.now)
                for instance_id in left
            }
            left = [instance_id for instance_id in left if found.rows[instance_name(instance_id)]]
            after = {instance_id: _cleared(before[instance_id].history, found) for instance_id in left}
            swaps = [
                Swap(
                    instance_name(instance_id),
                    found.rows[instance_name(instance_id)],
                    instance_row.columns(
                        after[instance_id], run=self._settings.run, ask_by=0, stack=self._settings.stack
                    ),
                )
                for instance_id in left
            ]
            won = self._rows.swap(region_id, swaps) if swaps else {}
            done = [instance_id for instance_id in left if instance_name(instance_id) in won]
            cleared |= {
                instance_id: str(before[instance_id].history.entry or before[instance_id].history.unreadable)
                for instance_id in done
            }
            self._region.end(region_id, {instance_id: after[instance_id] for instance_id in done}, self._deadline)
            left = [instance_id for instance_id in left if instance_id not in done]
            if left and not self._deadline.wait(self._deadline.clock.jitter() / 10):
                raise NoAnswer("PutRow", "others changed the rows at the same time")
        return cleared

    def resume(self, region_id: str) -> Mapping[str, str]:
        """Lift storm and suspension of this stack; a window that can't be read is begun again."""
        groups = self._begin_groups_again(region_id)
        found = self._rows.read(region_id, [self._region.window_name])
        row = found.rows[self._region.window_name]
        try:
            window = window_row.read(row)
        except Unreadable as error:
            self._rows.swap(region_id, [Swap(self._region.window_name, row, Window().columns())])
            return {"": str(error)}
        lifted = {slot.instance_id: str(slot.state) for slot in window.slots if slot.state in UNRESOLVED}
        lifted |= {ended.instance_id: ended.state for ended in window.ended if ended.state in UNRESOLVED}
        owing: frozenset[str] = frozenset()
        if lifted:
            owing = self._resume_rows(region_id, tuple(lifted))
        self._region.change_window(region_id, lambda window: _resumed(window, owing), self._deadline)
        of_region = (*(("storm",) if window.storm_at or window.storm_untold_at else ()), *groups)
        return lifted | ({"": "; ".join(of_region)} if of_region else {})

    def list(self, region_id: str) -> list[tuple[str, History]]:
        """Return all entries of a region."""
        now = self._rows.read(region_id, [self._region.window_name]).now
        rows = self._rows.list(region_id, "i#", "i$")
        return [(name[2:], instance_row.read(name[2:], columns, now).history) for name, columns in sorted(rows.items())]

    def _begin_groups_again(self, region_id: str) -> Sequence[str]:
        """Empty the groups that can't be read; return what was wrong with them."""
        wrong = []
        for name, row in self._rows.list(region_id, "g#", "g$").items():
            try:
                group_row.read(row)
            except Unreadable as error:
                self._rows.swap(region_id, [Swap(name, row, Group().columns())])
                wrong.append(f"row {name}: {error}")
        return wrong

    def _resume_rows(self, region_id: str, instance_ids: tuple[str, ...]) -> frozenset[str]:
        """Write into instances and groups that a person has seen what is down or hangs.

        Returns those that are still protected by us: they stay as they are, for the sweep to take that back. Raises
        NoAnswer where others are faster every time.
        """
        for attempt in range(1, TRIES + 1):
            seen: dict[str, Entry] = {}
            owing: set[str] = set()
            found = self._rows.read(region_id, [instance_name(instance_id) for instance_id in instance_ids])
            swaps = []
            for instance_id in instance_ids:
                row = found.rows[instance_name(instance_id)]
                entry = instance_row.read(instance_id, row, found.now).history.entry
                if entry and entry.protects:
                    owing.add(instance_id)
                    continue
                if entry and entry.state in (*UNRESOLVED, "seen"):
                    seen[instance_id] = entry.model_copy(update=ended("seen"))
                if entry and entry.state in UNRESOLVED:
                    swaps.append(Swap(instance_name(instance_id), row, instance_row.with_state(plain(row), "seen")))
            if len(self._rows.swap(region_id, swaps)) == len(swaps):
                self._region.end_groups(region_id, seen, self._deadline)
                return frozenset(owing)
            if not self._deadline.wait(JITTER_SECONDS * attempt * self._deadline.clock.jitter()):
                break
        raise NoAnswer("PutRow", "others changed the rows at the same time")

    def _end_passed(self, region_id: str, passed: Sequence[Slot]) -> None:
        """End places of earlier claims: their instances were claimed again, or cleared, since."""
        if passed:
            for slot in passed:
                self._region.end_groups(region_id, {slot.instance_id: _entry(slot, "reset")}, self._deadline)
            self._region.change_window(region_id, lambda window: window.with_passed(passed), self._deadline)

    def _free(
        self, region_id: str, window_found: Found, window: Window, found: Found, unclaimed: Sequence[Slot]
    ) -> None:
        """Free places whose run never claimed: fence each instance's row first, so that a late claim fails."""
        fenced: dict[str, Slot] = {}
        for slot in unclaimed:
            row, entry = found.rows[instance_name(slot.instance_id)], self._read[slot.instance_id][1].history.entry
            if entry is not None and is_later(entry, slot):
                fenced[slot.instance_id] = slot  # by that entry, whose run may still have to write over it
                continue
            void = Entry(at=found.now.replace(microsecond=0), state="void", force=False, claim=_NO_CLAIM)
            same = plain(row) or instance_row.columns(void, run="", ask_by=0, stack=self._settings.stack)
            if self._rows.swap(region_id, [Swap(instance_name(slot.instance_id), row, same)]):
                fenced[slot.instance_id] = slot
        if not fenced:
            return
        # A run that goes on after the fence writes its group again, with another time.
        for instance_id, slot in fenced.items():
            self._region.end_groups(region_id, {instance_id: _entry(slot, "void")}, self._deadline, run=slot.run)
        name = self._region.window_name
        after = window.without((slot.instance_id, slot.claim) for slot in fenced.values())
        # Only if the window is as it was judged: a run that goes on after the fence writes it again.
        self._rows.swap(region_id, [Swap(name, window_found.rows[name], after.columns())])


def _entry(slot: Slot, state: State) -> Entry:
    """Return what the instance's row would say of a place."""
    return Entry(
        at=moment(slot.at).replace(microsecond=0), state=state, force=False, claim=slot.claim, group=slot.group
    )


def _cleared(history: History, found: Found) -> Entry:
    if history.entry:
        return cleared(history.entry)
    return Entry(at=found.now.replace(microsecond=0), state="reset", force=False, claim=_NO_CLAIM)


def _resumed(window: Window, owing: frozenset[str]) -> Window:
    slots = tuple(
        slot._replace(state="ended") if slot.state in UNRESOLVED and slot.instance_id not in owing else slot
        for slot in window.slots
    )
    ended = tuple(reboot._replace(state="seen") if reboot.state in UNRESOLVED else reboot for reboot in window.ended)
    return window._replace(slots=slots, ended=ended, storm_at=0, storm_untold_at=0)


def _untold_storm(window: Window) -> list[OpenReboot]:
    """Return the storm of which nobody is known to have been told, if there is one."""
    if not window.storm_untold_at:
        return []
    at = moment(window.storm_untold_at)
    return [OpenReboot("", Entry(at=at.replace(microsecond=0), state="storm", force=False, claim=_NO_CLAIM), at)]
