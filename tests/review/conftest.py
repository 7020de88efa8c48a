"""The fixtures of these tests, for pytest to find."""

from review_fixtures import recorded

__all__ = ["recorded"]
