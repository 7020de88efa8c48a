"""Tablestore's signatures: HMAC-SHA1 and version 4 of requests, and the signed headers of answers.

Pure: headers, a body, a secret and a moment in; nothing or an OtsError out. Time is real time, within 15 minutes.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from localcloud.tablestore.errors import OtsError, invalid

API_VERSION = "2015-12-31"
CLOCK_TOLERANCE = timedelta(minutes=15)
_NEEDED = ("date", "apiversion", "accesskeyid", "instancename", "contentmd5")
_PREFIX = "x-ots-"


class TableSignature(NamedTuple):
    """What a request says of itself; ``region_id`` and ``day`` are empty but for version 4."""

    access_key_id: str
    security_token: str
    instance: str
    signature: str
    region_id: str = ""
    day: str = ""


def is_signed(name: str) -> bool:
    """Return whether a header, in lower case, belongs to Tablestore."""
    return name.startswith(_PREFIX)


def claim_of(headers: Mapping[str, str]) -> TableSignature:
    """Read the headers of a request (names in lower case); raises OtsError where one is missing or wrong."""
    for name in _NEEDED:
        if not headers.get(f"{_PREFIX}{name}"):
            raise invalid(f"Missing header: {_PREFIX}{name}.")
    version = headers["x-ots-apiversion"]
    if version != API_VERSION:
        raise invalid(f"Unsupported API version: {version}; the local cloud has {API_VERSION}.")
    first, fourth = headers.get("x-ots-signature", ""), headers.get("x-ots-signaturev4", "")
    if bool(first) == bool(fourth):
        raise invalid("Missing header: x-ots-signature." if not first else "Two signatures in one request.")
    region_id, day = headers.get("x-ots-signregion", ""), headers.get("x-ots-signdate", "")
    if fourth and not (region_id and re.fullmatch(r"\d{8}", day, re.ASCII)):
        raise invalid("Missing header: x-ots-signregion or x-ots-signdate (YYYYMMDD).")
    return TableSignature(
        headers["x-ots-accesskeyid"],
        headers.get("x-ots-ststoken", ""),
        headers["x-ots-instancename"],
        first or fourth,
        region_id if fourth else "",
        day if fourth else "",
    )


def verify(
    path: str, headers: Mapping[str, str], body: bytes, claim: TableSignature, *, secret: str, now: datetime
) -> bytes:
    """Check moment, signature and body digest; return the key that signs the answer. Raises OtsError."""
    sent = _moment(headers["x-ots-date"])
    if abs(now - sent) > CLOCK_TOLERANCE:
        raise OtsError("OTSAuthFailed", f"Mismatch between system time and x-ots-date: {headers['x-ots-date']}.")
    if claim.day and abs(now - _moment(f"{claim.day[:4]}-{claim.day[4:6]}-{claim.day[6:]}T12:00:00Z")) > timedelta(
        days=1
    ):
        raise OtsError("OTSAuthFailed", f"Mismatch between system time and x-ots-signdate: {claim.day}.")
    key = _key(claim, secret)
    signed = {name: value.strip() for name, value in headers.items() if is_signed(name)}
    del signed["x-ots-signaturev4" if claim.region_id else "x-ots-signature"]
    text = f"{path}\nPOST\n\n" + "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    expected = _digest(key, f"{text}ots", "sha256") if claim.region_id else _digest(key, text, "sha1")
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise OtsError("OTSAuthFailed", "Signature mismatch.")
    if _md5(body) != headers["x-ots-contentmd5"]:
        raise OtsError("OTSAuthFailed", "Mismatch between MD5 value of request body and x-ots-contentmd5 in header.")
    return key


def answer_headers(
    path: str, body: bytes, *, request_id: str, now: datetime, access_key_id: str, key: bytes | None
) -> dict[str, str]:
    """Return the headers of an answer, signed where the caller is known."""
    headers = {
        "x-ots-contentmd5": _md5(body),
        "x-ots-contenttype": "protocol buffer",
        "x-ots-date": f"{now:%Y-%m-%dT%H:%M:%S.%f}Z",
        "x-ots-requestid": request_id,
    }
    if key is not None:
        text = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers)) + path
        headers["authorization"] = f"OTS {access_key_id}:{_digest(key, text, 'sha1')}"
    return headers


def _key(claim: TableSignature, secret: str) -> bytes:
    if not claim.region_id:
        return secret.encode()
    key = f"aliyun_v4{secret}".encode()
    for part in (claim.day, claim.region_id, "ots", "aliyun_v4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return base64.b64encode(key)


def _moment(text: str) -> datetime:
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,6})?Z", text, re.ASCII)
    try:
        return datetime.fromisoformat(match[1] if match else "").replace(tzinfo=timezone.utc)
    except ValueError:
        raise invalid(f"Invalid date format: {text}.") from None


def _digest(key: bytes, text: str, name: str) -> str:
    return base64.b64encode(hmac.digest(key, text.encode(), name)).decode()


def _md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
