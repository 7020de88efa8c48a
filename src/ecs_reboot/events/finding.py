"""What a source module found in one element, as it stands there: nothing is trusted or decided yet."""

from collections.abc import Mapping
from datetime import datetime

from ecs_reboot.events.state_words import StateWord
from ecs_reboot.model import Metric
from ecs_reboot.named_tuple import NamedTuple
from ecs_reboot.outcomes import Code


class Field(NamedTuple):
    """A value of the event and where it stands."""

    path: str
    value: object


class Place(NamedTuple):
    """Where an element names one instance: all IDs must be the same one, and so must all regions.

    ``labels`` are the keys that were there, where the operator chooses which of them hold an instance ID.
    """

    ids: tuple[Field, ...] = ()
    regions: tuple[Field, ...] = ()
    labels: tuple[str, ...] = ()


class Refusal(NamedTuple):
    """Why this kind of element is never, or not now, a reason to reboot."""

    code: Code
    reason: str


class Finding(NamedTuple):
    """One element of an event from a monitoring source.

    ``notice`` is set for a kind that reports no fault at all, ``refusal`` for one that reports a fault which a reboot
    does not cure; ``contradiction`` for states that can't both be true. ``foreign`` is the field that says it is not
    about ECS. ``time`` is the element's own, the delivery's stands in for a missing one; ``said`` is when its state
    became what it is, where that is another time. ``fault_key`` is equal in every delivery of one fault, ``identity``
    in its beginning and its end and in nothing else; empty where the element has nothing of the kind;
    ``metric`` is what fired, where the element names it whole.
    """

    kind: str
    evidence: str
    states: tuple[StateWord, ...]
    places: tuple[Place, ...]
    fault_key: str
    identity: str
    time: Field | None = None
    said: Field | None = None
    notice: Refusal | None = None
    refusal: Refusal | None = None
    contradiction: Field | None = None
    foreign: Field | None = None
    metric: Metric | None = None


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
