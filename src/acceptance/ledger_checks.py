"""The ledger's table in Tablestore: writers that exclude each other, and the form of its answers.

The rows lie under a region that is none, beside those of the fleet, and go when the run is over.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from acceptance.check import CheckFinding, differs, holds, unknown
from acceptance.stage import Stage
from ecs_reboot.clock import Deadline, SystemClock
from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.errors import CloudError, NoAnswer, Refused
from ecs_reboot.cloud.tablestore.client import Tablestore
from ecs_reboot.cloud.tablestore.rows import Condition, Delete, Put, Row
from stack.ledger import TABLE, address

_KEY = (("region", "acceptance"), ("row", "swap"))
_WRITERS, _ROUNDS = 8, 25
_SECONDS = 600.0


def swap(stage: Stage) -> CheckFinding:
    """Have writers swap one row, each on condition of the version that it read; no version may be won twice."""
    table = _table(stage)
    table.put_row(TABLE, Put(Row(_KEY, {"version": 0, "by": 0}), Condition()))
    won: list[int] = []
    misread: list[int] = []

    def write(writer: int) -> None:
        own = _table(stage)
        for _ in range(_ROUNDS):
            row = own.batch_get_row(TABLE, [_KEY]).rows[0]
            version = int(row.columns["version"]) if row else -1
            change = Put(
                Row(_KEY, {"version": version + 1, "by": writer}), Condition(exists=True, column=("version", version))
            )
            if own.put_row(TABLE, change).done:
                won.append(version)
                read = own.batch_get_row(TABLE, [_KEY]).rows[0]
                if read is None or int(read.columns["version"]) <= version:
                    misread.append(version)

    with ThreadPoolExecutor(_WRITERS) as pool:
        for done in [pool.submit(write, writer) for writer in range(_WRITERS)]:
            done.result()
    table.batch_write_row(TABLE, [Delete(_KEY, Condition())])
    twice = sorted(version for version, count in Counter(won).items() if count > 1)
    saw = f"{_WRITERS} writers swapped one row {len(won)} times in {_WRITERS * _ROUNDS} tries"
    if twice:
        return differs(f"{saw}; {len(twice)} versions were won more than once")
    if misread:
        return differs(f"{saw}; {len(misread)} swaps were read back as the row before")
    return holds(f"{saw}; each version was won once and read back")


def answers(stage: Stage) -> CheckFinding:
    """Look at the form of a success, and of a refusal about a table that is not there."""
    table = _table(stage)
    try:
        told = table.describe_table(TABLE)
    except NoAnswer as error:
        return differs(f"a success is not understood: {error}")
    try:
        table.describe_table("acceptance_nothing")
    except Refused as refused:
        saw = f"a table that is not there: {refused.code}, HTTP {refused.status}"
        if refused.code != "OTSObjectNotExist":
            return differs(saw)
    except CloudError as error:
        return differs(f"a refusal is not understood: {error}")
    else:
        return unknown("there is a table acceptance_nothing")
    try:
        table.batch_get_row("acceptance_nothing", [_KEY])
    except Refused as refused:
        return holds(f"{saw}; a batch over it: {refused.code}; the service's time {told.now:%H:%M:%S}")
    return differs(f"{saw}; a batch over it was answered")


def _table(stage: Stage) -> Tablestore:
    keys = stage.clients.keys()
    own = Credentials(
        access_key_id=keys.access_key_id,
        access_key_secret=keys.access_key_secret,
        security_token=keys.security_token,
    )
    instance = str(stage.deployed.outputs["LedgerInstance"])
    return Tablestore(
        instance,
        own,
        Deadline(SystemClock(), _SECONDS),
        endpoint=address(stage.clients, instance),
        answer_seconds=10.0,
    )
