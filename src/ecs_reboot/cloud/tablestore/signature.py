"""Headers and signature of a request: HMAC-SHA1, or version 4 (HMAC-SHA256, bound to a day and a region)."""

import base64
import hashlib
import hmac
from datetime import datetime

from ecs_reboot.cloud.credentials import Credentials

API_VERSION = "2015-12-31"


def headers(
    operation: str, body: bytes, instance: str, credentials: Credentials, *, now: datetime, region_id: str = ""
) -> dict[str, str]:
    """Return the signed headers of one request; with ``region_id`` signed by version 4. ``now`` is aware, UTC."""
    made = {
        "x-ots-date": f"{now:%Y-%m-%dT%H:%M:%S}.000Z",
        "x-ots-apiversion": API_VERSION,
        "x-ots-accesskeyid": credentials.access_key_id,
        "x-ots-instancename": instance,
        "x-ots-contentmd5": content_md5(body),
    }
    if credentials.security_token:
        made["x-ots-ststoken"] = credentials.security_token
    if region_id:
        made |= {"x-ots-signdate": f"{now:%Y%m%d}", "x-ots-signregion": region_id}
    text = f"/{operation}\nPOST\n\n" + "".join(f"{name}:{made[name]}\n" for name in sorted(made))
    if region_id:
        key = _key_of_version_4(credentials.access_key_secret, made["x-ots-signdate"], region_id)
        made["x-ots-signaturev4"] = _signed(key, f"{text}ots", "sha256")
    else:
        made["x-ots-signature"] = _signed(credentials.access_key_secret.encode(), text, "sha1")
    return made


def content_md5(body: bytes) -> str:
    """Return the digest by which both sides notice a changed body."""
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def _signed(key: bytes, text: str, digest: str) -> str:
    return base64.b64encode(hmac.digest(key, text.encode(), digest)).decode()


def _key_of_version_4(secret: str, day: str, region_id: str) -> bytes:
    """Return the chained key; unlike that of other services it signs as base64 text."""
    key = f"aliyun_v4{secret}".encode()
    for part in (day, region_id, "ots", "aliyun_v4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return base64.b64encode(key)
