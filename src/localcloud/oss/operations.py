"""What each operation of OSS does, given a call that is already authenticated."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import NamedTuple
from xml.sax.saxutils import escape

from localcloud.oss.buckets import Buckets, StoredObject
from localcloud.oss.signature import OssError
from localcloud.pipeline.reply import Reply

_XML = "application/xml"
_MOST_KEYS = 1_000


class OssCall(NamedTuple):
    """One authenticated call. ``query`` has each parameter once."""

    buckets: Buckets
    account: str
    bucket: str
    key: str
    region: str
    query: Mapping[str, str]
    body: bytes
    now: datetime


class Listed(NamedTuple):
    """A page of a bucket's objects: those that are shown, common prefixes, and where to go on, '' at the end."""

    objects: tuple[tuple[str, StoredObject], ...]
    prefixes: tuple[str, ...]
    last: str


def list_buckets(call: OssCall) -> Reply:
    """Answer ListBuckets: all that begin with ``prefix``, on one page."""
    found = [bucket for name, bucket in sorted(call.buckets.items()) if name.startswith(call.query.get("prefix", ""))]
    rows = "".join(
        _element(
            "Bucket",
            Name=bucket.name,
            Location=f"oss-{bucket.region}",
            Region=bucket.region,
            CreationDate=_time(bucket.made_at),
            ExtranetEndpoint=f"oss-{bucket.region}.aliyuncs.com",
            IntranetEndpoint=f"oss-{bucket.region}-internal.aliyuncs.com",
            StorageClass="Standard",
        )
        for bucket in found
    )
    return _xml("ListAllMyBucketsResult", f"{_owner(call)}<Buckets>{rows}</Buckets><IsTruncated>false</IsTruncated>")


def put_bucket(call: OssCall) -> Reply:
    """Answer PutBucket; one that is there stays as it is."""
    call.buckets.make(call.bucket, call.region, call.now)
    return Reply(200, b"", headers={"location": f"/{call.bucket}"}, effect=True)


def get_bucket_acl(call: OssCall) -> Reply:
    """Answer GetBucketAcl: every bucket is private."""
    call.buckets.find(call.bucket)
    grant = "<AccessControlList><Grant>private</Grant></AccessControlList>"
    return _xml("AccessControlPolicy", _owner(call) + grant)


def list_objects(call: OssCall) -> Reply:
    """Answer ListObjects, the first version: pages by ``marker``."""
    after = call.query.get("marker", "")
    page = _page(call, after)
    about = {"Marker": after, "NextMarker": page.last} if page.last else {"Marker": after}
    return _listing(call, page, about, owners=True)


def list_objects_v2(call: OssCall) -> Reply:
    """Answer ListObjectsV2: pages by ``continuation-token``, which is the last name of the page before."""
    token = call.query.get("continuation-token", "")
    page = _page(call, token or call.query.get("start-after", ""))
    about = {
        "StartAfter": call.query.get("start-after", ""),
        "ContinuationToken": token,
        "KeyCount": str(len(page.objects) + len(page.prefixes)),
    }
    if page.last:
        about["NextContinuationToken"] = page.last
    return _listing(call, page, about, owners=call.query.get("fetch-owner") == "true")


def put_object(call: OssCall) -> Reply:
    """Answer PutObject."""
    call.buckets.find(call.bucket).objects[call.key] = StoredObject(call.body, call.now)
    return Reply(200, b"", headers={"etag": _etag(call.body)}, effect=True)


def get_object(call: OssCall) -> Reply:
    """Answer GetObject and HeadObject, whose answer has the same headers and no body."""
    found = call.buckets.find_object(call.bucket, call.key)
    headers = {
        "etag": _etag(found.body),
        "last-modified": found.written_at.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "content-type": "application/octet-stream",
    }
    return Reply(200, found.body, headers=headers)


def delete_object(call: OssCall) -> Reply:
    """Answer DeleteObject; one that is not there is no error."""
    call.buckets.find(call.bucket).objects.pop(call.key, None)
    return Reply(204, b"", effect=True)


def delete_bucket(call: OssCall) -> Reply:
    """Answer DeleteBucket: an empty one goes."""
    if call.buckets.find(call.bucket).objects:
        raise OssError("BucketNotEmpty", f"the bucket {call.bucket} holds objects", 409)
    del call.buckets[call.bucket]
    return Reply(204, b"", effect=True)


OPERATIONS: Mapping[str, Callable[[OssCall], Reply]] = {
    "ListBuckets": list_buckets,
    "PutBucket": put_bucket,
    "GetBucketAcl": get_bucket_acl,
    "ListObjects": list_objects,
    "ListObjectsV2": list_objects_v2,
    "PutObject": put_object,
    "HeadObject": get_object,
    "GetObject": get_object,
    "DeleteObject": delete_object,
    "DeleteBucket": delete_bucket,
}
# Not Starlette's routes: a key is any text, slashes too, and the query, which no route reads, tells operations apart.
_OF_OBJECTS = {"PUT": "PutObject", "HEAD": "HeadObject", "GET": "GetObject", "DELETE": "DeleteObject"}
_OF_BUCKETS = {"PUT": "PutBucket", "DELETE": "DeleteBucket"}
#: Sub-resources that make a call another one, unknown here.
_LISTING_PARAMETERS = frozenset(
    {"list-type", "prefix", "delimiter", "max-keys", "marker", "start-after", "continuation-token", "encoding-type",
     "fetch-owner"}
)  # fmt: skip


def operation_of(method: str, bucket: str, key: str, query: Mapping[str, str]) -> str:
    """Return the operation that a request means; one that is not in ``OPERATIONS`` is not known here."""
    if key:
        return _OF_OBJECTS.get(method, method) if not query else f"{method} ?{next(iter(query))}"
    if not bucket:
        return "ListBuckets" if method == "GET" else method
    if method in _OF_BUCKETS and not query:
        return _OF_BUCKETS[method]
    if method == "GET" and "acl" in query:
        return "GetBucketAcl"
    if method == "GET" and query.keys() <= _LISTING_PARAMETERS:
        return "ListObjectsV2" if query.get("list-type") == "2" else "ListObjects"
    return f"{method} ?{next(iter(query), '')}"


def _page(call: OssCall, after: str) -> Listed:
    prefix, delimiter = call.query.get("prefix", ""), call.query.get("delimiter", "")
    limit = call.query.get("max-keys", "100")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= _MOST_KEYS):
        raise OssError("InvalidArgument", f"max-keys is {limit[:50]!r}: 1 to {_MOST_KEYS}", 400)
    shown: dict[str, StoredObject | None] = {}
    for name, found in sorted(call.buckets.find(call.bucket).objects.items()):
        if not name.startswith(prefix):
            continue
        folder, cut, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
        entry = f"{prefix}{folder}{cut}" if cut else name
        if entry > after and not (cut and after.startswith(entry)):
            shown.setdefault(entry, None if cut else found)
    page = list(shown.items())[: int(limit)]
    return Listed(
        tuple((name, found) for name, found in page if found),
        tuple(name for name, found in page if not found),
        page[-1][0] if len(shown) > len(page) else "",
    )


def _listing(call: OssCall, page: Listed, about: Mapping[str, str], *, owners: bool) -> Reply:
    rows = "".join(_contents(name, found, _owner(call) if owners else "") for name, found in page.objects)
    prefixes = "".join(_element("CommonPrefixes", Prefix=name) for name in page.prefixes)
    fields = {
        "Name": call.bucket,
        "Prefix": call.query.get("prefix", ""),
        "MaxKeys": call.query.get("max-keys", "100"),
        "Delimiter": call.query.get("delimiter", ""),
        "IsTruncated": str(bool(page.last)).lower(),
        **about,
    }
    return _xml("ListBucketResult", _texts(fields.items()) + rows + prefixes)


def _contents(name: str, found: StoredObject, owner: str) -> str:
    about = {
        "Key": name,
        "LastModified": _time(found.written_at),
        "ETag": _etag(found.body),
        "Type": "Normal",
        "Size": str(len(found.body)),
        "StorageClass": "Standard",
    }
    return f"<Contents>{_texts(about.items())}{owner}</Contents>"


def _owner(call: OssCall) -> str:
    return _element("Owner", ID=call.account, DisplayName=call.account)


def _xml(root: str, inner: str) -> Reply:
    return Reply(200, f'<?xml version="1.0" encoding="UTF-8"?><{root}>{inner}</{root}>'.encode(), media_type=_XML)


def _element(name: str, **fields: str) -> str:
    return f"<{name}>{_texts(fields.items())}</{name}>"


def _texts(fields: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields)


def _time(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest().upper()}"'
