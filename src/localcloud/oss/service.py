"""Buckets and objects over HTTP: PutBucket, GetBucketAcl, PutObject, HeadObject, GetObject, DeleteObject."""

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import NamedTuple
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from localcloud.account.authorization import Resource
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import CredentialError
from localcloud.oss.signature import SCHEME, OssError, Signed, claim_of, verify

#: A bucket that is there from the start, as the template makes one for the function's evidence.
EVIDENCE_BUCKET = "ecs-reboot-evidence"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


class Bucket(NamedTuple):
    """One bucket: its region, and its objects by name."""

    name: str
    region: str
    objects: dict[str, bytes]


class Call(NamedTuple):
    """One authenticated call."""

    bucket: str
    key: str
    region: str
    body: bytes


class Oss:
    """The buckets of one account."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        kept = Bucket(EVIDENCE_BUCKET, "cn-hangzhou", {})
        self.buckets: dict[str, Bucket] = {EVIDENCE_BUCKET: kept}

    def get(self, bucket: str, key: str) -> bytes:
        """Return an object. Raises OssError (NoSuchBucket, NoSuchKey)."""
        objects = self._bucket(bucket).objects
        if key not in objects:
            raise OssError("NoSuchKey", f"there is no object {key} in {bucket}", 404)
        return objects[key]

    def make(self, bucket: str, region: str) -> None:
        """Make a bucket. Raises OssError."""
        if not _BUCKET.fullmatch(bucket):
            raise OssError("InvalidBucketName", f"{bucket}: 3 to 63 lower-case letters, digits and -", 400)
        if bucket in self.buckets:
            raise OssError("BucketAlreadyExists", f"there is a bucket {bucket}", 409)
        self.buckets[bucket] = Bucket(bucket, region, {})

    def remove(self, bucket: str, *, force: bool) -> None:
        """Take a bucket away, with its objects only by force. Raises OssError."""
        if self._bucket(bucket).objects and not force:
            raise OssError("BucketNotEmpty", f"{bucket} holds objects", 409)
        del self.buckets[bucket]

    async def handle(self, request: Request) -> Response:
        """Answer one request in path style, /bucket/object; each is audited."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        path = unquote(request.scope["raw_path"].decode().partition("?")[0])
        bucket, _, key = path.lstrip("/").partition("/")
        query = request.scope["query_string"].decode()
        action = _action(request.method, key, query)
        body = await request.body()
        code = ""
        try:
            region = self._authenticated(
                Signed(request.method, _resource(bucket, key), query, headers), bucket, key, action
            )
            with self._cloud.lock:
                response = _OPERATIONS[action](self, Call(bucket, key, region, body))
        except OssError as error:
            code = error.code
            text = (
                f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{error.code}</Code>"
                f"<Message>{error.message}</Message></Error>"
            )
            response = Response(text, error.status, media_type="application/xml")
            # An answer to HEAD has no body; there the error stands in a header.
            response.headers["x-oss-err"] = base64.b64encode(text.encode()).decode()
        request_id = self._cloud.request_id().replace("-", "")[:24]
        response.headers["x-oss-request-id"] = request_id
        self._cloud.audit.api(
            service="oss",
            action=action,
            parameters={"bucket": bucket, "object": key, "bytes": len(body)},
            http_status=response.status_code,
            code=code,
            request_id=request_id,
            effect=not code and request.method in ("PUT", "DELETE"),
        )
        return response

    def _authenticated(self, signed: Signed, bucket: str, key: str, action: str) -> str:
        claim = claim_of(signed.headers)
        now = datetime.now(timezone.utc)
        try:
            token = signed.headers.get("x-oss-security-token", "")
            credential = self._cloud.credentials.find(claim.access_key_id, token, now)
        except CredentialError as error:
            raise OssError("InvalidAccessKeyId", str(error), 403) from None
        verify(claim, credential.access_key_secret, signed, now)
        arn = f"acs:oss:{claim.region}:{self._cloud.account}:{bucket}" + (f"/{key}" if key else "")
        if not self._cloud.authorize(credential.identity, f"oss:{action}", Resource(arn)):
            raise OssError("AccessDenied", f"oss:{action} on {arn}", 403)
        if action not in _OPERATIONS:
            raise OssError("NotImplemented", f"the local cloud does not know {action}", 501)
        return claim.region

    def _bucket(self, name: str) -> Bucket:
        if name not in self.buckets:
            raise OssError("NoSuchBucket", f"there is no bucket {name}", 404)
        return self.buckets[name]

    def _put_bucket(self, call: Call) -> Response:
        if not _BUCKET.fullmatch(call.bucket):
            raise OssError("InvalidBucketName", f"{call.bucket}: 3 to 63 lower-case letters, digits and -", 400)
        self.buckets.setdefault(call.bucket, Bucket(call.bucket, call.region, {}))
        return Response()

    def _get_bucket_acl(self, call: Call) -> Response:
        self._bucket(call.bucket)
        account = self._cloud.account
        text = (
            "<?xml version='1.0' encoding='UTF-8'?><AccessControlPolicy>"
            f"<Owner><ID>{account}</ID><DisplayName>{account}</DisplayName></Owner>"
            "<AccessControlList><Grant>private</Grant></AccessControlList></AccessControlPolicy>"
        )
        return Response(text, media_type="application/xml")

    def _put_object(self, call: Call) -> Response:
        self._bucket(call.bucket).objects[call.key] = call.body
        return Response(headers={"etag": _etag(call.body)})

    def _head_object(self, call: Call) -> Response:
        body = self.get(call.bucket, call.key)
        return Response(headers={"etag": _etag(body), "content-length": str(len(body))})

    def _get_object(self, call: Call) -> Response:
        body = self.get(call.bucket, call.key)
        return Response(body, headers={"etag": _etag(body)}, media_type="application/octet-stream")

    def _delete_object(self, call: Call) -> Response:
        self._bucket(call.bucket).objects.pop(call.key, None)
        return Response(status_code=204)


def is_for_oss(authorization: str) -> bool:
    """Tell by its Authorization header whether a request is for OSS."""
    return authorization.startswith(SCHEME)


def _action(method: str, key: str, query: str) -> str:
    if key:
        return {"PUT": "PutObject", "HEAD": "HeadObject", "GET": "GetObject", "DELETE": "DeleteObject"}.get(method, "?")
    return {"PUT": "PutBucket", "GET": "GetBucketAcl" if query.startswith("acl") else "ListObjects"}.get(method, "?")


def _resource(bucket: str, key: str) -> str:
    return f"/{bucket}/{key}"


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest().upper()}"'


_OPERATIONS: dict[str, Callable[[Oss, Call], Response]] = {
    "PutBucket": Oss._put_bucket,  # noqa: SLF001 - the class's own table
    "GetBucketAcl": Oss._get_bucket_acl,  # noqa: SLF001
    "PutObject": Oss._put_object,  # noqa: SLF001
    "HeadObject": Oss._head_object,  # noqa: SLF001
    "GetObject": Oss._get_object,  # noqa: SLF001
    "DeleteObject": Oss._delete_object,  # noqa: SLF001
}
