"""May this identity do this? The seam that a policy evaluator fills; until then everything is allowed."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from localcloud.account.credentials import Identity


class Resource(NamedTuple):
    """What a call is about: its name, the tags it has, the tags that the request brings, and other condition keys."""

    arn: str
    tags: Mapping[str, str] = {}
    request_tags: Mapping[str, str] = {}
    circumstances: Mapping[str, str] = {}


Authorize = Callable[[Identity, str, Resource], bool]
"""(who, action as ``ecs:RebootInstances``, what) -> allowed."""


def allow_everything(_identity: Identity, _action: str, _resource: Resource) -> bool:
    """Allow everything."""
    return True
