"""The fixtures of these tests, for pytest to find."""

from end_to_end_fixtures import stage

__all__ = ["stage"]
