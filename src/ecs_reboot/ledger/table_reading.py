"""What one reading of the table says about the instances that a run wants: who has them, and what policy says.

Nothing is written here, and nothing is read but what ``table_ledger`` has read.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from ecs_reboot.ledger import entry as ledger
from ecs_reboot.ledger import instance_row
from ecs_reboot.ledger.entry import OPEN, UNKNOWN_TO_ECS, Entry, History
from ecs_reboot.ledger.group_row import Group, Member
from ecs_reboot.ledger.instance_row import InstanceRow
from ecs_reboot.ledger.store import Judge, Judged, Lost, Wanted
from ecs_reboot.ledger.table_crowd import Crowd, crowd_of
from ecs_reboot.ledger.table_region import TableRegion, group_name, instance_name
from ecs_reboot.ledger.table_rows import Found
from ecs_reboot.ledger.window_row import Slot, Window, millis, moment
from ecs_reboot.named_tuple import NamedTuple

#: After the last moment at which a run may ask ECS, the time in which a request to ECS takes effect. Seconds.
EFFECT_SECONDS = 5.0
#: The number of opted-in instances is counted again when it is older than this.
COUNTED_FOR = timedelta(hours=1)


class TableSettings(NamedTuple):
    """What a run knows of its own: which stack, which request; ``run`` tells it from all other runs.

    ``window_seconds`` is that of the limit; ``holds`` is after how long a run is over for certain.
    """

    stack: str
    request: str
    run: str
    window_seconds: float
    holds: timedelta
    namespace: ledger.Namespace = ledger.ACTING


class TableReading:
    """Reads the rows for one run: those of its stack, and of all stacks."""

    def __init__(self, region: TableRegion, settings: TableSettings) -> None:
        self._region, self._settings = region, settings

    def names(self, wanted: Iterable[Wanted]) -> list[str]:
        """Return the names of the rows that a claim of these rests on."""
        wanted = tuple(wanted)
        groups = dict.fromkeys(group_name(candidate.group) for candidate in wanted if candidate.group != "0")
        return [
            self._region.window_name,
            *(instance_name(candidate.instance_id) for candidate in wanted),
            *groups,
        ]

    def row(self, found: Found, instance_id: str) -> InstanceRow:
        """Return what the instance's row says."""
        return instance_row.read(instance_id, found.rows[instance_name(instance_id)], found.now)

    def claim(self) -> str:
        """Return the ID of this request's claims."""
        return ledger.claim_digest(self._settings.request)

    def of_other_runs(self, window: Window, instance_ids: Iterable[str]) -> set[str]:
        """Return those of the instances whose place another run of the same request has written."""
        slots = {instance_id: window.held(instance_id) for instance_id in instance_ids}
        return {
            instance_id
            for instance_id, slot in slots.items()
            if slot and slot.claim == self.claim() and slot.run != self._settings.run
        }

    def taken(self, found: Found, window: Window, left: Iterable[Wanted], again: frozenset[str]) -> dict[str, Lost]:
        """Return those that another run has, or an earlier run of the same request."""
        lost = {}
        for candidate in left:
            instance_id = candidate.instance_id
            row, claim = self.row(found, instance_id), self.claim()
            entry = row.history.entry
            if row.lift_by > millis(found.now):
                reason = "its protection in its scaling group is being taken back; it can be claimed after that"
                lost[instance_id] = Lost("claimed_elsewhere", reason)
            elif entry and entry.state in UNKNOWN_TO_ECS and entry.claim == claim and row.run != self._settings.run:
                wait = (row.ask_by - millis(found.now)) / 1000 + EFFECT_SECONDS
                if wait > 0 or instance_id not in again:
                    reason = f"an earlier run of this request claimed the instance ({entry})"
                    lost[instance_id] = Lost("own", reason, entry, max(wait, 0.0))
            elif rival := self._about_to_claim(found, window, candidate, entry):
                reason = f"another run ({rival.run}) is about to claim the instance; it is that run's to reboot"
                lost[instance_id] = Lost("claimed_elsewhere", reason)
        return lost

    def _about_to_claim(
        self, found: Found, window: Window, candidate: Wanted, entry: Entry | None
    ) -> Slot | Member | None:
        """Return the place of another run that has not claimed the instance yet and may live.

        A window is of one stack, so a run of another stack is seen in the row of the group alone.
        """
        instance_id, known = candidate.instance_id, {self.claim(), entry.claim if entry else ""}
        group = self._region.group(found, candidate.group) if candidate.group != "0" else Group()
        slot = window.held(instance_id)
        places: tuple[Slot | Member, ...] = (*((slot,) if slot else ()), *group.members)
        for place in places:
            opened = place.instance_id == instance_id and place.state in ("open", *OPEN) and place.claim not in known
            if opened and found.now - moment(place.at) < self._settings.holds:
                return place
        return None

    def counted(self, window: Window, left: Sequence[Wanted], found: Found, count: Callable[[], int] | None) -> Window:
        """Find out how many instances opted in, where more than a first reboot is wanted and nobody knows."""
        seconds = self._settings.window_seconds
        ours = frozenset((candidate.instance_id, self.claim()) for candidate in left)
        alone = len(left) <= 1 and not window.memory(seconds, found.now, ours=ours).asked_for
        fresh = window.counted_at > millis(found.now - COUNTED_FOR)
        if count is None or alone or fresh:
            return window
        return window._replace(opted_in=count(), counted_at=millis(found.now))

    def judged(
        self, judge: Judge, window: Window, found: Found, left: Sequence[Wanted], crowd: Crowd
    ) -> tuple[Judged, Crowd]:
        """Return what the judge says of those left, and whom they are refused because of."""
        ours = frozenset((candidate.instance_id, self.claim()) for candidate in left)
        memory = window.memory(self._settings.window_seconds, found.now, ours=ours)
        seconds = timedelta(seconds=self._settings.window_seconds)
        groups = {group: self._region.group(found, group) for group in {candidate.group for candidate in left} - {"0"}}
        busy = {group: row.busy(seconds, found.now) for group, row in groups.items()}
        histories = {}
        for candidate in left:
            row_of = self.row(found, candidate.instance_id)
            there = bool(found.rows[instance_name(candidate.instance_id)])
            # Of an instance that this table does not know yet, the tag may tell of the time before.
            histories[candidate.instance_id] = row_of.history if there else self._of_tag(candidate, found.now)
        judged = judge(histories, memory._replace(busy=busy), found.now)
        if judged.crowded and not judged.storm and memory.storm_at is None:
            refused = {*crowd.refused, *judged.crowded}
            crowd = crowd_of(refused, window, groups, ours=ours, since=found.now - seconds)
        return judged, crowd

    def _of_tag(self, candidate: Wanted, now: datetime) -> History:
        return ledger.of(candidate.instance, now, self._settings.namespace.key)
