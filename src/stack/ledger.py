"""The ledger's table in Tablestore, as the tools look at it: whether the service is there, what stands, taking it away.

One instance and one table serve all stacks of a region: what one rebooted, another must know, and an account has ten
instances. The name is made of account and region, so that a later stack finds what an earlier one left.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from Tea.exceptions import TeaException

from ecs_reboot.clock import Deadline, SystemClock
from ecs_reboot.cloud import endpoints
from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.errors import CloudError, Refused
from ecs_reboot.cloud.tablestore import client, messages
from ecs_reboot.cloud.tablestore.rows import Stored, Table
from ecs_reboot.ledger.table_rows import TableRows
from stack.clients import Clients

TABLE = "ecs_reboot"
KEY = (("region", "STRING"), ("row", "STRING"))
_SECONDS, _ANSWER_SECONDS = 600.0, 10.0

#: Tablestore, "Activate Tablestore": once, free of charge, by the account or in the console; there is no way in ROS.
HOW_TO_ACTIVATE = (
    "activate it once, free of charge, in the console (https://ots.console.aliyun.com) or as the account itself with "
    "`aliyun ots OpenOtsService`; or deploy with Ledger=tags"
)


#: Tablestore, error codes: "The instance is not found", today "The instance does not exist".
_NO_INSTANCE = re.compile(r"instance (is not found|does not exist)")


#: The most instances that may be remembered in tags: beyond, ECS no longer finds them all by the tag, and each
#: decision reads the whole region (docs/operate/deploy.md).
MOST_IN_TAGS = 1_000


class LedgerUnseen(RuntimeError):
    """Whether the table is there could not be found out; the text says why."""


class Standing(NamedTuple):
    """What is there of the ledger: ``nothing``, the ``instance`` without the table, or the ``table``."""

    found: Literal["nothing", "instance", "table"]
    table: Table | None = None


class _Administered(client.Tablestore):
    """The function's client, and the one operation that the function never has."""

    def delete_table(self, table: str) -> None:
        """Delete a table with all its rows."""
        # DeleteTableRequest and DescribeTableRequest are one message: the table's name.
        self._answered("DeleteTable", messages.describe_table(table))


def instance_name(account: str, region: str) -> str:
    """Return the name for an account's instance in a region: hexadecimal digits spell none of the forbidden words."""
    return f"er-{hashlib.sha256(f'{account}/{region}'.encode()).hexdigest()[:10]}"


def address(clients: Clients, instance: str) -> str:
    """Return the URL of an instance of Tablestore, as it is reached from here."""
    return clients.endpoint or endpoints.url("ots", clients.region, "public", owner=instance)


class LedgerTable:
    """The table in one instance."""

    def __init__(self, clients: Clients, instance: str, name: str = TABLE) -> None:
        keys = clients.keys()
        own = Credentials(
            access_key_id=keys.access_key_id,
            access_key_secret=keys.access_key_secret,
            security_token=keys.security_token,
        )
        where = address(clients, instance)
        self.instance, self._name, self._deadline = instance, name, Deadline(SystemClock(), _SECONDS)
        self._table = _Administered(instance, own, self._deadline, endpoint=where, answer_seconds=_ANSWER_SECONDS)

    def look(self) -> Standing:
        """Return what is there. Raises LedgerUnseen."""
        try:
            return Standing("table", self._table.describe_table(self._name))
        except Refused as refused:
            if refused.code == "OTSObjectNotExist":
                return Standing("instance")
            if refused.code == "OTSAuthFailed" and _NO_INSTANCE.search(refused.message):
                return Standing("nothing")
            raise LedgerUnseen(f"the instance {self.instance}: {refused}") from refused
        except CloudError as error:
            raise LedgerUnseen(f"the instance {self.instance}: {error}") from error

    def rows(self, region_id: str, before_region: str = "") -> Mapping[str, Mapping[str, Stored]]:
        """Return all rows of a region by name, of the namespace ``before_region``. Raises CloudError."""
        return TableRows(self._table, self._name, self._deadline, "tools", before_region).list(region_id, "g#", "x")

    def delete(self) -> None:
        """Delete the table with everything that it remembers. Raises LedgerUnseen."""
        try:
            self._table.delete_table(self._name)
        except CloudError as error:
            raise LedgerUnseen(f"the table {self._name} in {self.instance}: {error}") from error


def outgrown(opted_in: int) -> str:
    """Return why this number of opted-in instances is too large for tags; '' where it is not."""
    if opted_in <= MOST_IN_TAGS:
        return ""
    return (
        f"{opted_in} instances are more than tags are for ({MOST_IN_TAGS}): each decision may come to read all of the "
        "region's instances. Deploy with Ledger=tablestore"
    )


def mistakes(table: Table) -> list[str]:
    """Return what is wrong with a table for a ledger; empty if nothing is."""
    wrong = []
    if tuple(table.primary_key) != KEY:
        wrong.append(f"its key is {table.primary_key}, not {KEY}")
    if table.time_to_live != -1:
        wrong.append(f"it forgets rows after {table.time_to_live} seconds: set its time to live to -1")
    return wrong


def not_activated(clients: Clients) -> str:
    """Return why Tablestore can't be used in this account; '' if it can, or if that can't be seen."""
    try:
        clients.tablestore_instances()
    except TeaException as error:
        if str(error.code).startswith(("NoPermission", "Forbidden.RAM")):
            return ""
        return f"{error.code}: {error.message}"
    return ""
