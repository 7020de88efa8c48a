"""The project's own function as a server was started with it: the console runs events on one like it."""

from collections.abc import Mapping
from typing import NamedTuple

from localcloud.functioncompute.function import Function


class OwnFunction(NamedTuple):
    """``settings`` are the variables that were given for it by hand; ``role_name`` is the role that it runs as."""

    function: Function
    settings: Mapping[str, str]
    role_name: str
