"""The services that a run talks to, and how long a run can last."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from ecs_reboot.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ecs_reboot.cloud.ecs_api import EcsApi
    from ecs_reboot.cloud.oss import Bucket
    from ecs_reboot.ledger.table_rows import TableApi

#: A run is over for certain this long after its function's timeout. Seconds.
HOLDS_MARGIN_SECONDS = 30.0


def no_table() -> "TableApi":
    """Stand for the table where the ledger is kept in tags."""
    raise AssertionError("LEDGER=tablestore, and nobody said how to connect to it")


class Connections(NamedTuple):
    """The services that a run may need; ``table`` and ``bucket`` connect only where they are used."""

    ecs: "EcsApi"
    table: "Callable[[], TableApi]" = no_table
    bucket: "Callable[[], Bucket] | None" = None


def holds_of(timeout_seconds: float) -> timedelta:
    """Return after how long a claim's run is over, of a function with this timeout."""
    return timedelta(seconds=timeout_seconds + HOLDS_MARGIN_SECONDS)
