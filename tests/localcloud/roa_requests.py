"""A client of Function Compute's own, written from the description of the ACS3 signature for paths."""

import hashlib
import hmac
import http.client
import itertools
import json
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from signed_requests import timestamp

from localcloud.account.credentials import Credential

_NONCES = itertools.count()
VERSION = "2023-03-30"


class Response(NamedTuple):
    """What came back; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def signed(
    credential: Credential,
    action: str,
    method: str,
    path: str,
    *,
    query: dict[str, str] | None = None,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    host: str = "fc.local",
) -> dict[str, str]:
    """Return the headers of a signed request; ``headers`` are added to it, or replace its own, before it is signed."""
    digest = hashlib.sha256(body).hexdigest()
    all_headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-version": VERSION,
        "x-acs-date": timestamp(),
        "x-acs-signature-nonce": f"roa-{next(_NONCES)}",
        "x-acs-content-sha256": digest,
        **({"x-acs-security-token": credential.security_token} if credential.security_token else {}),
        **(headers or {}),
    }
    names = sorted(all_headers)
    pairs = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted((query or {}).items()))
    lines = "".join(f"{name}:{all_headers[name]}\n" for name in names)
    canonical = f"{method}\n{path}\n{pairs}\n{lines}\n{';'.join(names)}\n{digest}"
    text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    signature = hmac.new(credential.access_key_secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return all_headers | {
        "authorization": f"ACS3-HMAC-SHA256 Credential={credential.access_key_id},"
        f"SignedHeaders={';'.join(names)},Signature={signature}"
    }


def send(host_port: str, method: str, target: str, body: bytes, headers: dict[str, str]) -> Response:
    """Send one request over a connection of its own."""
    with closing(http.client.HTTPConnection(host_port, timeout=20)) as connection:
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        return Response(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())


def call(
    host_port: str,
    credential: Credential,
    action: str,
    method: str,
    path: str,
    *,
    query: dict[str, str] | None = None,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> Response:
    """Sign and send one request."""
    signed_headers = signed(credential, action, method, path, query=query, body=body, headers=headers, host=host_port)
    return send(host_port, method, f"{path}?{urlencode(query)}" if query else path, body, signed_headers)
