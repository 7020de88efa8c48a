"""Pages that other packages add to the local cloud, each under a path of its own.

A package declares them as an entry point of the group ``localcloud.pages``: its name is the first part of the path,
its object makes the pages. They are loaded when first asked for, so nobody who does not look at them waits for them.
"""

from importlib.metadata import entry_points
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from localcloud.account.cloud import Cloud

GROUP = "localcloud.pages"


class Pages(Protocol):
    """What answers under one path, until it is closed."""

    async def handle(self, request: Request) -> Response:
        """Answer a request."""

    def close(self) -> None:
        """End what runs beside the pages."""


class Factory(Protocol):
    """Makes the pages for one cloud, its services, and the address that the local cloud answers at."""

    def __call__(self, cloud: Cloud, services: Any, endpoint: str, /) -> Pages:
        """Make the pages."""


def installed() -> frozenset[str]:
    """Return the names of all pages that are installed: the first part of their path."""
    return frozenset(point.name for point in entry_points(group=GROUP))


def load(name: str) -> Factory:
    """Load what makes the pages of a name. Raises LookupError where none are installed under it."""
    point = next(iter(entry_points(group=GROUP, name=name)), None)
    if point is None:
        raise LookupError(f"no package has pages named {name!r}: install one that declares it in {GROUP}")
    factory: Factory = point.load()
    return factory
