"""The values of a notice: what it says, to which channel, and what went wrong."""

from typing import Literal

from ecs_reboot.named_tuple import NamedTuple

#: What a notice is about. `needs_you`: refused or failed, and only a person can help. `observed`: it would have been.
#: `digest`: the last days in one sentence.
Kind = Literal["digest", "observed", "rebooting", "came_back", "not_back", "needs_you", "late"]


class Channel(NamedTuple):
    """Where to tell: a service's name, the address (a secret), and the secret that signs where the service signs."""

    service: str
    url: str
    secret: str = ""

    def __repr__(self) -> str:
        return f"Channel({self.service})"


class Message(NamedTuple):
    """What stands in the chat: plain text, to be escaped by each service.

    ``link`` leads to the records, '' for no link. ``source`` and ``event_id`` name the message for receivers that drop
    doubles; ``instance_ids`` are for machines.
    """

    kind: Kind
    title: str
    lines: tuple[str, ...]
    link: str
    link_text: str
    source: str
    event_id: str
    instance_ids: tuple[str, ...] = ()


class Notice(NamedTuple):
    """One message with what is needed to tell it once: ``keys`` name what it is about, one for each result."""

    message: Message
    region_id: str
    keys: tuple[str, ...]


class Failure(NamedTuple):
    """Why a message did not arrive, or may not have. ``wait_seconds``: the service wants no message for so long."""

    code: str
    reason: str
    wait_seconds: float = 0.0
