"""Tablestore's operations as typed calls over our own transport, which tells "not sent" from "sent, no answer".

Nothing is repeated here; ``outcome`` says what may be. Every answer brings the service's clock, one clock for all runs.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import TypeVar

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.errors import NoAnswer, NotSent, Refused
from ecs_reboot.cloud.protobuf import Malformed
from ecs_reboot.cloud.tablestore import messages, signature
from ecs_reboot.cloud.tablestore.outcome import CONDITION_FAILED
from ecs_reboot.cloud.tablestore.rows import (
    BatchWritten,
    Change,
    Key,
    Page,
    Put,
    RangeEnd,
    Read,
    Row,
    RowError,
    Table,
    Written,
)
from ecs_reboot.cloud.transport import Answer, AnswerLost, Connections, NothingSent, Request

#: The service's limits for one call.
MOST_ROWS_READ, MOST_ROWS_WRITTEN, MOST_ROWS_LISTED = 100, 200, 5_000

CONNECT_SECONDS, LEAST_SECONDS = 3.0, 0.5
_OK = 200

T = TypeVar("T")

_connections = Connections()


class Tablestore:
    """One instance of Tablestore for one set of credentials.

    ``endpoint`` is a URL without a path, https where it names no scheme. ``answer_seconds`` is how long to wait for
    each answer, within the deadline. ``signing_region`` signs by version 4, empty by HMAC-SHA1. All calls raise
    Refused, NotSent or NoAnswer; an answer that is cut, changed or not understood is NoAnswer.
    """

    def __init__(
        self,
        instance: str,
        credentials: Credentials,
        deadline: Deadline,
        *,
        endpoint: str,
        answer_seconds: float,
        signing_region: str = "",
    ) -> None:
        scheme, _, address = endpoint.rstrip("/").rpartition("://")
        self._scheme, self._address = scheme or "https", address
        self._instance, self._credentials, self._deadline = instance, credentials, deadline
        self._answer_seconds, self._signing_region = answer_seconds, signing_region

    def batch_get_row(self, table: str, keys: Sequence[Key]) -> Read:
        """Read at most 100 rows, each in its newest state. Not a snapshot: each row is read by itself.

        Raises Refused also where single rows could not be read, with the code of the first.
        """
        action = "BatchGetRow"
        answer = self._answered(action, messages.batch_get_row(table, keys))
        rows = _read(action, lambda: messages.rows_read(answer.body, table, keys))
        found: list[Row | None] = []
        for key, row in zip(keys, rows, strict=True):
            if isinstance(row, RowError):
                raise _refused(action, answer, RowError(row.code, f"{row.message} (row {key})"))
            found.append(row)
        return Read(tuple(found), _clock_of(action, answer))

    def put_row(self, table: str, change: Put) -> Written:
        """Replace one row if the condition holds; check and write are one step."""
        action = "PutRow"
        answer = self._exchange(action, messages.put_row(table, change))
        if error := _error_of(action, answer):
            if error.code != CONDITION_FAILED:
                raise _refused(action, answer, error)
            return Written(done=False)
        _read(action, lambda: messages.row_written(answer.body))
        return Written(done=True, now=_clock_of(action, answer))

    def batch_write_row(self, table: str, changes: Sequence[Change]) -> BatchWritten:
        """Change at most 200 different rows, each by itself: some may be done and others not."""
        action = "BatchWriteRow"
        answer = self._answered(action, messages.batch_write_row(table, changes))
        rows = _read(action, lambda: messages.rows_written(answer.body, table, len(changes)))
        return BatchWritten(rows, _clock_of(action, answer))

    def get_range(self, table: str, start: RangeEnd, end: RangeEnd, *, limit: int = MOST_ROWS_LISTED) -> Page:
        """List rows in the order of their keys from ``start`` on, up to but without ``end``; one page of them."""
        action = "GetRange"
        answer = self._answered(action, messages.get_range(table, start, end, limit))
        rows, rest = _read(action, lambda: messages.page(answer.body))
        return Page(rows, rest, _clock_of(action, answer))

    def describe_table(self, table: str) -> Table:
        """Return the table's key and options."""
        action = "DescribeTable"
        answer = self._answered(action, messages.describe_table(table))
        key, seconds, versions = _read(action, lambda: messages.table_description(answer.body, table))
        return Table(key, seconds, versions, _clock_of(action, answer))

    def _answered(self, action: str, body: bytes) -> Answer:
        """Return the answer of a call that was carried out."""
        answer = self._exchange(action, body)
        if error := _error_of(action, answer):
            raise _refused(action, answer, error)
        return answer

    def _exchange(self, action: str, body: bytes) -> Answer:
        """Return the answer, unchanged on its way, whatever it says."""
        # A call that the deadline cuts short still gets a moment: it may be the one that settles what happened.
        left = max(LEAST_SECONDS, self._deadline.left())
        headers = signature.headers(
            action,
            body,
            self._instance,
            self._credentials,
            now=self._deadline.clock.now(),
            region_id=self._signing_region,
        )
        headers["host"] = self._address
        request = Request(self._scheme, self._address, "POST", f"/{action}", headers, body)
        try:
            answer = _connections.exchange(
                request,
                connect_seconds=min(CONNECT_SECONDS, left),
                answer_seconds=min(self._answer_seconds, left),
            )
        except NothingSent as error:
            raise NotSent(action, str(error)) from error
        except AnswerLost as error:
            raise NoAnswer(action, str(error)) from error
        digest = answer.headers.get("x-ots-contentmd5")
        if digest != signature.content_md5(answer.body) and (digest is not None or answer.status == _OK):
            raise NoAnswer(action, f"HTTP {answer.status} whose {len(answer.body)} bytes do not have the MD5 {digest}")
        return answer


def _error_of(action: str, answer: Answer) -> RowError | None:
    if answer.status == _OK:
        return None
    try:
        return messages.error(answer.body)
    except Malformed as error:
        raise NoAnswer(
            action, f"HTTP {answer.status} with {len(answer.body)} bytes that are no error of Tablestore: {error}"
        ) from error


def _refused(action: str, answer: Answer, error: RowError) -> Refused:
    request_id = answer.headers.get("x-ots-requestid", "")
    return Refused(action, code=error.code, message=error.message, status=answer.status, request_id=request_id)


def _read(action: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except Malformed as error:
        raise NoAnswer(action, f"the answer is not understood: {error}") from error


def _clock_of(action: str, answer: Answer) -> datetime:
    """Return the service's time when it answered: ``2026-11-25T13:00:00.123456Z``, of 1 to 6 decimals."""
    text = answer.headers.get("x-ots-date", "")
    try:
        whole, _, decimals = text.removesuffix("Z").partition(".")
        if not text.endswith("Z") or not (decimals.isascii() and decimals.isdigit() and len(decimals) <= 6):  # noqa: PLR2004
            raise ValueError  # noqa: TRY301 - told below, like what fromisoformat refuses
        return datetime.fromisoformat(f"{whole}.{decimals:0<6}+00:00").astimezone(timezone.utc)
    except ValueError as error:
        raise NoAnswer(action, f"x-ots-date is {text[:40]!r}: no time of the service") from error
