"""Takes evidence right before a reboot: best effort, within two seconds in all, beside the run that waits for it.

```
 ask ECS (console text, picture, open events, metrics), all together --> store each in the bucket, all together
 '---------------------------- two seconds; what is not there by then is an error in the record ---------------'
```

Whatever goes wrong here delays the reboot by no more than that, and never prevents it. The record holds where each
piece lies and its digest; the content may show secrets and stays in the bucket.
"""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Literal

from ecs_reboot.clock import Deadline
from ecs_reboot.cloud.ecs_api import Api, EcsApi, Question
from ecs_reboot.cloud.errors import CloudError
from ecs_reboot.cloud.oss import Bucket, NotStored
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.policy.facts import ApprovedReboot
from ecs_reboot.records.result import Exhibit

#: All of it, questions and uploads. Seconds.
SECONDS = 2.0
#: And at most this part of the time that is left: somebody may wait for the reboot over HTTP.
SHARE = 4
#: The most instances of one run that are looked at: the rest of a large batch is as ill as these.
MOST_INSTANCES = 20
#: The most bytes of a piece that are kept. Of a longer text the end is kept, of a longer picture nothing.
MOST_BYTES = 4_000_000

Name = Literal["console", "screen", "state"]
_CONSOLE, _SCREEN = Api("ecs", "GetInstanceConsoleOutput"), Api("ecs", "GetInstanceScreenshot")
_EVENTS, _METRIC = Api("ecs", "DescribeInstanceHistoryEvents"), Api("cms", "DescribeMetricLast")
_OPEN_EVENTS = ("Scheduled", "Executing", "Inquiring")
_METRICS = ("CPUUtilization", "memory_usedutilization", "load_1m")
_PICTURES = {b"\xff\xd8\xff": ("jpg", "image/jpeg"), b"\x89PNG": ("png", "image/png")}


class Piece(NamedTuple):
    """What was seen of one instance: its bytes, or why there are none."""

    instance_id: str
    name: Name
    ending: str = ""
    content_type: str = ""
    body: bytes = b""
    error: str = ""


class EvidenceTaker:
    """Takes the evidence of one run. ``level``: `console` for the text alone, `full` for all."""

    def __init__(self, level: Literal["console", "full"], bucket: Bucket, deadline: Deadline, request_id: str) -> None:
        self._level, self._bucket, self._deadline, self._request_id = level, bucket, deadline, request_id
        # Of the whole run, however many batches it has.
        self._seconds, self._instances = SECONDS, MOST_INSTANCES

    def take(self, ecs: EcsApi, region_id: str, orders: Sequence[ApprovedReboot]) -> Mapping[str, tuple[Exhibit, ...]]:
        """Return the exhibits of each instance, within what is left of the run's two seconds. Raises nothing."""
        ids = tuple(order.instance_id for order in orders)[: self._instances]
        began, seconds = time.monotonic(), min(self._seconds, self._deadline.left() / SHARE)
        if not ids or seconds <= 0:
            return {}
        found: list[Piece] = []
        kept: dict[tuple[str, str], Exhibit] = {}
        within(began + seconds, lambda: found.extend(self._look(ecs, region_id, ids, seconds)))
        # Copies: a thread that comes too late adds to what nobody reads any more.
        looked = tuple(found)
        works = [partial(self._keep, region_id, piece, began + seconds, kept) for piece in looked if not piece.error]
        within(began + seconds, *works)
        done = dict(kept)
        self._seconds -= time.monotonic() - began
        self._instances -= len(ids)
        return {
            instance_id: _exhibits([piece for piece in looked if piece.instance_id == instance_id], done)
            for instance_id in ids
        }

    def _look(self, ecs: EcsApi, region_id: str, ids: tuple[str, ...], seconds: float) -> list[Piece]:
        questions = [_about(_CONSOLE, region_id, instance_id) for instance_id in ids]
        if self._level == "full":
            questions += [_about(_SCREEN, region_id, instance_id) for instance_id in ids]
            questions += _state_questions(region_id, ids)
        answers = ecs.ask(questions, seconds)
        pieces = [console(instance_id, answer) for instance_id, answer in zip(ids, answers, strict=False)]
        if self._level == "full":
            pieces += [
                screen(instance_id, answer) for instance_id, answer in zip(ids, answers[len(ids) :], strict=False)
            ]
            pieces += [state(instance_id, questions[2 * len(ids) :], answers[2 * len(ids) :]) for instance_id in ids]
        return pieces

    def _keep(self, region_id: str, piece: Piece, until: float, kept: dict[tuple[str, str], Exhibit]) -> None:
        now = self._deadline.clock.now()
        run = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in self._request_id)
        key = f"{region_id}/{piece.instance_id}/{now:%Y%m%dT%H%M%SZ}-{run}/{piece.name}.{piece.ending}"
        try:
            self._bucket.put(key, piece.body, piece.content_type, now, max(0.05, until - time.monotonic()))
        except NotStored as error:
            exhibit = Exhibit(name=piece.name, error=str(error))
        else:
            digest = hashlib.sha256(piece.body).hexdigest()
            exhibit = Exhibit(name=piece.name, key=key, sha256=digest, size=len(piece.body))
        kept[piece.instance_id, piece.name] = exhibit


def within(until: float, *works: Callable[[], None]) -> None:
    """Have all works done beside each other, and wait for them no longer than until then. Raises nothing."""

    def quietly(work: Callable[[], None]) -> None:
        with suppress(Exception):  # no mistake here may reach the reboot; what is missing is in the record
            work()

    threads = [threading.Thread(target=quietly, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))


def _exhibits(pieces: Sequence[Piece], kept: Mapping[tuple[str, str], Exhibit]) -> tuple[Exhibit, ...]:
    if not pieces:
        return (Exhibit(name="console", error="ECS did not answer in time"),)
    late = "the bucket did not answer in time"
    return tuple(
        kept.get((piece.instance_id, piece.name)) or Exhibit(name=piece.name, error=piece.error or late)
        for piece in pieces
    )


def console(instance_id: str, answer: Mapping[str, Any] | CloudError) -> Piece:
    """Return the console's text of the last start, its end where it is long."""
    body, error = _decoded(answer, "ConsoleOutput")
    return Piece(instance_id, "console", "txt", "text/plain; charset=utf-8", body[-MOST_BYTES:], error)


def screen(instance_id: str, answer: Mapping[str, Any] | CloudError) -> Piece:
    """Return the picture of the console; the reference says JPG and shows a PNG, so its first bytes tell."""
    body, error = _decoded(answer, "Screenshot")
    ending, content_type = next(
        (kind for head, kind in _PICTURES.items() if body.startswith(head)), ("bin", "application/octet-stream")
    )
    if len(body) > MOST_BYTES:
        body, error = b"", f"the picture has {len(body)} bytes, more than {MOST_BYTES}"
    return Piece(instance_id, "screen", ending, content_type, body, error)


def state(instance_id: str, questions: Sequence[Question], answers: Sequence[Mapping[str, Any] | CloudError]) -> Piece:
    """Return open events and last metrics as JSON, with what could not be read."""
    document: dict[str, Any] = {"instance_id": instance_id}
    for question, answer in zip(questions, answers, strict=False):
        name = str(question.parameters.get("MetricName", "open_events"))
        document[name] = str(answer) if isinstance(answer, CloudError) else _rows(instance_id, answer)
    body = json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    return Piece(instance_id, "state", "json", "application/json", body)


def _about(api: Api, region_id: str, instance_id: str) -> Question:
    more = {"WakeUp": False} if api is _SCREEN else {}
    return Question(api, region_id, {"RegionId": region_id, "InstanceId": instance_id, **more})


def _state_questions(region_id: str, ids: tuple[str, ...]) -> list[Question]:
    events = {
        "RegionId": region_id, "ResourceId": list(ids), "InstanceEventCycleStatus": list(_OPEN_EVENTS),
        "MaxResults": 100,
    }  # fmt: skip
    dimensions = json.dumps([{"instanceId": instance_id} for instance_id in ids])
    return [Question(_EVENTS, region_id, events)] + [
        Question(
            _METRIC,
            region_id,
            {"Namespace": "acs_ecs_dashboard", "MetricName": name, "Period": "60", "Dimensions": dimensions},
        )
        for name in _METRICS
    ]


def _decoded(answer: Mapping[str, Any] | CloudError, field: str) -> tuple[bytes, str]:
    if isinstance(answer, CloudError):
        return b"", str(answer)
    try:
        body = base64.b64decode(str(answer.get(field) or ""), validate=True)
    except ValueError:
        return b"", f"{field} is not Base64"
    return body, "" if body else f"{field} is empty"


def _rows(instance_id: str, answer: Mapping[str, Any]) -> object:
    events = answer.get("InstanceSystemEventSet")
    if isinstance(events, dict):
        return [
            event for event in events.get("InstanceSystemEventType") or () if event.get("InstanceId") == instance_id
        ]
    try:
        points = json.loads(str(answer.get("Datapoints") or "[]"))
    except ValueError:
        return "Datapoints is no JSON list"
    return [point for point in points if isinstance(point, dict) and point.get("instanceId") == instance_id]
