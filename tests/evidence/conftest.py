"""The fixtures of these tests, for pytest to find."""

from evidence_fixtures import wire

__all__ = ["wire"]
