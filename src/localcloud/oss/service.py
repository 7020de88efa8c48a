"""OSS over HTTP, in path style or with the bucket before the host name: the steps of a call that are its own."""

import base64
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from starlette.requests import Request

from localcloud.account.authorization import Resource
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import CredentialError, Identity
from localcloud.account.faults import Fault
from localcloud.oss.buckets import Buckets
from localcloud.oss.operations import OPERATIONS, OssCall, operation_of
from localcloud.oss.signature import SCHEME, OssError, OssSigned, claim_of, verify
from localcloud.pipeline import body
from localcloud.pipeline.connection import Dropped
from localcloud.pipeline.fault_effects import Met
from localcloud.pipeline.pipeline import Api, Pipeline, WrittenAnswer
from localcloud.pipeline.reply import Reply

#: Where the buckets are that are there from the start.
_REGION = "cn-hangzhou"
BODY_LIMIT = 512 * 2**20
_HOST = re.compile(r"((?P<bucket>[a-z0-9-]*)\.)?oss-[a-z0-9-]+\.aliyuncs\.com(:[0-9]+)?")
_STATUS = {"InternalError": 500, "AccessDenied": 403, "QpsLimitExceeded": 503}


class OssRequest(NamedTuple):
    """A request: what it is for, whose it is, and the region that its signature names."""

    signed: OssSigned
    bucket: str
    key: str
    query: Mapping[str, str]
    body: bytes
    action: str
    region: str = ""
    identity: Identity | None = None

    @property
    def parameters(self) -> Mapping[str, str | int]:
        """What the audit says of the call."""
        return {"bucket": self.bucket, "object": self.key, "bytes": len(self.body)}


class Oss(Api[Request, OssRequest]):
    """The service of one account: its buckets, reached by ``handle``."""

    service = "oss"
    refusal = OssError

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._pipeline = cloud, Pipeline(cloud)
        self.buckets = Buckets()
        for name in cloud.declared.buckets:
            self.make(name, _REGION)

    async def handle(self, request: Request) -> WrittenAnswer | Dropped:
        """Answer one request."""
        return await self._pipeline.respond(self, request)

    def get(self, bucket: str, key: str) -> bytes:
        """Return an object. Raises OssError (NoSuchBucket, NoSuchKey)."""
        return self.buckets.find_object(bucket, key).body

    def make(self, bucket: str, region: str) -> None:
        """Make a bucket. Raises OssError."""
        if bucket in self.buckets:
            raise OssError("BucketAlreadyExists", f"there is a bucket {bucket}", 409)
        self.buckets.make(bucket, region, self._cloud.clock.now())

    def remove(self, bucket: str, *, force: bool) -> None:
        """Take a bucket away, with its objects only by force. Raises OssError."""
        if self.buckets.find(bucket).objects and not force:
            raise OssError("BucketNotEmpty", f"{bucket} holds objects", 409)
        del self.buckets[bucket]

    def request_id(self) -> str:
        """Draw a request ID: 24 hexadecimal digits."""
        return self._cloud.request_id().replace("-", "")[:24]

    async def receive(self, request: Request) -> OssRequest:
        """Read a request and find its operation. Raises OssError."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        path = unquote(request.scope["raw_path"].decode().partition("?")[0]).removeprefix("/")
        before_host = _HOST.fullmatch(headers.get("host", ""))
        if before_host and before_host["bucket"] is not None:
            bucket, key = before_host["bucket"], path
        else:
            bucket, _, key = path.partition("/")
        text = request.scope["query_string"].decode()
        query = dict(parse_qsl(text, keep_blank_values=True))
        content = await body.read(request, BODY_LIMIT)
        if isinstance(content, int):
            raise OssError("EntityTooLarge", f"{content} bytes, more than {BODY_LIMIT}", 400)
        resource = f"/{bucket}/{key}" if bucket else "/"
        action = operation_of(request.method, bucket, key, query)
        return OssRequest(OssSigned(request.method, resource, text, headers), bucket, key, query, content, action)

    def authenticate(self, call: OssRequest) -> OssRequest:
        """Return the call with its caller. Raises OssError."""
        headers = call.signed.headers
        if not headers.get("authorization", "").startswith(SCHEME):
            # The detailed code is that of the page on the end of version 1.
            raise OssError(
                "AccessDenied", f"Only signature version 4, {SCHEME}, is supported.", 403, detail="0002-00000080"
            )
        claim = claim_of(headers)
        now = datetime.now(timezone.utc)
        try:
            token = headers.get("x-oss-security-token", "")
            credential = self._cloud.credentials.find(claim.access_key_id, token, now)
        except CredentialError as error:
            raise OssError("InvalidAccessKeyId", str(error), 403) from None
        verify(claim, credential.access_key_secret, call.signed, now)
        return call._replace(identity=credential.identity, region=claim.region)

    def act(self, call: OssRequest, _met: Met, _request_id: str) -> Reply:
        """Carry the call out. Raises OssError."""
        assert call.identity
        name = f"{call.bucket}/{call.key}" if call.key else call.bucket or "*"
        arn = f"acs:oss:{call.region}:{self._cloud.account}:{name}"
        if not self._cloud.authorize(call.identity, f"oss:{_RIGHTS.get(call.action, call.action)}", Resource(arn)):
            raise OssError("AccessDenied", f"oss:{call.action} on {arn}", 403)
        if call.action not in OPERATIONS:
            raise OssError("NotImplemented", f"{call.action} is unknown; there are {', '.join(OPERATIONS)}", 501)
        account, now = self._cloud.account, self._cloud.clock.now()
        return OPERATIONS[call.action](
            OssCall(self.buckets, account, call.bucket, call.key, call.region, call.query, call.body, now)
        )

    def refuse(self, error: OssError, call: OssRequest | None, request_id: str) -> Reply:
        """Put a refusal into the service's form; one of HEAD, which has no body, stands in a header too."""
        host = call.signed.headers.get("host", "") if call else ""
        fields = {"Code": error.code, "Message": error.message, "RequestId": request_id, "HostId": host}
        if error.detail:
            fields["EC"] = error.detail
        inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
        text = f'<?xml version="1.0" encoding="UTF-8"?><Error>{inner}</Error>'.encode()
        headers = {"x-oss-err": base64.b64encode(text).decode()}
        return Reply(error.status, text, error.code, headers, "application/xml")

    def declared(self, fault: Fault, call: OssRequest, request_id: str) -> Reply:
        """Put a declared error into the service's form."""
        code = fault.code or ("QpsLimitExceeded" if fault.kind == "throttle" else "InternalError")
        return self.refuse(
            OssError(code, fault.message or f"{code}.", fault.status or _STATUS.get(code, 400)), call, request_id
        )

    def headers(self, reply: Reply, _call: OssRequest | None, request_id: str) -> Mapping[str, str]:
        """Return the headers of an answer."""
        return {"x-oss-request-id": request_id, "server": "AliyunOSS", **reply.headers}


#: Operations whose right has another name.
_RIGHTS = {"HeadObject": "GetObject", "ListObjectsV2": "ListObjects"}
