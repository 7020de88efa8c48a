"""SLS over HTTP with a client of it that can make any mistake: requests are signed here, not by the code under test."""

import base64
import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from localcloud.account.authorization import allow_everything
from localcloud.account.cloud import Cloud
from localcloud.account.credentials import KeyPair
from localcloud.account.fleet import Fleet
from localcloud.server.server import running

KEY, SECRET = OWN = KeyPair("local-access-key-id", "local-access-key-secret")

STORE = "/logstores/records/shards/lb"


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["errorCode"])


class Service:
    """One running cloud and a client of it that can make any mistake."""

    def __init__(self, cloud: Cloud, host_port: str) -> None:
        self.cloud = cloud
        self.host_port = host_port

    def send(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = http.client.HTTPConnection(self.host_port, timeout=10)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def v1(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        query: Mapping[str, str] = {},
        changed: Mapping[str, str | None] = {},
        after: Mapping[str, str] = {},
        algorithm: str = "sha1",
        key: str = KEY,
        secret: str = SECRET,
    ) -> Answer:
        """Sends a request signed by v1; ``changed`` headers before the signature, ``after`` behind its back."""
        plain = {
            "host": f"ecs-reboot.{self.host_port}",
            "date": formatdate(usegmt=True),
            "x-log-apiversion": "0.6.0",
            "x-log-signaturemethod": f"hmac-{algorithm}",
            "x-log-bodyrawsize": str(len(body)),
        }
        if body:
            plain |= {
                "content-type": "application/x-protobuf",
                "content-md5": hashlib.md5(body, usedforsecurity=False).hexdigest().upper(),
            }
        headers = {name: value for name, value in {**plain, **changed}.items() if value is not None}
        signed = "".join(f"{n}:{v}\n" for n, v in sorted(headers.items()) if n.startswith(("x-log-", "x-acs-")))
        resource = path + ("?" + "&".join(f"{n}={v}" for n, v in sorted(query.items())) if query else "")
        head = [method, *(headers.get(name, "") for name in ("content-md5", "content-type", "date"))]
        text = "\n".join(head) + "\n" + signed + resource
        signature = base64.b64encode(hmac.digest(secret.encode(), text.encode(), algorithm)).decode()
        target = path + ("?" + urlencode(query) if query else "")
        return self.send(method, target, body, {**headers, "authorization": f"LOG {key}:{signature}", **after})

    def v4(
        self,
        method: str,
        path: str,
        body: bytes,
        *,
        after: Mapping[str, str] = {},
        scope_date: str = "",
        secret: str = SECRET,
    ) -> Answer:
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers = {
            "content-type": "application/x-protobuf",
            "host": f"ecs-reboot.{self.host_port}",
            "x-log-apiversion": "0.6.0",
            "x-log-bodyrawsize": str(len(body)),
            "x-log-content-sha256": hashlib.sha256(body).hexdigest(),
            "x-log-date": date,
        }
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        canonical = f"{method}\n{path}\n\n{lines}\n{names}\n{headers['x-log-content-sha256']}"
        scope = [scope_date or date[:8], "cn-hangzhou", "sls", "aliyun_v4_request"]
        text = f"SLS4-HMAC-SHA256\n{date}\n{'/'.join(scope)}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signing_key = ("aliyun_v4" + secret).encode()
        for part in scope:
            signing_key = hmac.digest(signing_key, part.encode(), "sha256")
        signature = hmac.digest(signing_key, text.encode(), "sha256").hex()
        authorization = f"SLS4-HMAC-SHA256 Credential={KEY}/{'/'.join(scope)},Signature={signature}"
        return self.send(method, path, body, {**headers, "authorization": authorization, **after})

    def stored(self, query: str = "") -> list[dict[str, str]]:
        now = int(time.time())
        asked = {"type": "log", "from": str(now - 1000), "to": str(now + 1000), "query": query}
        found: list[dict[str, str]] = self.v1("GET", "/logstores/records", query=asked).json
        return found

    def only_call(self) -> dict[str, Any]:
        (call,) = self.cloud.audit.calls(service="sls")
        return call


@pytest.fixture(scope="module")
def shared() -> Iterator[Service]:
    with running(Cloud.from_fleet(Fleet(), key=OWN)) as server:
        yield Service(server.cloud, server.host_port)


@pytest.fixture
def service(shared: Service) -> Service:
    shared.cloud.reset()
    shared.cloud.authorize = allow_everything
    return shared


def field(number: int, content: bytes) -> bytes:
    size = len(content)
    length = bytearray()
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + content


def log(at: float | None = None, **fields: str) -> bytes:
    moment = int(time.time() if at is None else at)
    varint = bytearray()
    while moment >= 0x80:
        varint.append(moment & 0x7F | 0x80)
        moment >>= 7
    contents = b"".join(field(2, field(1, k.encode()) + field(2, v.encode())) for k, v in fields.items())
    return field(1, b"\x08" + bytes([*varint, moment]) + contents)
