"""The failure queue: what the function gives up on must arrive there, with the event that it was about."""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from mns.mns_exception import MNSServerException

from acceptance.check import CheckFinding, differs, holds
from acceptance.stage import Stage

#: A setting that the function refuses: it then fails for each event, and reboots nothing. ROS takes any text.
REFUSED = {"Freezes": "acceptance"}
_BATCH = 16
_EMPTY = "MessageNotExist"


def failure_queue(stage: Stage) -> CheckFinding:
    """Have the function fail for each event, let the timer go off, and look for its event in the queue."""
    name = str(stage.deployed.outputs["FailureQueue"])
    before = stage.deployed.parameters["Freezes"]
    with stage.clients.queue(stage.account, name) as queue:
        _empty(queue)
        stage.change(REFUSED)
        try:
            stage.say(stage.outside.timer())
            found = _awaited(stage, queue)
        finally:
            stage.change({"Freezes": before})
    if found is None:
        return differs(f"a failed event did not come to the queue {name} within {stage.patience.alarm:.0f} s")
    told = _read(found)
    if told is None or stage.instance not in str(told.get("requestPayload", "")):
        return differs(f"a message came to the queue {name} that does not hold the event: {found[:300]}")
    condition = told.get("requestContext", {}).get("condition")
    form = "as it is" if found.lstrip().startswith("{") else "in Base64"
    return holds(f"the failed event came to the queue under requestPayload, {form}; condition {condition}")


def _awaited(stage: Stage, queue: Any) -> str | None:
    """Return the text of the message of the schedule's event, else of any that came; None if none comes."""
    until = time.monotonic() + stage.patience.alarm
    while True:
        last = time.monotonic() >= until
        came = list(_waiting(queue))
        ours = [text for text in came if stage.instance in str(_read(text))]
        if ours or last:
            return next(iter(ours or came), None)
        time.sleep(stage.patience.look)


def _waiting(queue: Any) -> Iterator[str]:
    try:
        yield from (str(message.message_body) for message in queue.batch_peek_message(_BATCH))
    except MNSServerException as error:
        if error.type != _EMPTY:
            raise


def _empty(queue: Any) -> None:
    """Delete what waits from before: the queue is the run's own."""
    while True:
        try:
            received = queue.batch_receive_message(_BATCH)
        except MNSServerException as error:
            if error.type == _EMPTY:
                return
            raise
        queue.batch_delete_message([message.receipt_handle for message in received])


def _read(text: str) -> Mapping[str, Any] | None:
    """Read a message, plain or in Base64: no page says which it is."""
    try:
        told = json.loads(text if text.lstrip().startswith("{") else base64.b64decode(text, validate=True))
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
