"""The fixtures of these tests, for pytest to find."""

from answering_fixtures import server, shared

__all__ = ["server", "shared"]
