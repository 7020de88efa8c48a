"""A client of our own, written from the description of the signatures and not from the server's code."""

import asyncio
import base64
import hashlib
import hmac
import http.client
import itertools
import json
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, urlencode

from localcloud.account.cloud import Cloud
from localcloud.account.credentials import Credential
from localcloud.ecs.service import Ecs
from localcloud.openapi.signature import OpenApiRequest

_NONCES = itertools.count()
_EMPTY_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def timestamp(moment: datetime | None = None) -> str:
    return (moment or datetime.now(timezone.utc)).strftime("%Y-%m-%dT%H:%M:%SZ")


def acs3(
    credential: Credential,
    action: str,
    parameters: dict[str, str],
    *,
    host: str = "ecs.local",
    method: str = "POST",
    **overrides: str,
) -> dict[str, str]:
    """Return the headers of an ACS3 request; ``overrides`` are headers, with _ for -."""
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-version": "2014-05-26",
        "x-acs-date": timestamp(),
        "x-acs-signature-nonce": f"nonce-{next(_NONCES)}",
        "x-acs-content-sha256": _EMPTY_HASH,
    }
    if credential.security_token:
        headers["x-acs-security-token"] = credential.security_token
    headers |= {name.replace("_", "-"): value for name, value in overrides.items()}
    names = sorted(headers)
    query = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(parameters.items()))
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    canonical = f"{method}\n/\n{query}\n{lines}\n{';'.join(names)}\n{_EMPTY_HASH}"
    text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    digest = hmac.new(credential.access_key_secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={credential.access_key_id},SignedHeaders={';'.join(names)},Signature={digest}"
    )
    return headers


def v1(
    credential: Credential, action: str, parameters: dict[str, str], *, method: str = "POST", **overrides: str
) -> dict[str, str]:
    """Return the parameters of a version 1.0 request; ``overrides`` are common parameters."""
    signed = {
        **parameters,
        "Action": action,
        "Version": "2014-05-26",
        "Format": "JSON",
        "AccessKeyId": credential.access_key_id,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureType": "",
        "SignatureNonce": f"nonce-{next(_NONCES)}",
        "Timestamp": timestamp(),
        **({"SecurityToken": credential.security_token} if credential.security_token else {}),
        **overrides,
    }
    pairs = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(signed.items()))
    text = f"{method}&%2F&{quote(pairs, safe='~')}"
    key = f"{credential.access_key_secret}&".encode()
    digest = hmac.new(key, text.encode(), hashlib.sha1).digest()
    return {**signed, "Signature": base64.b64encode(digest).decode()}


@dataclass
class Api:
    """Calls actions of a cloud without a socket, as its account or ``caller``; an answer is (status, decoded JSON)."""

    cloud: Cloud
    caller: InitVar[Credential | None] = None
    credential: Credential = field(init=False)
    ecs: Ecs = field(init=False)

    def __post_init__(self, caller: Credential | None) -> None:
        self.ecs = Ecs(self.cloud)
        self.credential = caller or self.cloud.credentials.root

    def call(self, action: str, parameters: dict[str, str] | None = None, /, **named: Any) -> tuple[int, Any]:
        parameters = {**(parameters or {}), **named}
        headers = acs3(self.credential, action, parameters)
        return self.send(OpenApiRequest("POST", "/", list(parameters.items()), headers))

    def send(self, request: OpenApiRequest) -> tuple[int, Any]:
        answer = asyncio.run(self.ecs.answer(request))
        assert answer is not None, "the call was dropped"
        return answer.status, json.loads(answer.body)


def over_http(
    host_port: str, credential: Credential, action: str, parameters: dict[str, str], *, timeout: float = 10
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Send one signed request over a connection of its own: (status, headers, body)."""
    connection = http.client.HTTPConnection(host_port, timeout=timeout)
    try:
        headers = acs3(credential, action, parameters, host=host_port)
        connection.request("POST", f"/?{urlencode(parameters)}", headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()
