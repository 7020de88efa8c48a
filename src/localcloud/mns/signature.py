"""The signature of a request to the message service: HMAC-SHA1 over its head, after "Sign requests" of SMQ's help."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from localcloud.mns.errors import MessageError

VERSION = "2015-06-06"
TOLERANCE = timedelta(minutes=15)
_AUTHORIZATION = re.compile(r"MNS (?P<key>[^:\s]+):(?P<signature>[A-Za-z0-9+/]+=*)")


class MnsSigned(NamedTuple):
    """What a signature covers: header names in lower case; ``resource``: path and query as they were sent."""

    method: str
    resource: str
    headers: Mapping[str, str]
    body: bytes


class MnsSignature(NamedTuple):
    """Who a request says it is from, and its signature."""

    access_key_id: str
    signature: str


def claim_of(signed: MnsSigned) -> MnsSignature:
    """Read the Authorization header, and see that the other needed ones are there. Raises MessageError."""
    headers = signed.headers
    if not (authorization := headers.get("authorization")):
        raise MessageError("MissingAuthorizationHeader", "Authorization header is required.")
    found = _AUTHORIZATION.fullmatch(authorization)
    if not found:
        raise MessageError("InvalidAuthorizationHeader", "The Authorization header format is invalid.")
    if headers.get("x-mns-version") != VERSION:
        raise MessageError("InvalidVersionHeader", f"x-mns-version must be {VERSION}.")
    return MnsSignature(found["key"], found["signature"])


def verify(claim: MnsSignature, secret: str, signed: MnsSigned, now: datetime) -> None:
    """Check the body's digest, the time and the signature. Raises MessageError."""
    headers = signed.headers
    stated = headers.get("content-md5", "")
    if stated and stated not in _digests(signed.body):
        raise MessageError("InvalidDegist", "The Content-MD5 you specified is invalid.")  # the service's spelling
    date = headers.get("date", "") or headers.get("x-mns-date", "")
    if abs(now - _moment(date)) > TOLERANCE:
        raise MessageError("TimeExpired", "The http request you sent is expired.")
    text = "\n".join(
        (
            signed.method,
            stated,
            headers.get("content-type", ""),
            date,
            *(f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith("x-mns-")),
            signed.resource,
        )
    )
    expected = base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()
    if not hmac.compare_digest(expected, claim.signature):
        raise MessageError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing "
            f"method. Server calculated string to sign is: {text!r}",
        )


def _digests(body: bytes) -> tuple[str, str]:
    """Return both forms of Content-MD5: of the hexadecimal digits, as the SDKs write it, and of the digest itself."""
    digest = hashlib.md5(body, usedforsecurity=False)
    return base64.b64encode(digest.hexdigest().encode()).decode(), base64.b64encode(digest.digest()).decode()


def _moment(date: str) -> datetime:
    if not date:
        raise MessageError("MissingDateHeader", "Date header is required.")
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        raise MessageError("InvalidDateHeader", "The Date header format is invalid.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
