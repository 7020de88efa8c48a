"""What a source module found in one element, as it stands there: nothing is trusted or decided yet."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from ecs_reboot.events.state_words import State
from ecs_reboot.outcomes import Code


class Field(NamedTuple):
    """A value of the event and where it stands."""

    path: str
    value: object


class Place(NamedTuple):
    """Where an element names one instance: all IDs must be the same one, and so must all regions."""

    ids: tuple[Field, ...] = ()
    regions: tuple[Field, ...] = ()


class Refusal(NamedTuple):
    """Why this kind of element is never, or not now, a reason to reboot."""

    code: Code
    reason: str


class Finding(NamedTuple):
    """One element of an event from a monitoring source.

    ``notice`` is set for a kind that reports no fault at all, ``refusal`` for one that reports a fault which a reboot
    does not cure; ``contradiction`` for states that can't both be true. ``foreign`` is the field that says it is not
    about ECS. ``time`` is the element's own, the delivery's stands in for a missing one. ``fault_key`` is equal in
    every delivery of one fault, ``subject`` in its beginning and its end.
    """

    kind: str
    evidence: str
    states: tuple[State, ...]
    places: tuple[Place, ...]
    fault_key: str
    subject: str
    time: Field | None = None
    notice: Refusal | None = None
    refusal: Refusal | None = None
    contradiction: Field | None = None
    foreign: Field | None = None


class Document(NamedTuple):
    """One JSON object or form with every envelope taken off.

    ``envelopes`` names the envelopes, outermost first; ``path`` is where the object stands in the text it came
    from (empty or ending in a dot); ``delivered`` is when the innermost envelope that has a time was sent,
    ``delivery`` its own ID.
    """

    body: Mapping[str, object]
    envelopes: tuple[str, ...] = ()
    path: str = ""
    delivered: datetime | None = None
    delivery: str = ""
    is_form: bool = False


def labelled(labels: object, keys: tuple[str, ...], path: str) -> tuple[Field, ...]:
    """Collect the labels under the given keys that say anything."""
    if not isinstance(labels, dict):
        return ()
    return tuple(
        Field(f"{path}.{key}", labels[key]) for key in keys if key in labels and labels[key] not in (None, "", "null")
    )
