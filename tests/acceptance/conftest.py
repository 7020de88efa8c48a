"""The fixtures of these tests, for pytest to find."""

from acceptance_fixtures import _no_kept_connections, package, whole

__all__ = ["_no_kept_connections", "package", "whole"]
