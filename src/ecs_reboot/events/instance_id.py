"""What an ECS instance ID looks like, and what only pretends to be one.

``i-`` and lower-case letters and digits. The oldest documented form has 9 of them (``i-25k35****``), today's 20; so 9
to 30 are taken, which refuses ``i-12345``, ``i-test`` and their like, and so is one sign repeated refused
(``i-xxxxxxxxxxxx``). Nothing is repaired: an ID with blanks around it or in capitals may be a cut or a foreign one.
"""

import re
from collections.abc import Callable

from ecs_reboot.named_tuple import NamedTuple

_SHAPE = re.compile(r"i-[0-9a-z]{9,30}")
_ARN = re.compile(r"acs:([^:]*):([^:]*):([^:]*):(.*)", re.DOTALL)
_INSTANCE = "instance/"


class Arn(NamedTuple):
    """A resource name ``acs:product:region:account:resource``; ``instance_id`` is raw, None for other resources."""

    product: str
    region: str
    instance_id: str | None


def parse_arn(value: object) -> Arn | None:
    """Take a resource name apart, or give None for anything else."""
    match = _ARN.fullmatch(value) if isinstance(value, str) else None
    if not match:
        return None
    product, region, _account, resource = match.groups()
    return Arn(product, region, resource[len(_INSTANCE) :] if resource.startswith(_INSTANCE) else None)


def is_well_formed(value: str) -> bool:
    """Return whether the value has the form of an instance ID and is not one sign repeated."""
    return _SHAPE.fullmatch(value) is not None and len(set(value[2:])) > 1


def complaint(value: object) -> str:
    """Return what is wrong with a value as an instance ID; empty if nothing is."""
    if not isinstance(value, str):
        return "is not a text"
    if is_well_formed(value):
        return ""
    return next(said for is_so, said in _COMPLAINTS if is_so(value))


_COMPLAINTS: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda value: "*" in value, "is masked with '*'"),
    (lambda value: any(mark in value for mark in "<>{}$"), "is a placeholder that was never filled in"),
    (lambda value: value != value.strip(), "has blanks around it"),
    (lambda value: value != value.lower(), "has capital letters"),
    (lambda value: not value.startswith("i-"), "does not start with 'i-'"),
    (lambda _: True, "does not have the form of an instance ID ('i-' and 9 to 30 letters and digits)"),
)
