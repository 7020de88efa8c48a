"""Which region an instance is in: the one the event names, else the configured default, never a guess."""

import re

_LISTED = re.compile(r"(?:cn|ap|us|eu|me|na|sa|af|rus)-[a-z0-9-]+")
_SHAPE = re.compile(r"[a-z]{2,12}(?:-[a-z0-9]{1,20}){1,4}")


def is_listed(value: object) -> bool:
    """Return whether the value has the form of a region ID and starts as those of Alibaba Cloud do (`cn-`, `ap-`)."""
    return is_well_formed(value) and _LISTED.fullmatch(str(value)) is not None


def is_well_formed(value: object) -> bool:
    """Return whether the value has the form of a region ID (``cn-hangzhou``, ``us-east-1``, ``cn-wulanchabu-acdr-1``).

    The form matters beyond tidiness: a region becomes part of the host name that a signed request goes to.
    """
    return isinstance(value, str) and _SHAPE.fullmatch(value) is not None
