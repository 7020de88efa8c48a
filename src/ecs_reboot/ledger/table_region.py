"""The rows of one region that belong together: the window of this stack, and the groups that all stacks share."""

from collections.abc import Callable, Mapping, Sequence

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.errors import NoAnswer
from ecs_reboot.cloud.tablestore.rows import Stored
from ecs_reboot.ledger import group_row, window_row
from ecs_reboot.ledger.entry import Entry, Unreadable
from ecs_reboot.ledger.group_row import Group
from ecs_reboot.ledger.instance_row import InstanceRow
from ecs_reboot.ledger.table_rows import Found, Swap, TableRows
from ecs_reboot.ledger.window_row import Window

#: How often a change of these rows is tried, and the longest jitter between tries, times their number. Seconds.
TRIES, JITTER_SECONDS = 20, 0.02


class TableRegion:
    """Changes of windows and groups that depend on nothing but themselves."""

    def __init__(self, rows: TableRows, stack: str, deadline: Deadline) -> None:
        self._rows, self._deadline = rows, deadline
        self.window_name = f"w#{stack}"

    def window(self, found: Found) -> Window:
        """Read the window out of what was found."""
        try:
            return window_row.read(found.rows[self.window_name])
        except Unreadable as error:
            raise _unreadable(self.window_name, error) from None

    def group(self, found: Found, group: str) -> Group:
        """Read a group out of what was found."""
        try:
            return group_row.read(found.rows[group_name(group)])
        except Unreadable as error:
            raise _unreadable(group_name(group), error) from None

    def change_window(self, region_id: str, change: Callable[[Window], Window], deadline: Deadline) -> None:
        """Put ``change`` of the window in its place, reading it again as often as others are faster."""

        def changed(found: Found) -> dict[str, dict[str, int | str]]:
            before = self.window(found)
            after = change(before)
            return {} if after == before else {self.window_name: after.columns()}

        self._change(region_id, [self.window_name], changed, deadline)

    def end(self, region_id: str, entries: Mapping[str, Entry], deadline: Deadline) -> None:
        """Write the ends of reboots, which stand in their entries, into groups and window.

        A place whose end nobody was told of yet stays as it is, so that a sweep finds it by its place.
        The window comes last: while a place there differs from its instance's entry, a sweep goes on with the rest. So
        a run that is cut off in between leaves nothing half told (``table_maintenance``).
        """
        entries = {
            instance_id: entry
            for instance_id, entry in entries.items()
            if not (entry.untold and window_row.place_of(entry.state) == "ended")
        }
        if not entries:
            return

        def ended(window: Window) -> Window:
            for instance_id, entry in entries.items():
                window = window.with_end(instance_id, entry)
            return window

        self.end_groups(region_id, entries, deadline)
        self.change_window(region_id, ended, deadline)

    def hold_again(self, region_id: str, rows: Mapping[str, InstanceRow], deadline: Deadline) -> None:
        """Give places and groups back to reboots that ended badly, where a claim to finish them led to nothing."""
        entries = {instance_id: row.history.entry for instance_id, row in rows.items() if row.history.entry}
        groups = sorted({entry.group for entry in entries.values()} - {"0"})

        def held(window: Window) -> Window:
            for instance_id, entry in entries.items():
                window = window.held_again(instance_id, entry, rows[instance_id].run)
            return window

        def member(found: Found) -> dict[str, dict[str, int | str]]:
            after = {}
            for name in groups:
                group = before = self.group(found, name)
                for instance_id, entry in entries.items():
                    if entry.group == name:
                        group = group.held_again(instance_id, entry, rows[instance_id].run)
                if group != before:
                    after[group_name(name)] = group.columns()
            return after

        if groups:
            self._change(region_id, [group_name(name) for name in groups], member, deadline)
        self.change_window(region_id, held, deadline)

    def end_groups(self, region_id: str, entries: Mapping[str, Entry], deadline: Deadline, *, run: str = "") -> None:
        """Write what became of members of groups, where the group still has that claim (and that ``run``'s)."""
        groups = {entry.group for entry in entries.values()} - {"0"}

        def ended(found: Found) -> dict[str, dict[str, int | str]]:
            after = {}
            for name in groups:
                group = before = self.group(found, name)
                for instance_id, entry in entries.items():
                    group = group.with_end(instance_id, entry, run=run)
                if group != before:
                    after[group_name(name)] = group.columns()
            return after

        if groups:
            self._change(region_id, [group_name(name) for name in sorted(groups)], ended, deadline)

    def _change(
        self,
        region_id: str,
        names: Sequence[str],
        change: Callable[[Found], Mapping[str, Mapping[str, int | str]]],
        deadline: Deadline,
    ) -> None:
        """Write the rows that ``change`` gives, from another reading where others were faster."""
        for attempt in range(1, TRIES + 1):
            found = self._rows.read(region_id, names, deadline)
            swaps = [Swap(name, found.rows[name], after) for name, after in change(found).items()]
            won = self._rows.swap(region_id, swaps, deadline)
            if len(won) == len(swaps):
                return
            if not deadline.wait(JITTER_SECONDS * attempt * deadline.clock.jitter()):
                break
        raise NoAnswer("PutRow", f"others changed {', '.join(names)} at the same time, again and again")


def instance_name(instance_id: str) -> str:
    """Return the name of an instance's row."""
    return f"i#{instance_id}"


def group_name(group: str) -> str:
    """Return the name of a group's row."""
    return f"g#{group}"


def plain(row: Mapping[str, Stored]) -> dict[str, int | str]:
    """Return a row's columns as they can be written again."""
    return {name: value for name, value in row.items() if isinstance(value, (int, str)) and name not in ("v", "by")}


def _unreadable(name: str, error: Unreadable) -> NoAnswer:
    reason = f"row {name} of the ledger can't be read: {error}; resume the region (docs/operate/runbook.md)"
    return NoAnswer("BatchGetRow", reason)
