"""The mark ``client`` of a contract test: which unchanged client it tries, with which calls.

    @pytest.mark.client("apache-libcloud", "ecs:RebootInstance", refused="...")

The name is that of the package. ``refused`` says what the client is refused, in its own form. The table
of clients in docs/develop/local-cloud.md is made of these marks; a fixture holds them to what was called and answered.
"""

from typing import Any, NamedTuple

import pytest

#: Fixtures that give a running local cloud.
SOURCES = ("running", "server", "served")


class Tried(NamedTuple):
    """One client and the calls of it that a test makes: service:Action."""

    client: str
    calls: tuple[str, ...]
    refused: str

    @classmethod
    def of(cls, mark: pytest.Mark) -> "Tried":
        """Read a mark."""
        client, *calls = mark.args
        return cls(client, tuple(calls), mark.kwargs.get("refused", ""))


def answered_calls(source: Any) -> set[str]:
    """Return the calls, service:Action, that a running local cloud has carried out."""
    entries = source.cloud.audit.entries() if hasattr(source, "cloud") else source.audit()
    return {f"{e['service']}:{e['action']}" for e in entries if e["kind"] == "api" and not e["code"]}
