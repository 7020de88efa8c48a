"""Request signatures of Simple Log Service: ``LOG`` (v1, HMAC-SHA1 or -SHA256) and ``SLS4-HMAC-SHA256`` (v4).

Source: "Request signatures" in the API reference, and what the official Python clients send. Pure: a request, a secret
and a moment in; nothing or an ``SlsError`` out.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import quote

from localcloud.sls.errors import SlsError

CLOCK_TOLERANCE = timedelta(minutes=15)
_V1 = re.compile(r"LOG (?P<key>[^:\s]+):(?P<signature>\S+)\Z")
_V4 = re.compile(
    r"SLS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)/sls/aliyun_v4_request,"
    r"\s*Signature=(?P<signature>[0-9a-f]{64})\Z"
)
_V1_DIGESTS = {"hmac-sha1": "sha1", "hmac-sha256": "sha256"}
_V4_DATE = "%Y%m%dT%H%M%SZ"


class SignedRequest(NamedTuple):
    """What a signature covers; header names in lower case, query and path decoded."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes


class SlsSignature(NamedTuple):
    """Who a request says it is from, and its signature; ``region`` is empty for v1."""

    access_key_id: str
    signature: str
    version: int
    region: str = ""
    date: str = ""


def claim_of(request: SignedRequest) -> SlsSignature:
    """Read the Authorization header; raises ``SlsError`` where it is missing or of neither form."""
    authorization = request.headers.get("authorization", "")
    if match := _V1.match(authorization):
        return SlsSignature(match["key"], match["signature"], 1)
    if match := _V4.match(authorization):
        return SlsSignature(match["key"], match["signature"], 4, match["region"], match["date"])
    if not authorization:
        raise SlsError("MissAccessKeyId", "Authorization does not exist in the header: sign the request")
    raise SlsError(
        "Unauthorized",
        "Authorization is neither 'LOG <key>:<signature>' nor 'SLS4-HMAC-SHA256 Credential=...,Signature=...'",
    )


def verify(request: SignedRequest, claim: SlsSignature, secret: str, now: datetime) -> None:
    """Check moment, body digest and signature; raises ``SlsError`` with the documented code."""
    moment = _v1_moment(request) if claim.version == 1 else _v4_moment(request, claim)
    if abs(now - moment) > CLOCK_TOLERANCE:
        raise SlsError(
            "RequestTimeExpired",
            f"Request time {moment:%Y-%m-%dT%H:%M:%SZ} has been expired while server time is {now:%Y-%m-%dT%H:%M:%SZ}.",
        )
    expected = _v1_signature(request, secret) if claim.version == 1 else _v4_signature(request, claim, secret)
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise SlsError("SignatureNotMatch", f"Signature {claim.signature} is not matched.")


def _v1_moment(request: SignedRequest) -> datetime:
    text = request.headers.get("date", "") or request.headers.get("x-log-date", "")
    if not text:
        raise SlsError("MissingDate", "Date does not exist in the http header.")
    try:
        moment = parsedate_to_datetime(text)
    except ValueError as error:
        raise SlsError("InvalidRequestTime", f"Request time {text} does not follow RFC822.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _v1_signature(request: SignedRequest, secret: str) -> str:
    headers = request.headers
    method = headers.get("x-log-signaturemethod", "")
    if not method:
        raise SlsError("MissingSignatureMethod", "x-log-signaturemethod does not exist in the http header.")
    if method not in _V1_DIGESTS:
        raise SlsError("InvalidSignatureMethod", f"signature method {method} is unsupported.")
    digest = headers.get("content-md5", "")
    actual = hashlib.md5(request.body, usedforsecurity=False).hexdigest().upper()
    if digest and digest != actual:
        raise SlsError("SignatureNotMatch", f"Content-MD5 is {digest}, that of the body is {actual}.")
    # The official client adds x-log-date after it has signed.
    signed = sorted((name, value) for name, value in headers.items() if _is_signed(name) and name != "x-log-date")
    query = "&".join(f"{name}={value}" for name, value in sorted(request.query))
    text = "".join(
        (
            f"{request.method}\n{digest}\n{headers.get('content-type', '')}\n{headers.get('date', '')}\n",
            *(f"{name}:{value}\n" for name, value in signed),
            request.path,
            f"?{query}" if query else "",
        )
    )
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), _V1_DIGESTS[method])).decode()


def _v4_moment(request: SignedRequest, claim: SlsSignature) -> datetime:
    text = request.headers.get("x-log-date", "")
    if not text:
        raise SlsError("MissingDate", "x-log-date does not exist in the http header.")
    try:
        moment = datetime.strptime(text, _V4_DATE).replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise SlsError("InvalidRequestTime", f"Request time {text} is not of the form 20240131T235959Z.") from error
    if claim.date != text[:8]:
        raise SlsError("SignatureNotMatch", f"the credential's scope is of {claim.date}, x-log-date is {text}.")
    return moment


def _v4_signature(request: SignedRequest, claim: SlsSignature, secret: str) -> str:
    digest = request.headers.get("x-log-content-sha256", "")
    actual = hashlib.sha256(request.body).hexdigest()
    if digest != actual:
        raise SlsError("SignatureNotMatch", f"x-log-content-sha256 is {digest!r}, that of the body is {actual}.")
    signed = sorted(
        (name, value.strip())
        for name, value in request.headers.items()
        if name in ("content-type", "host") or _is_signed(name)
    )
    query = "&".join(f"{name}={quote(value, safe='~')}" if value else name for name, value in sorted(request.query))
    canonical = "\n".join(
        (
            request.method,
            request.path,
            query,
            "".join(f"{name}:{value}\n" for name, value in signed),
            ";".join(name for name, _ in signed),
            digest,
        )
    )
    scope = (claim.date, claim.region, "sls", "aliyun_v4_request")
    text = "\n".join(
        (
            "SLS4-HMAC-SHA256",
            request.headers["x-log-date"],
            "/".join(scope),
            hashlib.sha256(canonical.encode()).hexdigest(),
        )
    )
    key = f"aliyun_v4{secret}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _is_signed(name: str) -> bool:
    return name.startswith(("x-log-", "x-acs-")) and not name.startswith("x-log-meta-")
