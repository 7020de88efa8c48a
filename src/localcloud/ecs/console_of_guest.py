"""What a guest shows on its console: GetInstanceConsoleOutput as text, GetInstanceScreenshot as a picture."""

import base64
import struct
import zlib
from datetime import datetime, timedelta

from localcloud.account.instances import EcsInstance
from localcloud.ecs.call import Body, EcsCall, Outcome
from localcloud.ecs.describe import REGION
from localcloud.ecs.parameters import Parameter
from localcloud.openapi.errors import ApiError

#: One picture of an instance in so long (GetInstanceScreenshot).
INTERVAL = timedelta(seconds=10)
#: The times of LastUpdateTime, by every example of the reference.
_CHINA = timedelta(hours=8)
_COLUMNS, _ROWS, _CELL_WIDTH, _CELL_HEIGHT = 80, 25, 4, 8

OUTPUT = (REGION, Parameter("InstanceId", required=True), Parameter("RemoveSymbols", "boolean", default=False))
SCREENSHOT = (REGION, Parameter("InstanceId", required=True), Parameter("WakeUp", "boolean", default=False))


def get_output(call: EcsCall) -> Outcome:
    """Answer with the text of the last start, whatever the status is."""
    instance = _named(call)
    text = console_text(instance, call.cloud.clock.now())
    at = (instance.state.start_time or call.cloud.clock.now()) + _CHINA
    return _outcome(instance, ConsoleOutput=_encoded(text.encode()), LastUpdateTime=f"{at:%Y-%m-%d %H:%M:%S}")


def get_screenshot(call: EcsCall) -> Outcome:
    """Answer with the picture of a Running instance, not oftener than every ten seconds."""
    instance, now = _named(call), call.cloud.clock.now()
    if call.state(instance).status != "Running":
        raise ApiError("IncorrectInstanceStatus", f"it is {call.state(instance).status}", status=405)
    before = call.cloud.pictured.get(instance.spec.instance_id)
    if before and now - before < INTERVAL:
        raise ApiError(
            "Throttling", f"the last picture was taken {(now - before).total_seconds():.1f} s ago", status=429
        )
    call.cloud.pictured[instance.spec.instance_id] = now
    return _outcome(instance, Screenshot=_encoded(picture(console_text(instance, now))))


def console_text(instance: EcsInstance, now: datetime) -> str:
    """Return the declared text; else a start, and the end that a guest's silence suggests."""
    if instance.spec.console and not instance.started_again:
        return instance.spec.console
    name = instance.spec.instance_name or instance.spec.instance_id
    lines = [
        "[    0.000000] Linux version 5.10.134 (local cloud)",
        f"[    1.482113] systemd[1]: Hostname set to <{name}>.",
    ]
    agent = instance.spec.agent
    if agent and agent.silent_since and agent.silent_since <= now and not instance.started_again:
        lines += [
            "[86311.204518] Out of memory: Killed process 2114 (java) total-vm:16443512kB",
            "[86312.770913] Kernel panic - not syncing: System is deadlocked on memory",
            "[86312.771004] ---[ end Kernel panic - not syncing: System is deadlocked on memory ]---",
        ]
    else:
        lines.append(f"{name} login: ")
    return "\n".join(lines)


def picture(text: str) -> bytes:
    """Return a PNG of a text console: a block for each character, in the place where it stands."""
    lines = [line[:_COLUMNS].ljust(_COLUMNS) for line in text.splitlines()[-_ROWS:]]
    lines += [" " * _COLUMNS] * (_ROWS - len(lines))
    lit = b"\x00" + b"\xc8" * (_CELL_WIDTH - 1)
    dark = b"\x00" * _CELL_WIDTH
    rows = []
    for line in lines:
        drawn = b"\x00" + b"".join(dark if sign == " " else lit for sign in line)
        blank = b"\x00" * len(drawn)
        rows += [blank, blank, *[drawn] * (_CELL_HEIGHT - 3), blank]
    size = struct.pack(">IIBBBBB", _COLUMNS * _CELL_WIDTH, _ROWS * _CELL_HEIGHT, 8, 0, 0, 0, 0)
    chunks = (_chunk(b"IHDR", size), _chunk(b"IDAT", zlib.compress(b"".join(rows))), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _named(call: EcsCall) -> EcsInstance:
    instance = call.find(call.arguments.text("InstanceId"), call.arguments.text("RegionId"))
    if instance is None:
        raise ApiError("InvalidParameter", f"no instance {call.arguments.text('InstanceId')}", status=404)
    if not call.may(instance):
        raise ApiError("Forbidden.RAM", f"ecs:{call.action} on {instance.spec.instance_id}")
    return instance


def _encoded(body: bytes) -> str:
    return base64.b64encode(body).decode()


def _outcome(instance: EcsInstance, **fields: str) -> Outcome:
    body: Body = {"InstanceId": instance.spec.instance_id, **fields}
    return Outcome(body)
