"""The fixtures of these tests, for pytest to find."""

from packaging_fixtures import package

__all__ = ["package"]
