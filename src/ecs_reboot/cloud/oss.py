"""PutObject to one bucket of OSS, signed here (signature version 4, the body unsigned) and sent over our transport.

A client package for one call would cost more start-up time than the call itself.
"""

import hashlib
import hmac
import re
from datetime import datetime

from ecs_reboot.cloud.credentials import Credentials
from ecs_reboot.cloud.transport import AnswerLost, Connections, NothingSent, Request

_SCHEME, _UNSIGNED = "OSS4-HMAC-SHA256", "UNSIGNED-PAYLOAD"
_CODE = re.compile(rb"<Code>([^<]{1,100})</Code>")


class NotStored(Exception):
    """An object did not reach the bucket, or may not have."""


class Bucket:
    """One bucket. ``endpoint`` is the region's, without the bucket."""

    def __init__(self, name: str, region_id: str, endpoint: str, credentials: Credentials) -> None:
        self._name, self._region_id, self._credentials = name, region_id, credentials
        scheme, _, host = endpoint.rpartition("://")
        self._scheme = scheme or "https"
        # A loopback stand-in has no name for each bucket: there the bucket stands in the path.
        loopback = re.match(r"[0-9.]+(:|$)|\[|localhost", host)
        self._host, self._before_key = (host, f"/{name}") if loopback else (f"{name}.{host}", "")

    def put(self, key: str, body: bytes, content_type: str, now: datetime, seconds: float) -> None:
        """Store one object within ``seconds``. Raises NotStored.

        ``key``: letters, digits, `/`, `-`, `.` and `_`, which an address needs not encode.
        """
        connections = Connections()
        headers = self._signed(key, content_type, len(body), now)
        request = Request(self._scheme, self._host, "PUT", f"{self._before_key}/{key}", headers, body)
        try:
            answer = connections.exchange(request, connect_seconds=seconds / 2, answer_seconds=seconds)
        except (NothingSent, AnswerLost) as error:
            raise NotStored(f"PutObject to {self._name}: {error}") from error
        finally:
            connections.close()
        if answer.status != 200:  # noqa: PLR2004 - OK
            code = _CODE.search(answer.body)
            said = code[1].decode(errors="replace") if code else "no code"
            raise NotStored(f"PutObject to {self._name}: HTTP {answer.status}: {said}")

    def _signed(self, key: str, content_type: str, size: int, now: datetime) -> dict[str, str]:
        stamp = f"{now:%Y%m%dT%H%M%SZ}"
        headers = {"content-type": content_type, "x-oss-content-sha256": _UNSIGNED, "x-oss-date": stamp}
        if self._credentials.security_token:
            headers["x-oss-security-token"] = self._credentials.security_token
        named = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        canonical = f"PUT\n/{self._name}/{key}\n\n{named}\n\n{_UNSIGNED}"
        scope = f"{stamp[:8]}/{self._region_id}/oss/aliyun_v4_request"
        text = f"{_SCHEME}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signing_key = f"aliyun_v4{self._credentials.access_key_secret}".encode()
        for part in scope.split("/"):
            signing_key = hmac.digest(signing_key, part.encode(), "sha256")
        signature = hmac.digest(signing_key, text.encode(), "sha256").hex()
        credential = f"{self._credentials.access_key_id}/{scope}"
        return {
            **headers,
            "host": self._host,
            "content-length": str(size),
            "authorization": f"{_SCHEME} Credential={credential},Signature={signature}",
        }
