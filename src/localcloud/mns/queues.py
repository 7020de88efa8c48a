"""Queues: messages wait, are received for a while, and are deleted by the receipt of that."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from random import Random

from localcloud.account.clock import Clock
from localcloud.mns.errors import MessageError

MESSAGE_BYTES = 65_536
#: CreateQueue, VisibilityTimeout: how long who received a message has it alone. Seconds of cloud time.
VISIBILITY_SECONDS = 30
#: BatchReceiveMessage: the most that one call gives.
BATCH = 16
_PRIORITY = 8


@dataclass
class QueueMessage:
    """A message that waits; times are milliseconds since 1970. ``receipt`` is empty until it is received."""

    message_id: str
    body: str
    enqueued: int
    visible: int
    received: int = 0
    first_received: int = 0
    receipt: str = ""
    priority: int = _PRIORITY

    @property
    def digest(self) -> str:
        """The MD5 of the body, in upper-case hexadecimal digits."""
        return hashlib.md5(self.body.encode(), usedforsecurity=False).hexdigest().upper()


class Queue:
    """The messages of one queue, oldest first."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock, self._random = clock, random
        self._messages: list[QueueMessage] = []

    def send(self, body: str) -> None:
        """Put a message at the end. Raises MessageError."""
        if len(body.encode()) > MESSAGE_BYTES:
            raise MessageError("MessageBodyTooLarge", f"{len(body.encode())} bytes; {MESSAGE_BYTES} are allowed")
        now = _milliseconds(self._clock.now())
        name = f"{self._random.getrandbits(64):016X}-1-{now:X}-{len(self._messages) + 1:09X}"
        self._messages.append(QueueMessage(name, body, now, now))

    def bodies(self) -> tuple[str, ...]:
        """Return the text of every message, received or not."""
        return tuple(message.body for message in self._messages)

    def peek(self, most: int) -> list[QueueMessage]:
        """Return what could be received, and leave it as it is. Raises MessageError where nothing could."""
        now = _milliseconds(self._clock.now())
        found = [message for message in self._messages if message.visible <= now][:most]
        if not found:
            raise MessageError("MessageNotExist", "Message not exist.")
        return found

    def receive(self, most: int) -> list[QueueMessage]:
        """Return messages with a receipt each; others do not see them for a while. Raises MessageError."""
        now = self._clock.now()
        back = _milliseconds(self._clock.after(VISIBILITY_SECONDS, now))
        found = self.peek(most)
        for message in found:
            message.received += 1
            message.first_received = message.first_received or _milliseconds(now)
            message.visible = back
            message.receipt = f"{message.priority}-{self._random.getrandbits(128):032x}"
        return found

    def delete(self, receipt: str) -> None:
        """Delete the message of a receipt. Raises MessageError where it is none, or its time is over."""
        kind, _, rest = receipt.partition("-")
        if not (kind.isdigit() and rest.isalnum()):
            raise MessageError("ReceiptHandleError", "The receipt handle you provided is not valid.")
        now = _milliseconds(self._clock.now())
        for message in self._messages:
            if message.receipt == receipt and message.visible > now:
                self._messages.remove(message)
                return
        raise MessageError("MessageNotExist", "Message not exist.")


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
