"""Topics and queues of one account.

A topic pushes each message to its subscriptions: as the bare text (STREAM) or in the documented envelope (JSON, sample
``mns-topic-trigger-json``).
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Literal, NamedTuple

from localcloud.account.clock import Clock
from localcloud.mns.errors import MessageError
from localcloud.mns.queues import MESSAGE_BYTES, Queue

Deliver = Callable[[bytes], None]


class Subscription(NamedTuple):
    """Who gets a topic's messages, and in which form."""

    name: str
    form: Literal["JSON", "STREAM"]
    deliver: Deliver


class Messages:
    """The topics and queues of one account in one region."""

    def __init__(self, account: str, clock: Clock, random: Random) -> None:
        self._account, self._clock, self._random = account, clock, random
        self._topics: dict[str, dict[str, Subscription]] = {}
        self._queues: dict[str, Queue] = {}

    @property
    def topics(self) -> Sequence[str]:
        """The names of the topics."""
        return tuple(self._topics)

    def create_topic(self, name: str) -> None:
        """Make a topic. Raises MessageError where the name is taken."""
        if name in self._topics:
            raise MessageError("TopicAlreadyExist", name)
        self._topics[name] = {}

    def create_queue(self, name: str) -> None:
        """Make a queue. Raises MessageError where the name is taken."""
        if name in self._queues:
            raise MessageError("QueueAlreadyExist", name)
        self._queues[name] = Queue(self._clock, self._random)

    def delete(self, name: str) -> None:
        """Take a topic or queue away with what it holds."""
        self._topics.pop(name, None)
        self._queues.pop(name, None)

    def subscribe(self, topic: str, subscription: Subscription) -> None:
        """Have a topic push to a subscription. Raises MessageError."""
        self._topic(topic)[subscription.name] = subscription

    def unsubscribe(self, topic: str, name: str) -> None:
        """Stop pushing."""
        self._topics.get(topic, {}).pop(name, None)

    def publish(self, topic: str, message: str) -> int:
        """Publish a message; returns how many subscriptions got it. Raises MessageError."""
        subscriptions = tuple(self._topic(topic).values())
        if not 0 < len(message.encode()) <= MESSAGE_BYTES:
            raise MessageError("MalformedXML", f"a message has 1 to {MESSAGE_BYTES} bytes")
        for subscription in subscriptions:
            subscription.deliver(self._pushed(topic, subscription, message))
        return len(subscriptions)

    def queue(self, name: str) -> Queue:
        """Return a queue. Raises MessageError."""
        if name not in self._queues:
            raise MessageError("QueueNotExist", f"The queue name you provided is not exist: {name}.")
        return self._queues[name]

    def waiting(self, queue: str) -> tuple[str, ...]:
        """Return what a queue holds, oldest first. Raises MessageError."""
        return self.queue(queue).bodies()

    def _topic(self, name: str) -> dict[str, Subscription]:
        if name not in self._topics:
            raise MessageError("TopicNotExist", name)
        return self._topics[name]

    def _pushed(self, topic: str, subscription: Subscription, message: str) -> bytes:
        if subscription.form == "STREAM":
            return message.encode()
        return json.dumps(
            {
                "TopicOwner": self._account,
                "Message": message,
                "Subscriber": self._account,
                "PublishTime": int(self._clock.now().timestamp() * 1000),
                "SubscriptionName": subscription.name,
                "MessageMD5": hashlib.md5(message.encode(), usedforsecurity=False).hexdigest().upper(),
                "TopicName": topic,
                "MessageId": f"{self._random.getrandbits(128):032X}",
            },
            ensure_ascii=False,
        ).encode()
