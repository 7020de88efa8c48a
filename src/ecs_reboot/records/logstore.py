"""Records to a logstore, and their sums from it: PutLogs and GetLogs over our transport.

Signed here (signature version 1, HMAC-SHA256).

A client package for one call would cost more start-up time than the whole function (docs/understand/performance.md).
A repeated PutLogs writes its lines twice, so a write is tried again only where nothing was sent; each line carries its
own `record_id` by which a reader can drop doubles.
"""

import base64
import hashlib
import hmac
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.transport import Answer, AnswerLost, Connections, NothingSent, Request
from ecs_reboot.records.log_group import encode

#: One PutLogs stays below what every document allows: 3 MB and 4,096 lines.
MOST_LINES, MOST_BYTES = 1_000, 2_500_000

TOPIC = "ecs-reboot"

_connections = Connections()


class LogStoreError(Exception):
    """Records did not reach the logstore; they are on standard output and in the result all the same."""


class Logstore:
    """One logstore. ``endpoint`` is the region's, without the project."""

    def __init__(self, project: str, logstore: str, endpoint: str, credentials: Credentials) -> None:
        self._project, self._path = project, f"/logstores/{logstore}"
        scheme, _, host = endpoint.rpartition("://")
        self._scheme = scheme or "https"
        self._host = f"{project}.{host}"
        # A loopback stand-in has no name for each project: connect to its address, and name the project in Host.
        self._address = host if re.match(r"[0-9.]+(:|$)|\[|localhost", host) else self._host
        self._credentials = credentials

    def put(self, lines: Iterable[dict[str, Any]], now: datetime, *, source: str, seconds: float) -> int:
        """Write the lines; return how many. Raises LogStoreError. ``seconds`` bounds each write."""
        written = 0
        for group in _groups([_as_text(line) for line in lines]):
            self._put(encode(group, time=int(now.timestamp()), topic=TOPIC, source=source), now, seconds)
            written += len(group)
        return written

    def _put(self, raw: bytes, now: datetime, seconds: float) -> None:
        own = {"x-log-compresstype": "deflate", "content-type": "application/x-protobuf"}
        headers = {**own, "x-log-bodyrawsize": str(len(raw))}
        packed = zlib.compress(raw, zlib.Z_BEST_SPEED)  # a few KB of records: the time is worth more than the bytes
        self._post("PutLogs", "/shards/lb", packed, headers, now=now, seconds=seconds)

    def analyse(self, query: str, start: datetime, now: datetime, *, seconds: float) -> list[dict[str, str]]:
        """Return the rows that a query with an analysis finds from ``start`` until now. Raises LogStoreError."""
        asked = {"from": int(start.timestamp()), "to": int(now.timestamp()) + 1, "query": query}
        body = json.dumps(asked).encode()
        own = {"content-type": "application/json", "x-log-bodyrawsize": str(len(body))}
        answer = self._post("GetLogs", "/logs", body, own, now=now, seconds=seconds)
        try:
            found = json.loads(answer.body)
            if found["meta"]["progress"] != "Complete":
                raise LogStoreError(f"GetLogs of {self._host}: the answer is {found['meta']['progress']}")
            return [dict(row) for row in found["data"]]
        except (ValueError, KeyError, TypeError) as error:
            raise LogStoreError(f"GetLogs of {self._host}: an answer that can't be read: {error!r}") from error

    def _post(self, call: str, path: str, body: bytes, own: dict[str, str], *, now: datetime, seconds: float) -> Answer:
        path = self._path + path
        request = Request(self._scheme, self._address, "POST", path, self._signed(path, body, own, now), body)
        try:
            try:
                answer = self._exchange(request, seconds)
            except NothingSent:
                answer = self._exchange(request, seconds)
        except (NothingSent, AnswerLost) as error:
            raise LogStoreError(f"{call} to {self._host}: {error}") from error
        if answer.status != 200:  # noqa: PLR2004 - OK
            raise LogStoreError(f"{call} to {self._host}: HTTP {answer.status}: {_error(answer.body)}")
        return answer

    def _exchange(self, request: Request, seconds: float) -> Answer:
        return _connections.exchange(request, connect_seconds=seconds / 4, answer_seconds=seconds / 2)

    def _signed(self, path: str, body: bytes, own: dict[str, str], now: datetime) -> dict[str, str]:
        date = f"{_DAYS[now.weekday()]}, {now.day:02d} {_MONTHS[now.month - 1]} {now:%Y %H:%M:%S} GMT"
        kind = own.pop("content-type")
        headers = {**own, "x-log-apiversion": "0.6.0", "x-log-signaturemethod": "hmac-sha256"}
        if self._credentials.security_token:
            headers["x-acs-security-token"] = self._credentials.security_token
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest().upper()
        signed = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        text = f"POST\n{md5}\n{kind}\n{date}\n{signed}{path}"
        digest = hmac.digest(self._credentials.access_key_secret.encode(), text.encode(), "sha256")
        signature = base64.b64encode(digest).decode()
        return {
            **headers,
            "host": self._host,
            "date": date,
            "content-type": kind,
            "content-md5": md5,
            "authorization": f"LOG {self._credentials.access_key_id}:{signature}",
        }


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _as_text(line: dict[str, Any]) -> dict[str, str]:
    return {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        for key, value in line.items()
    }


def _groups(lines: list[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    group: list[dict[str, str]] = []
    size = 0
    for line in lines:
        length = sum(len(key) + 4 * len(value) for key, value in line.items())
        if group and (len(group) >= MOST_LINES or size + length > MOST_BYTES):
            yield group
            group, size = [], 0
        group.append(line)
        size += length
    if group:
        yield group


def _error(body: bytes) -> str:
    try:
        error = json.loads(body)
        return f"{error['errorCode']}: {error['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return repr(body[:200])
