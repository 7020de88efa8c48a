"""A claim of this run in the table: the row before and as it is now, and until when it may be acted on. Pure."""

from collections.abc import Mapping

from ecs_reboot.cloud.tablestore.rows import Stored
from ecs_reboot.ledger.entry import Entry
from ecs_reboot.ledger.instance_row import LIFT_SECONDS
from ecs_reboot.ledger.table_region import plain
from ecs_reboot.named_tuple import NamedTuple


class HeldClaim(NamedTuple):
    """``until``: when ECS may no longer be asked upon it (``Clock.elapsed``)."""

    before: Mapping[str, Stored]
    row: Mapping[str, Stored]
    entry: Entry
    until: float

    def lift_by(self, elapsed: float) -> int:
        """Return until when nobody claims an instance whose protection is taken back now, by the service's clock."""
        return self.now(elapsed) + int(LIFT_SECONDS * 1000)

    def now(self, elapsed: float) -> int:
        """Return the service's time at most, in milliseconds."""
        return int(str(self.row["ask_by"])) + int((elapsed - self.until) * 1000)

    def lifted(self) -> dict[str, int | str]:
        """Return what the row says of that."""
        return {name: value for name, value in plain(self.row).items() if name == "lift_by"}
