"""What each operation of the service does, given a request that is already authenticated."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from localcloud.sls import analysis
from localcloud.sls.compression import DECOMPRESS, Undecodable, decompress
from localcloud.sls.errors import SlsError
from localcloud.sls.protobuf import LogGroup, Malformed, NotText, read_log_group
from localcloud.sls.query import QueryError, parse
from localcloud.sls.store import LogEntry, LogStores

# PutLogs in the API reference; the older limits (3 MB, 4,096 logs) no longer hold for the service.
RAW_SIZE_LIMIT = 10 * 1024 * 1024
OLDEST_LOG = timedelta(days=7)
NEWEST_LOG = timedelta(minutes=15)
LINES_DEFAULT = 100
LINES_LIMIT = 100
# Projects and logstores are declared or made by a stack: when, nobody asks.
_UNIX_OF_DECLARATION = 1767225600
_TIME_OF_DECLARATION = "2026-01-01 00:00:00"


class SlsCall(NamedTuple):
    """One authenticated request; header names are lower case, ``parameters`` those of the query or of the JSON body.

    ``now`` is real time. ``written_at`` and ``seen_until`` are cloud time: what a write is stored with, and the end of
    what a search finds.
    """

    project: str
    logstore: str
    headers: Mapping[str, str]
    body: bytes
    now: datetime
    written_at: datetime
    seen_until: datetime
    region: str = ""
    parameters: Mapping[str, Any] = {}


class SlsSuccess(NamedTuple):
    """A success: its JSON (None = an empty body), its own headers, and what the audit should know beside."""

    content: Any = None
    headers: Mapping[str, str] = {}
    audit: Mapping[str, Any] = {}
    effect: bool = False


Operation = Callable[[LogStores, SlsCall], SlsSuccess]


def delete_project(stores: LogStores, call: SlsCall) -> SlsSuccess:
    """Take the project away, with all its logstores and logs."""
    stores.delete_project(call.project)
    return SlsSuccess(effect=True)


def delete_logstore(stores: LogStores, call: SlsCall) -> SlsSuccess:
    """Take a logstore away, with its logs."""
    stores.delete_logstore(call.project, call.logstore)
    return SlsSuccess(effect=True)


def put_logs(stores: LogStores, call: SlsCall) -> SlsSuccess:
    """Write one LogGroup, wholly or not at all."""
    stores.logstore(call.project, call.logstore)
    content_type = call.headers.get("content-type", "")
    if not content_type:
        raise SlsError("MissingContentType", "Content-Type does not exist in http header when body is not empty.")
    if content_type != "application/x-protobuf":
        raise SlsError("InvalidContentType", f"Content-Type {content_type} is unsupported.")
    group = _log_group(call)
    oldest, newest = call.now - OLDEST_LOG, call.now + NEWEST_LOG
    for log in group.logs:
        if not oldest.timestamp() <= log.time <= newest.timestamp():
            raise SlsError(
                "PostBodyInvalid",
                f"The post data time is out of range: {log.time} is not Unix seconds "
                "between 7 days ago and 15 minutes ahead.",
            )
        if not all(key for key, _ in log.contents):
            raise SlsError("InvalidKey", "Invalid keys are in logs: a key is empty.")
    stores.append(call.project, call.logstore, group, call.written_at)
    return SlsSuccess(
        audit={"logs": len(group.logs), "topic": group.topic, "source": group.source}, effect=bool(group.logs)
    )


def get_logs_v1(stores: LogStores, call: SlsCall) -> SlsSuccess:
    """Search, in the older form: GET, the logs as a bare list and what is about them in headers."""
    found = _search(stores, call)
    headers = {"x-log-progress": "Complete", "x-log-count": str(len(found)), "x-log-processed-rows": str(len(found))}
    return SlsSuccess([_shown(entry) for entry in found], headers)


def get_logs_v2(stores: LogStores, call: SlsCall) -> SlsSuccess:
    """Search, in the form of the current clients: POST, one object with ``meta`` and ``data``."""
    where, _, statement = str(call.parameters.get("query", "")).partition("|")
    if statement:
        found = _everything_of(stores, call, where)
        data = _analysed(statement, found)
    else:
        found = _search(stores, call)
        data = [_shown(entry) for entry in found]
    meta = {
        "progress": "Complete",
        "count": len(data),
        "processedRows": len(found),
        "elapsedMillisecond": 0,
        "hasSQL": bool(statement),
        "whereQuery": where.strip(),
        "aggQuery": statement.strip(),
        "isAccurate": True,
        "terms": [],
        "keys": [],
    }
    return SlsSuccess({"meta": meta, "data": data})


def list_logstores(stores: LogStores, call: SlsCall) -> SlsSuccess:
    """List the names of a project's logstores."""
    names = sorted(stores.logstores(call.project))
    return SlsSuccess({"count": len(names), "total": len(names), "logstores": names})


def get_logstore(stores: LogStores, call: SlsCall) -> SlsSuccess:
    """Return what is to be said of a logstore that has no settings."""
    stores.logstore(call.project, call.logstore)
    return SlsSuccess(
        {
            "logstoreName": call.logstore,
            "ttl": 30,
            "hot_ttl": 30,
            "shardCount": 2,
            "mode": "standard",
            "autoSplit": True,
            "maxSplitShard": 64,
            "appendMeta": True,
            "enable_tracking": False,
            "telemetryType": "None",
            "encrypt_conf": {},
            "createTime": _UNIX_OF_DECLARATION,
            "lastModifyTime": _UNIX_OF_DECLARATION,
        }
    )


def get_project(stores: LogStores, call: SlsCall) -> SlsSuccess:
    """Say that a project exists."""
    stores.logstores(call.project)
    return SlsSuccess(
        {
            "projectName": call.project,
            "status": "Normal",
            "description": "",
            "region": call.region,
            "owner": "",
            "resourceGroupId": "",
            "dataRedundancyType": "LRS",
            "createTime": _TIME_OF_DECLARATION,
            "lastModifyTime": _TIME_OF_DECLARATION,
        }
    )


def _log_group(call: SlsCall) -> LogGroup:
    size_text = call.headers.get("x-log-bodyrawsize", "")
    if not size_text:
        raise SlsError("MissingBodyRawSize", "x-log-bodyrawsize does not exist in header when it is necessary.")
    if not (size_text.isascii() and size_text.isdigit()):
        raise SlsError("InvalidBodyRawSize", f"x-log-bodyrawsize is invalid: {size_text!r} is not a number of bytes.")
    size = int(size_text)
    if size > RAW_SIZE_LIMIT:
        raise SlsError("PostBodyTooLarge", f"Body size {size} must be at most {RAW_SIZE_LIMIT}.")
    compress_type = call.headers.get("x-log-compresstype", "")
    if compress_type not in DECOMPRESS:
        raise SlsError("InvalidCompressType", f"x-log-compresstype {compress_type} is unsupported.")
    if not compress_type and len(call.body) != size:
        raise SlsError("InvalidBodyRawSize", f"x-log-bodyrawsize is invalid: {size}, the body has {len(call.body)}.")
    try:
        return read_log_group(decompress(call.body, compress_type, size))
    except Undecodable as error:
        raise SlsError("PostBodyUncompressError", f"Failed to decompress logs: {error}.") from error
    except NotText as error:
        raise SlsError("InvalidEncoding", f"Non-UTF8 characters are in logs: {error}.") from error
    except Malformed as error:
        raise SlsError("PostBodyInvalid", f"Protobuffer content cannot be parsed: {error}.") from error


def _analysed(statement: str, found: list[LogEntry]) -> list[dict[str, str]]:
    try:
        return analysis.parse(statement).rows(entry.fields for entry in found)
    except QueryError as error:
        raise SlsError("ParameterInvalid", str(error)) from error


def _search(stores: LogStores, call: SlsCall) -> list[LogEntry]:
    found = _everything_of(stores, call, str(call.parameters.get("query", "")))
    lines = _whole(call, "line", LINES_DEFAULT)
    offset = _whole(call, "offset", 0)
    if not 0 <= lines <= LINES_LIMIT or offset < 0:
        raise SlsError("ParameterInvalid", f"line {lines} must be 0 to {LINES_LIMIT} and offset {offset} at least 0.")
    if str(call.parameters.get("reverse", "")).lower() == "true":
        found.reverse()
    return found[offset : offset + lines]


def _everything_of(stores: LogStores, call: SlsCall, query: str) -> list[LogEntry]:
    """Return what a search finds, the oldest first."""
    start, end = _whole(call, "from"), _whole(call, "to")
    if start >= end:
        raise SlsError("InvalidTimeRange", f"from {start} is not before to {end}: the range is from <= time < to.")
    try:
        wanted = parse(query)
    except QueryError as error:
        raise SlsError("InvalidQueryString", str(error)) from error
    topic = call.parameters.get("topic", "")
    return stores.search(
        call.project,
        call.logstore,
        start,
        end,
        lambda entry: (
            entry.written_at <= call.seen_until and topic in ("", entry.fields["__topic__"]) and wanted(entry.fields)
        ),
    )


def _whole(call: SlsCall, name: str, otherwise: int | None = None) -> int:
    value = call.parameters.get(name, otherwise)
    try:
        return int(str(value))
    except ValueError:
        raise SlsError("ParameterInvalid", f"{name} is {json.dumps(value)}, not a whole number.") from None


def _shown(entry: LogEntry) -> dict[str, str]:
    return {"__time__": str(entry.time), "__time_ns_part__": str(entry.time_ns), **entry.fields}
