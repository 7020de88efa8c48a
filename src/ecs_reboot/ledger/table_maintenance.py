"""Looking after the ledger in a table: what the sweep reads and writes, and what a person clears."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.errors import NoAnswer
from ecs_reboot.ledger import instance_row, window_row
from ecs_reboot.ledger.entry import OPEN, UNRESOLVED, Entry, History, State, Unreadable
from ecs_reboot.ledger.instance_row import InstanceRow
from ecs_reboot.ledger.store import OpenReboot
from ecs_reboot.ledger.table_ledger import TableSettings
from ecs_reboot.ledger.table_region import TableRegion, group_name, instance_name, plain
from ecs_reboot.ledger.table_rows import Found, Swap, TableApi, TableRows
from ecs_reboot.ledger.window_row import Slot, Window, moment

#: A place younger than this may belong to a run that is about to claim, or still watches.
STILL_WATCHED = timedelta(seconds=60)
_NO_CLAIM = "00000000"


class TableMaintenance:
    """``store.LedgerMaintenance`` over a table."""

    def __init__(self, api: TableApi, table: str, deadline: Deadline, settings: TableSettings) -> None:
        self._deadline, self._settings = deadline, settings
        self._rows = TableRows(api, table, deadline, settings.run)
        self._region = TableRegion(self._rows, settings.stack, deadline)
        self._read: dict[str, tuple[Found, InstanceRow]] = {}

    def open_reboots(self, region_id: str, instance_ids: tuple[str, ...]) -> list[OpenReboot]:
        """Return what to look at. Places whose run never came to claim its instance are freed here."""
        window_found = self._rows.read(region_id, [self._region.window_name])
        window = self._region.window(window_found)
        slots = {slot.instance_id: slot for slot in window.slots if slot.state != "ended"}
        old = window_found.now - STILL_WATCHED
        if instance_ids:
            names = list(instance_ids)
        else:
            names = [one for one, slot in slots.items() if slot.state != "open" or moment(slot.at) <= old]
        if not names:
            return []
        groups = dict.fromkeys(
            group_name(slots[one].group) for one in names if one in slots and slots[one].group != "0"
        )
        found = self._rows.read(region_id, [*map(instance_name, names), *groups])
        opened: list[OpenReboot] = []
        ended: dict[str, Entry] = {}
        unclaimed: list[Slot] = []
        for one in names:
            row = instance_row.read(one, found.rows[instance_name(one)], found.now)
            entry, slot = row.history.entry, slots.get(one)
            self._read[one] = found, row
            if slot and (entry is None or entry.claim != slot.claim):
                if moment(slot.at) <= old and slot.state == "open":
                    unclaimed.append(slot)
                continue
            if slot and entry and slot.state == "open" and entry.state not in OPEN:
                # A run wrote the row and was cut off before window and group.
                ended[one] = entry
            if entry and entry.state in (*OPEN, *UNRESOLVED):
                opened.append(OpenReboot(one, entry))
        self._free(region_id, window_found, window, found, unclaimed)
        self._region.end(region_id, ended, self._deadline)
        return opened

    def conclude(self, region_id: str, verdicts: Mapping[str, tuple[Entry, State]]) -> frozenset[str]:
        """Write verdicts over the rows they were found for, then into window and groups."""
        swaps, ends = [], {}
        for one, (entry, state) in verdicts.items():
            found, row = self._read[one]
            if row.history.entry == entry:
                ends[one] = entry.model_copy(update={"state": state})
                before = found.rows[instance_name(one)]
                swaps.append(Swap(instance_name(one), before, plain(before) | {"state": state}))
        if not swaps:
            return frozenset()
        won = self._rows.swap(region_id, swaps)
        done = {one: entry for one, entry in ends.items() if instance_name(one) in won}
        self._region.end(region_id, done, self._deadline)
        return frozenset(done)

    def reset(self, region_id: str, instance_ids: Sequence[str]) -> Mapping[str, str]:
        """Clear attempts, readable or not. The time of the last one stays, and so does its place in the window."""
        cleared: dict[str, str] = {}
        left = list(instance_ids)
        while left:
            found = self._rows.read(region_id, [instance_name(one) for one in left])
            before = {one: instance_row.read(one, found.rows[instance_name(one)], found.now) for one in left}
            left = [one for one in left if found.rows[instance_name(one)]]
            after = {one: _cleared(before[one].history, found) for one in left}
            swaps = [
                Swap(
                    instance_name(one),
                    found.rows[instance_name(one)],
                    instance_row.columns(after[one], run=self._settings.run, ask_by=0, stack=self._settings.stack),
                )
                for one in left
            ]
            won = self._rows.swap(region_id, swaps) if swaps else {}
            done = [one for one in left if instance_name(one) in won]
            cleared |= {one: str(before[one].history.entry or before[one].history.unreadable) for one in done}
            self._region.end(region_id, {one: after[one] for one in done}, self._deadline)
            left = [one for one in left if one not in done]
            if left and not self._deadline.wait(self._deadline.clock.jitter() / 10):
                raise NoAnswer("PutRow", "others changed the rows at the same time")
        return cleared

    def resume(self, region_id: str) -> Mapping[str, str]:
        """Lift storm and suspension of this stack; a window that can't be read is begun again."""
        found = self._rows.read(region_id, [self._region.window_name])
        row = found.rows[self._region.window_name]
        try:
            window = window_row.read(row)
        except Unreadable as error:
            self._rows.swap(region_id, [Swap(self._region.window_name, row, Window().columns())])
            return {"": str(error)}
        lifted = {slot.instance_id: str(slot.state) for slot in window.slots if slot.state in UNRESOLVED}
        lifted |= {ended.instance_id: ended.state for ended in window.ended if ended.state in UNRESOLVED}
        if lifted:
            self._resume_rows(region_id, tuple(lifted))
        self._region.change_window(region_id, _resumed, self._deadline)
        return lifted | ({"": "storm"} if window.storm_at else {})

    def list(self, region_id: str) -> list[tuple[str, History]]:
        """Return all entries of a region."""
        now = self._rows.read(region_id, [self._region.window_name]).now
        rows = self._rows.list(region_id, "i#", "i$")
        return [(name[2:], instance_row.read(name[2:], columns, now).history) for name, columns in sorted(rows.items())]

    def _resume_rows(self, region_id: str, instance_ids: tuple[str, ...]) -> None:
        found = self._rows.read(region_id, [instance_name(one) for one in instance_ids])
        swaps, seen = [], {}
        for one in instance_ids:
            row = found.rows[instance_name(one)]
            entry = instance_row.read(one, row, found.now).history.entry
            if entry and entry.state in UNRESOLVED:
                swaps.append(Swap(instance_name(one), row, plain(row) | {"state": "seen"}))
                seen[one] = entry
        if swaps:
            self._rows.swap(region_id, swaps)
            self._region.end_groups(region_id, seen, "seen", self._deadline)

    def _free(
        self, region_id: str, window_found: Found, window: Window, found: Found, unclaimed: Sequence[Slot]
    ) -> None:
        """Free places whose run never claimed: fence each instance's row first, so that a late claim fails."""
        fenced: list[Slot] = []
        for slot in unclaimed:
            row = found.rows[instance_name(slot.instance_id)]
            void = Entry(at=found.now.replace(microsecond=0), state="void", force=False, claim=_NO_CLAIM)
            same = plain(row) or instance_row.columns(void, run="", ask_by=0, stack=self._settings.stack)
            if self._rows.swap(region_id, [Swap(instance_name(slot.instance_id), row, same)]):
                fenced.append(slot)
        name = self._region.window_name
        after = window.without((slot.instance_id, slot.claim) for slot in fenced)
        # Only if window and groups are as they were judged: a run that goes on after the fence writes them again.
        if fenced and self._rows.swap(region_id, [Swap(name, window_found.rows[name], after.columns())]):
            groups = {slot.group: slot for slot in fenced if slot.group != "0"}
            rows = {group: found.rows[group_name(group)] for group in groups}
            ours = [group for group, slot in groups.items() if rows[group].get("run") == slot.run]
            if ours:
                swaps = [Swap(group_name(group), rows[group], plain(rows[group]) | {"state": "void"}) for group in ours]
                self._rows.swap(region_id, swaps)


def _cleared(history: History, found: Found) -> Entry:
    if history.entry:
        return history.entry.model_copy(update={"state": "reset", "earlier": ()})
    return Entry(at=found.now.replace(microsecond=0), state="reset", force=False, claim=_NO_CLAIM)


def _resumed(window: Window) -> Window:
    slots = tuple(slot._replace(state="ended") if slot.state in UNRESOLVED else slot for slot in window.slots)
    ended = tuple(one._replace(state="seen") if one.state in UNRESOLVED else one for one in window.ended)
    return window._replace(slots=slots, ended=ended, storm_at=0)
