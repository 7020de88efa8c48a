"""Both signature schemes of the ECS API, as pure functions: what a request says, and how it must be signed.

ACS3-HMAC-SHA256 (headers) and version 1.0, HMAC-SHA1 (parameters), after the public descriptions of RPC-style APIs.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import NamedTuple
from urllib.parse import quote

from localcloud.openapi.errors import ApiError

ACS3 = "ACS3-HMAC-SHA256"
CLOCK_TOLERANCE_SECONDS = 900
_ACS3_FIELDS = ("Credential", "SignedHeaders", "Signature")
_HEX_64 = re.compile(r"[0-9a-f]{64}")
_TIMESTAMP = "%Y-%m-%dT%H:%M:%SZ"
_MILLISECONDS = re.compile(r"\.[0-9]{3}Z$")  # as aliyun-sdk for Node writes them; the service takes them

Pairs = Sequence[tuple[str, str]]


class OpenApiRequest(NamedTuple):
    """An HTTP request as the signature sees it: header names in lower case, parameters decoded, in order."""

    method: str
    path: str
    query: Pairs
    headers: Mapping[str, str]
    body: bytes = b""
    form: Pairs = ()


class OpenApiSigned(NamedTuple):
    """What a request says of its signature, and the text that should have been signed."""

    access_key_id: str
    security_token: str
    nonce: str
    timestamp: str
    signature: str
    string_to_sign: str
    expected: "Digest"


class Digest(NamedTuple):
    """How a scheme turns a secret and a text into a signature."""

    algorithm: str
    key_suffix: str
    hexadecimal: bool

    def of(self, secret: str, text: str) -> str:
        """Sign ``text``."""
        mac = hmac.digest((secret + self.key_suffix).encode(), text.encode(), self.algorithm)
        return mac.hex() if self.hexadecimal else base64.b64encode(mac).decode()


ACS3_DIGEST = Digest("sha256", "", hexadecimal=True)
V1_DIGEST = Digest("sha1", "&", hexadecimal=False)


def encode(text: str) -> str:
    """Percent-encode by RFC 3986: only unreserved characters stay."""
    return quote(text, safe="-_.~")


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Sort parameters by name and join them, encoded."""
    return "&".join(f"{encode(name)}={encode(value)}" for name, value in sorted(pairs))


def canonical_request(request: OpenApiRequest, signed_headers: Sequence[str], payload_hash: str) -> str:
    """Write the canonical request of ACS3."""
    header_lines = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in signed_headers)
    return "\n".join(
        (
            request.method,
            request.path,
            canonical_query(request.query),
            header_lines,
            ";".join(signed_headers),
            payload_hash,
        )
    )


def read(request: OpenApiRequest) -> OpenApiSigned:
    """Read the signature of a request in either scheme; ApiError if it has none or an incomplete one."""
    authorization = request.headers.get("authorization", "")
    return _acs3(request, authorization) if authorization else _v1(request)


def check(signed: OpenApiSigned, secret: str) -> None:
    """Raise SignatureDoesNotMatch, with the string to sign, unless the request was signed with ``secret``."""
    expected = signed.expected.of(secret, signed.string_to_sign)
    if not hmac.compare_digest(expected.encode(), signed.signature.encode()):
        raise ApiError(
            "SignatureDoesNotMatch",
            message="Specified signature is not matched with our calculation. "
            f"server string to sign is:{signed.string_to_sign}",
        )


def check_time(signed: OpenApiSigned, now: datetime) -> None:
    """Raise unless the request was signed within 15 minutes of ``now``."""
    try:
        moment = datetime.strptime(_MILLISECONDS.sub("Z", signed.timestamp), _TIMESTAMP).replace(tzinfo=timezone.utc)
    except ValueError:
        raise ApiError("InvalidTimeStamp.Format", f"{signed.timestamp!r} is not like 2026-11-23T13:39:27Z") from None
    skew = (now - moment).total_seconds()
    if abs(skew) > CLOCK_TOLERANCE_SECONDS:
        raise ApiError("InvalidTimeStamp.Expired", f"{signed.timestamp} is {skew:+.0f} s from the server's time")


def _acs3(request: OpenApiRequest, authorization: str) -> OpenApiSigned:
    scheme, _, rest = authorization.partition(" ")
    if scheme != ACS3:
        raise ApiError("InvalidSignatureMethod", f"Authorization begins with {scheme!r}; {ACS3} is known")
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    missing = [name for name in _ACS3_FIELDS if not fields.get(name)]
    if missing:
        raise ApiError("IncompleteSignature", f"Authorization has no {', '.join(missing)}")
    if not _HEX_64.fullmatch(fields["Signature"]):
        raise ApiError("IncompleteSignature", "the Signature in Authorization is not 64 lower-case hex digits")
    names = fields["SignedHeaders"].split(";")
    if names != sorted(set(names)):
        raise ApiError("IncompleteSignature", "SignedHeaders are not sorted names, each once")
    needed = {"host", *(name for name in request.headers if name.startswith("x-acs-"))}
    if unsigned := sorted(needed.difference(names)):
        raise ApiError("IncompleteSignature", f"headers that must be signed are not: {', '.join(unsigned)}")
    if absent := [name for name in names if name not in request.headers]:
        raise ApiError("IncompleteSignature", f"SignedHeaders names what was not sent: {', '.join(absent)}")
    for name in ("x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"):
        if not request.headers.get(name):
            raise ApiError("IncompleteSignature", f"header {name} is missing")
    payload_hash = hashlib.sha256(request.body).hexdigest()
    if request.headers["x-acs-content-sha256"] != payload_hash:
        raise ApiError("SignatureDoesNotMatch", f"x-acs-content-sha256 is not that of the body: {payload_hash}")
    canonical = canonical_request(request, names, payload_hash)
    return OpenApiSigned(
        access_key_id=fields["Credential"],
        security_token=request.headers.get("x-acs-security-token", ""),
        nonce=request.headers["x-acs-signature-nonce"],
        timestamp=request.headers["x-acs-date"],
        signature=fields["Signature"],
        string_to_sign=f"{ACS3}\n{hashlib.sha256(canonical.encode()).hexdigest()}",
        expected=ACS3_DIGEST,
    )


def _v1(request: OpenApiRequest) -> OpenApiSigned:
    pairs = (*request.query, *request.form)
    parameters = dict(pairs)
    if not parameters.get("AccessKeyId"):
        raise ApiError("MissingAccessKeyId")
    for name, known, code in (
        ("SignatureMethod", "HMAC-SHA1", "InvalidSignatureMethod"),
        ("SignatureVersion", "1.0", "InvalidSignatureVersion"),
    ):
        if parameters.get(name) != known:
            raise ApiError(code, f"{name} is {parameters.get(name, '')!r}; {known} is known")
    for name in ("Signature", "SignatureNonce", "Timestamp"):
        if not parameters.get(name):
            raise ApiError("IncompleteSignature", f"parameter {name} is missing")
    signed_pairs = [pair for pair in pairs if pair[0] != "Signature"]
    return OpenApiSigned(
        access_key_id=parameters["AccessKeyId"],
        security_token=parameters.get("SecurityToken", ""),
        nonce=parameters["SignatureNonce"],
        timestamp=parameters["Timestamp"],
        signature=parameters["Signature"],
        string_to_sign=f"{request.method}&{encode('/')}&{encode(canonical_query(signed_pairs))}",
        expected=V1_DIGEST,
    )
