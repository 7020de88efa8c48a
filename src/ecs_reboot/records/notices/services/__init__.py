"""One module for each chat service: the form of a message, and what its answers mean. Pure.

Each has ``request(message, channel, now)``, which makes the POST, and ``failure(answer)``, which reads the answer: None
where the service took the message. Most services say no inside HTTP 200.
"""

from importlib import import_module
from typing import Protocol, cast

from ecs_reboot.cloud.transport import Answer, Request
from ecs_reboot.records.notices.notice import Channel, Failure, Message


class Service(Protocol):
    """What each module of this package offers."""

    def request(self, message: Message, channel: Channel, unix_time: float) -> Request:
        """Return the POST that brings the message to the channel."""

    def failure(self, answer: Answer) -> Failure | None:
        """Return why the service did not take the message, None where it did."""


def of(channel: Channel) -> Service:
    """Return the module of the channel's service."""
    return cast("Service", import_module(f"{__name__}.{channel.service}"))
