"""The fixtures of these tests, for pytest to find."""

from sls_requests import service, shared

__all__ = ["service", "shared"]
