"""(c): the floor: the same calls with the standard library alone, signed by hand, nothing checked that need not be."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import time
from base64 import b64encode
from urllib.parse import quote

TYPE_CHECKING = False  # type checkers take it as true; a floor does not load typing
if TYPE_CHECKING:
    from typing import Any

_EMPTY = hashlib.sha256(b"").hexdigest()


def handle(event: bytes, context: Any) -> dict[str, Any]:
    """Reboot what the event names and write a record for each."""
    order = json.loads(event)
    region, ids = order["region_id"], order["instance_ids"]
    numbered = {f"ResourceId.{number}": instance_id for number, instance_id in enumerate(ids, 1)}
    parameters = {
        "DescribeInstances": {"InstanceIds": json.dumps(ids)},
        "TagResources": {
            "ResourceType": "instance",
            "Tag.1.Key": "last-reboot",
            "Tag.1.Value": str(int(time.time())),
            **numbered,
        },
        "RebootInstances": {
            "ForceReboot": "false",
            **{f"InstanceId.{number}": instance_id for number, instance_id in enumerate(ids, 1)},
        },
    }
    host = os.environ["ECS_ENDPOINT"].removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    records = []
    for action in os.environ["CALLS"].split():
        if action not in parameters:
            continue
        answer = _call(connection, host, action, {"RegionId": region, **parameters[action]}, context.credentials)
        if action == "DescribeInstances" and any(
            instance["Status"] != "Running" for instance in answer["Instances"]["Instance"]
        ):
            raise RuntimeError("not running")
        if action == "RebootInstances":
            records = answer["InstanceResponses"]["InstanceResponse"]
    for record in records:
        print(json.dumps(record))
    _put_logs(connection, records, context.credentials)
    return {"results": records}


def _call(connection: http.client.HTTPConnection, host: str, action: str, query: dict[str, str], keys: Any) -> Any:
    text = "&".join(f"{quote(name, safe='~')}={quote(query[name], safe='~')}" for name in sorted(query))
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": _EMPTY,
        "x-acs-date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "x-acs-signature-nonce": os.urandom(16).hex(),
        "x-acs-version": "2014-05-26",
    }
    signed = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    digest = hashlib.sha256(f"POST\n/\n{text}\n{lines}\n{signed}\n{_EMPTY}".encode()).hexdigest()
    signature = hmac.digest(keys.access_key_secret.encode(), f"ACS3-HMAC-SHA256\n{digest}".encode(), "sha256").hex()
    headers["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={keys.access_key_id},SignedHeaders={signed},Signature={signature}"
    )
    connection.request("POST", f"/?{text}", headers=headers)
    reply = connection.getresponse()
    body = reply.read()
    if reply.status != http.client.OK:
        raise RuntimeError(f"{action}: {body!r}")
    return json.loads(body)


def _put_logs(connection: http.client.HTTPConnection, records: list[dict[str, str]], keys: Any) -> None:
    body = b"".join(_field(1, b"\x08" + _number(int(time.time())) + _contents(record)) for record in records)
    body += _field(3, b"reboot") + _field(4, b"fc")
    path = "/logstores/records/shards/lb"
    head = {
        "content-md5": hashlib.md5(body, usedforsecurity=False).hexdigest().upper(),
        "content-type": "application/x-protobuf",
        "date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()),
    }
    own = {"x-log-apiversion": "0.6.0", "x-log-bodyrawsize": str(len(body)), "x-log-signaturemethod": "hmac-sha1"}
    text = "\n".join(["POST", *head.values(), *(f"{name}:{value}" for name, value in own.items()), path])
    signature = b64encode(hmac.digest(keys.access_key_secret.encode(), text.encode(), "sha1")).decode()
    headers = {"host": "project.cn-hangzhou.log.aliyuncs.com", **head, **own}
    connection.request("POST", path, body, {**headers, "authorization": f"LOG {keys.access_key_id}:{signature}"})
    connection.getresponse().read()


def _contents(record: dict[str, str]) -> bytes:
    pairs = (_field(1, name.encode()) + _field(2, value.encode()) for name, value in record.items())
    return b"".join(_field(2, pair) for pair in pairs)


def _field(number: int, value: bytes) -> bytes:
    return _number(number << 3 | 2) + _number(len(value)) + value


def _number(value: int) -> bytes:
    return bytes([value]) if not value >> 7 else bytes([value & 0x7F | 0x80]) + _number(value >> 7)
