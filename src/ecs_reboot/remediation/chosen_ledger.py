"""The ledger that the settings choose: of the two stores only that one is loaded."""

from datetime import timedelta

from ecs_reboot.clock import Deadline
from ecs_reboot.ledger.connections import Connections
from ecs_reboot.ledger.entry import ACTING, OBSERVED
from ecs_reboot.ledger.store import LedgerMaintenance, LedgerStore
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.settings.settings import Settings


class Ledger(NamedTuple):
    """One account's memory: for runs, and for those who look after it. ``run``: what tells this run from all others."""

    store: LedgerStore
    maintenance: LedgerMaintenance
    run: str


def connect(
    settings: Settings, connections: Connections, deadline: Deadline, *, request_id: str, holds: timedelta
) -> Ledger:
    """Return the ledger that the settings name, for one run of one request."""
    run = f"{int(deadline.clock.jitter() * 2**32):08x}{int(deadline.clock.jitter() * 2**32):08x}"
    namespace = OBSERVED if settings.policy.mode == "observe" else ACTING
    window_seconds = settings.policy.max_reboots_window_seconds
    if settings.policy.ledger == "tablestore":
        from ecs_reboot.ledger.table_ledger import TableLedger  # noqa: PLC0415 - the other store
        from ecs_reboot.ledger.table_maintenance import TableMaintenance  # noqa: PLC0415
        from ecs_reboot.ledger.table_reading import TableSettings  # noqa: PLC0415

        of_run = TableSettings(settings.stack_name, request_id or run, run, window_seconds, holds, namespace)
        table = connections.table()
        return Ledger(
            TableLedger(table, settings.tablestore_table, deadline, of_run),
            TableMaintenance(table, settings.tablestore_table, deadline, of_run),
            run,
        )
    from ecs_reboot.ledger.tag_ledger import TagLedger, TagSettings  # noqa: PLC0415 - the other store
    from ecs_reboot.ledger.tag_maintenance import TagMaintenance  # noqa: PLC0415

    settle = settings.claim_settle_seconds
    of_tags = TagSettings(request_id or run, window_seconds, settle, namespace.key, run)
    return Ledger(
        TagLedger(connections.ecs, deadline, of_tags),
        TagMaintenance(connections.ecs, deadline, settle, namespace.key),
        run,
    )
