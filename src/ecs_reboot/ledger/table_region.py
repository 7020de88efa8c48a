"""The rows of one region that belong together: the window of this stack, and the groups that all stacks share."""

from collections.abc import Callable, Mapping

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.errors import NoAnswer
from ecs_reboot.cloud.tablestore.rows import Stored
from ecs_reboot.ledger import window_row
from ecs_reboot.ledger.entry import Entry, Unreadable
from ecs_reboot.ledger.table_rows import Found, Swap, TableRows
from ecs_reboot.ledger.window_row import Window, same_claim

#: How often a change of the window is tried, and the longest jitter between tries, times their number. Seconds.
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
            raise NoAnswer("BatchGetRow", f"{error}; resume the region (docs/operate/runbook.md)") from None

    def change_window(self, region_id: str, change: Callable[[Window], Window], deadline: Deadline) -> Window:
        """Put ``change`` of the window in its place, reading it again as often as others are faster."""
        for attempt in range(1, TRIES + 1):
            found = self._rows.read(region_id, [self.window_name], deadline)
            before = self.window(found)
            after = change(before)
            row = found.rows[self.window_name]
            if after == before or self._rows.swap(region_id, [Swap(self.window_name, row, after.columns())], deadline):
                return after
            if not deadline.wait(JITTER_SECONDS * attempt * deadline.clock.jitter()):
                break
        raise NoAnswer("PutRow", "others changed the row of this stack at the same time, again and again")

    def end(self, region_id: str, entries: Mapping[str, Entry], deadline: Deadline) -> None:
        """Write the ends of reboots, which stand in their entries, into window and groups."""
        if not entries:
            return

        def ended(window: Window) -> Window:
            for instance_id, entry in entries.items():
                window = window.with_end(instance_id, entry)
            return window

        self.change_window(region_id, ended, deadline)
        for state in dict.fromkeys(entry.state for entry in entries.values()):
            of_state = {one: entry for one, entry in entries.items() if entry.state == state}
            self.end_groups(region_id, of_state, state, deadline)

    def end_groups(
        self, region_id: str, entries: Mapping[str, Entry], state: str, deadline: Deadline, *, run: str = ""
    ) -> None:
        """Write what became of a group's member, where the group still is that claim's (and that ``run``'s)."""
        grouped = {entry.group: (one, entry) for one, entry in entries.items() if entry.group != "0"}
        if not grouped:
            return
        found = self._rows.read(region_id, [group_name(group) for group in grouped], deadline)
        swaps = []
        for group, (one, entry) in grouped.items():
            row = found.rows[group_name(group)]
            at = row.get("at")
            ours = isinstance(at, int) and same_claim(entry, str(row.get("claim")), at) and row.get("member") == one
            if ours and (not run or row.get("run") == run):
                swaps.append(Swap(group_name(group), row, plain(row) | {"state": state}))
        if swaps:
            self._rows.swap(region_id, swaps, deadline)


def instance_name(instance_id: str) -> str:
    """Return the name of an instance's row."""
    return f"i#{instance_id}"


def group_name(group: str) -> str:
    """Return the name of a group's row."""
    return f"g#{group}"


def plain(row: Mapping[str, Stored]) -> dict[str, int | str]:
    """Return a row's columns as they can be written again."""
    return {name: value for name, value in row.items() if isinstance(value, (int, str)) and name not in ("v", "by")}
