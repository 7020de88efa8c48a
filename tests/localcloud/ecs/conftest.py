"""The fixture of these tests, for pytest to find."""

from ecs_requests import api

__all__ = ["api"]
