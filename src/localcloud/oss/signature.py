"""Signature version 4 of OSS, ``OSS4-HMAC-SHA256`` in the Authorization header, after OSS's page on it."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

SCHEME = "OSS4-HMAC-SHA256"
TOLERANCE = timedelta(minutes=15)
_CREDENTIAL = re.compile(r"(?P<key>[^/]+)/(?P<date>[0-9]{8})/(?P<region>[^/]+)/oss/aliyun_v4_request")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_ALWAYS_SIGNED = ("content-type", "content-md5")


class OssError(Exception):
    """A refusal by OSS: its documented code, the HTTP status, and the detailed error code (EC) where it has one."""

    def __init__(self, code: str, message: str, status: int, *, detail: str = "") -> None:
        super().__init__(f"{status} {code}: {message}")
        self.code, self.message, self.status, self.detail = code, message, status, detail


class OssSignature(NamedTuple):
    """What the header says of who signed what for which region."""

    access_key_id: str
    date: str
    region: str
    additional: tuple[str, ...]
    signature: str


def claim_of(headers: Mapping[str, str]) -> OssSignature:
    """Read the Authorization header. Raises OssError."""
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    credential = _CREDENTIAL.fullmatch(fields.get("Credential", ""))
    signature = fields.get("Signature", "")
    if scheme != SCHEME or not credential or not _SIGNATURE.fullmatch(signature):
        raise OssError("InvalidArgument", f"Authorization is not of the form of {SCHEME}", 400)
    additional = tuple(name for name in fields.get("AdditionalHeaders", "").split(";") if name)
    return OssSignature(credential["key"], credential["date"], credential["region"], additional, signature)


def verify(claim: OssSignature, secret: str, request: "OssSigned", now: datetime) -> None:
    """Check signature and time. Raises OssError."""
    stamp = request.headers.get("x-oss-date", "")
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise OssError("AccessDenied", f"x-oss-date {stamp!r} is no time", 403) from None
    if abs(now - signed_at) > TOLERANCE:
        raise OssError("RequestTimeTooSkewed", f"{stamp} is too far from the server's time", 403)
    if not stamp.startswith(claim.date):
        raise OssError("AccessDenied", "x-oss-date is not of the day of the credential", 403)
    canonical = "\n".join(
        (
            request.method,
            quote(request.resource, safe="/-_.~"),
            _canonical_query(request.query),
            "".join(
                f"{name}:{value.strip()}\n"
                for name, value in sorted(request.headers.items())
                if name.startswith("x-oss-") or name in _ALWAYS_SIGNED or name in claim.additional
            ),
            ";".join(claim.additional),
            request.headers.get("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
        )
    )
    scope = f"{claim.date}/{claim.region}/oss/aliyun_v4_request"
    text = "\n".join((SCHEME, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"aliyun_v4{secret}".encode()
    for part in (claim.date, claim.region, "oss", "aliyun_v4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    if not hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), claim.signature):
        raise OssError("SignatureDoesNotMatch", "the signature is not that of this request", 403)


class OssSigned(NamedTuple):
    """A request as its signature sees it: ``resource`` is /, /bucket/ or /bucket/object, ``query`` as it was sent."""

    method: str
    resource: str
    query: str
    headers: Mapping[str, str]


def _canonical_query(text: str) -> str:
    """Sort and encode the parameters; one without a value is signed as its name alone."""
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parse_qsl(text, keep_blank_values=True)
    )
    return "&".join(f"{name}={value}" if value else name for name, value in pairs)
